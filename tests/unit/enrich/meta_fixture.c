// SPDX-License-Identifier: MIT
#include "tests/unit/enrich/meta_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/enrich/host_name.h"
#include "agent/enrich/networks/networks.h"
#include "agent/enrich/services/ip_ranges.h"
#include "tests/stubs/cmocka_all.h"

struct meta_fixture meta_fixture;

int __wrap_fffa_imds_open(uv_loop_t *loop, const struct fffa_imds_options *o,
			  struct fffa_imds **out);
void __wrap_fffa_imds_trigger(struct fffa_imds *i);
const uint64_t *__wrap_fffa_imds_errors(const struct fffa_imds *i);
void __wrap_fffa_imds_close(struct fffa_imds *i, void (*closed)(void *arg), void *arg);
int __wrap_fffa_ecs_open(uv_loop_t *loop, const struct fffa_ecs_options *o, struct fffa_ecs **out);
const struct fffa_ecs_data *__wrap_fffa_ecs_data(const struct fffa_ecs *e);
void __wrap_fffa_ecs_inherit(struct fffa_ecs *to, const struct fffa_ecs *from);
bool __wrap_fffa_ecs_settled(const struct fffa_ecs *e);
const uint64_t *__wrap_fffa_ecs_errors(const struct fffa_ecs *e);
void __wrap_fffa_ecs_close(struct fffa_ecs *e, void (*closed)(void *arg), void *arg);
int __wrap_fffa_watched_file_open(uv_loop_t *loop, const struct fffa_watched_kind *kind,
				  const char *path, uint64_t refresh_ns, void (*changed)(void *arg),
				  void *arg, struct fffa_watched_file **out);
void __wrap_fffa_watched_file_inherit(struct fffa_watched_file *to, struct fffa_watched_file *from);
bool __wrap_fffa_watched_file_settled(const struct fffa_watched_file *w);
uint64_t __wrap_fffa_watched_file_errors(const struct fffa_watched_file *w);
void __wrap_fffa_watched_file_close(struct fffa_watched_file *w, void (*closed)(void *arg),
				    void *arg);
int __wrap_fffa_host_name_open(uv_loop_t *loop, void (*changed)(void *arg), void *arg,
			       struct fffa_host_name **out);
const char *__wrap_fffa_host_name_text(const struct fffa_host_name *h);
void __wrap_fffa_host_name_close(struct fffa_host_name *h, void (*closed)(void *arg), void *arg);
void __wrap_fffa_ip_ranges_apply(const struct fffa_watched_file *file, struct fffa_record *rec);
void __wrap_fffa_networks_apply(const struct fffa_watched_file *file, struct fffa_record *r);
uint64_t __wrap_uv_hrtime(void);
int __wrap_uv_prepare_init(uv_loop_t *loop, uv_prepare_t *p);
int __wrap_uv_prepare_start(uv_prepare_t *p, uv_prepare_cb call);
int __wrap_uv_prepare_stop(uv_prepare_t *p);
void __wrap_uv_unref(uv_handle_t *h);

static int open_source(uv_loop_t *loop, enum meta_source_kind kind, void (*changed)(void *arg),
		       void *arg, struct meta_source **out)
{
	struct meta_source *s = &meta_fixture.sources[meta_fixture.n];

	assert_ptr_equal(loop, &fake_loop.loop);
	if (meta_fixture.open_error[kind])
		return meta_fixture.open_error[kind];
	assert_true(meta_fixture.n++ < sizeof(meta_fixture.sources) / sizeof(*s));
	s->kind = kind;
	s->changed = changed;
	s->arg = arg;
	*out = s;
	return 0;
}

static void close_source(const void *source, void (*closed)(void *arg), void *arg)
{
	size_t i = (size_t)((const struct meta_source *)source - meta_fixture.sources);

	assert_true(i < meta_fixture.n);
	assert_null(meta_fixture.sources[i].closed);
	meta_fixture.sources[i].closed = closed;
	meta_fixture.sources[i].closed_arg = arg;
}

static void inherit(void *to, const void *from)
{
	struct meta_source *s = to;

	s->inherited = from;
	s->known = s->inherited->known;
}

int __wrap_fffa_imds_open(uv_loop_t *loop, const struct fffa_imds_options *o,
			  struct fffa_imds **out)
{
	struct meta_source *s;
	int rc = open_source(loop, SOURCE_IMDS, NULL, NULL, &s);

	if (rc)
		return rc;
	s->imds = *o;
	*out = (void *)s;
	return 0;
}

void __wrap_fffa_imds_trigger(struct fffa_imds *i)
{
	((struct meta_source *)(void *)i)->triggers++;
}

const uint64_t *__wrap_fffa_imds_errors(const struct fffa_imds *i)
{
	return ((const struct meta_source *)(const void *)i)->errors;
}

void __wrap_fffa_imds_close(struct fffa_imds *i, void (*closed)(void *arg), void *arg)
{
	close_source(i, closed, arg);
}

int __wrap_fffa_ecs_open(uv_loop_t *loop, const struct fffa_ecs_options *o, struct fffa_ecs **out)
{
	struct meta_source *s;
	int rc = open_source(loop, SOURCE_ECS, o->changed, o->arg, &s);

	if (rc)
		return rc;
	s->ecs = *o;
	*out = (void *)s;
	return 0;
}

const struct fffa_ecs_data *__wrap_fffa_ecs_data(const struct fffa_ecs *e)
{
	return ((const struct meta_source *)(const void *)e)->known;
}

void __wrap_fffa_ecs_inherit(struct fffa_ecs *to, const struct fffa_ecs *from)
{
	inherit(to, from);
}

bool __wrap_fffa_ecs_settled(const struct fffa_ecs *e)
{
	return ((const struct meta_source *)(const void *)e)->settled;
}

const uint64_t *__wrap_fffa_ecs_errors(const struct fffa_ecs *e)
{
	return ((const struct meta_source *)(const void *)e)->errors;
}

void __wrap_fffa_ecs_close(struct fffa_ecs *e, void (*closed)(void *arg), void *arg)
{
	close_source(e, closed, arg);
}

int __wrap_fffa_watched_file_open(uv_loop_t *loop, const struct fffa_watched_kind *kind,
				  const char *path, uint64_t refresh_ns, void (*changed)(void *arg),
				  void *arg, struct fffa_watched_file **out)
{
	struct meta_source *s;
	int rc = open_source(loop, kind == &fffa_ip_ranges_kind ? SOURCE_RANGES : SOURCE_NETWORKS,
			     changed, arg, &s);

	if (rc)
		return rc;
	(void)snprintf(s->path, sizeof(s->path), "%s", path);
	s->refresh_ns = refresh_ns;
	*out = (void *)s;
	return 0;
}

void __wrap_fffa_watched_file_inherit(struct fffa_watched_file *to, struct fffa_watched_file *from)
{
	inherit(to, from);
}

bool __wrap_fffa_watched_file_settled(const struct fffa_watched_file *w)
{
	return ((const struct meta_source *)(const void *)w)->settled;
}

uint64_t __wrap_fffa_watched_file_errors(const struct fffa_watched_file *w)
{
	return ((const struct meta_source *)(const void *)w)->errors[0];
}

void __wrap_fffa_watched_file_close(struct fffa_watched_file *w, void (*closed)(void *arg),
				    void *arg)
{
	close_source(w, closed, arg);
}

int __wrap_fffa_host_name_open(uv_loop_t *loop, void (*changed)(void *arg), void *arg,
			       struct fffa_host_name **out)
{
	struct meta_source *s;
	int rc = open_source(loop, SOURCE_NAME, changed, arg, &s);

	if (rc)
		return rc;
	s->known = "web-1";
	*out = (void *)s;
	return 0;
}

const char *__wrap_fffa_host_name_text(const struct fffa_host_name *h)
{
	return ((const struct meta_source *)(const void *)h)->known;
}

void __wrap_fffa_host_name_close(struct fffa_host_name *h, void (*closed)(void *arg), void *arg)
{
	close_source(h, closed, arg);
}

void __wrap_fffa_ip_ranges_apply(const struct fffa_watched_file *file, struct fffa_record *rec)
{
	assert_int_equal(((const struct meta_source *)(const void *)file)->kind, SOURCE_RANGES);
	assert_non_null(rec->ident);
	meta_fixture.ranges_applied++;
}

void __wrap_fffa_networks_apply(const struct fffa_watched_file *file, struct fffa_record *r)
{
	assert_int_equal(((const struct meta_source *)(const void *)file)->kind, SOURCE_NETWORKS);
	assert_non_null(r->ident);
	meta_fixture.networks_applied++;
}

uint64_t __wrap_uv_hrtime(void)
{
	return meta_fixture.hrtime_ns;
}

int __wrap_uv_prepare_init(uv_loop_t *loop, uv_prepare_t *p)
{
	(void)p;
	assert_ptr_equal(loop, &fake_loop.loop);
	return 0;
}

int __wrap_uv_prepare_start(uv_prepare_t *p, uv_prepare_cb call)
{
	meta_fixture.prepare = p;
	meta_fixture.on_prepare = call;
	return 0;
}

int __wrap_uv_prepare_stop(uv_prepare_t *p)
{
	assert_ptr_equal(p, meta_fixture.prepare);
	meta_fixture.prepare = NULL;
	return 0;
}

void __wrap_uv_unref(uv_handle_t *h)
{
	assert_non_null(h);
}

int meta_fixture_setup(void **state)
{
	static char endpoint[] = "http://127.0.0.1:1", ranges[] = "/r.json", networks[] = "/n.csv";
	struct fffa_metadata_conf *c = &meta_fixture.conf;

	(void)state;
	memset(&meta_fixture, 0, sizeof(meta_fixture));
	fake_loop_reset();
	meta_fixture.hrtime_ns = 1000 * FFFA_NS_PER_S;
	c->imds.enabled = FFFA_SW_ON;
	c->imds.endpoint = endpoint;
	c->imds.refresh_ns = 60 * (int64_t)FFFA_NS_PER_S;
	c->imds.timeout_ns = 2 * (int64_t)FFFA_NS_PER_S;
	c->ecs = FFFA_ECS_AUTO;
	c->ip_ranges = ranges;
	c->networks = networks;
	meta_fixture.tuning = (struct fffa_meta_tuning){
		.timing = {.token_ttl_s = 7, .backoff_min_ns = 8, .backoff_max_ns = 9},
		.root = "/nowhere",
		.ecs_agent_url = "http://127.0.0.1:2",
	};
	(void)unsetenv("container");
	(void)unsetenv("KUBERNETES_SERVICE_HOST");
	(void)unsetenv("AWS_EC2_METADATA_DISABLED");
	(void)unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	(void)unsetenv("AWS_METADATA_SERVICE_TIMEOUT");
	return setenv(FFFA_ECS_VARIABLE, "http://127.0.0.1:3/v4", 1);
}

int meta_fixture_teardown(void **state)
{
	(void)state;
	if (meta_fixture.meta)
		meta_fixture_close();
	return 0;
}

void meta_fixture_open(void)
{
	struct fffa_err err = {""};

	if (fffa_meta_open_tuned(&fake_loop.loop, &meta_fixture.conf, &meta_fixture.tuning,
				 &meta_fixture.meta, &err) != 0)
		fail_msg("%s", err.text);
}

void meta_fixture_turn(void)
{
	if (fake_loop.closing_n)
		fake_loop_close();
	for (size_t i = 0; i < meta_fixture.n; i++) {
		struct meta_source *s = &meta_fixture.sources[i];
		void (*closed)(void *arg) = s->closed;

		s->closed = NULL;
		if (closed)
			closed(s->closed_arg);
	}
}

static void on_closed(void *arg)
{
	assert_ptr_equal(arg, &meta_fixture);
	meta_fixture.closed++;
}

void meta_fixture_close(void)
{
	fffa_meta_close(meta_fixture.meta, on_closed, &meta_fixture);
	meta_fixture.meta = NULL;
	assert_int_equal(meta_fixture.closed, 0);
	meta_fixture_turn();
	assert_int_equal(meta_fixture.closed, 1);
}

struct meta_source *meta_fixture_source(enum meta_source_kind kind, size_t n)
{
	for (size_t i = 0; i < meta_fixture.n; i++)
		if (meta_fixture.sources[i].kind == kind && n-- == 0)
			return &meta_fixture.sources[i];
	return NULL;
}

void meta_fixture_learn(struct meta_source *s, const struct fffa_imds_data *data)
{
	s->imds.events.learned(s->imds.events.arg, data);
}

void meta_fixture_fail(struct meta_source *s, enum fffa_imds_error e, bool refused,
		       uint32_t in_a_row)
{
	struct fffa_imds_failure f = {
		.error = e,
		.refused = refused,
		.in_a_row = in_a_row,
		.token_request = e == FFFA_IE_TIMEOUT,
		.wait_ns = 90 * FFFA_NS_PER_S,
	};

	s->imds.events.failed(s->imds.events.arg, &f);
}

void meta_fixture_settle(struct meta_source *s, const void *known)
{
	s->settled = true;
	s->known = known;
	s->changed(s->arg);
}

static void on_settled(void *arg)
{
	assert_ptr_equal(arg, &meta_fixture);
	meta_fixture.settled++;
}

void meta_fixture_wait(uint64_t max_ns)
{
	fffa_meta_wait(meta_fixture.meta, max_ns, on_settled, &meta_fixture);
}

uint64_t meta_fixture_errors(const char *name)
{
	uint64_t count = UINT64_MAX;
	const char *got;

	for (size_t i = 0; (got = fffa_meta_error(meta_fixture.meta, i, &count)) != NULL; i++)
		if (strcmp(got, name) == 0)
			return count;
	fail_msg("no reason is called %s", name);
	return 0;
}
