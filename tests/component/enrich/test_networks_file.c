// SPDX-License-Identifier: MIT
/*
 * metadata.networks from disk to the record and the metric: read off the loop and again when it has
 * changed; a bad file never replaces a good one, and is counted.
 */
#include "tests/stubs/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/component/enrich/metadata_fixture.h"

static void write_file(const struct metadata_fixture *r, const char *text)
{
	metadata_fixture_write_file(r->conf.networks, text);
}

static int setup(void **state)
{
	struct metadata_fixture *r;

	if (metadata_fixture_setup(state) != 0)
		return -1;
	r = *state;
	r->conf.networks = metadata_fixture_name_file(r, "networks.csv");
	return r->conf.networks ? 0 : -1;
}

static int teardown(void **state)
{
	struct metadata_fixture *r = *state;

	(void)unlink(r->conf.networks);
	free(r->conf.networks);
	return metadata_fixture_teardown(state);
}

static struct fffa_record record_of(struct metadata_fixture *r, const char *src, const char *dst)
{
	struct fffa_record rec = {.key.ifindex = 2, .key.view = FFFA_VIEW_EGRESS, .bytes = 100};

	metadata_fixture_apply(r, &rec, src, dst);
	return rec;
}

static const char *name(struct metadata_fixture *r)
{
	const struct fffa_network *n = record_of(r, "10.0.0.1", "10.1.0.1").dst_network;

	return n ? n->name : "";
}

static bool is_old(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return strcmp(name(r), "old") == 0;
}

static bool is_new(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return strcmp(name(r), "new") == 0;
}

static bool is_unknown(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return strcmp(name(r), "") == 0;
}

static bool has_errors(struct metadata_fixture *r, uint64_t arg)
{
	return metadata_fixture_error(r, "networks") >= arg;
}

static void the_last_good_one_stays(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	write_file(r, "10.1.0.0/16,old\n");
	metadata_fixture_open(r);
	assert_false(fffa_meta_settled(r->meta));
	assert_string_equal(name(r), ""); /* not read yet, and nothing blocks */
	metadata_fixture_await(r, is_old, 0);
	assert_int_equal(metadata_fixture_error(r, "networks"), 0);
	write_file(r, "10.1.0.0/16,bad\n10.1.0.0/77,bad\n");
	metadata_fixture_await(r, has_errors, 1);
	assert_int_equal(metadata_fixture_logged(r, "networks.csv: line 2: \"10.1.0.0/77\" is no"),
			 1);
	metadata_fixture_run_ms(r, 100); /* it is looked at several times, but counts once */
	assert_int_equal(metadata_fixture_error(r, "networks"), 1);
	assert_true(is_old(r, 0));
	write_file(r, ""); /* somebody has begun to write it */
	metadata_fixture_await(r, has_errors, 2);
	assert_int_equal(metadata_fixture_logged(r, "networks.csv: is empty"), 1);
	assert_true(is_old(r, 0));
	write_file(r, "10.1.0.0/16,new\n");
	metadata_fixture_await(r, is_new, 0);
	write_file(r, "cidr,name\n"); /* no network is a map, too */
	metadata_fixture_await(r, is_unknown, 0);
	assert_int_equal(metadata_fixture_error(r, "networks"), 2);
}

static void a_fifo_is_refused(void **state)
{
	struct metadata_fixture *r = *state;

	assert_int_equal(mkfifo(r->conf.networks, 0600), 0);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	assert_int_equal(metadata_fixture_error(r, "networks"), 1);
	write_file(r, "10.1.0.0/16,new\n");
	metadata_fixture_await(r, is_new, 0);
}

static void traffic_is_counted(void **state)
{
	struct metadata_fixture *r = *state;
	const struct fffa_network_series *s;
	struct fffa_record rec;
	size_t n;

	write_file(r, "10.1.0.0/16,new,,vpc-1,subnet-1,use1-az4,local\n"
		      "10.0.0.0/16,web,,vpc-1,,use1-az6\n");
	metadata_fixture_open(r);
	metadata_fixture_await(r, is_new, 0);
	rec = record_of(r, "10.0.0.1", "10.1.0.1");
	assert_int_equal(rec.traffic_path, 1);
	assert_string_equal(rec.next_hop->subnet_id, "subnet-1");
	fffa_meta_count_traffic(r->meta, &rec);
	fffa_meta_count_traffic(r->meta, &rec);
	s = fffa_meta_traffic(r->meta, &n);
	assert_int_equal(n, 1);
	assert_string_equal(s[0].src_network, "web");
	assert_string_equal(s[0].dst_az_id, "use1-az4");
	assert_true(s[0].egress);
	assert_int_equal(s[0].bytes, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_good_one_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_fifo_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(traffic_is_counted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
