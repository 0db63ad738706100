/* SPDX-License-Identifier: MIT */
/* Good values of every type, and the defaults. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "config/value.h"
#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

#define SEC INT64_C(1000000000)

static void test_no_file(void **state)
{
	struct fffa_config c;
	struct problems p = {"", 0};
	const struct fffa_sink_common_conf *s;

	(void)state;
	assert_int_equal(fffa_config_load(NULL, fake_schema, &c, problems_add, &p), 0);
	assert_string_equal(p.text, "");
	assert_int_equal(c.capture.interfaces.n, 1);
	assert_string_equal(c.capture.interfaces.v[0], "auto");
	assert_int_equal(c.capture.exclude.n, 0);
	assert_int_equal(c.capture.hook, FFFA_HOOK_AUTO);
	assert_int_equal(c.capture.direction, FFFA_DIR_BOTH);
	assert_int_equal(c.capture.decapsulate.n, 1);
	assert_string_equal(c.capture.decapsulate.v[0], "auto");
	assert_int_equal(c.capture.geneve_ports.n, 1);
	assert_int_equal(c.capture.geneve_ports.v[0], 6081);
	assert_int_equal(c.capture.vxlan_ports.v[0], 4789);
	assert_int_equal(c.capture.max_flows, 131072);
	assert_int_equal(c.capture.ring_size, 4 << 20);
	assert_int_equal(c.capture.drain_interval_ns, SEC);
	assert_int_equal(c.capture.tunnel_view, FFFA_TUNNEL_VIEW_INNER);
	assert_int_equal(c.capture.sample, 1);
	assert_false(c.capture.parity_filter);
	assert_int_equal(c.flows.idle_timeout_ns, 60 * SEC);
	assert_int_equal(c.flows.active_timeout_ns, 60 * SEC);
	assert_int_equal(c.flows.max_flows, 1048576);
	assert_true(c.flows.nodata);
	assert_int_equal(c.metadata.imds.enabled, FFFA_SW_AUTO);
	assert_string_equal(c.metadata.imds.endpoint, "http://169.254.169.254");
	assert_int_equal(c.metadata.imds.refresh_ns, 300 * SEC);
	assert_int_equal(c.metadata.imds.timeout_ns, SEC);
	assert_int_equal(c.metadata.ecs, FFFA_ECS_AUTO);
	assert_string_equal(c.metadata.ip_ranges, "");
	assert_string_equal(c.metadata.host_name, "");
	assert_string_equal(c.metadata.networks, "");
	assert_int_equal(c.metadata.fixed.n, 0);
	assert_int_equal(c.shutdown_timeout_ns, 10 * SEC);
	assert_int_equal(c.log_level, FFFA_LOG_INFO);
	assert_int_equal(c.log_format, FFFA_LOG_TEXT);
	assert_int_equal(c.sink_count, 1);
	s = &c.sinks[0].common;
	assert_string_equal(s->name, "stdout");
	assert_string_equal(s->type, "file");
	assert_string_equal(s->format, "vpc");
	assert_null(s->fields);
	assert_true(s->header);
	assert_int_equal(s->batch_records, 1000);
	assert_int_equal(s->batch_bytes, 1 << 20);
	assert_int_equal(s->batch_age_ns, SEC / 5);
	assert_int_equal(s->queue_memory, 32 << 20);
	assert_int_equal(s->retry_min_ns, SEC / 2);
	assert_int_equal(s->retry_max_ns, 30 * SEC);
	assert_int_equal(s->retry_give_up_ns, 0);
	assert_string_equal(((struct fake_file *)c.sinks[0].own)->path, "-");
	fffa_config_free(&c);
	assert_int_equal(c.sink_count, 0);
	fffa_config_free(&c);
}

static const char every_key[] =
	"capture:\n"
	"  interfaces: [eth0, 'ens*']\n"
	"  exclude: [docker0]\n"
	"  hook: xdp\n"
	"  direction: egress\n"
	"  decapsulate: []\n"
	"  geneve_ports: [6081, 6082]\n"
	"  vxlan_ports: []\n"
	"  max_flows: 1024\n"
	"  ring_size: 262144\n"
	"  drain_interval: 100ms\n"
	"flows: {idle_timeout: 1h, active_timeout: 1s, max_flows: \"2048\"}\n"
	"metadata:\n"
	"  imds: {enabled: off, endpoint: 'http://127.0.0.1:81',"
	" refresh: 6h, timeout: 250ms}\n"
	"  static: {account_id: '123456789012', az_id: use1-az4}\n"
	"shutdown_timeout: 0s\n"
	"log: {level: debug, format: json}\n"
	"sinks:\n"
	"  - name: A_b-1\n"
	"    type: demo\n"
	"    format: json\n"
	"    fields: [srcaddr, dstaddr, bytes]\n"
	"    header: false\n"
	"    batch: {records: 1, bytes: 4KiB, age: 10ms}\n"
	"    queue: {memory: 4GiB}\n"
	"    retry: {min: 10ms, max: 10m, give_up: 2h}\n"
	"    flag: true\n"
	"    count: -10\n"
	"    wait: 3ms\n"
	"    room: 3GiB\n"
	"    url: \"http://x y\\n\"\n"
	"    hosts: [a, b]\n"
	"    ports: [9]\n"
	"    tls: {mode: fast, password: pw}\n"
	"    properties: {compression.type: zstd, x: ''}\n"
	"    patience: 1s\n";

static void check_every_sink_key(const struct fffa_sink_conf *s)
{
	const struct fake_demo *d = s->own;

	assert_string_equal(s->common.name, "A_b-1");
	assert_string_equal(s->common.fields, "srcaddr dstaddr bytes");
	assert_false(s->common.header);
	assert_int_equal(s->common.batch_records, 1);
	assert_int_equal(s->common.batch_bytes, 4096);
	assert_int_equal(s->common.batch_age_ns, SEC / 100);
	assert_int_equal(s->common.queue_memory, INT64_C(4) << 30);
	assert_int_equal(s->common.retry_min_ns, SEC / 100);
	assert_int_equal(s->common.retry_max_ns, 600 * SEC);
	assert_int_equal(s->common.retry_give_up_ns, 7200 * SEC);
	assert_true(d->flag);
	assert_int_equal(d->count, -10);
	assert_int_equal(d->wait_ns, 3000000);
	assert_int_equal(d->room_bytes, INT64_C(3) << 30);
	assert_string_equal(d->url, "http://x y\n");
	assert_int_equal(d->hosts.n, 2);
	assert_string_equal(d->hosts.v[1], "b");
	assert_int_equal(d->ports.n, 1);
	assert_int_equal(d->ports.v[0], 9);
	assert_int_equal(d->mode, 1);
	assert_string_equal(d->password, "pw");
	assert_int_equal(d->properties.n, 2);
	assert_string_equal(d->properties.v[0].key, "compression.type");
	assert_string_equal(d->properties.v[0].value, "zstd");
	assert_string_equal(d->properties.v[1].value, "");
	assert_int_equal(d->give_up_ns, SEC);
}

static void test_every_key(void **state)
{
	struct fffa_config c;

	(void)state;
	load_ok(every_key, &c);
	assert_int_equal(c.capture.interfaces.n, 2);
	assert_string_equal(c.capture.interfaces.v[1], "ens*");
	assert_string_equal(c.capture.exclude.v[0], "docker0");
	assert_int_equal(c.capture.hook, FFFA_HOOK_XDP);
	assert_int_equal(c.capture.direction, FFFA_DIR_EGRESS);
	assert_int_equal(c.capture.decapsulate.n, 0);
	assert_int_equal(c.capture.geneve_ports.v[1], 6082);
	assert_int_equal(c.capture.vxlan_ports.n, 0);
	assert_int_equal(c.capture.max_flows, 1024);
	assert_int_equal(c.capture.ring_size, 262144);
	assert_int_equal(c.capture.drain_interval_ns, SEC / 10);
	assert_int_equal(c.flows.idle_timeout_ns, 3600 * SEC);
	assert_int_equal(c.flows.active_timeout_ns, SEC);
	assert_int_equal(c.flows.max_flows, 2048);
	assert_int_equal(c.metadata.imds.enabled, FFFA_SW_OFF);
	assert_string_equal(c.metadata.imds.endpoint, "http://127.0.0.1:81");
	assert_int_equal(c.metadata.imds.refresh_ns, 21600 * SEC);
	assert_int_equal(c.metadata.imds.timeout_ns, SEC / 4);
	assert_int_equal(c.metadata.fixed.n, 2);
	assert_string_equal(c.metadata.fixed.v[1].key, "az_id");
	assert_string_equal(c.metadata.fixed.v[1].value, "use1-az4");
	assert_int_equal(c.shutdown_timeout_ns, 0);
	assert_int_equal(c.log_level, FFFA_LOG_DEBUG);
	assert_int_equal(c.log_format, FFFA_LOG_JSON);
	assert_int_equal(c.sink_count, 1);
	check_every_sink_key(&c.sinks[0]);
	fffa_config_free(&c);
}

/* Files with little in them: all mean the defaults. */
static void test_nearly_empty(void **state)
{
	static const char *const texts[] = {
		"",   "# nothing\n", "---\n...\n", "capture:\nflows:\n",
		"{}", "log: {}\n",   "~\n",	   "\xef\xbb\xbflog: {}\n"};
	struct fffa_config c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		load_ok(texts[i], &c);
		assert_int_equal(c.sink_count, 1);
		assert_string_equal(c.capture.interfaces.v[0], "auto");
		fffa_config_free(&c);
	}
}

struct number {
	enum fffa_option_type type;
	const char *text;
	int rc;
	int64_t value;
	const char *back; /* how it is printed; NULL: like text */
};

static const struct number numbers[] = {
	{FFFA_OT_DURATION, "0s", 0, 0, NULL},
	{FFFA_OT_DURATION, "500ms", 0, SEC / 2, NULL},
	{FFFA_OT_DURATION, "1000ms", 0, SEC, "1s"},
	{FFFA_OT_DURATION, "10s", 0, 10 * SEC, NULL},
	{FFFA_OT_DURATION, "60s", 0, 60 * SEC, "1m"},
	{FFFA_OT_DURATION, "5m", 0, 300 * SEC, NULL},
	{FFFA_OT_DURATION, "1h", 0, 3600 * SEC, NULL},
	{FFFA_OT_DURATION, "2562047h", 0, INT64_C(2562047) * 3600 * SEC, NULL},
	{FFFA_OT_DURATION, "2562048h", -ERANGE, 0, NULL},
	{FFFA_OT_DURATION, "99999999999999999999s", -ERANGE, 0, NULL},
	{FFFA_OT_DURATION, "-1s", -ERANGE, 0, NULL},
	{FFFA_OT_DURATION, "", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "s", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "10", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "0", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "10 s", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, " 10s", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "1.5s", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "1d", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "1m30s", -EINVAL, 0, NULL},
	{FFFA_OT_DURATION, "10S", -EINVAL, 0, NULL},
	{FFFA_OT_SIZE, "0", 0, 0, NULL},
	{FFFA_OT_SIZE, "1023", 0, 1023, NULL},
	{FFFA_OT_SIZE, "1024", 0, 1024, "1KiB"},
	{FFFA_OT_SIZE, "64KiB", 0, 65536, NULL},
	{FFFA_OT_SIZE, "10MiB", 0, 10 << 20, NULL},
	{FFFA_OT_SIZE, "1GiB", 0, 1 << 30, NULL},
	{FFFA_OT_SIZE, "8589934591GiB", 0, INT64_C(8589934591) << 30, NULL},
	{FFFA_OT_SIZE, "8589934592GiB", -ERANGE, 0, NULL},
	{FFFA_OT_SIZE, "10MB", -EINVAL, 0, NULL},
	{FFFA_OT_SIZE, "10k", -EINVAL, 0, NULL},
	{FFFA_OT_SIZE, "1.5GiB", -EINVAL, 0, NULL},
	{FFFA_OT_INT, "0", 0, 0, NULL},
	{FFFA_OT_INT, "-7", 0, -7, NULL},
	{FFFA_OT_INT, "9223372036854775807", 0, INT64_MAX, NULL},
	{FFFA_OT_INT, "9223372036854775808", -ERANGE, 0, NULL},
	{FFFA_OT_INT, "010", -EINVAL, 0, NULL},
	{FFFA_OT_INT, "0x10", -EINVAL, 0, NULL},
	{FFFA_OT_INT, "1_000", -EINVAL, 0, NULL},
	{FFFA_OT_INT, "+1", -EINVAL, 0, NULL},
	{FFFA_OT_INT, "--1", -EINVAL, 0, NULL},
	{FFFA_OT_INT, "1e3", -EINVAL, 0, NULL},
	{FFFA_OT_BOOL, "true", 0, 1, NULL},
	{FFFA_OT_BOOL, "false", 0, 0, NULL},
	{FFFA_OT_BOOL, "yes", 0, 1, "true"},
	{FFFA_OT_BOOL, "on", 0, 1, "true"},
	{FFFA_OT_BOOL, "no", 0, 0, "false"},
	{FFFA_OT_BOOL, "off", 0, 0, "false"},
	{FFFA_OT_BOOL, "True", -EINVAL, 0, NULL},
	{FFFA_OT_STRING, "1", -EINVAL, 0, NULL},
};

static void test_numbers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct number *n = &numbers[i];
		struct fffa_option o = {.type = n->type};
		int64_t v = 4711;
		char back[32];

		print_message("%s\n", n->text);
		assert_int_equal(fffa_value_parse(&o, n->text, &v), n->rc);
		assert_int_equal(v, n->rc ? 4711 : n->value);
		if (n->rc)
			continue;
		fffa_value_format(&o, v, back, sizeof(back));
		assert_string_equal(back, n->back ? n->back : n->text);
	}
}

/* Both ends of a range belong to it. */
static void test_range_ends(void **state)
{
	struct fffa_option o = {.type = FFFA_OT_INT, .min = 5, .max = 9};
	int64_t v;

	(void)state;
	assert_int_equal(fffa_value_parse(&o, "4", &v), -ERANGE);
	assert_int_equal(fffa_value_parse(&o, "5", &v), 0);
	assert_int_equal(fffa_value_parse(&o, "9", &v), 0);
	assert_int_equal(fffa_value_parse(&o, "10", &v), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_file),	     cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_nearly_empty), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_range_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
