/* SPDX-License-Identifier: MIT */
/* The environment, secret files, and files on disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml/tree.h"
#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

#define DEMO "sinks:\n- name: x\n  type: demo\n"

static const struct fake_demo *demo(const struct fffa_config *c)
{
	return c->sinks[0].own;
}

struct expansion {
	const char *value;
	const char *result;
};

static void test_expansion(void **state)
{
	static const struct expansion cases[] = {
		{"${A}", "alpha"},
		{"<${A}${N}>", "<alpha7777>"},
		{"${NONE:-beta}", "beta"},
		{"${NONE:-}", ""},
		{"${A:-beta}", "alpha"},
		{"${EMPTY}", ""},
		{"${EMPTY:-beta}", "beta"},
		{"${NONE:-a:-b ${c}", "a:-b ${c"},
		{"$A", "$A"},
		{"$", "$"},
		{"a$$b", "a$$b"},
		{"$${A}", "${A}"},
		{"$$${A}", "$${A}"},
		{"$${", "${"},
		{"{A}", "{A}"},
		/* The value of a variable is not expanded again. */
		{"${REF}", "${A}"},
	};
	struct fffa_config c;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), DEMO "  url: '%s'\n", cases[i].value);
		load_ok(text, &c);
		assert_string_equal(demo(&c)->url, cases[i].result);
		fffa_config_free(&c);
	}
}

static void test_expansion_everywhere(void **state)
{
	struct fffa_config c;

	(void)state;
	load_ok("capture:\n  max_flows: ${N}\n  exclude: ['${A}', b]\n  vxlan_ports: ['${N}']\n"
		"metadata:\n  static: {region: '${A}'}\n"
		"sinks:\n- name: ${A}\n  type: ${NONE:-demo}\n  format: ${NONE:-json}\n"
		"  fields: ${A}\n  flag: ${NONE:-false}\n  wait: ${NONE:-3s}\n"
		"  properties: {'${A}': '${A}'}\n  tls: {password: '${A}'}\n",
		&c);
	assert_int_equal(c.capture.max_flows, 7777);
	assert_string_equal(c.capture.exclude.v[0], "alpha");
	assert_int_equal(c.capture.vxlan_ports.v[0], 7777);
	assert_string_equal(c.metadata.fixed.v[0].value, "alpha");
	assert_string_equal(c.sinks[0].common.name, "alpha");
	assert_string_equal(c.sinks[0].common.fields, "alpha");
	/* Keys are never expanded. */
	assert_string_equal(demo(&c)->properties.v[0].key, "${A}");
	assert_string_equal(demo(&c)->properties.v[0].value, "alpha");
	assert_string_equal(demo(&c)->password, "alpha");
	assert_int_equal(demo(&c)->wait_ns, 3000000000);
	fffa_config_free(&c);
}

static void test_expansion_problems(void **state)
{
	(void)state;
	expect_problems("log:\n  level: ${NONE}\n",
			"f:2: log.level: environment variable NONE is not set; set it or write "
			"${NONE:-default}\n");
	expect_problems("log:\n  level: ${A\n",
			"f:2: log.level: \"${\" has no closing \"}\"; $${ is "
			"a literal ${\n");
	expect_problems(
		"log:\n  level: ${}\n  format: ${1A}\n",
		"f:2: log.level: \"${\" needs the name of an environment variable; $${ is a "
		"literal ${\n"
		"f:3: log.format: \"${\" needs the name of an environment variable; $${ is a "
		"literal ${\n");
	expect_problems("log:\n  level: ${A-b}\n",
			"f:2: log.level: bad reference to A; allowed: ${A} or ${A:-default}\n");
	expect_problems("log:\n  level: ${BAD}\n",
			"f:2: log.level: the expanded value is not UTF-8\n");
	expect_problems("log:\n  level: ${LONG}\n",
			"f:2: log.level: the value is too long; at most 64KiB\n");
	expect_problems("sinks:\n- name: x\n  type: ${NONE}\n",
			"f:3: sinks[0].type: environment variable NONE is not set; set it or write "
			"${NONE:-default}\n");
	expect_problems("capture:\n  exclude: [a, '${NONE}', '${EMPTY}']\n",
			"f:2: capture.exclude[1]: environment variable NONE is not set; set it or "
			"write ${NONE:-default}\n"
			"f:2: capture.exclude[2]: is empty; allowed: text\n");
}

/* In a vpc sink "${version}" is a name of AWS's, in any other it is a variable. */
static void test_vpc_fields(void **state)
{
	struct fffa_config c;

	(void)state;
	load_ok("sinks:\n- {name: a, type: file, fields: '${version} ${A} $${x}'}\n"
		"- {name: b, type: file, format: vpc, fields: ['${version}', '${A}']}\n"
		"- {name: c, type: file, format: json, fields: ['${A}', b]}\n"
		"- {name: d, type: file, format: '${NONE:-vpc}', fields: '${version}'}\n",
		&c);
	assert_string_equal(c.sinks[0].common.fields, "${version} ${A} $${x}");
	assert_string_equal(c.sinks[1].common.fields, "${version} ${A}");
	assert_string_equal(c.sinks[2].common.fields, "alpha b");
	assert_string_equal(c.sinks[3].common.fields, "${version}");
	fffa_config_free(&c);
	expect_problems("sinks:\n- {name: a, type: file, format: json, fields: '${version}'}\n",
			"f:2: sinks[0].fields: environment variable version is not set; set it or "
			"write ${version:-default}\n");
}

static void test_secret_files(void **state)
{
	struct fffa_config c;

	(void)state;
	load_ok(DEMO "  tls: {password_file: /secret}\n", &c);
	assert_string_equal(demo(&c)->password, "hush");
	fffa_config_free(&c);
	load_ok(DEMO "  tls: {password_file: /bom}\n", &c);
	assert_string_equal(demo(&c)->password, "hush");
	fffa_config_free(&c);
	load_ok(DEMO "  properties: {sasl.password_file: /bom}\n", &c);
	assert_string_equal(demo(&c)->properties.v[0].value, "hush");
	fffa_config_free(&c);
	load_ok(DEMO "  tls: {password_file: /two-lines}\n", &c);
	assert_string_equal(demo(&c)->password, "hush\n");
	fffa_config_free(&c);
	load_ok(DEMO "  tls: {password_file: '/${A}'}\n", &c);
	assert_string_equal(demo(&c)->password, "ok");
	fffa_config_free(&c);
	expect_problems(DEMO "  tls:\n    password: a\n    password_file: /secret\n",
			"f:6: sinks[0].tls.password_file: tls.password and tls.password_file are "
			"both given; allowed: one of them\n");
	expect_problems(DEMO "  tls:\n    password_file: /secret\n    password: a\n",
			"f:6: sinks[0].tls.password: tls.password and tls.password_file are both "
			"given; allowed: one of them\n");
	expect_problems(DEMO "  tls: {password_file: /none}\n",
			"f:4: sinks[0].tls.password_file: cannot read /none: No such file or "
			"directory\n");
	expect_problems(DEMO "  tls: {password_file: /empty}\n",
			"f:4: sinks[0].tls.password_file: /empty is empty; allowed: text\n");
	expect_problems(DEMO "  tls: {password_file: /bom-alone}\n",
			"f:4: sinks[0].tls.password_file: /bom-alone is empty; allowed: text\n");
	expect_problems(DEMO "  tls: {password_file: /nul}\n",
			"f:4: sinks[0].tls.password_file: /nul holds a NUL character; allowed: "
			"text\n");
	expect_problems(DEMO "  tls: {password_file: /large}\n",
			"f:4: sinks[0].tls.password_file: /large is too large; at most 64KiB\n");
	expect_problems(
		DEMO "  tls: {password_file: [a]}\n",
		"f:4: sinks[0].tls.password_file: is a list; allowed: the path of a file\n");
	/* A secret in a map. */
	load_ok(DEMO "  properties: {sasl.password_file: /secret, b: x}\n", &c);
	assert_string_equal(demo(&c)->properties.v[0].key, "sasl.password");
	assert_string_equal(demo(&c)->properties.v[0].value, "hush");
	fffa_config_free(&c);
	expect_problems(DEMO "  properties: {a: x, a_file: /secret}\n",
			"f:4: sinks[0].properties.a_file: is given twice; once is allowed\n");
	expect_problems(DEMO "  properties: {a_file: /missing}\n",
			"f:4: sinks[0].properties.a_file: cannot read /missing: No such file or "
			"directory\n");
	/* Only secrets have a KEY_file. */
	expect_problems(DEMO "  url_file: /secret\n",
			"f:4: sinks[0].url_file: unknown key; allowed: name, type, format, fields, "
			"envelope, filter, "
			"header, batch, queue, retry, flag, count, wait, room, url, tls, hosts, "
			"ports, properties, patience\n");
}

/* A file with n bytes of text in a directory of its own. */
static char *write_file(const char *dir, const char *name, const char *text, size_t n)
{
	char *path;
	FILE *f;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return path;
}

static void test_system_environment(void **state)
{
	char dir[] = "/tmp/fffa-config-XXXXXX", text[512], expected[1024], *secret, *file, *big;
	static char zeros[64 * 1024 + 1];
	struct problems p = {"", 0};
	struct fffa_config c;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("FFFA_TEST_NAME", "fromenv", 1), 0);
	memset(zeros, 'z', sizeof(zeros));
	secret = write_file(dir, "secret", "s3cret\n", 7);
	big = write_file(dir, "big", zeros, sizeof(zeros));
	snprintf(text, sizeof(text),
		 "sinks:\n- name: ${FFFA_TEST_NAME}\n  type: demo\n  tls: {password_file: %s}\n",
		 secret);
	file = write_file(dir, "fffa.yaml", text, strlen(text));
	assert_int_equal(fffa_config_load(file, fake_schema, &c, problems_add, &p), 0);
	assert_string_equal(c.sinks[0].common.name, "fromenv");
	assert_string_equal(demo(&c)->password, "s3cret");
	fffa_config_free(&c);

	snprintf(text, sizeof(text), DEMO "  tls: {password_file: %s}\n", big);
	free(write_file(dir, "fffa.yaml", text, strlen(text)));
	assert_int_equal(fffa_config_load(file, fake_schema, &c, problems_add, &p), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:4: sinks[0].tls.password_file: %s is too large; at most 64KiB\n", file, big);
	assert_string_equal(p.text, expected);
	unlink(secret);
	unlink(big);
	unlink(file);
	rmdir(dir);
	free(secret);
	free(big);
	free(file);
}

static void test_unreadable(void **state)
{
	static char blanks[FFFA_TREE_FILE_BYTES_MAX + 1];
	char dir[] = "/tmp/fffa-config-XXXXXX", expected[256], *file;
	struct problems p = {"", 0};
	struct fffa_config c;

	(void)state;
	assert_int_equal(fffa_config_load("/nonexistent/f.yaml", fake_schema, &c, problems_add, &p),
			 -ENOENT);
	assert_string_equal(p.text,
			    "/nonexistent/f.yaml: cannot be read: No such file or directory\n");
	assert_int_equal(c.sink_count, 0);
	memset(&p, 0, sizeof(p));
	assert_int_equal(fffa_config_load("/", fake_schema, &c, problems_add, &p), -EISDIR);
	assert_string_equal(p.text, "/: cannot be read: Is a directory\n");

	assert_non_null(mkdtemp(dir));
	memset(blanks, ' ', sizeof(blanks));
	file = write_file(dir, "f", blanks, sizeof(blanks));
	memset(&p, 0, sizeof(p));
	assert_int_equal(fffa_config_load(file, fake_schema, &c, problems_add, &p), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: too large; at most 1MiB\n", file);
	assert_string_equal(p.text, expected);
	unlink(file);
	rmdir(dir);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_expansion_everywhere),
		cmocka_unit_test(test_expansion_problems),
		cmocka_unit_test(test_vpc_fields),
		cmocka_unit_test(test_secret_files),
		cmocka_unit_test(test_system_environment),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
