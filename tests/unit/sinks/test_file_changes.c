// SPDX-License-Identifier: MIT
/* Files that are devices, that another writes to, that somebody removes or empties. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/file_fixture.h"

/* A device is no file: a disk would be written over. Only /dev/null takes what it gets. */
static void devices_are_refused(void **state)
{
	static const char *const devices[] = {"/dev/full", "/dev/zero", "/dev/urandom"};
	struct file_fixture *p = *state;
	struct sink_fixture r;

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		p->conf.path = (char *)(uintptr_t)devices[i];
		sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
		assert_int_equal(sink_fixture_start(&r), -ENODEV);
		assert_non_null(strstr(r.err.text, "is a device"));
		sink_fixture_close(&r);
	}
	p->conf.path = (char[]){"/dev/null"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	sink_fixture_close(&r);
}

/* The second writer of a file is refused, through whatever name; the end of the first frees it. */
static void a_file_has_one_writer(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_sink_file_conf other = p->conf;
	struct sink_fixture a, b;
	char link_path[128];

	(void)snprintf(link_path, sizeof(link_path), "%s/link", p->dir);
	assert_int_equal(symlink("flows.log", link_path), 0);
	other.path = link_path;
	sink_fixture_create(&a, &fffa_sink_file_ops, &p->conf, "");
	sink_fixture_create(&b, &fffa_sink_file_ops, &other, "");
	assert_int_equal(sink_fixture_start(&a), 0);
	assert_int_equal(sink_fixture_start(&b), -EBUSY);
	assert_non_null(strstr(b.err.text, "writes to"));
	sink_fixture_close(&b);
	sink_fixture_close(&a);
	sink_fixture_create(&b, &fffa_sink_file_ops, &other, "");
	assert_int_equal(sink_fixture_start(&b), 0);
	sink_fixture_close(&b);
}

/* rm of the file, then of its folder, between two batches: both come again, with the header. */
static void a_removed_file_is_made_anew(void **state)
{
	struct file_fixture *p = *state;
	struct fixture_delivery d[3] = {0};
	struct sink_fixture r;
	char sub[96], file[128];
	struct stat st;

	(void)snprintf(sub, sizeof(sub), "%s/sub", p->dir);
	(void)snprintf(file, sizeof(file), "%s/flows.log", sub);
	assert_int_equal(mkdir(sub, 0700), 0);
	p->conf.path = file;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(sink_fixture_send(&r, &d[i], make_batch(i + 1, 1, 30)).verdict,
				 FFFA_V_DELIVERED);
		file_fixture_expect(file, "h\n", &d[i], NULL);
		assert_int_equal(unlink(file), 0);
		if (i == 1)
			assert_int_equal(rmdir(sub), 0);
		fixture_delivery_fini(&d[i]);
	}
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	sink_fixture_close(&r);
}

/* While the file cannot be made anew nothing counts as delivered. */
static void a_removed_file_that_cannot_be_made(void **state)
{
	struct file_fixture *p = *state;
	struct fixture_delivery a = {0}, b = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 1, 30)).verdict, FFFA_V_DELIVERED);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(sink_fixture_send(&r, &b, make_batch(2, 1, 30)).verdict, FFFA_V_RETRY);
	assert_int_equal(rmdir(p->path), 0);
	assert_int_equal(sink_fixture_again(&r, &b), 0);
	sink_fixture_wait(&r, &b);
	assert_int_equal(b.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "h\n", &b, NULL);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
}

static void an_emptied_file_gets_its_header_again(void **state)
{
	struct file_fixture *p = *state;
	struct fixture_delivery a = {0}, b = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 2, 30)).verdict, FFFA_V_DELIVERED);
	assert_int_equal(truncate(p->path, 0), 0);
	assert_int_equal(sink_fixture_send(&r, &b, make_batch(3, 2, 30)).verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "h\n", &b, NULL);
	sink_fixture_close(&r);
	/* The same when the sink found the file with records, so that it wrote no header. */
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(truncate(p->path, 0), 0);
	fixture_delivery_fini(&a);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(5, 2, 30)).verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "h\n", &a, NULL);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(devices_are_refused),
		CASE(a_file_has_one_writer),
		CASE(a_removed_file_is_made_anew),
		CASE(a_removed_file_that_cannot_be_made),
		CASE(an_emptied_file_gets_its_header_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
