// SPDX-License-Identifier: MIT
/* The files of conf.d beside the configuration file, and what the environment says over both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

struct folder {
	char dir[64];
	char file[80]; /* dir/f.yaml */
};

static void write_text(const struct folder *f, const char *name, const char *text)
{
	char path[160];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	char path[160];

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/fffa-drop-ins.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(path, sizeof(path), "%s/conf.d", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(f->file, sizeof(f->file), "%s/f.yaml", f->dir);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	files_remove(f->dir);
	free(f);
	return 0;
}

static int load_folder(const struct folder *f, struct fffa_config *c, struct problems *p)
{
	memset(p, 0, sizeof(*p));
	return fffa_config_load(f->file, fake_schema, c, problems_add, p);
}

static void load_folder_ok(const struct folder *f, struct fffa_config *c)
{
	struct problems p;
	int rc = load_folder(f, c, &p);

	assert_string_equal(p.text, "");
	assert_int_equal(rc, 0);
}

/* The only problem is FOLDER/, then file and rest. */
static void expect_problem(const struct folder *f, const char *file, const char *rest)
{
	struct fffa_config c;
	struct problems p;
	char expected[512];

	assert_true(load_folder(f, &c, &p) < 0);
	snprintf(expected, sizeof(expected), "%s/%s%s\n", f->dir, file, rest);
	assert_string_equal(p.text, expected);
}

static const struct fake_demo *demo(const struct fffa_config *c, size_t i)
{
	return c->sinks[i].own;
}

static const char base[] = "capture: {interfaces: [eth0, eth1], sample: 3}\n"
			   "sinks:\n"
			   "- name: a\n  type: demo\n  url: http://old\n  count: 1\n"
			   "  tls: {password: hush}\n"
			   "  properties: {x: 1, y: 2}\n"
			   "- name: b\n  type: file\n  path: /b\n";

static void test_order_and_names(void **state)
{
	const struct folder *f = *state;
	struct fffa_config c;
	char name[128];

	write_text(f, "f.yaml", base);
	write_text(f, "conf.d/20-later.yaml", "sinks:\n- name: a\n  count: 3\n");
	write_text(f, "conf.d/10-first.yaml",
		   "capture: {interfaces: [eth9]}\n"
		   "sinks:\n- name: a\n  count: 2\n  url: http://new\n  properties: {y: 3}\n"
		   "- {name: c, type: file, path: /c}\n");
	write_text(f, "conf.d/.hidden.yaml", "nonsense: 1\n");
	write_text(f, "conf.d/README", "nonsense: 1\n");
	load_folder_ok(f, &c);
	assert_int_equal(c.capture.interfaces.n, 1);
	assert_string_equal(c.capture.interfaces.v[0], "eth9");
	assert_int_equal(c.capture.sample, 3);
	assert_int_equal(c.sink_count, 3);
	assert_int_equal(demo(&c, 0)->count, 3);
	assert_string_equal(demo(&c, 0)->url, "http://new");
	assert_string_equal(demo(&c, 0)->password, "hush");
	assert_int_equal(demo(&c, 0)->properties.n, 2);
	assert_string_equal(demo(&c, 0)->properties.v[1].value, "3");
	assert_string_equal(c.sinks[2].common.name, "c");
	assert_int_equal(c.drop_ins.n, 2);
	snprintf(name, sizeof(name), "%s/conf.d/10-first.yaml", f->dir);
	assert_string_equal(c.drop_ins.v[0], name);
	fffa_config_free(&c);
}

/* The secret of the file, and the file that names it in conf.d, are one key. */
static void test_secret_changes_its_form(void **state)
{
	const struct folder *f = *state;
	struct fffa_config c;
	char text[256];

	write_text(f, "f.yaml", base);
	write_text(f, "token", "from a file\n");
	snprintf(text, sizeof(text), "sinks: [{name: a, tls: {password_file: %s/token}}]\n",
		 f->dir);
	write_text(f, "conf.d/a.yaml", text);
	load_folder_ok(f, &c);
	assert_string_equal(demo(&c, 0)->password, "from a file");
	fffa_config_free(&c);
	write_text(f, "conf.d/b.yaml", "sinks: [{name: a, tls: {password: again}}]\n");
	load_folder_ok(f, &c);
	assert_string_equal(demo(&c, 0)->password, "again");
	fffa_config_free(&c);
}

static void test_empty_sections_change_nothing(void **state)
{
	const struct folder *f = *state;
	struct fffa_config c;

	write_text(f, "f.yaml", base);
	write_text(f, "conf.d/a.yaml", "# nothing\n");
	write_text(f, "conf.d/b.yaml", "capture:\n#  sample: 9\nsinks:\n");
	load_folder_ok(f, &c);
	assert_int_equal(c.capture.sample, 3);
	assert_int_equal(c.sink_count, 2);
	fffa_config_free(&c);
	write_text(f, "f.yaml", "# nothing here either\n");
	write_text(f, "conf.d/b.yaml", "capture:\n");
	write_text(f, "conf.d/c.yaml", "capture: {sample: 5}\n");
	load_folder_ok(f, &c);
	assert_int_equal(c.capture.sample, 5);
	assert_string_equal(c.sinks[0].common.name, "stdout");
	fffa_config_free(&c);
}

struct mistake {
	const char *text;
	const char *rest;
};

static void test_problems_name_their_file(void **state)
{
	static const struct mistake cases[] = {
		{"\ncapture: {sample: 0}\n",
		 ":2: capture.sample: 0 is out of range; allowed: 1 to 65536"},
		{"\n\ncaptur: {}\n", ":3: captur: unknown key; did you mean \"capture\"?"},
		{"capture: [\n", ":2: not valid YAML: did not find expected node content while "
				 "parsing a flow node"},
		{"- a\n", ":1: is a list; allowed: a map of keys"},
		{"log: {level: info}\nlog: {level: warn}\n",
		 ":2: log: is given twice; once is allowed"},
		{"sinks:\n- name: a\n  count: 99\n",
		 ":3: sinks[0].count: 99 is out of range; allowed: -10 to 10"},
		{"sinks:\n- name: a\n  flag: true\n  url: ''\n",
		 ":4: sinks[0].url: is missing; flag needs it"},
		{" \n", ": is empty; remove it, or write a key"},
	};
	const struct folder *f = *state;

	write_text(f, "f.yaml", base);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_text(f, "conf.d/a.yaml", cases[i].text);
		expect_problem(f, "conf.d/a.yaml", cases[i].rest);
	}
	write_text(f, "conf.d/a.yaml", "log: {level: warn}\n");
	write_text(f, "f.yaml", "capture: {sample: 0}\n");
	expect_problem(f, "f.yaml", ":1: capture.sample: 0 is out of range; allowed: 1 to 65536");
}

static void test_files_that_cannot_be_read(void **state)
{
	const struct folder *f = *state;
	char path[160];

	write_text(f, "f.yaml", base);
	snprintf(path, sizeof(path), "%s/conf.d/a.yaml", f->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_problem(f, "conf.d/a.yaml", ": cannot be read: not a regular file");
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 65; i++) {
		snprintf(path, sizeof(path), "conf.d/%02d.yaml", i);
		write_text(f, path, "log: {level: warn}\n");
	}
	snprintf(path, sizeof(path), ": %s/conf.d holds 65 files; allowed: 64", f->dir);
	expect_problem(f, "f.yaml", path);
}

static void test_environment_wins(void **state)
{
	const struct folder *f = *state;
	struct fffa_config c;

	write_text(f, "f.yaml", base);
	write_text(f, "conf.d/a.yaml", "capture: {sample: 5}\nsinks: [{name: a, count: 2}]\n");
	assert_int_equal(setenv("FFFA_CAPTURE_SAMPLE", "7", 1), 0);
	assert_int_equal(setenv("FFFA_SINKS_A_COUNT", "9", 1), 0);
	load_folder_ok(f, &c);
	assert_int_equal(unsetenv("FFFA_CAPTURE_SAMPLE"), 0);
	assert_int_equal(unsetenv("FFFA_SINKS_A_COUNT"), 0);
	assert_int_equal(c.capture.sample, 7);
	assert_int_equal(demo(&c, 0)->count, 9);
	fffa_config_free(&c);
}

/* The keys that decide how the others are read. */
static void test_environment_names_and_types(void **state)
{
	static const char *const variables[][2] = {
		{"FFFA_SINKS_B_TYPE", "demo"},	    {"FFFA_SINKS_B_URL", "http://b"},
		{"FFFA_SINKS_B_NAME", "other"},	    {"FFFA_SINKS_B_FORMAT", "json"},
		{"FFFA_SINKS_STDOUT_TYPE", "demo"}, {"FFFA_SINKS_STDOUT_FORMAT", "json"},
	};
	const struct folder *f = *state;
	struct fffa_config c;
	struct problems p;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		assert_int_equal(setenv(variables[i][0], variables[i][1], 1), 0);
	write_text(f, "f.yaml", "sinks:\n- {name: b, format: vpc, fields: '${srcaddr}'}\n");
	/* As json, fields is no list of AWS's names, and is expanded. */
	assert_true(load_folder(f, &c, &p) < 0);
	assert_non_null(strstr(p.text, "srcaddr"));
	write_text(f, "f.yaml", "sinks:\n- {name: b, type: file}\n");
	load_folder_ok(f, &c);
	assert_string_equal(c.sinks[0].common.type, "demo");
	assert_string_equal(c.sinks[0].common.name, "other");
	assert_string_equal(c.sinks[0].common.format, "json");
	assert_string_equal(demo(&c, 0)->url, "http://b");
	fffa_config_free(&c);
	/* The sink that is built in, too. */
	memset(&p, 0, sizeof(p));
	assert_int_equal(fffa_config_load(NULL, fake_schema, &c, problems_add, &p), 0);
	assert_string_equal(c.sinks[0].common.type, "demo");
	assert_string_equal(c.sinks[0].common.format, "json");
	fffa_config_free(&c);
	assert_int_equal(setenv("FFFA_SINKS_B_TYPE", "kafak", 1), 0);
	assert_true(load_folder(f, &c, &p) < 0);
	assert_string_equal(p.text, "FFFA_SINKS_B_TYPE: sinks[0].type: \"kafak\" is unknown; "
				    "allowed: file, demo\n");
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		assert_int_equal(unsetenv(variables[i][0]), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order_and_names),
		TEST(test_secret_changes_its_form),
		TEST(test_empty_sections_change_nothing),
		TEST(test_problems_name_their_file),
		TEST(test_files_that_cannot_be_read),
		TEST(test_environment_wins),
		TEST(test_environment_names_and_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
