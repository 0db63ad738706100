// SPDX-License-Identifier: MIT
/* The reader against a service that behaves, and what decides whether and where it asks. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "tests/component/enrich/metadata_fixture.h"

static void test_learns_everything(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_open(r);
	assert_false(fffa_meta_settled(r->meta));
	assert_string_equal(metadata_fixture_ident(r, 2)->interface_id, "");
	assert_string_equal(metadata_fixture_ident(r, 2)->ifname, "eth0");
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	metadata_fixture_assert_all_known(r);
	assert_true(fffa_meta_settled(r->meta));
	assert_false(metadata_fixture_has_failures(r, 1));
	assert_string_equal(fffa_meta_host(r->meta)->instance_id, "i-0123456789abcdef0");
	/* An unknown device gets the host, but no interface. */
	assert_string_equal(metadata_fixture_ident(r, 77)->host->instance_id,
			    "i-0123456789abcdef0");
	assert_string_equal(metadata_fixture_ident(r, 77)->interface_id, "");
	/* One token for all; each thing asked once. */
	assert_int_equal(imds_child_count(&r->mock, "PUT", NULL), 1);
	assert_int_equal(imds_child_count(&r->mock, "GET", NULL), METADATA_GETS);
	assert_int_equal(imds_child_count(&r->mock, "GET", "/document"), 1);
	assert_int_equal(imds_child_count(&r->mock, "GET", "02:00:00:00:00:02/owner-id"), 1);
}

static void test_requests_are_imdsv2(void **state)
{
	struct metadata_fixture *r = *state;
	json_t *all, *e;
	size_t i;

	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	all = imds_child_log(&r->mock);
	json_array_foreach (all, i, e) {
		if (i == 0)
			assert_string_equal(json_string_value(json_object_get(e, "ttl")), "21600");
		else
			assert_true(json_is_true(json_object_get(e, "valid")));
	}
	assert_int_equal(i, 1 + METADATA_GETS);
	json_decref(all);
}

static void test_slow_answers_are_waited_for(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(&r->mock, "[{\"kind\":\"slow\",\"ms\":30}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	metadata_fixture_assert_all_known(r);
	assert_false(metadata_fixture_has_failures(r, 1));
}

static void test_absent_is_no_failure(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(
		&r->mock,
		"[{\"kind\":\"status\",\"status\":404,\"path\":\"/latest/meta-data/placement/"
		"availability-zone-id\"},"
		"{\"kind\":\"status\",\"status\":404,\"path\":\"/latest/meta-data/network/"
		"interfaces/macs/02:00:00:00:00:02/subnet-id\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_false(metadata_fixture_has_failures(r, 1));
	assert_string_equal(metadata_fixture_ident(r, 2)->host->az_id, "");
	assert_string_equal(metadata_fixture_ident(r, 2)->host->az, "us-east-1a");
	assert_string_equal(metadata_fixture_ident(r, 3)->subnet_id, "");
	assert_string_equal(metadata_fixture_ident(r, 3)->vpc_id, "vpc-0a1b2c3d4e5f60718");
	assert_string_equal(metadata_fixture_ident(r, 2)->subnet_id, "subnet-0f1e2d3c4b5a69788");
}

static void test_document_alone_is_enough_for_the_host(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(&r->mock,
			  "[{\"kind\":\"status\",\"status\":404,\"path\":\"/latest/meta-data\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_string_equal(metadata_fixture_ident(r, 2)->host->az, "us-east-1a");
	assert_string_equal(metadata_fixture_ident(r, 2)->host->region, "us-east-1");
	assert_string_equal(metadata_fixture_ident(r, 2)->interface_id, "");
	assert_int_equal(imds_child_count(&r->mock, "GET", NULL), METADATA_HOST_GETS);
}

static void test_static_values_win(void **state)
{
	struct metadata_fixture *r = *state;
	struct fffa_pair rows[] = {{"account_id", "999999999999"}, {"vpc_id", "vpc-fixed"}};

	r->conf.fixed = (struct fffa_pairs){rows, 2};
	metadata_fixture_open(r);
	assert_string_equal(metadata_fixture_ident(r, 2)->vpc_id, "vpc-fixed");
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_string_equal(metadata_fixture_ident(r, 2)->vpc_id, "vpc-fixed");
	assert_string_equal(metadata_fixture_ident(r, 3)->vpc_id, "vpc-fixed");
	assert_string_equal(metadata_fixture_ident(r, 2)->host->account_id, "999999999999");
	assert_string_equal(metadata_fixture_ident(r, 2)->owner_id, "");
	assert_string_equal(metadata_fixture_ident(r, 2)->host->instance_id, "i-0123456789abcdef0");
	assert_string_equal(metadata_fixture_ident(r, 2)->subnet_id, "subnet-0f1e2d3c4b5a69788");
}

static void test_bad_static_value_fails_the_start(void **state)
{
	struct metadata_fixture *r = *state;
	struct fffa_pair row = {"vpc_id", "vpc one"};
	struct fffa_err err = {""};

	r->conf.fixed = (struct fffa_pairs){&row, 1};
	assert_int_equal(fffa_meta_open_tuned(&r->loop, &r->conf, &r->tuning, &r->meta, &err),
			 -EINVAL);
	assert_null(r->meta);
	assert_non_null(strstr(err.text, "metadata.static.vpc_id"));
}

static void test_proxies_are_not_used(void **state)
{
	/* Nobody listens there, so a request to it would fail. */
	static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
	struct metadata_fixture *r = *state;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(setenv(names[i], "http://127.0.0.1:1", 1), 0);
	(void)unsetenv("no_proxy");
	(void)unsetenv("NO_PROXY");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(unsetenv(names[i]), 0);
	metadata_fixture_assert_all_known(r);
	assert_false(metadata_fixture_has_failures(r, 1));
}

static void check_not_asked(struct metadata_fixture *r)
{
	metadata_fixture_open(r);
	assert_true(fffa_meta_settled(r->meta));
	metadata_fixture_run_ms(r, 100);
	assert_int_equal(imds_child_count(&r->mock, NULL, NULL), 0);
	assert_string_equal(metadata_fixture_ident(r, 2)->host->instance_id, "");
	assert_true(strlen(metadata_fixture_ident(r, 2)->host->agent_id) > 0);
	assert_true(fffa_meta_age_ns(r->meta) == UINT64_MAX);
}

static void test_off(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.enabled = FFFA_SW_OFF;
	check_not_asked(r);
}

static void test_auto_outside_ec2(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.enabled = FFFA_SW_AUTO;
	check_not_asked(r);
}

static void test_environment_disables(void **state)
{
	struct metadata_fixture *r = *state;

	assert_int_equal(setenv("AWS_EC2_METADATA_DISABLED", "True", 1), 0);
	check_not_asked(r);
}

static void make_dir(const struct metadata_fixture *r, const char *path)
{
	char full[200];

	(void)snprintf(full, sizeof(full), "%s%s", r->root, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void remove_dir(const struct metadata_fixture *r, const char *path)
{
	char full[200];

	(void)snprintf(full, sizeof(full), "%s%s", r->root, path);
	assert_int_equal(rmdir(full), 0);
}

static void test_auto_on_ec2(void **state)
{
	static const char *const dirs[] = {"/sys", "/sys/class", "/sys/class/dmi",
					   "/sys/class/dmi/id"};
	struct metadata_fixture *r = *state;
	char vendor[200];
	FILE *f;

	for (size_t i = 0; i < 4; i++)
		make_dir(r, dirs[i]);
	(void)snprintf(vendor, sizeof(vendor), "%s/sys/class/dmi/id/sys_vendor", r->root);
	f = fopen(vendor, "w");
	assert_non_null(f);
	assert_true(fputs("Amazon EC2\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	r->conf.imds.enabled = FFFA_SW_AUTO;
	metadata_fixture_open(r);
	assert_int_equal(unlink(vendor), 0);
	for (size_t i = 4; i-- > 0;)
		remove_dir(r, dirs[i]);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	metadata_fixture_assert_all_known(r);
}

static void write_root(const struct metadata_fixture *r, const char *path, const char *text)
{
	char full[200];
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s%s", r->root, path);
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The files below root say which machine and which container this is, until IMDS answers. */
static void test_machine_and_container(void **state)
{
	static const char *const files[] = {"/etc/machine-id", "/proc/self/mountinfo"};
	static const char *const dirs[] = {"/etc", "/proc", "/proc/self"};
	struct metadata_fixture *r = *state;
	char full[200];

	for (size_t i = 0; i < 3; i++)
		make_dir(r, dirs[i]);
	write_root(r, files[0], "0123456789abcdef0123456789abcdef\n");
	write_root(r, files[1],
		   "1 2 8:1 /docker/containers/"
		   "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210/hosts "
		   "/etc/hosts rw - ext4 x rw\n");
	metadata_fixture_open(r);
	assert_string_equal(fffa_meta_host(r->meta)->agent_id,
			    "0123456789abcdef0123456789abcdef/fedcba987654");
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(full, sizeof(full), "%s%s", r->root, files[i]);
		assert_int_equal(unlink(full), 0);
	}
	for (size_t i = 3; i-- > 0;)
		remove_dir(r, dirs[i]);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	(void)snprintf(full, sizeof(full), "%s/fedcba987654", fffa_meta_host(r->meta)->instance_id);
	assert_string_equal(fffa_meta_host(r->meta)->agent_id, full);
}

static void test_endpoint_from_environment(void **state)
{
	struct metadata_fixture *r = *state;

	assert_int_equal(setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", r->endpoint, 1), 0);
	assert_int_equal(setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6", 1), 0);
	r->conf.imds.enabled = FFFA_SW_AUTO;
	r->conf.imds.endpoint = "http://169.254.169.254";
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_assert_all_known(r);
}

static void test_configured_endpoint_wins_over_environment(void **state)
{
	struct metadata_fixture *r = *state;

	assert_int_equal(setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1", 1), 0);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_assert_all_known(r);
}

static void test_bad_environment_fails_the_start(void **state)
{
	struct metadata_fixture *r = *state;
	struct fffa_err err = {""};

	assert_int_equal(setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "https://127.0.0.1", 1), 0);
	r->conf.imds.endpoint = NULL;
	assert_int_equal(fffa_meta_open_tuned(&r->loop, &r->conf, &r->tuning, &r->meta, &err),
			 -EINVAL);
	assert_null(r->meta);
	assert_non_null(strstr(err.text, "AWS_EC2_METADATA_SERVICE_ENDPOINT"));
}

static void test_ipv6_endpoint(void **state)
{
	struct metadata_fixture *r = *state;
	struct imds_child six;

	if (imds_child_start(&six, "::1", NULL) != 0) {
		imds_child_stop(&six);
		print_message("this machine has no IPv6 loopback\n");
		skip();
	}
	(void)snprintf(r->endpoint, sizeof(r->endpoint), "http://[::1]:%d/", six.port);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_assert_all_known(r);
	metadata_fixture_close(r);
	assert_int_equal(imds_child_count(&six, "PUT", NULL), 1);
	imds_child_stop(&six);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, metadata_fixture_setup, metadata_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_learns_everything),
		T(test_requests_are_imdsv2),
		T(test_slow_answers_are_waited_for),
		T(test_absent_is_no_failure),
		T(test_document_alone_is_enough_for_the_host),
		T(test_static_values_win),
		T(test_bad_static_value_fails_the_start),
		T(test_proxies_are_not_used),
		T(test_off),
		T(test_auto_outside_ec2),
		T(test_environment_disables),
		T(test_auto_on_ec2),
		T(test_machine_and_container),
		T(test_endpoint_from_environment),
		T(test_configured_endpoint_wins_over_environment),
		T(test_bad_environment_fails_the_start),
		T(test_ipv6_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
