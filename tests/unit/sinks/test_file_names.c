// SPDX-License-Identifier: MIT
/* Names of rotated files, when a rotation is due, the options mode and owner. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
