// SPDX-License-Identifier: MIT
#include "tests/component/enrich/metadata_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/cidr.h"
#include "agent/base/clock.h"
#include "tests/stubs/cmocka_all.h"

#define LIMIT_NS (60 * FFFA_NS_PER_S)

/* How long this thread could run and had no processor. 0: the kernel does not say it. */
static uint64_t waited_ns(void)
{
	int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	unsigned long long waited = 0;
	char text[96] = "";

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%*u %llu", &waited) != 1)
		waited = 0;
	(void)close(fd);
	return waited;
}

uint64_t metadata_fixture_clock_ns(void)
{
	uint64_t before, now;

	do {
		before = waited_ns();
		now = uv_hrtime();
	} while (waited_ns() != before);
	return now - before;
}

static void on_tick(uv_timer_t *t)
{
	struct metadata_fixture *r = t->data;
	uint64_t now = metadata_fixture_clock_ns();

	if (r->last_tick_ns && now - r->last_tick_ns > r->longest_gap_ns)
		r->longest_gap_ns = now - r->last_tick_ns;
	r->last_tick_ns = now;
	r->ticks++;
}

int metadata_fixture_setup(void **state)
{
	static const char *const variables[] = {"AWS_EC2_METADATA_DISABLED",
						"AWS_EC2_METADATA_SERVICE_ENDPOINT",
						"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
						"AWS_METADATA_SERVICE_TIMEOUT",
						"KUBERNETES_SERVICE_HOST",
						"container",
						"ECS_CONTAINER_METADATA_URI_V4"};
	struct metadata_fixture *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	*state = r;
	r->saved_stderr = -1;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		(void)unsetenv(variables[i]);
	if (imds_child_start(&r->mock, "127.0.0.1", NULL) != 0 || uv_loop_init(&r->loop) != 0)
		return -1;
	(void)uv_timer_init(&r->loop, &r->tick);
	r->tick.data = r;
	(void)uv_timer_start(&r->tick, on_tick, 10, 10);
	(void)snprintf(r->endpoint, sizeof(r->endpoint), "http://127.0.0.1:%d", r->mock.port);
	(void)snprintf(r->root, sizeof(r->root), "%s/root", r->mock.dir);
	(void)snprintf(r->captured, sizeof(r->captured), "%s/stderr", r->mock.dir);
	r->conf.imds.enabled = FFFA_SW_ON;
	r->conf.imds.endpoint = r->endpoint;
	r->conf.imds.refresh_ns = 600 * (int64_t)FFFA_NS_PER_S;
	r->conf.imds.timeout_ns = 30 * (int64_t)FFFA_NS_PER_S; /* no busy machine is so late */
	r->tuning = (struct fffa_meta_tuning){
		.timing = {.token_ttl_s = 21600,
			   .backoff_min_ns = 20 * FFFA_NS_PER_MS,
			   .backoff_max_ns = 80 * FFFA_NS_PER_MS,
			   .refused_ns = 600 * FFFA_NS_PER_S,
			   .min_interval_ns = 20 * FFFA_NS_PER_MS},
		.root = r->root, /* does not exist: no DMI, no machine id */
	};
	return mkdir(r->root, 0755);
}

static void on_closed(void *arg)
{
	struct metadata_fixture *r = arg;

	assert_false(r->closed);
	r->closed = true;
}

static bool is_closed(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return r->closed;
}

void metadata_fixture_close(struct metadata_fixture *r)
{
	r->closed = false;
	fffa_meta_close(r->meta, on_closed, r);
	assert_false(r->closed);
	r->meta = NULL;
	metadata_fixture_await(r, is_closed, 0);
}

static bool is_tokenless(const struct metadata_fixture *r, const char *path)
{
	return r->ecs_only ||
	       (r->without_token && strncmp(path, r->without_token, strlen(r->without_token)) == 0);
}

/* What holds in every test. */
static void check_manners(const struct metadata_fixture *r)
{
	json_t *all = imds_child_log(&r->mock), *e, *headers;
	size_t i;

	json_array_foreach (all, i, e) {
		const char *method = json_string_value(json_object_get(e, "method"));

		headers = json_object_get(e, "headers");
		assert_false(json_is_true(json_object_get(e, "proxied")));
		assert_null(json_object_get(headers, "x-forwarded-for"));
		assert_null(json_object_get(headers, "authorization"));
		if (is_tokenless(r, json_string_value(json_object_get(e, "path")))) {
			assert_string_equal(method, "GET");
			assert_false(json_is_true(json_object_get(e, "token")));
			continue;
		}
		if (strcmp(method, "GET") == 0) {
			assert_true(json_is_true(json_object_get(e, "token")));
			continue;
		}
		assert_string_equal(method, "PUT");
		assert_string_equal(json_string_value(json_object_get(e, "path")),
				    "/latest/api/token");
		assert_false(json_is_true(json_object_get(e, "token")));
		assert_string_equal(json_string_value(json_object_get(headers, "content-length")),
				    "0");
		assert_null(json_object_get(headers, "content-type"));
	}
	json_decref(all);
}

static void release_log(struct metadata_fixture *r)
{
	char line[2048];
	FILE *f;

	if (r->saved_stderr < 0)
		return;
	(void)dup2(r->saved_stderr, STDERR_FILENO);
	(void)close(r->saved_stderr);
	f = fopen(r->captured, "r");
	while (f && fgets(line, sizeof(line), f))
		(void)fputs(line, stderr);
	if (f)
		(void)fclose(f);
	(void)unlink(r->captured);
}

int metadata_fixture_teardown(void **state)
{
	struct metadata_fixture *r = *state;

	if (r->meta)
		metadata_fixture_close(r);
	release_log(r);
	uv_close((uv_handle_t *)&r->tick, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	check_manners(r);
	(void)rmdir(r->root);
	imds_child_stop(&r->mock);
	free(r);
	return 0;
}

void metadata_fixture_open(struct metadata_fixture *r)
{
	static const struct fffa_device devices[] = {
		{.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}},
		{.ifindex = 3, .name = "eth1", .mac = {2, 0, 0, 0, 0, 2}},
	};
	struct fffa_err err = {""};

	if (fffa_meta_open_tuned(&r->loop, &r->conf, &r->tuning, &r->meta, &err) != 0)
		fail_msg("open: %s", err.text);
	assert_int_equal(fffa_meta_set_devices(r->meta, devices, 2), 0);
}

void metadata_fixture_await(struct metadata_fixture *r,
			    bool (*cond)(struct metadata_fixture *r, uint64_t arg), uint64_t arg)
{
	uint64_t end = uv_hrtime() + LIMIT_NS;

	while (!cond(r, arg)) {
		if (uv_hrtime() > end)
			fail_msg("the condition did not come true in time");
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	}
}

static bool is_past(struct metadata_fixture *r, uint64_t arg)
{
	(void)r;
	return uv_hrtime() >= arg;
}

void metadata_fixture_run_ms(struct metadata_fixture *r, uint64_t ms)
{
	metadata_fixture_await(r, is_past, uv_hrtime() + ms * FFFA_NS_PER_MS);
}

bool metadata_fixture_is_learned(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return fffa_meta_age_ns(r->meta) != UINT64_MAX;
}

bool metadata_fixture_is_settled(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return fffa_meta_settled(r->meta);
}

bool metadata_fixture_has_failures(struct metadata_fixture *r, uint64_t arg)
{
	uint64_t sum = 0, n;

	for (size_t i = 0; fffa_meta_error(r->meta, i, &n); i++)
		sum += n;
	return sum >= arg;
}

bool metadata_fixture_has_requests(struct metadata_fixture *r, uint64_t arg)
{
	return imds_child_count(&r->mock, NULL, NULL) >= arg;
}

uint64_t metadata_fixture_error(struct metadata_fixture *r, const char *name)
{
	const char *got;
	uint64_t n;

	for (size_t i = 0; (got = fffa_meta_error(r->meta, i, &n)) != NULL; i++) {
		if (strcmp(got, name) == 0)
			return n;
	}
	fail_msg("no reason is called %s", name);
	return 0;
}

char *metadata_fixture_name_file(struct metadata_fixture *r, const char *name)
{
	char path[128];

	r->conf.imds.enabled = FFFA_SW_OFF;
	r->conf.imds.refresh_ns = 20 * (int64_t)FFFA_NS_PER_MS;
	(void)snprintf(path, sizeof(path), "%s/%s", r->mock.dir, name);
	return strdup(path);
}

void metadata_fixture_write_file(const char *path, const char *text)
{
	char fresh[144];
	FILE *f;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	f = fopen(fresh, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0 || rename(fresh, path) != 0)
		abort();
}

void metadata_fixture_apply(struct metadata_fixture *r, struct fffa_record *rec, const char *src,
			    const char *dst)
{
	struct fffa_cidr c;

	assert_int_equal(fffa_cidr_parse(src, &c, NULL), 0);
	memcpy(rec->key.src, c.addr, 16);
	assert_int_equal(fffa_cidr_parse(dst, &c, NULL), 0);
	memcpy(rec->key.dst, c.addr, 16);
	fffa_meta_apply(r->meta, rec);
}

const struct fffa_ident *metadata_fixture_ident(struct metadata_fixture *r, uint32_t ifindex)
{
	struct fffa_record rec = {.key = {.ifindex = ifindex}};

	fffa_meta_apply(r->meta, &rec);
	assert_non_null(rec.ident);
	assert_non_null(rec.ident->host);
	return rec.ident;
}

void metadata_fixture_assert_all_known(struct metadata_fixture *r)
{
	const struct fffa_ident *a = metadata_fixture_ident(r, 2),
				*b = metadata_fixture_ident(r, 3);
	char agent_id[96];

	(void)snprintf(agent_id, sizeof(agent_id), "i-0123456789abcdef0%s%s",
		       a->host->ecs.task_id[0] ? "/" : "", a->host->ecs.task_id);
	assert_string_equal(a->host->agent_id, agent_id);
	assert_string_equal(a->host->instance_id, "i-0123456789abcdef0");
	assert_string_equal(a->host->account_id, "123456789012");
	assert_string_equal(a->host->region, "us-east-1");
	assert_string_equal(a->host->az, "us-east-1a");
	assert_string_equal(a->host->az_id, "use1-az4");
	assert_string_equal(a->ifname, "eth0");
	assert_string_equal(a->interface_id, "eni-00000020000000001");
	assert_string_equal(a->subnet_id, "subnet-0f1e2d3c4b5a69788");
	assert_string_equal(a->vpc_id, "vpc-0a1b2c3d4e5f60718");
	assert_string_equal(a->owner_id, "123456789012");
	assert_string_equal(b->ifname, "eth1");
	assert_string_equal(b->interface_id, "eni-00000020000000002");
	assert_ptr_equal(a->host, b->host);
}

void metadata_fixture_capture_log(struct metadata_fixture *r)
{
	int fd = open(r->captured, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	r->saved_stderr = dup(STDERR_FILENO);
	assert_true(r->saved_stderr >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	(void)close(fd);
}

size_t metadata_fixture_logged(struct metadata_fixture *r, const char *text)
{
	char line[4096];
	size_t n = 0;
	FILE *f = fopen(r->captured, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, text))
			n++;
	}
	(void)fclose(f);
	return n;
}
