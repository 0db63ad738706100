// SPDX-License-Identifier: MIT
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void identify(void *arg, struct fffa_record *r)
{
	struct fixture *f = arg;

	r->ident = &f->ident;
}

int fixture_setup(void **state)
{
	static const char *const names[FIXTURE_SINKS] = {"a", "b", "c", "d"};
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || uv_loop_init(&f->loop))
		return -1;
	f->epoch = 77;
	f->ident.host = &f->host;
	f->env = (struct fffa_pipeline_env){.identify = identify, .arg = f};
	strcpy(f->host.agent_id, "i-0fixture");
	strcpy(f->host.account_id, "123456789012");
	strcpy(f->host.region, "us-east-1");
	f->conf.sinks = f->sinks;
	for (size_t i = 0; i < FIXTURE_SINKS; i++) {
		f->spies[i].peer = &f->peers[i];
		f->sinks[i] = (struct fffa_sink_conf){
			.common = {.name = (char *)(uintptr_t)names[i],
				   .type = (char *)(uintptr_t) "spy",
				   .format = (char *)(uintptr_t) "json",
				   .fields = (char *)(uintptr_t) "seq",
				   .header = true,
				   .batch_records = 10,
				   .batch_bytes = 1 << 20,
				   .batch_age_ns = 20 * MS,
				   .queue_memory = 1 << 20,
				   .retry_min_ns = 1 * MS,
				   .retry_max_ns = 4 * MS},
			.ops = &spy_sink_ops,
			.own = &f->spies[i],
		};
	}
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FIXTURE_SINKS; i++)
		spy_peer_fini(&f->peers[i]);
	free(f);
	return 0;
}

void fixture_open(struct fixture *f, size_t n)
{
	struct fffa_err err = {""};

	f->conf.sink_count = n;
	assert_int_equal(fffa_pipeline_open(&f->loop, &f->conf, f->epoch, &f->env, &f->p, &err), 0);
	assert_string_equal(err.text, ""); /* nothing has failed */
	assert_int_equal(fffa_pipeline_sink_count(f->p), n);
	fixture_check(f);
}

struct fffa_sink_conf fixture_copy_conf(const struct fffa_sink_conf *from)
{
	struct fffa_sink_conf c = *from;
	struct spy_conf *own = malloc(sizeof(*own));

	assert_non_null(own);
	memset(&c.common, 0, sizeof(c.common));
	c.common.name = strdup(from->common.name);
	c.common.type = strdup(from->common.type);
	c.common.format = strdup(from->common.format);
	c.common.fields = from->common.fields ? strdup(from->common.fields) : NULL;
	c.common.header = from->common.header;
	c.common.batch_records = from->common.batch_records;
	c.common.batch_bytes = from->common.batch_bytes;
	c.common.batch_age_ns = from->common.batch_age_ns;
	c.common.queue_memory = from->common.queue_memory;
	c.common.queue_spool = from->common.queue_spool;
	c.common.retry_min_ns = from->common.retry_min_ns;
	c.common.retry_max_ns = from->common.retry_max_ns;
	*own = *(const struct spy_conf *)from->own;
	c.own = own;
	c.opts = spy_sink_ops.opts;
	return c;
}

void fixture_check(const struct fixture *f)
{
	for (size_t i = 0; f->p && i < f->conf.sink_count; i++) {
		const struct fffa_sink_ledger *l = fffa_pipeline_sink_ledger(f->p, i);

		assert_true(fffa_ledger_sink_balances(l));
		assert_int_equal(l->records + l->filtered - l->skipdata_records - l->resumed,
				 f->fed);
	}
}

void fixture_feed(struct fixture *f, size_t n)
{
	while (n--) {
		struct fffa_record r = {
			.ident = &f->ident, .packets = 1, .end_reason = FFFA_END_IDLE};

		fffa_pipeline_record(f->p, &r);
		assert_int_equal(r.seq, ++f->fed);
		assert_int_equal(r.epoch, f->epoch);
		fixture_check(f);
	}
}

void fixture_turn(struct fixture *f)
{
	(void)uv_run(&f->loop, UV_RUN_ONCE);
	fixture_check(f);
}

void fixture_step(struct fixture *f)
{
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	(void)usleep(1000);
	fixture_check(f);
}

const struct fffa_sink_ledger *fixture_ledger(const struct fixture *f, size_t i)
{
	return f->p ? fffa_pipeline_sink_ledger(f->p, i) : &f->last[i];
}

void fixture_settle(struct fixture *f)
{
	for (size_t i = 0; i < f->conf.sink_count; i++) {
		while (fixture_ledger(f, i)->in_flight)
			fixture_turn(f);
	}
}

static void on_timer(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

static void on_timer_closed(uv_handle_t *h)
{
	*(bool *)h->data = true;
}

uint64_t fixture_turn_ns(const struct fixture *f)
{
	return uv_now(&f->loop) * MS;
}

void fixture_run_for(struct fixture *f, uint64_t ms)
{
	bool done = false;
	uv_timer_t t;

	assert_int_equal(uv_timer_init(&f->loop, &t), 0);
	t.data = &done;
	uv_update_time(&f->loop);
	assert_int_equal(uv_timer_start(&t, on_timer, ms, 0), 0);
	while (!done)
		fixture_turn(f);
	done = false;
	uv_close((uv_handle_t *)&t, on_timer_closed);
	while (!done)
		fixture_turn(f);
}

static void on_closed(void *arg, struct fffa_pipeline *p)
{
	struct fixture *f = arg;

	assert_ptr_equal(p, f->p);
	assert_false(f->closed);
	fixture_check(f);
	for (size_t i = 0; i < f->conf.sink_count; i++) {
		f->last[i] = *fffa_pipeline_sink_ledger(p, i);
		assert_int_equal(f->last[i].in_flight, f->last[i].spooled);
		assert_null(f->peers[i].sink);
	}
	f->closed = true;
	f->p = NULL;
}

void fixture_close_begin(struct fixture *f, uint64_t deadline_ns)
{
	fffa_pipeline_close(f->p, deadline_ns, on_closed, f);
	assert_false(f->closed);
	fixture_check(f);
}

void fixture_close_end(struct fixture *f)
{
	while (uv_loop_alive(&f->loop))
		fixture_turn(f);
	assert_true(f->closed);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	for (size_t i = 0; i < f->conf.sink_count; i++) {
		assert_int_equal(f->peers[i].closes, 1);
		assert_int_equal(f->peers[i].dones, f->peers[i].accepted);
	}
}

void fixture_close(struct fixture *f, uint64_t deadline_ns)
{
	fixture_close_begin(f, deadline_ns);
	fixture_close_end(f);
}

const char *fixture_expect_begin(const struct fixture *f, size_t i, uint64_t first, uint64_t last)
{
	const char *at = (const char *)f->peers[i].bytes, *end = at + f->peers[i].len;

	for (uint64_t seq = first; seq <= last; seq++) {
		char want[64];
		int n = snprintf(want, sizeof(want), "{\"seq\":%" PRIu64 "}\n", seq);

		assert_true(end - at >= n);
		assert_memory_equal(at, want, n);
		at += n;
	}
	return at;
}

void fixture_expect(const struct fixture *f, size_t i, uint64_t first, uint64_t last)
{
	const char *end = (const char *)f->peers[i].bytes + f->peers[i].len;

	assert_ptr_equal(fixture_expect_begin(f, i, first, last), end);
}

/* Returns the number behind "name": in the line; 0 if the name is absent. */
static uint64_t number(const char *line, const char *name)
{
	char key[32];
	const char *at;

	(void)snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(line, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

struct fixture_stream fixture_stream(const struct fixture *f, size_t i, uint64_t last)
{
	const char *at = (const char *)f->peers[i].bytes, *end = at + f->peers[i].len;
	bool *seen = calloc(last + 1, sizeof(*seen));
	struct fixture_stream s = {0};

	assert_non_null(seen);
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		char line[256] = "";
		uint64_t seq, lost;

		assert_non_null(stop);
		assert_uint_in_range(stop - at, 9, sizeof(line) - 1);
		memcpy(line, at, (size_t)(stop - at));
		at = stop + 1;
		seq = number(line, "seq");
		lost = number(line, "lost_records");
		assert_uint_in_range(seq, 1, last);
		assert_false(seen[seq]);
		seen[seq] = true;
		s.records += lost ? 0 : 1;
		s.skips += lost ? 1 : 0;
		s.lost += lost;
		if (lost)
			(void)snprintf(s.reason, sizeof(s.reason), "%s",
				       strstr(line, "lost_reason"));
	}
	free(seen);
	return s;
}

void fixture_expect_any_order(const struct fixture *f, size_t i, uint64_t first, uint64_t last)
{
	const char *at = (const char *)f->peers[i].bytes, *end = at + f->peers[i].len;
	bool *seen = calloc(last + 1, sizeof(*seen));
	uint64_t count = 0;

	assert_non_null(seen);
	while (at < end) {
		char line[64] = "", want[64];
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		uint64_t seq;

		assert_non_null(stop);
		assert_uint_in_range(stop + 1 - at, 9, sizeof(line) - 1);
		memcpy(line, at, (size_t)(stop + 1 - at));
		seq = strtoull(line + strlen("{\"seq\":"), NULL, 10);
		(void)snprintf(want, sizeof(want), "{\"seq\":%" PRIu64 "}\n", seq);
		assert_string_equal(line, want);
		assert_uint_in_range(seq, first, last);
		assert_false(seen[seq]);
		seen[seq] = true;
		count++;
		at = stop + 1;
	}
	assert_int_equal(count, last + 1 - first);
	free(seen);
}
