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
	fffa_change_apply(now, &next, note_key, text);
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
	expect_changes("capture: {interfaces: [a], exclude: [b], geneve_ports: [1]}\n"
		       "metadata: {static: {region: x}}\n",
		       "capture: {interfaces: [b], exclude: [], geneve_ports: [2]}\n"
		       "metadata: {static: {region: y}}\n",
		       "capture.interfaces capture.exclude capture.geneve_ports metadata.static ",
		       &c);
	assert_string_equal(c.capture.interfaces.v[0], "a");
	fffa_config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(a_reload_takes_what_it_can),
		cmocka_unit_test(every_type_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
