// SPDX-License-Identifier: MIT
/* Names of rotated files, when a rotation is due, the options mode and owner. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sinks/file/layout/file_access.h"
#include "sinks/file/layout/stamp.h"
#include "sinks/file/options.h"
#include "sinks/file/plain/rotated_name.h"
#include "sinks/file/plain/rotate.h"

static void names_are_read_back(void **state)
{
	static const struct {
		struct fffa_rotated_name r;
		const char *name;
	} rows[] = {
		{{.stamp = "20260511T101500Z"}, "flows.log.20260511T101500Z"},
		{{.stamp = "20260511T101500Z", .number = 12}, "flows.log.20260511T101500Z-12"},
		{{.stamp = "20260511T101500Z", .compression = FFFA_FILE_COMPRESS_ZSTD},
		 "flows.log.20260511T101500Z.zst"},
		{{.stamp = "20260511T101500Z",
		  .number = 1,
		  .compression = FFFA_FILE_COMPRESS_GZIP,
		  .unfinished = true},
		 "flows.log.20260511T101500Z-1.gz.tmp"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_rotated_name back;
		char name[64];

		assert_int_equal(
			fffa_rotated_name_format("flows.log", &rows[i].r, name, sizeof(name)), 0);
		assert_string_equal(name, rows[i].name);
		assert_true(fffa_rotated_name_parse("flows.log", name, &back));
		assert_string_equal(back.stamp, rows[i].r.stamp);
		assert_int_equal(back.number, rows[i].r.number);
		assert_int_equal(back.compression, rows[i].r.compression);
		assert_int_equal(back.unfinished, rows[i].r.unfinished);
		assert_int_equal(fffa_rotated_name_format("flows.log", &rows[i].r, name,
							  strlen(rows[i].name)),
				 -ENAMETOOLONG);
	}
}

/* These files belong to somebody else, so retention must not delete them. */
static void other_names_are_left_alone(void **state)
{
	static const char *const names[] = {
		"",
		"flows.log",
		"flows.log.",
		"flows.log.1",
		"flows.log.1.gz",
		"flows.log.20260511",
		"flows.log.20260511T101500",
		"flows.log.20260511T101500Z.bak",
		"flows.log.20260511T101500Z.tmp.zst",
		"flows.log.20260511T101500Z-",
		"flows.log.20260511T101500Z-0",
		"flows.log.20260511T101500Z-x",
		"flows.log.20260511T101500Z-+1",
		"flows.log.20260511T101500Z-100000",
		"flows.log.20260511T101500Z-99999999999999999999999",
		"flows.log.20260511T101500Zx",
		"flows.log.2026O511T101500Z",
		"flows.log2.20260511T101500Z",
		"other.log.20260511T101500Z",
		"xflows.log.20260511T101500Z",
	};
	struct fffa_rotated_name r;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(fffa_rotated_name_parse("flows.log", names[i], &r));
}

static void order_is_of_time_then_number(void **state)
{
	const struct fffa_rotated_name a = {.stamp = "20260511T101500Z", .number = 9},
				       b = {.stamp = "20260511T101500Z", .number = 10},
				       c = {.stamp = "20260511T101501Z"};

	(void)state;
	assert_true(fffa_rotated_name_compare(&a, &b) < 0);
	assert_true(fffa_rotated_name_compare(&b, &c) < 0);
	assert_true(fffa_rotated_name_compare(&c, &a) > 0);
	assert_int_equal(fffa_rotated_name_compare(&a, &a), 0);
}

static void stamp_is_utc(void **state)
{
	char stamp[FFFA_STAMP_BYTES];

	(void)state;
	fffa_stamp_write(1778494500, stamp);
	assert_string_equal(stamp, "20260511T101500Z");
	fffa_stamp_write(-5, stamp);
	assert_string_equal(stamp, "19700101T000000Z");
	fffa_stamp_write(INT64_MAX, stamp);
	assert_string_equal(stamp, "99991231T235959Z");
}

static void rotation_is_due_by_size(void **state)
{
	struct fffa_plain_rotation r = {.size_bytes = 1000};

	(void)state;
	assert_false(fffa_plain_rotate_is_due(&r, 0, 10, 5000,
					      100)); /* empty, however large the batch */
	assert_false(fffa_plain_rotate_is_due(&r, 10, 10, 5000, 100)); /* only the header */
	assert_false(fffa_plain_rotate_is_due(&r, 900, 10, 100, 100)); /* fits exactly */
	assert_true(fffa_plain_rotate_is_due(&r, 900, 10, 101, 100));
	assert_false(fffa_plain_rotate_is_due(&r, 2000, 10, 0, 100)); /* nothing to write */
	r.not_before_s = 105;
	assert_false(fffa_plain_rotate_is_due(&r, 900, 10, 101, 104));
	assert_true(fffa_plain_rotate_is_due(&r, 900, 10, 101, 105));
}

static void due_at_multiples_of_the_interval(void **state)
{
	struct fffa_plain_rotation r = {.interval_s = 3600, .interval_number = 10};

	(void)state;
	assert_false(fffa_plain_rotate_is_due(&r, 900, 10, 0, 11 * 3600 - 1));
	assert_true(fffa_plain_rotate_is_due(&r, 900, 10, 0, 11 * 3600));
	assert_true(fffa_plain_rotate_is_due(&r, 900, 10, 1, 12 * 3600));
	assert_false(fffa_plain_rotate_is_due(&r, 900, 10, 1, 3600)); /* the clock was set back */
	/* A file without records is not due; its interval is that of its first record. */
	assert_false(fffa_plain_rotate_is_due(&r, 10, 10, 1, 12 * 3600));
	assert_false(fffa_plain_rotate_is_due(&r, 900, 10, 1, 13 * 3600 - 1));
	assert_true(fffa_plain_rotate_is_due(&r, 900, 10, 1, 13 * 3600));
}

static void never_due_without_options(void **state)
{
	struct fffa_plain_rotation r = {.size_bytes = 0};

	(void)state;
	assert_false(fffa_plain_rotate_is_due(&r, INT64_MAX / 2, 0, SIZE_MAX / 4, INT64_MAX / 2));
}

static void mode_and_owner_are_checked(void **state)
{
	static const struct {
		const char *mode, *owner, *says;
	} bad[] = {
		{"640x", NULL, "mode: 640x"},	     {"", NULL, "mode: "},
		{"0888", NULL, "mode: 0888"},	     {"-1", NULL, "mode: -1"},
		{"1777", NULL, "mode: 1777"},	     {"0440", NULL, "let the owner write"},
		{NULL, ":root", "owner: :root"},     {NULL, "root:", "owner: root:"},
		{NULL, "no-such-user-x", "no user"}, {NULL, "root:no-such-group-x", "no group"},
		{NULL, "4294967295", "no user"},
	};
	struct fffa_sink_file_conf conf = {.path = (char[]){"x"}};
	struct fffa_file_access a;
	struct fffa_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf.mode = (char *)(uintptr_t)bad[i].mode;
		conf.owner = (char *)(uintptr_t)bad[i].owner;
		assert_int_equal(fffa_file_options_check(&conf, &err), -EINVAL);
		assert_non_null(strstr(err.text, bad[i].says));
	}
	conf.mode = (char[]){"0604"};
	conf.owner = (char[]){"root:12"};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), 0);
	assert_int_equal(a.mode, 0604);
	assert_int_equal(a.uid, 0);
	assert_int_equal(a.gid, 12);
	conf.mode = NULL;
	conf.owner = (char[]){"77"};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), 0);
	assert_int_equal(a.mode, 0640);
	assert_int_equal(a.uid, 77);
	assert_int_equal(a.gid, (gid_t)-1);
}

static void paths_are_checked(void **state)
{
	struct fffa_sink_file_conf conf = {.path = (char[]){"-"}};
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_file_options_check(&conf, &err), 0);
	assert_int_equal(fffa_file_options_probe(&conf, &err), 0);
	assert_null(fffa_file_options_output(&conf));
	for (conf.layout = FFFA_FILE_LAYOUT_AWS; conf.layout <= FFFA_FILE_LAYOUT_AWS_HIVE;
	     conf.layout++) {
		conf.path = (char[]){"-"};
		assert_int_equal(fffa_file_options_check(&conf, &err), -EINVAL);
		assert_string_equal(err.text,
				    "path: must be a folder, not -, with layout aws or aws_hive");
		conf.path = (char[]){"/no-such/folder"};
		assert_int_equal(fffa_file_options_check(&conf, &err), 0);
		assert_int_equal(fffa_file_options_probe(&conf, &err), 0); /* it is made */
		assert_null(fffa_file_options_output(&conf));
	}
	conf.layout = FFFA_FILE_LAYOUT_PLAIN;
	conf.path = (char[]){"/no-such/folder"};
	assert_int_equal(fffa_file_options_probe(&conf, &err), -ENOENT);
	assert_string_equal(fffa_file_options_output(&conf), "/no-such/folder");
	conf.path = (char[]){"/dev/null"};
	assert_int_equal(fffa_file_options_probe(&conf, &err), 0);
	assert_null(fffa_file_options_output(&conf));
	conf.path = (char[]){"/devices"};
	assert_string_equal(fffa_file_options_output(&conf), "/devices");
	conf.path = NULL;
	assert_null(fffa_file_options_output(&conf));
	assert_int_equal(fffa_file_options_check(&conf, &err), -EINVAL);
	assert_string_equal(err.text, "path: is required: a file name, or - for standard output");
}

static void a_flow_log_id_is_as_aws_has_it(void **state)
{
	static const struct {
		const char *id;
		bool good;
	} rows[] = {
		{"fl-01234567", true},
		{"fl-0123456789abcdef0", true},
		{"fl-0123456", false},
		{"fl-012345678", false},
		{"fl-0123456789abcdef", false},
		{"fl-0123456789abcdef01", false},
		{"fl-0123456g", false},
		{"fl-0123456F", false},
		{"fl_01234567", false},
		{"xfl-01234567", false},
		{"", false},
		{"Fl-01234567", false},
		{"fl-/123456789abcdef0", false},
	};
	struct fffa_sink_file_conf conf = {.path = (char[]){"x"}};
	struct fffa_err err;
	char want[100];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf.flow_log_id = (char *)(uintptr_t)rows[i].id;
		assert_int_equal(fffa_file_options_check(&conf, &err), rows[i].good ? 0 : -EINVAL);
		(void)snprintf(want, sizeof(want), "flow_log_id: %s: must be fl- and 8 or 17 hex",
			       rows[i].id);
		if (!rows[i].good)
			assert_non_null(strstr(err.text, want));
	}
}

/* The lowest and the highest of what is read, and the first beyond. */
static void modes_and_owners_at_their_bounds(void **state)
{
	char name[66] = "";
	struct fffa_sink_file_conf conf = {.path = (char[]){"x"}, .mode = (char[]){"0777"}};
	struct fffa_file_access a;
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), 0);
	assert_int_equal(a.mode, 0777);
	assert_int_equal(a.uid, (uid_t)-1);
	conf.mode = (char[]){"200"};
	conf.owner = (char[]){""};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), 0);
	assert_int_equal(a.mode, 0200);
	assert_int_equal(a.uid, (uid_t)-1);
	conf.mode = (char[]){"01000"};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), -EINVAL);
	conf.mode = (char[]){"0640 "};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), -EINVAL);
	conf.mode = NULL;
	conf.owner = (char[]){"4294967294:0"};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), 0);
	assert_int_equal(a.uid, 4294967294u);
	assert_int_equal(a.gid, 0);
	conf.owner = (char[]){"0:root"};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), 0);
	assert_int_equal(a.uid, 0);
	assert_int_equal(a.gid, 0);
	conf.owner = (char[]){"0:4294967295"};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), -EINVAL);
	assert_string_equal(err.text, "owner: there is no group 4294967295 on this host");
	conf.owner = (char[]){"9x"};
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), -EINVAL);
	assert_string_equal(err.text, "owner: there is no user 9x on this host");
	conf.owner = name;
	memset(name, 'u', 63);
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), -EINVAL);
	assert_non_null(strstr(err.text, "there is no user uuu"));
	name[63] = 'u';
	assert_int_equal(fffa_file_access_read(&conf, &a, &err), -EINVAL);
	assert_non_null(strstr(err.text, "must be user or user:group"));
}

static void a_name_may_only_just_fit(void **state)
{
	const struct fffa_rotated_name r = {.stamp = "20260511T101500Z",
					    .number = FFFA_ROTATED_NUMBER_MAX};
	struct fffa_rotated_name back;
	char name[28 + 6];

	(void)state;
	assert_int_equal(fffa_rotated_name_format("flows.log", &r, name, 32), -ENAMETOOLONG);
	assert_int_equal(fffa_rotated_name_format("flows.log", &r, name, 33), 0);
	assert_string_equal(name, "flows.log.20260511T101500Z-99999");
	assert_true(fffa_rotated_name_parse("flows.log", name, &back));
	assert_int_equal(back.number, 99999);
	assert_false(fffa_rotated_name_parse("flows", name, &back));
	assert_true(fffa_rotated_name_parse("flows.log", "flows.log.20260511T101500Z.tmp", &back));
	assert_true(back.unfinished);
	assert_int_equal(back.compression, FFFA_FILE_COMPRESS_NONE);
	assert_false(
		fffa_rotated_name_parse("flows.log", "flows.log.20260511T101500Z.gz.gz", &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_back),
		cmocka_unit_test(other_names_are_left_alone),
		cmocka_unit_test(order_is_of_time_then_number),
		cmocka_unit_test(stamp_is_utc),
		cmocka_unit_test(rotation_is_due_by_size),
		cmocka_unit_test(due_at_multiples_of_the_interval),
		cmocka_unit_test(never_due_without_options),
		cmocka_unit_test(mode_and_owner_are_checked),
		cmocka_unit_test(paths_are_checked),
		cmocka_unit_test(a_flow_log_id_is_as_aws_has_it),
		cmocka_unit_test(modes_and_owners_at_their_bounds),
		cmocka_unit_test(a_name_may_only_just_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
