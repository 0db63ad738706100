/* SPDX-License-Identifier: MIT */
/* The lowest and the highest value of every number in the configuration, with the real sinks. */
#include <stdio.h>
#include <string.h>

#include "agent/daemon/registry.h"
#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

#define KAFKA "sinks: [{name: a, type: kafka, brokers: [b], topic: t, %s}]\n"
#define HTTP  "sinks: [{name: a, type: http, url: 'http://h/', %s}]\n"
#define FILES "sinks: [{name: a, type: file, path: /tmp/none/a, %s}]\n"

static const struct {
	const char *text, *key; /* of the problem: key, then what is inserted in text */
	const char *below, *lowest, *highest, *above; /* "": there is none */
} rows[] = {
	{"capture: {%s}\n", "geneve_ports: [%s]", "0", "1", "65535", "65536"},
	{"capture: {%s}\n", "vxlan_ports: [%s]", "0", "1", "65535", "65536"},
	{"capture: {%s}\n", "max_flows: %s", "1023", "1024", "16777216", "16777217"},
	{"capture: {%s}\n", "ring_size: %s", "32KiB", "64KiB", "256MiB", "512MiB"},
	{"capture: {%s}\n", "drain_interval: %s", "99ms", "100ms", "10s", "10001ms"},
	{"capture: {%s}\n", "sample: %s", "0", "1", "65536", "65537"},
	{"flows: {%s}\n", "idle_timeout: %s", "99ms", "100ms", "1h", "3601s"},
	{"flows: {%s}\n", "active_timeout: %s", "999ms", "1s", "1h", "3601s"},
	{"flows: {%s}\n", "max_flows: %s", "1023", "1024", "16777216", "16777217"},
	{"metadata: {imds: {%s}}\n", "refresh: %s", "9999ms", "10s", "6h", "21601s"},
	{"metadata: {imds: {%s}}\n", "timeout: %s", "99ms", "100ms", "10s", "10001ms"},
	{"%s\n", "shutdown_timeout: %s", "", "0s", "10m", "601s"},
	{FILES, "batch: {records: %s}", "0", "1", "1000000", "1000001"},
	{FILES, "batch: {bytes: %s}", "4095", "4KiB", "64MiB", "67108865"},
	{FILES, "batch: {age: %s}", "9ms", "10ms", "1m", "60001ms"},
	{FILES, "queue: {memory: %s}", "65535", "64KiB", "4GiB", "4294967297"},
	{FILES, "queue: {spool: %s}", "", "0", "1024GiB", "1025GiB"},
	{FILES, "retry: {min: %s}", "9ms", "10ms", "10m", "601s"},
	{FILES, "retry: {max: %s}", "9ms", "10ms", "10m", "601s"},
	{FILES, "retry: {give_up: %s}", "999ms", "1s", "720h", "2592001s"},
	{FILES, "rotate: {size: %s}", "", "0", "1024GiB", "1025GiB"},
	{FILES, "rotate: {interval: %s}", "999ms", "1s", "8760h", "31536001s"},
	{FILES, "rotate: {keep: %s}", "", "0", "100000", "100001"},
	{HTTP, "timeout: %s", "99ms", "100ms", "10m", "601s"},
	{HTTP, "requests: %s", "0", "1", "64", "65"},
	{KAFKA, "records_per_message: %s", "0", "1", "100000", "100001"},
	{KAFKA, "timeout: %s", "999ms", "1s", "24h", "86401s"},
};

static bool is_in_range(size_t i, const char *value)
{
	struct fffa_sink_schema schema[FFFA_REGISTRY_ROWS];
	char option[200], text[400];
	struct fffa_config c;
	struct problems p = {.count = 0};
	int rc;

	fffa_registry_schema(schema);
	(void)snprintf(option, sizeof(option), rows[i].key, value);
	(void)snprintf(text, sizeof(text), rows[i].text, option);
	rc = fffa_config_load_in(&fake_environment, "f", text, strlen(text), schema, &c,
				 problems_add, &p);
	if (!rc)
		fffa_config_free(&c);
	else if (!strstr(p.text, ": "))
		fail_msg("%s: no problem is named", text);
	return !strstr(p.text, "is out of range");
}

static void every_number_has_its_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!is_in_range(i, rows[i].lowest) || !is_in_range(i, rows[i].highest))
			fail_msg("%s: %s or %s is refused", rows[i].key, rows[i].lowest,
				 rows[i].highest);
		if (*rows[i].below && is_in_range(i, rows[i].below))
			fail_msg("%s: %s is not refused", rows[i].key, rows[i].below);
		if (is_in_range(i, rows[i].above))
			fail_msg("%s: %s is not refused", rows[i].key, rows[i].above);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_number_has_its_bounds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
