// SPDX-License-Identifier: MIT
/* Which keys differ between two configurations, and which of them a reload takes over. */
#include <stdio.h>
#include <string.h>

#include "config/change.h"
#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

#define SEC INT64_C(1000000000)

static void note_key(void *arg, const char *key, bool taken)
{
	char *text = arg;
	size_t n = strlen(text);

	(void)snprintf(text + n, 1024 - n, "%s%s ", key, taken ? "!" : "");
}

/* "sinks " when they differ in number or in what they have. */
static void note_sinks(const struct fffa_config *a, const struct fffa_config *b, char *text)
{
	bool differ = a->sink_count != b->sink_count;

	for (size_t i = 0; !differ && i < a->sink_count; i++)
		differ = fffa_change_sink(&a->sinks[i], &b->sinks[i], NULL, NULL);
	if (differ)
		note_key(text, "sinks", false);
}

/*
 * Fails unless exactly these keys differ; a ! behind a key means that it was taken over. *now is
 * the first configuration after that.
 */
static void expect_changes(const char *first, const char *second, const char *keys,
			   struct fffa_config *now)
{
	struct fffa_config next;
	char text[1024] = "";

	load_ok(first, now);
	load_ok(second, &next);
	fffa_change_apply(now, &next, NULL, note_key, text);
	note_sinks(now, &next, text);
	fffa_config_free(&next);
	assert_string_equal(text, keys);
}

static void nothing_changed(void **state)
{
	static const char all[] =
		"capture: {interfaces: [a, b], geneve_ports: [1, 2], parity_filter: true}\n"
		"metadata: {static: {region: x, az: y}}\n"
		"sinks:\n"
		"  - {name: x, type: demo, url: u, hosts: [a], ports: [7], tls: {password: p},\n"
		"     properties: {k: v}}\n"
		"  - {name: y, type: file, path: z}\n";
	struct fffa_config c;

	(void)state;
	expect_changes("", "", "", &c);
	fffa_config_free(&c);
	expect_changes(all, all, "", &c);
	fffa_config_free(&c);
}

static void a_reload_takes_what_it_can(void **state)
{
	struct fffa_config c;

	(void)state;
	expect_changes("",
		       "capture: {parity_filter: true, max_flows: 2048}\n"
		       "flows: {idle_timeout: 5s, active_timeout: 7s}\n"
		       "shutdown_timeout: 3s\n"
		       "log: {level: debug, format: json}\n",
		       "capture.max_flows capture.parity_filter! flows.idle_timeout! "
		       "flows.active_timeout! shutdown_timeout! log.level! log.format! ",
		       &c);
	assert_true(c.capture.parity_filter);
	assert_int_equal(c.capture.max_flows, 131072); /* waits for a restart */
	assert_int_equal(c.flows.idle_timeout_ns, 5 * SEC);
	assert_int_equal(c.flows.active_timeout_ns, 7 * SEC);
	assert_int_equal(c.shutdown_timeout_ns, 3 * SEC);
	fffa_config_free(&c);
	expect_changes("metadata: {static: {region: x}}\n",
		       "metadata: {static: {region: y}, imds: {enabled: off, endpoint: "
		       "'http://[::1]', refresh: 1m, timeout: 2s}, ecs: off, ip_ranges: f, "
		       "interfaces: {a: {vpc_id: vpc-1}}, instance_tags: [t]}\n",
		       "metadata.imds.enabled! metadata.imds.endpoint! metadata.imds.refresh! "
		       "metadata.imds.timeout! metadata.instance_tags! metadata.ecs! "
		       "metadata.ip_ranges! metadata.interfaces! metadata.static! ",
		       &c);
	fffa_config_free(&c);
}

static void every_type_is_compared(void **state)
{
	static const char base[] = "sinks: [{name: x, type: demo, url: u, hosts: [a], ports: [7], "
				   "tls: {password: p}, properties: {k: v}}]\n";
	static const char *const others[] = {
		"sinks: [{name: x, type: demo, url: w, hosts: [a], ports: [7], tls: {password: p}, "
		"properties: {k: v}}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [b], ports: [7], tls: {password: p}, "
		"properties: {k: v}}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [a, b], ports: [7], tls: {password: "
		"p}, "
		"properties: {k: v}}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [a], ports: [8], tls: {password: p}, "
		"properties: {k: v}}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [a], ports: [7], tls: {password: q}, "
		"properties: {k: v}}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [a], ports: [7], tls: {password: p}, "
		"properties: {k: w}}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [a], ports: [7], tls: {password: p}, "
		"properties: {l: v}}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [a], ports: [7], properties: {k: "
		"v}}]\n",
		"sinks: [{name: y, type: demo, url: u, hosts: [a], ports: [7], tls: {password: p}, "
		"properties: {k: v}}]\n",
		"sinks: [{name: x, type: file, path: z}]\n",
		"sinks: [{name: x, type: demo, url: u, hosts: [a], ports: [7], tls: {password: p}, "
		"properties: {k: v}}, {name: z, type: file, path: z}]\n",
	};
	struct fffa_config c;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		expect_changes(base, others[i], "sinks ", &c);
		fffa_config_free(&c);
	}
	expect_changes(
		"capture: {interfaces: [a], exclude: [b], geneve_ports: [1]}\n"
		"metadata: {static: {region: x}}\n",
		"capture: {interfaces: [b], exclude: [], geneve_ports: [2]}\n"
		"metadata: {static: {region: y}}\n",
		"capture.interfaces! capture.exclude! capture.geneve_ports! metadata.static! ", &c);
	assert_string_equal(c.capture.interfaces.v[0], "b"); /* taken over */
	fffa_config_free(&c);
}

static void note_sink_key(void *arg, const char *key)
{
	note_key(arg, key, false);
}

static void expect_sink_change(const char *first, const char *second, bool want, const char *keys)
{
	struct fffa_config now, next;
	char text[1024] = "";

	load_ok(first, &now);
	load_ok(second, &next);
	assert_int_equal(fffa_change_sink(&now.sinks[0], &next.sinks[0], note_sink_key, text),
			 want);
	assert_string_equal(text, keys);
	fffa_config_free(&now);
	fffa_config_free(&next);
}

static void a_sink_takes_over_what_differs(void **state)
{
	static const char base[] = "sinks: [{name: x, type: demo, format: json, url: u}]\n";

	(void)state;
	expect_sink_change(base, base, false, "");
	expect_sink_change(base,
			   "sinks: [{name: x, type: demo, format: json, url: w, batch: {age: 1s}, "
			   "retry: {min: 1s}, tls: {password: p}}]\n",
			   true, "batch.age retry.min url tls.password ");
	expect_sink_change(base, "sinks: [{name: x, type: file, format: json, path: u}]\n", true,
			   "type ");
	expect_sink_change(base,
			   "sinks: [{name: x, type: demo, format: vpc, url: w, queue: {memory: "
			   "1GiB}}]\n",
			   true, "format queue.memory url ");
}

static void a_filter_or_a_spool_may_come_and_go(void **state)
{
	static const char none[] = "sinks: [{name: x, type: file, path: p, filter: ' '}]\n",
			  tcp[] = "sinks: [{name: x, type: file, path: p, filter: tcp}]\n",
			  udp[] = "sinks: [{name: x, type: file, path: p, filter: udp}]\n";

	(void)state;
	expect_sink_change(none, tcp, true, "filter ");
	expect_sink_change(tcp, none, true, "filter ");
	expect_sink_change(tcp, udp, true, "filter ");
	expect_sink_change("sinks: [{name: x, type: file, path: p, queue: {spool: 1GiB}}]\n",
			   "sinks: [{name: x, type: file, path: p, queue: {spool: 2GiB}}]\n", true,
			   "queue.spool ");
	expect_sink_change("sinks: [{name: x, type: file, path: p, queue: {spool: 1GiB}}]\n",
			   "sinks: [{name: x, type: file, path: p}]\n", true, "queue.spool ");
}

/* A group of keys that cannot be taken over now. */
static void some_keys_are_left_out(void **state)
{
	struct fffa_config now, next;
	char text[256] = "";

	(void)state;
	load_ok("", &now);
	load_ok("metadata: {static: {region: y}}\nlog: {level: debug}\n", &next);
	fffa_change_apply(&now, &next, "metadata.", note_key, text);
	assert_string_equal(text, "metadata.static log.level! ");
	assert_int_equal(now.metadata.fixed.n, 0);
	fffa_config_free(&now);
	fffa_config_free(&next);
}

static bool is_secret_change(const char *first, const char *second)
{
	struct fffa_config now, next;
	bool is;

	load_ok(first, &now);
	load_ok(second, &next);
	is = fffa_change_is_secret(&now.sinks[0], &next.sinks[0]);
	assert_true(!is || fffa_change_has_secret(&next.sinks[0]));
	fffa_config_free(&now);
	fffa_config_free(&next);
	return is;
}

static void secrets_are_told_from_the_rest(void **state)
{
	static const char base[] = "sinks: [{name: x, type: demo, url: u, tls: {password: p}}]\n";

	(void)state;
	assert_false(is_secret_change(base, base));
	assert_true(is_secret_change(
		base, "sinks: [{name: x, type: demo, url: u, tls: {password_file: /secret}}]\n"));
	assert_true(is_secret_change(
		base, "sinks: [{name: x, type: demo, url: u, tls: {password: p}, properties: "
		      "{sasl.password_file: /secret}}]\n"));
	assert_false(is_secret_change(
		base, "sinks: [{name: x, type: demo, url: w, tls: {password: q}}]\n"));
	assert_false(is_secret_change(base, "sinks: [{name: x, type: file, path: u}]\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(a_reload_takes_what_it_can),
		cmocka_unit_test(every_type_is_compared),
		cmocka_unit_test(secrets_are_told_from_the_rest),
		cmocka_unit_test(a_sink_takes_over_what_differs),
		cmocka_unit_test(some_keys_are_left_out),
		cmocka_unit_test(a_filter_or_a_spool_may_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
