/* SPDX-License-Identifier: MIT */
/* Everything that can be wrong with the text of one key, with the exact message and line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml/tree.h"
#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

static void test_unknown_keys(void **state)
{
	(void)state;
	expect_problems("capture:\n  interface: [auto]\n",
			"f:2: capture.interface: unknown key; did you mean \"interfaces\"?\n");
	expect_problems("snks: []\n", "f:1: snks: unknown key; did you mean \"sinks\"?\n");
	expect_problems("lgo: {}\n", "f:1: lgo: unknown key; did you mean \"log\"?\n");
	expect_problems("log:\n  zebra: 1\n",
			"f:2: log.zebra: unknown key; allowed: level, format, core_dumps\n");
	expect_problems("flows: {no_data: true}\n",
			"f:1: flows.no_data: unknown key; did you mean \"nodata\"?\n");
	expect_problems("flows: {zebra: 1}\n",
			"f:1: flows.zebra: unknown key; allowed: idle_timeout, active_timeout, "
			"max_flows, nodata\n");
	expect_problems("capture.hook: tc\n",
			"f:1: capture.hook: unknown key; allowed: capture, flows, metadata, "
			"spool_dir, shutdown_timeout, status, log, user, seccomp, sinks\n");
	expect_problems("sinks: [{name: x, type: demo, tls: {password_fil: /secret}}]\n",
			"f:1: sinks[0].tls.password_fil: unknown key; did you mean "
			"\"password_file\"?\n");
	expect_problems(
		"sinks: [{name: x, type: file, url: y}]\n",
		"f:1: sinks[0].url: unknown key; allowed: name, type, format, fields, envelope, "
		"filter, header, batch, queue, retry, path\n");
	expect_problems(
		"sinks: [{name: x, type: file, sinks: y}]\n",
		"f:1: sinks[0].sinks: unknown key; allowed: name, type, format, fields, envelope, "
		"filter, header, batch, queue, retry, path\n");
	expect_problems("'': 1\n",
			"f:1: unknown key; allowed: capture, flows, metadata, "
			"spool_dir, shutdown_timeout, status, log, user, seccomp, sinks\n");
	expect_problems("log: {level_file: x}\n",
			"f:1: log.level_file: unknown key; allowed: level, format, core_dumps\n");
}

static void test_duplicate_keys(void **state)
{
	(void)state;
	expect_problems("log:\n  level: info\n  level: info\n",
			"f:3: log.level: is given twice; once is allowed\n");
	expect_problems("log: {}\nflows: {}\nlog: {}\n",
			"f:3: log: is given twice; once is allowed\n");
	expect_problems("metadata: {static: {az: a,\n az: b}}\n",
			"f:2: metadata.static.az: is given twice; once is allowed\n");
}

static void test_wrong_kinds(void **state)
{
	(void)state;
	expect_problems("[]\n", "f:1: is a list; allowed: a map of keys\n");
	expect_problems("text\n", "f:1: is text; allowed: a map of keys\n");
	expect_problems("capture: [a]\n", "f:1: capture: is a list; allowed: a map of keys\n");
	expect_problems("capture:\n  interfaces: eth0\n",
			"f:2: capture.interfaces: is text; allowed: a list of text\n");
	expect_problems("capture:\n  interfaces:\n",
			"f:2: capture.interfaces: is empty; allowed: a list of text\n");
	expect_problems("capture:\n  interfaces: [[a]]\n",
			"f:2: capture.interfaces[0]: is a list; allowed: text\n");
	expect_problems("capture:\n  exclude:\n  - a\n  -\n  - ''\n",
			"f:4: capture.exclude[1]: is empty; allowed: text\n"
			"f:5: capture.exclude[2]: is empty; allowed: text\n");
	expect_problems("capture:\n  hook: [tc]\n",
			"f:2: capture.hook: is a list; allowed: auto, xdp, tc\n");
	expect_problems("capture:\n  hook: ~\n",
			"f:2: capture.hook: is empty; allowed: auto, xdp, tc\n");
	expect_problems("flows:\n  idle_timeout: {a: b}\n",
			"f:2: flows.idle_timeout: is a map; allowed: 100ms to 1h (units ms, s, m, "
			"h)\n");
	expect_problems("metadata: {static: [a]}\n",
			"f:1: metadata.static: is a list; allowed: a map of text to text with the "
			"keys account_id, instance_id, vpc_id, subnet_id, interface_id, region, "
			"az, az_id, sublocation_type, sublocation_id, instance_tag, "
			"instance_tag_2, interface_tag, interface_tag_2, asg_tag, asg_tag_2\n");
	expect_problems("metadata: {static: {az: [a]}}\n",
			"f:1: metadata.static.az: is a list; allowed: text\n");
	expect_problems("sinks: [{name: x, type: demo, properties: {[a]: b}}]\n",
			"f:1: sinks[0].properties: is a list; allowed: keys of 1 to 256 bytes of "
			"text\n");
	expect_problems("log: {[a]: b}\n", "f:1: log: has a list as a key; allowed: text\n");
}

static void test_wrong_values(void **state)
{
	(void)state;
	expect_problems("capture: {hook: xpd}\n", "f:1: capture.hook: \"xpd\" is unknown; did you "
						  "mean \"xdp\"? allowed: auto, xdp, tc\n");
	expect_problems("capture: {max_flows: 1k}\n",
			"f:1: capture.max_flows: \"1k\" is not a whole number; allowed: 1024 to "
			"16777216\n");
	expect_problems(
		"capture: {max_flows: 1023}\n",
		"f:1: capture.max_flows: 1023 is out of range; allowed: 1024 to 16777216\n");
	expect_problems("flows: {idle_timeout: 10}\n",
			"f:1: flows.idle_timeout: \"10\" is not a duration; allowed: 100ms to 1h "
			"(units ms, s, m, h)\n");
	expect_problems("capture: {ring_size: 4MB}\n",
			"f:1: capture.ring_size: \"4MB\" is not a size; allowed: 64KiB to 256MiB "
			"(bytes, or units KiB, MiB, GiB)\n");
	expect_problems(
		"capture: {geneve_ports: [1, x]}\n",
		"f:1: capture.geneve_ports[1]: \"x\" is not a whole number; allowed: a list "
		"of whole numbers, each 1 to 65535\n");
	expect_problems("capture: {vxlan_ports: [0, 65536]}\n",
			"f:1: capture.vxlan_ports[0]: 0 is out of range; allowed: a list of whole "
			"numbers, each 1 to 65535\n"
			"f:1: capture.vxlan_ports[1]: 65536 is out of range; allowed: a list of "
			"whole numbers, each 1 to 65535\n");
	expect_problems("capture: {vxlan_ports: [7, 7]}\n",
			"f:1: capture.vxlan_ports[1]: 7 is listed twice; once is enough\n");
	expect_problems("capture: {vxlan_ports: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}\n",
			"f:1: capture.vxlan_ports: has 17 entries; allowed: at most 16\n");
	expect_problems("capture: {decapsulate: [gre]}\n",
			"f:1: capture.decapsulate[0]: \"gre\" is unknown; allowed: auto or a list "
			"of text out of geneve, vxlan\n");
	expect_problems("capture: {decapsulate: vxlan}\n",
			"f:1: capture.decapsulate: is text; allowed: auto or a list of text out of "
			"geneve, vxlan\n");
	expect_problems("capture: {decapsulate: [vxlan, auto]}\n",
			"f:1: capture.decapsulate: auto stands beside others; allowed: auto or a "
			"list of geneve and vxlan\n");
	expect_problems("capture: {decapsulate: [vxlan, vxlan]}\n",
			"f:1: capture.decapsulate[1]: \"vxlan\" is listed twice; once is enough\n");
	expect_problems("capture: {interfaces: []}\n",
			"f:1: capture.interfaces: has 0 entries; allowed: 1 to 64\n");
	expect_problems("metadata: {static: {zone: a}}\n",
			"f:1: metadata.static.zone: unknown key; allowed: a map of text to text "
			"with the keys account_id, instance_id, vpc_id, subnet_id, interface_id, "
			"region, az, az_id, sublocation_type, sublocation_id, instance_tag, "
			"instance_tag_2, interface_tag, interface_tag_2, asg_tag, asg_tag_2\n");
	expect_problems("log: {level: warning}\n",
			"f:1: log.level: \"warning\" is unknown; did you mean \"warn\"? allowed: "
			"error, warn, info, debug\n");
	expect_problems("metadata: {static: {az-id: a}}\n",
			"f:1: metadata.static.az-id: unknown key; did you mean \"az_id\"? allowed: "
			"a map of text to text with the keys account_id, instance_id, vpc_id, "
			"subnet_id, interface_id, region, az, az_id, sublocation_type, "
			"sublocation_id, instance_tag, instance_tag_2, interface_tag, "
			"interface_tag_2, asg_tag, asg_tag_2\n");
	expect_problems("sinks: [{name: x, type: file, header: maybe}]\n",
			"f:1: sinks[0].header: \"maybe\" is not true or false; allowed: true or "
			"false\n");
	expect_problems("sinks: [{name: x, type: file, retry: {give_up: 0s}}]\n",
			"f:1: sinks[0].retry.give_up: 0s is out of range; allowed: never or 1s to "
			"720h (units ms, s, m, h)\n");
	/* A value is shown on one line and shortened. */
	expect_problems("log: {level: \"a\\nb\"}\n",
			"f:1: log.level: \"a?b\" is unknown; allowed: error, warn, info, debug\n");
	expect_problems(
		"log: {level: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaa\xc3\xa9xxx}\n",
		"f:1: log.level: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaa...\" is unknown; allowed: error, warn, info, debug\n");
}

static void test_yaml(void **state)
{
	(void)state;
	expect_problems("log:\n  level: 'info\n",
			"f:3: not valid YAML: found unexpected end of stream while scanning a "
			"quoted scalar\n");
	expect_problems("log:\n\t- x\n",
			"f:2: not valid YAML: found character that cannot start any token while "
			"scanning for the next token\n");
	expect_problems("log: {}\n# \xff\n", "f:2: not valid YAML: invalid leading UTF-8 octet\n");
	expect_problems("log: {}\n---\nlog: {}\n",
			"f:2: a second document begins; a file holds one\n");
	expect_problems("log:\n  level: &l info\nflows: {}\n",
			"f:2: log.level: anchors (&name) are not supported; write the value out\n");
	expect_problems("sinks:\n- name: x\n  type: demo\n  tls:\n    password: *p\n",
			"f:5: sinks[0].tls.password: aliases (*name) are not supported; write the "
			"value out\n");
	expect_problems("log: *a\nsinks: *b\n",
			"f:1: log: aliases (*name) are not supported; write the value out\n"
			"f:2: sinks: aliases (*name) are not supported; write the value out\n");
	expect_problems("sinks: [*a]\n", "f:1: sinks[0]: aliases (*name) are not supported; write "
					 "the value out\n");
	expect_problems("*a : 1\n",
			"f:1: aliases (*name) are not supported; write the value out\n");
	expect_problems("log: !x {level: !!str info}\n",
			"f:1: log: tags (!name) are not supported; write the value alone\n"
			"f:1: log.level: tags (!name) are not supported; write the value alone\n");
	expect_problems("metadata: {imds: {endpoint: \"http://a\\0b\"}}\n",
			"f:1: metadata.imds.endpoint: holds a NUL character; text cannot\n");
}

static void test_all_are_reported(void **state)
{
	(void)state;
	expect_problems(
		"captur: 3\n"
		"capture:\n"
		"  hook: x\n"
		"  ring_size: 3MiB\n"
		"log:\n"
		"  level: loud\n"
		"sinks:\n"
		"- {name: a b, type: fil, whatever: 3}\n"
		"- {type: file, batch: {records: 0}}\n",
		"f:1: captur: unknown key; did you mean \"capture\"?\n"
		"f:3: capture.hook: \"x\" is unknown; allowed: auto, xdp, tc\n"
		"f:6: log.level: \"loud\" is unknown; allowed: error, warn, info, debug\n"
		"f:8: sinks[0].type: \"fil\" is unknown; allowed: file, demo\n"
		"f:8: sinks[0].name: \"a b\" is not a name; allowed: 1 to 32 of a-z A-Z 0-9 _ "
		"-\n"
		"f:9: sinks[1].batch.records: 0 is out of range; allowed: 1 to 1000000\n"
		"f:9: sinks[1].name: is missing; allowed: 1 to 32 of a-z A-Z 0-9 _ -\n"
		"f:4: capture.ring_size: 3145728 bytes is not a power of two; allowed: a "
		"power of two from 64KiB to 256MiB\n");
}

/* Returns before, then n times repeated, then after; the caller frees. */
static char *repeat(const char *before, const char *repeated, size_t n, const char *after)
{
	size_t len = strlen(repeated), i;
	char *text = malloc(strlen(before) + n * len + strlen(after) + 1), *p;

	assert_non_null(text);
	p = stpcpy(text, before);
	for (i = 0; i < n; i++)
		p = stpcpy(p, repeated);
	strcpy(p, after);
	return text;
}

static void expect_repeated(const char *before, const char *repeated, size_t n, const char *after,
			    const char *expected)
{
	char *text = repeat(before, repeated, n, after);

	expect_problems(text, expected);
	free(text);
}

static void test_caps(void **state)
{
	struct fffa_config c;
	char *text;

	(void)state;
	/* 16 levels are read (and refused as a value), the 17th is not. */
	expect_repeated("log: {level: ", "[", 14, "]]]]]]]]]]]]]]}\n",
			"f:1: log.level: is a list; allowed: error, warn, info, debug\n");
	expect_repeated(
		"log: {level: ", "[", 15, "]]]]]]]]]]]]]]]}\n",
		"f:1: log.level[0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested too deep; "
		"at most 16 levels\n");
	expect_repeated("capture: {exclude: [", "a,", 1024, "]}\n",
			"f:1: capture.exclude: has 1024 entries; allowed: 0 to 64\n");
	expect_repeated("capture: {exclude: [", "a,", 1025, "]}\n",
			"f:1: capture.exclude[1024]: too many entries; a list or map takes at most "
			"1024\n");
	expect_repeated("log:\n", " a: 1\n", 1025, "",
			"f:1026: log: too many entries; a list or map takes at most 1024\n");
	expect_repeated("#", " ", FFFA_TREE_FILE_BYTES_MAX, "\n", "f: too large; at most 1MiB\n");
	text = repeat("#", " ", FFFA_TREE_FILE_BYTES_MAX - 2, "\n");
	load_ok(text, &c);
	fffa_config_free(&c);
	free(text);
}

static void test_node_cap(void **state)
{
	char *inner = repeat("- [", "a,", 1000, "]\n"), *text = repeat("a:\n", inner, 70, "");
	struct fffa_config c;
	struct problems p;

	(void)state;
	assert_int_equal(load(text, &c, &p), -EINVAL);
	assert_string_equal(p.text, "f:67: a[65][467]: the file holds too many values; at most "
				    "65536\n");
	free(text);
	free(inner);
}

struct counted {
	unsigned int lines;
	char last[200];
};

static void count_line(void *arg, const char *line)
{
	struct counted *c = arg;

	c->lines++;
	(void)snprintf(c->last, sizeof(c->last), "%s", line);
}

static void test_problem_cap(void **state)
{
	char *text = repeat("log: {", "'q': 1, ", 1000, "}\n");
	struct fffa_config c;
	struct counted got = {.lines = 0};

	(void)state;
	assert_int_equal(fffa_config_load_in(&fake_environment, "f", text, strlen(text),
					     fake_schema, &c, count_line, &got),
			 -EINVAL);
	assert_int_equal(got.lines, 201);
	assert_string_equal(got.last, "f: more problems are not shown");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_keys), cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_wrong_kinds),  cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_yaml),	     cmocka_unit_test(test_all_are_reported),
		cmocka_unit_test(test_caps),	     cmocka_unit_test(test_node_cap),
		cmocka_unit_test(test_problem_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
