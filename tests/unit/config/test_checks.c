/* SPDX-License-Identifier: MIT */
/* Rules across fields, for the contents of texts, and about sinks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/flow/ident.h"
#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

static void test_capture(void **state)
{
	struct fffa_config c;

	(void)state;
	expect_problems("capture: {ring_size: 65537}\n",
			"f:1: capture.ring_size: 65537 bytes is not a power of two; allowed: a "
			"power of two from 64KiB to 256MiB\n");
	expect_problems("capture: {drain_interval: 2s}\nflows: {active_timeout: 1s}\n",
			"f:1: capture.drain_interval: is above flows.active_timeout; allowed: at "
			"most that\n");
	expect_problems("capture: {geneve_ports: [1, 2, 3, 4, 5]}\n",
			"f:1: capture.geneve_ports: has 5 entries; allowed: at most 4\n");
	/* The entries of a list that is too long are not looked at. */
	expect_problems("capture: {geneve_ports: [1, 2, x, 4, 70000, 6, 7, 8, 9, 10, 11, 12, 13, "
			"14, 15, 16, 17]}\n",
			"f:1: capture.geneve_ports: has 17 entries; allowed: at most 16\n");
	expect_problems(
		"capture:\n  geneve_ports: [1, 4789]\n",
		"f:2: capture.vxlan_ports: 4789 is also in capture.geneve_ports; allowed: a "
		"port for one of them\n");
	expect_problems("capture:\n  exclude: [a/b, 'c d', eth0]\n",
			"f:2: capture.exclude: \"a/b\" cannot name a device; allowed: names and "
			"globs of at most 64 characters without spaces and \"/\"\n"
			"f:2: capture.exclude: \"c d\" cannot name a device; allowed: names and "
			"globs of at most 64 characters without spaces and \"/\"\n");
	load_ok("capture: {drain_interval: 10s, geneve_ports: [1, 2, 3, 4], ring_size: 64KiB}\n"
		"flows: {active_timeout: 10s}\n",
		&c);
	fffa_config_free(&c);
}

static void test_metadata_interfaces(void **state)
{
	(void)state;
	expect_problems(
		"metadata:\n"
		"  interfaces:\n"
		"    eth/0:\n"
		"      vpc_id: vpc-1\n"
		"    eth1:\n"
		"      account_id: \"a b\"\n"
		"      addresses: [10.0.0.1, 10.0.0.0/24]\n"
		"      subnet_cidrs: [10.0.0.0/99]\n",
		"f:4: metadata.interfaces.eth/0.vpc_id: cannot name a device; allowed: names and "
		"globs of at most 64 characters without spaces and \"/\"\n"
		"f:6: metadata.interfaces.eth1.account_id: \"a b\" cannot be used; allowed: 1 to "
		"15 "
		"printable ASCII characters without spaces, quotes and backslashes\n"
		"f:7: metadata.interfaces.eth1.addresses: has \"10.0.0.1 10.0.0.0/24\"; allowed: a "
		"list of IPv4 and IPv6 addresses\n"
		"f:8: metadata.interfaces.eth1.subnet_cidrs: has \"10.0.0.0/99\"; allowed: a list "
		"of prefixes such as 10.0.0.0/16\n");
}

/* Two sinks would cut and rotate each other's records, whatever name each has for the file. */
static void test_one_file_one_sink(void **state)
{
	static const char head[] = "sinks:\n- {name: a, type: file, path: /tmp/none/x}\n"
				   "- {name: b, type: file, path: ";
	static const char *const same[] = {"/tmp/none/x", "/tmp/../tmp/x", "/tmp/x", "/tmp/./x"};
	char text[256], expected[256];
	struct fffa_config c;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s%s}\n", head, same[i]);
		if (i)
			memcpy(strstr(text, "/tmp/none/x"), "/tmp//////x", 11);
		(void)snprintf(expected, sizeof(expected),
			       "f:3: sinks[1].path: %s is also written by sinks[0]; allowed: a "
			       "file for one sink\n",
			       same[i]);
		expect_problems(text, expected);
	}
	expect_problems("sinks: [{name: a, type: file, path: /none-x}, "
			"{name: b, type: file, path: //none-x}]\n",
			"f:1: sinks[1].path: //none-x is also written by sinks[0]; allowed: a file "
			"for one sink\n");
	load_ok("sinks: [{name: a, type: file, path: /tmp/x}, {name: b, type: file, path: /tmp/y}, "
		"{name: c, type: file}, {name: d, type: file}]\n",
		&c);
	fffa_config_free(&c);
}

static void test_one_file_by_two_names(void **state)
{
	char dir[] = "/tmp/fffa-checks-XXXXXX", a[64], b[64], text[256], expected[256];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(a, sizeof(a), "%s/a", dir);
	(void)snprintf(b, sizeof(b), "%s/b", dir);
	(void)snprintf(text, sizeof(text),
		       "sinks:\n- {name: a, type: file, path: %s}\n"
		       "- {name: b, type: file, path: %s}\n",
		       a, b);
	f = fopen(a, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(link(a, b), 0);
	(void)snprintf(expected, sizeof(expected),
		       "f:3: sinks[1].path: %s is also written by sinks[0]; allowed: a file for "
		       "one sink\n",
		       b);
	expect_problems(text, expected);
	(void)unlink(a);
	(void)unlink(b);
	(void)rmdir(dir);
}

static void test_listener(void **state)
{
	(void)state;
	expect_problems("status: {listen: 'example.com:80'}\n",
			"f:1: status.listen: \"example.com:80\" is no address; allowed: IPV4:PORT, "
			"[IPV6]:PORT, localhost:PORT or unix:/PATH\n");
}

static void test_endpoint(void **state)
{
	static const char *const bad[] = {"https://a",	"http://",  "http:///x", "169.254.169.254",
					  "http://a b", "HTTP://a", ""};
	char text[128], expected[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "metadata:\n imds:\n  endpoint: '%s'\n", bad[i]);
		snprintf(expected, sizeof(expected),
			 "f:3: metadata.imds.endpoint: \"%s\" is not an endpoint; allowed: "
			 "http://HOST or http://HOST:PORT, at most 255 characters\n",
			 bad[i]);
		expect_problems(text, expected);
	}
	/* A password is not shown in the message that refuses it. */
	expect_problems("metadata:\n imds:\n  endpoint: 'http://me:hush@a'\n",
			"f:3: metadata.imds.endpoint: has a user or password, which the metadata "
			"service does not take and which would be shown; allowed: http://HOST or "
			"http://HOST:PORT\n");
}

struct fixed {
	const char *key;
	size_t room; /* of the field it is copied to, with the NUL */
};

#define HOST(f) sizeof(((struct fffa_ident_host *)0)->f)
#define PORT(f) sizeof(((struct fffa_ident *)0)->f)

/* The longest value that passes fits into the identity; one more byte does not pass. */
static void test_static_fits_ident(void **state)
{
	static const struct fixed fixed[] = {
		{"account_id", HOST(account_id)},
		{"instance_id", HOST(instance_id)},
		{"vpc_id", PORT(vpc_id)},
		{"subnet_id", PORT(subnet_id)},
		{"interface_id", PORT(interface_id)},
		{"region", HOST(region)},
		{"az", HOST(az)},
		{"az_id", HOST(az_id)},
		{"sublocation_type", HOST(sublocation_type)},
		{"sublocation_id", HOST(sublocation_id)},
	};
	struct fffa_config c;
	char text[192], value[128], expected[384];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		memset(value, 'v', sizeof(value));
		value[fixed[i].room - 1] = '\0';
		snprintf(text, sizeof(text), "metadata: {static: {%s: %s}}\n", fixed[i].key, value);
		load_ok(text, &c);
		assert_string_equal(c.metadata.fixed.v[0].value, value);
		fffa_config_free(&c);
		snprintf(text, sizeof(text), "metadata: {static: {%s: %sv}}\n", fixed[i].key,
			 value);
		snprintf(expected, sizeof(expected),
			 "f:1: metadata.static.%s: \"%sv\" cannot be used; allowed: 1 to %zu "
			 "printable ASCII characters without spaces, quotes and backslashes\n",
			 fixed[i].key, value, fixed[i].room - 1);
		expect_problems(text, expected);
	}
}

/* With one problem. */
static void refused(const char *text)
{
	struct fffa_config c;
	struct problems p;

	assert_int_equal(load(text, &c, &p), -EINVAL);
	if (p.count != 1)
		fail_msg("%s%s", text, p.text);
}

/* The tag is given without encoding, but must fit with it. */
static void test_static_tags(void **state)
{
	static const char *const keys[] = {"instance_tag",    "instance_tag_2", "interface_tag",
					   "interface_tag_2", "asg_tag",	"asg_tag_2"};
	char text[1024], value[FFFA_IDENT_TAG_BYTES];
	struct fffa_config c;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		memset(value, '-', sizeof(value)); /* three bytes each */
		value[(FFFA_IDENT_TAG_BYTES - 1) / 3] = '\0';
		(void)snprintf(text, sizeof(text), "metadata: {static: {%s: \"%s\"}}\n", keys[i],
			       value);
		load_ok(text, &c);
		assert_string_equal(c.metadata.fixed.v[0].value, value);
		fffa_config_free(&c);
		(void)snprintf(text, sizeof(text), "metadata: {static: {%s: \"%s---\"}}\n", keys[i],
			       value);
		refused(text);
	}
	load_ok("metadata: {static: {asg_tag: \"a b/\xc3\xa9\"}}\n", &c);
	fffa_config_free(&c);
	refused("metadata: {static: {asg_tag: \"\"}}\n");
}

static void test_instance_tags(void **state)
{
	static const char *const bad[] = {"a b",    "a/b", "",	 ".",  "..",
					  "_index", "a?",  "a#", "a%", "\xc3\xa9"};
	struct fffa_config c;
	char text[256], expected[256];

	(void)state;
	load_ok("metadata: {host_name: web-1.example.com}\n", &c);
	assert_string_equal(c.metadata.host_name, "web-1.example.com");
	fffa_config_free(&c);
	refused("metadata: {host_name: \"two words\"}\n");
	load_ok("metadata: {instance_tags: [Name, \"aws:team+a=b,c.d_e@f-9\"]}\n", &c);
	assert_int_equal(c.metadata.instance_tags.n, 2);
	fffa_config_free(&c);
	refused("metadata: {instance_tags: [a, b, c]}\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "metadata: {instance_tags: [\"%s\"]}\n", bad[i]);
		refused(text);
	}
	(void)snprintf(expected, sizeof(expected),
		       "f:1: metadata.instance_tags: \"a b\" cannot be a key in instance metadata; "
		       "allowed: 1 to 128 of a-z A-Z 0-9 + - = . , _ : @\n");
	expect_problems("metadata: {instance_tags: [\"a b\"]}\n", expected);
}

static void test_static_characters(void **state)
{
	static const char *const bad[] = {"",	 "a b",	     "a\\\"b", "a\\\\b",
					  "a'b", "\xc3\xa9", "a\\tb",  "\\x7f"};
	struct fffa_config c;
	struct problems p;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "metadata:\n static:\n  region: \"%s\"\n", bad[i]);
		assert_int_not_equal(load(text, &c, &p), 0);
		assert_int_equal(p.count, 1);
		assert_non_null(strstr(p.text, "f:3: metadata.static.region: "));
		assert_non_null(strstr(p.text, "cannot be used; allowed: 1 to 31 printable ASCII"));
	}
}

static void test_sink_list(void **state)
{
	char text[1024] = "sinks:\n";
	struct fffa_config c;
	size_t i;

	(void)state;
	expect_problems("sinks: []\n", "f:1: sinks: has 0 entries; allowed: 1 to 16\n");
	expect_problems("sinks:\n", "f:1: sinks: is empty; allowed: a list of 1 to 16 maps\n");
	expect_problems("sinks: {a: b}\n",
			"f:1: sinks: is a map; allowed: a list of 1 to 16 maps\n");
	expect_problems("sinks:\n- x\n", "f:2: sinks[0]: is text; allowed: a map of keys\n");
	for (i = 0; i < 16; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "- {name: n%zu, type: file}\n", i);
	load_ok(text, &c);
	assert_int_equal(c.sink_count, 16);
	assert_string_equal(c.sinks[15].common.name, "n15");
	fffa_config_free(&c);
	strcat(text, "- {name: more, type: file}\n");
	expect_problems(text, "f:2: sinks: has 17 entries; allowed: 1 to 16\n");
}

static void test_sink_names_and_types(void **state)
{
	struct fffa_config c;

	(void)state;
	expect_problems("sinks:\n- name: x\n",
			"f:2: sinks[0].type: is missing; allowed: file, demo\n");
	expect_problems("sinks:\n- name: x\n  type: [file]\n",
			"f:3: sinks[0].type: is a list; allowed: text\n");
	expect_problems("sinks:\n- name: x\n  type: kafak\n  brokers: [a]\n",
			"f:3: sinks[0].type: \"kafak\" is unknown; allowed: file, demo\n");
	expect_problems("sinks:\n- type: file\n",
			"f:2: sinks[0].name: is missing; allowed: 1 to 32 of a-z A-Z 0-9 _ -\n");
	expect_problems(
		"sinks:\n- {name: x, type: file}\n- {name: y, type: file}\n"
		"- name: x\n  type: file\n",
		"f:4: sinks[2].name: \"x\" is already the name of sinks[0]; allowed: unique "
		"names\n");
	expect_problems("sinks:\n- {name: abcdefghijabcdefghijabcdefghij123, type: file}\n",
			"f:2: sinks[0].name: \"abcdefghijabcdefghijabcdefghij123\" is not a name; "
			"allowed: 1 to 32 of a-z A-Z 0-9 _ -\n");
	load_ok("sinks: [{name: abcdefghijabcdefghijabcdefghij12, type: file}]\n", &c);
	fffa_config_free(&c);
}

static void test_sink_rules(void **state)
{
	struct fffa_config c;

	(void)state;
	expect_problems(
		"sinks:\n- name: x\n  type: file\n  batch: {bytes: 64MiB}\n",
		"f:4: sinks[0].queue.memory: is below batch.bytes; allowed: at least that\n");
	expect_problems(
		"sinks:\n- name: x\n  type: file\n  queue: {spool: 4194303}\n",
		"f:4: sinks[0].queue.spool: is below 4 times batch.bytes; allowed: 0, or at "
		"least that\n");
	expect_problems(
		"spool_dir: \"\"\nsinks:\n- name: x\n  type: file\n  queue: {spool: 4MiB}\n",
		"f:5: sinks[0].queue.spool: needs a spool_dir; allowed: 0 without\n");
	expect_problems("sinks:\n- name: x\n  type: file\n  retry:\n    max: 400ms\n",
			"f:5: sinks[0].retry.min: is above retry.max; allowed: at most that\n");
	expect_problems("sinks:\n- name: x\n  type: demo\n  flag: true\n",
			"f:2: sinks[0].url: is missing; flag needs it\n");
	expect_problems("sinks:\n- name: x\n  type: demo\n  flag: true\n  url: ''\n",
			"f:5: sinks[0].url: is missing; flag needs it\n");
	expect_problems("sinks:\n- name: x\n  type: demo\n  count: 9\n  room: 9\n",
			"f:2: sinks[0]: count and room cannot both be 9\n");
	expect_problems("sinks:\n- name: x\n  type: file\n  format: xml\n",
			"f:4: sinks[0].format: \"xml\" is unknown; allowed: vpc, json\n");
	expect_problems("sinks:\n- name: x\n  type: file\n  format: vpc\n  fields: nonsense\n",
			"f:5: sinks[0].fields: no field has this name\n");
	load_ok("sinks: [{name: x, type: file, batch: {bytes: 1MiB}, queue: {memory: 1MiB},"
		" retry: {min: 1s, max: 1s}}]\n",
		&c);
	fffa_config_free(&c);
}

static void expect_own_problem(const char *said, const char *want)
{
	char yaml[400], text[400];

	(void)snprintf(yaml, sizeof(yaml),
		       "sinks:\n- name: x\n  type: demo\n  count: 8\n  url: \"%s\"\n", said);
	(void)snprintf(text, sizeof(text), "f:%s\n", want);
	expect_problems(yaml, text);
}

/* What a sink says of "KEY: ..." stands at that key, all else at the sink. */
static void test_what_a_sink_says(void **state)
{
	char key[70], said[100], want[120];

	(void)state;
	expect_own_problem("count: is wrong", "4: sinks[0].count: is wrong");
	expect_own_problem("url: is wrong", "5: sinks[0].url: is wrong");
	expect_own_problem("tls.mode: is wrong", "2: sinks[0].tls.mode: is wrong");
	expect_own_problem("format: is wrong", "2: sinks[0].format: is wrong");
	expect_own_problem("fields: is wrong", "2: sinks[0].fields: is wrong");
	expect_own_problem("envelope: is wrong", "2: sinks[0].envelope: is wrong");
	expect_own_problem("other: is wrong", "2: sinks[0]: other: is wrong");
	expect_own_problem("count:is wrong", "2: sinks[0]: count:is wrong");
	expect_own_problem("count", "2: sinks[0]: count");
	expect_own_problem(": is wrong", "2: sinks[0]: : is wrong");
	expect_own_problem("count: is\\nurl: is\\nneither",
			   "4: sinks[0].count: is\nf:5: sinks[0].url: is\nf:2: sinks[0]: neither");
	for (size_t n = 62; n < 67; n++) { /* no key is so long */
		memset(key, 'k', n);
		key[n] = '\0';
		(void)snprintf(said, sizeof(said), "%s: is wrong", key);
		(void)snprintf(want, sizeof(want), "2: sinks[0]: %s: is wrong", key);
		expect_own_problem(said, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_sink_says),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_metadata_interfaces),
		cmocka_unit_test(test_one_file_one_sink),
		cmocka_unit_test(test_one_file_by_two_names),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_static_fits_ident),
		cmocka_unit_test(test_static_tags),
		cmocka_unit_test(test_instance_tags),
		cmocka_unit_test(test_static_characters),
		cmocka_unit_test(test_sink_list),
		cmocka_unit_test(test_sink_names_and_types),
		cmocka_unit_test(test_sink_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
