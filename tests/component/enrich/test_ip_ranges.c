// SPDX-License-Identifier: MIT
/*
 * ip-ranges.json from disk to the record. It is read off the loop, and again when it has changed;
 * a bad file never replaces a good one.
 */
#include "tests/stubs/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/component/enrich/metadata_fixture.h"

#define ONE(service)                                                                               \
	"{\"prefixes\":[{\"ip_prefix\":\"52.0.0.0/8\",\"service\":\"" service                      \
	"\"}],\"ipv6_prefixes\":[{\"ipv6_prefix\":\"2600::/16\",\"service\":\"EC2\"}]}"

static void write_file(const struct metadata_fixture *r, const char *text)
{
	metadata_fixture_write_file(r->conf.ip_ranges, text);
}

static int setup(void **state)
{
	struct metadata_fixture *r;

	if (metadata_fixture_setup(state) != 0)
		return -1;
	r = *state;
	r->conf.ip_ranges = metadata_fixture_name_file(r, "ip-ranges.json");
	return r->conf.ip_ranges ? 0 : -1;
}

static int teardown(void **state)
{
	struct metadata_fixture *r = *state;

	(void)unlink(r->conf.ip_ranges);
	(void)rmdir(r->conf.ip_ranges);
	free(r->conf.ip_ranges);
	return metadata_fixture_teardown(state);
}

static struct fffa_record record_of(struct metadata_fixture *r, const char *src, const char *dst,
				    uint8_t status)
{
	struct fffa_record rec = {.key.ifindex = 2, .status = status};

	metadata_fixture_apply(r, &rec, src, dst);
	return rec;
}

static const char *service(struct metadata_fixture *r)
{
	return record_of(r, "52.0.0.1", "10.0.0.1", FFFA_STATUS_OK).src_service;
}

static bool is_s3(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return service(r) && strcmp(service(r), "S3") == 0;
}

static bool is_ebs(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return service(r) && strcmp(service(r), "EBS") == 0;
}

static bool is_logged(struct metadata_fixture *r, uint64_t arg)
{
	return metadata_fixture_logged(r, "metadata.ip_ranges: ") >= arg;
}

static void test_a_file_is_read_and_read_again(void **state)
{
	struct metadata_fixture *r = *state;
	struct fffa_record rec;

	write_file(r, ONE("EBS"));
	metadata_fixture_open(r);
	assert_false(fffa_meta_settled(r->meta));
	assert_null(service(r)); /* not read yet, and nothing blocks */
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	rec = record_of(r, "52.1.2.3", "2600::1", FFFA_STATUS_OK);
	assert_string_equal(rec.src_service, "EBS");
	assert_string_equal(rec.dst_service, "EC2");
	rec = record_of(r, "10.0.0.1", "9.9.9.9", FFFA_STATUS_OK);
	assert_null(rec.src_service);
	assert_null(rec.dst_service);
	rec = record_of(r, "52.1.2.3", "2600::1", FFFA_STATUS_NODATA);
	assert_null(rec.src_service);
	write_file(r, ONE("S3"));
	metadata_fixture_await(r, is_s3, 0);
}

static void test_the_last_good_one_stays(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	write_file(r, ONE("S3"));
	metadata_fixture_open(r);
	metadata_fixture_await(r, is_s3, 0);
	write_file(r, "{\"prefixes\":[");
	metadata_fixture_await(r, is_logged, 1);
	assert_int_equal(metadata_fixture_logged(
				 r, "no JSON at line 1, column 13; the last good file stays"),
			 1);
	assert_int_equal(unlink(r->conf.ip_ranges), 0);
	metadata_fixture_await(r, is_logged, 2);
	assert_int_equal(
		metadata_fixture_logged(r, "No such file or directory; the last good file stays"),
		1);
	metadata_fixture_run_ms(r, 100); /* it is read several times, but logged once */
	assert_int_equal(metadata_fixture_logged(r, "metadata.ip_ranges: "), 2);
	assert_true(is_s3(r, 0));
	write_file(r, ONE("EBS"));
	metadata_fixture_await(r, is_ebs, 0);
}

static void test_a_file_that_comes_later(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	assert_int_equal(metadata_fixture_logged(r, "services of addresses stay unknown"), 1);
	assert_null(service(r));
	write_file(r, ONE("S3"));
	metadata_fixture_await(r, is_s3, 0);
	assert_int_equal(
		metadata_fixture_logged(r, "read the AWS services of addresses: prefixes=2"), 1);
}

static void test_what_is_no_file(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	assert_int_equal(mkdir(r->conf.ip_ranges, 0700), 0);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	assert_int_equal(metadata_fixture_logged(r, "Is a directory"), 1);
	metadata_fixture_close(r);
	assert_int_equal(rmdir(r->conf.ip_ranges), 0);
	/* Nobody writes to this pipe, so a reader would wait for ever. */
	assert_int_equal(mkfifo(r->conf.ip_ranges, 0600), 0);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	assert_int_equal(metadata_fixture_logged(r, "not a regular file"), 1);
}

static void test_a_file_that_is_too_large(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	write_file(r, "");
	assert_int_equal(truncate(r->conf.ip_ranges, (off_t)1 << 40), 0); /* a hole */
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	assert_int_equal(metadata_fixture_logged(r, "larger than 16777216 bytes"), 1);
}

static void test_closing_while_it_is_read(void **state)
{
	struct metadata_fixture *r = *state;

	write_file(r, ONE("S3"));
	for (int i = 0; i < 20; i++) {
		metadata_fixture_open(r);
		metadata_fixture_close(r); /* the reading is under way */
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_file_is_read_and_read_again), TEST(test_the_last_good_one_stays),
		TEST(test_a_file_that_comes_later),	  TEST(test_what_is_no_file),
		TEST(test_a_file_that_is_too_large),	  TEST(test_closing_while_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
