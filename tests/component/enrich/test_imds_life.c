// SPDX-License-Identifier: MIT
/* Refresh, renewal, loss and recovery, waiting, closing, and what is logged. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "tests/component/enrich/metadata_fixture.h"

static bool has_documents(struct metadata_fixture *r, uint64_t n)
{
	return imds_child_count(&r->mock, "GET", "/document") >= n;
}

static bool has_tokens(struct metadata_fixture *r, uint64_t n)
{
	return imds_child_count(&r->mock, "PUT", NULL) >= n;
}

static void test_refreshes(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.refresh_ns = 30 * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_open(r);
	metadata_fixture_await(r, has_documents, 4);
	metadata_fixture_assert_all_known(r);
	assert_int_equal(imds_child_count(&r->mock, "PUT", NULL), 1);
	assert_false(metadata_fixture_has_failures(r, 1));
	assert_true(fffa_meta_age_ns(r->meta) < 10 * FFFA_NS_PER_S);
}

static void test_token_is_renewed_in_time(void **state)
{
	struct metadata_fixture *r = *state;
	json_t *all, *e;
	double times[2];
	size_t i, puts = 0;

	r->tuning.timing.token_ttl_s = 20;
	r->conf.imds.refresh_ns = 50 * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_open(r);
	metadata_fixture_await(r, has_tokens, 2);
	all = imds_child_log(&r->mock);
	json_array_foreach (all, i, e) {
		if (strcmp(json_string_value(json_object_get(e, "method")), "PUT") != 0)
			continue;
		assert_string_equal(json_string_value(json_object_get(e, "ttl")), "20");
		if (puts < 2)
			times[puts++] = json_real_value(json_object_get(e, "time"));
	}
	json_decref(all);
	/*
	 * After 80 % of twenty seconds and the rest of a refresh interval, before it expires: four
	 * seconds are enough for any machine. The times are those of the mock, which may be late
	 * for the first one, too.
	 */
	assert_true(times[1] - times[0] >= 15);
	assert_true(times[1] - times[0] < 19.95);
	assert_int_equal(metadata_fixture_error(r, "unauthorized"), 0);
}

static void test_last_good_is_kept(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	r->conf.imds.refresh_ns = 30 * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	imds_child_faults(&r->mock, "[{\"kind\":\"status\",\"status\":503}]");
	metadata_fixture_await(r, metadata_fixture_has_failures, 6);
	metadata_fixture_assert_all_known(r);
	assert_true(fffa_meta_settled(r->meta));
	assert_int_equal(metadata_fixture_logged(r, "identity learned"), 1);
	assert_int_equal(
		metadata_fixture_logged(r, "reason=server; the last good identity stays in use"),
		1);
	imds_child_faults(&r->mock, "[]");
	metadata_fixture_await(r, has_documents,
			       imds_child_count(&r->mock, "GET", "/document") + 3);
	assert_int_equal(metadata_fixture_logged(r, "identity learned"), 2);
	assert_int_equal(metadata_fixture_logged(r, "metadata:"), 3); /* one line for each change */
	metadata_fixture_assert_all_known(r);
}

static void test_last_good_survives_absence(void **state)
{
	struct metadata_fixture *r = *state;
	uint64_t now;

	r->conf.imds.refresh_ns = 30 * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	imds_child_faults(
		&r->mock,
		"[{\"kind\":\"status\",\"status\":404,\"path\":\"/latest/dynamic\"},"
		"{\"kind\":\"garbage\",\"path\":\"/latest/meta-data/network/interfaces/macs/"
		"02:00:00:00:00:02/interface-id\"}]");
	now = imds_child_count(&r->mock, "GET", "/document");
	metadata_fixture_await(r, has_documents, now + 3);
	metadata_fixture_assert_all_known(r);
}

static void test_one_bad_answer_is_not_logged(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	r->conf.imds.refresh_ns = 30 * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	imds_child_faults(&r->mock, "[{\"kind\":\"status\",\"status\":503,\"count\":2}]");
	metadata_fixture_await(r, metadata_fixture_has_failures, 2);
	metadata_fixture_await(r, has_documents,
			       imds_child_count(&r->mock, "GET", "/document") + 2);
	assert_int_equal(metadata_fixture_logged(r, "metadata:"), 1);
}

static void test_hop_limit_hint(void **state)
{
	struct metadata_fixture *r = *state;
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/.dockerenv", r->root);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	metadata_fixture_capture_log(r);
	r->conf.imds.timeout_ns = 50 * (int64_t)FFFA_NS_PER_MS;
	imds_child_faults(&r->mock, "[{\"kind\":\"hang\",\"method\":\"PUT\"}]");
	metadata_fixture_open(r);
	assert_int_equal(unlink(path), 0);
	metadata_fixture_await(r, metadata_fixture_has_failures, 4);
	assert_int_equal(metadata_fixture_logged(
				 r, "aws ec2 modify-instance-metadata-options --instance-id ID "
				    "--http-put-response-hop-limit 2 --http-endpoint enabled"),
			 1);
	assert_int_equal(metadata_fixture_logged(r, "metadata:"), 1);
}

static void test_no_hint_outside_a_container(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	r->conf.imds.timeout_ns = 50 * (int64_t)FFFA_NS_PER_MS;
	imds_child_faults(&r->mock, "[{\"kind\":\"hang\",\"method\":\"PUT\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_failures, 4);
	assert_int_equal(metadata_fixture_logged(r, "hop-limit"), 0);
	assert_int_equal(metadata_fixture_logged(r, "reason=timeout (token request)"), 1);
}

static void test_token_is_never_logged(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	fffa_log_setup(FFFA_LOG_DEBUG, FFFA_LOG_TEXT);
	imds_child_faults(&r->mock,
			  "[{\"kind\":\"body\",\"body\":\"hush-hush\",\"method\":\"PUT\"},"
			  "{\"kind\":\"status\",\"status\":403,\"method\":\"GET\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	fffa_log_setup(FFFA_LOG_INFO, FFFA_LOG_TEXT);
	assert_int_equal(metadata_fixture_logged(r, "answers 403"), 1);
	assert_int_equal(metadata_fixture_logged(r, "hush"), 0);
}

static void test_new_device_asks_again(void **state)
{
	static const struct fffa_device known = {
		.ifindex = 4, .name = "eth0.1", .mac = {2, 0, 0, 0, 0, 1}};
	static const struct fffa_device fresh = {
		.ifindex = 5, .name = "eth2", .mac = {2, 0, 0, 0, 0, 9}};
	struct metadata_fixture *r = *state;

	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_int_equal(fffa_meta_set_devices(r->meta, &known, 1), 0);
	assert_string_equal(metadata_fixture_ident(r, 4)->interface_id, "eni-00000020000000001");
	assert_string_equal(metadata_fixture_ident(r, 2)->interface_id,
			    ""); /* no longer a device */
	metadata_fixture_run_ms(r, 100);
	assert_int_equal(imds_child_count(&r->mock, "GET", "/document"), 1);
	assert_int_equal(fffa_meta_set_devices(r->meta, &fresh, 1), 0);
	metadata_fixture_await(r, has_documents, 2);
	/* The second time it is no longer new. */
	assert_int_equal(fffa_meta_set_devices(r->meta, &fresh, 1), 0);
	metadata_fixture_run_ms(r, 100);
	assert_int_equal(imds_child_count(&r->mock, "GET", "/document"), 2);
}

static void test_too_many_devices(void **state)
{
	static struct fffa_device many[FFFA_META_DEVICES_MAX + 1];
	struct metadata_fixture *r = *state;

	r->conf.imds.enabled = FFFA_SW_OFF;
	metadata_fixture_open(r);
	assert_int_equal(fffa_meta_set_devices(r->meta, many, FFFA_META_DEVICES_MAX + 1), -E2BIG);
	assert_string_equal(metadata_fixture_ident(r, 2)->ifname, "eth0");
	assert_int_equal(fffa_meta_set_devices(r->meta, NULL, 0), 0);
	assert_string_equal(metadata_fixture_ident(r, 2)->ifname, "");
}

static void test_identity_outlives_changes_within_a_turn(void **state)
{
	struct metadata_fixture *r = *state;
	const struct fffa_ident *before;

	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	before = metadata_fixture_ident(r, 2);
	for (int i = 0; i < 5; i++)
		assert_int_equal(fffa_meta_set_devices(r->meta, NULL, 0), 0);
	/* The sanitizer would see freed memory. */
	assert_string_equal(before->interface_id, "eni-00000020000000001");
	assert_string_equal(before->host->region, "us-east-1");
	metadata_fixture_run_ms(r, 50);
	assert_string_equal(metadata_fixture_ident(r, 2)->interface_id, "");
}

struct waiter {
	struct metadata_fixture *r;
	unsigned int calls;
	uint64_t at_ns;
	bool learned;
};

static void on_settled(void *arg)
{
	struct waiter *w = arg;

	w->calls++;
	w->at_ns = uv_hrtime();
	w->learned = metadata_fixture_is_learned(w->r, 0);
}

static bool is_called(struct metadata_fixture *r, uint64_t arg)
{
	(void)r;
	return ((const struct waiter *)(uintptr_t)arg)->calls > 0;
}

static void await_call(struct metadata_fixture *r, const struct waiter *w)
{
	metadata_fixture_await(r, is_called, (uint64_t)(uintptr_t)w);
	metadata_fixture_run_ms(r, 60);
	assert_int_equal(w->calls, 1);
}

static void test_wait_ends_with_the_answer(void **state)
{
	struct metadata_fixture *r = *state;
	struct waiter w = {.r = r};

	metadata_fixture_open(r);
	fffa_meta_wait(r->meta, 15 * FFFA_NS_PER_S, on_settled, &w);
	assert_int_equal(w.calls, 0);
	await_call(r, &w);
	assert_true(w.learned);
}

static void test_wait_ends_with_a_failure(void **state)
{
	struct metadata_fixture *r = *state;
	struct waiter w = {.r = r};

	imds_child_faults(&r->mock, "[{\"kind\":\"status\",\"status\":403}]");
	metadata_fixture_open(r);
	fffa_meta_wait(r->meta, 15 * FFFA_NS_PER_S, on_settled, &w);
	await_call(r, &w);
	assert_false(w.learned);
	/* It has settled already, so the call comes on a later turn, once. */
	w.calls = 0;
	fffa_meta_wait(r->meta, 15 * FFFA_NS_PER_S, on_settled, &w);
	assert_int_equal(w.calls, 0);
	await_call(r, &w);
}

static void test_wait_ends_with_time(void **state)
{
	struct metadata_fixture *r = *state;
	struct waiter w = {.r = r};
	uint64_t begin = uv_hrtime();

	imds_child_faults(&r->mock, "[{\"kind\":\"hang\"}]");
	metadata_fixture_open(r);
	fffa_meta_wait(r->meta, 150 * FFFA_NS_PER_MS, on_settled, &w);
	metadata_fixture_await(r, is_called, (uint64_t)(uintptr_t)&w);
	assert_uint_in_range(w.at_ns - begin, 140 * FFFA_NS_PER_MS, 20 * FFFA_NS_PER_S);
	assert_false(fffa_meta_settled(r->meta));
	imds_child_faults(&r->mock,
			  "[]"); /* the hanging request ends: a failure, then the answer */
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_int_equal(w.calls, 1);
}

static void test_wait_when_nothing_is_asked(void **state)
{
	struct metadata_fixture *r = *state;
	struct waiter w = {.r = r};

	r->conf.imds.enabled = FFFA_SW_OFF;
	metadata_fixture_open(r);
	fffa_meta_wait(r->meta, 15 * FFFA_NS_PER_S, on_settled, &w);
	assert_int_equal(w.calls, 0);
	await_call(r, &w);
}

static void test_close_drops_the_wait(void **state)
{
	struct metadata_fixture *r = *state;
	struct waiter w = {.r = r};

	metadata_fixture_open(r);
	fffa_meta_wait(r->meta, 0, on_settled, &w);
	metadata_fixture_close(r);
	metadata_fixture_run_ms(r, 50);
	assert_int_equal(w.calls, 0);
}

static void test_close_before_the_loop_turns(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_open(r);
	metadata_fixture_close(r);
	assert_int_equal(imds_child_count(&r->mock, NULL, NULL), 0);
}

static void test_close_at_every_stage(void **state)
{
	struct metadata_fixture *r = *state;

	for (uint64_t n = 1; n <= 1 + METADATA_GETS; n += 3) {
		uint64_t before = imds_child_count(&r->mock, NULL, NULL);

		metadata_fixture_open(r);
		metadata_fixture_await(r, metadata_fixture_has_requests, before + n);
		metadata_fixture_close(r);
	}
}

static void test_close_under_a_hanging_request(void **state)
{
	struct metadata_fixture *r = *state;
	uint64_t begin;

	imds_child_faults(&r->mock, "[{\"kind\":\"hang\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_requests, 1);
	begin = uv_hrtime();
	metadata_fixture_close(r);
	assert_true(uv_hrtime() - begin < 15 * FFFA_NS_PER_S); /* the time limit is 30 s */
}

static void test_close_during_a_wait_after_failure(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(&r->mock, "[{\"kind\":\"status\",\"status\":403}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_close(r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, metadata_fixture_setup, metadata_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_refreshes),
		T(test_token_is_renewed_in_time),
		T(test_last_good_is_kept),
		T(test_last_good_survives_absence),
		T(test_one_bad_answer_is_not_logged),
		T(test_hop_limit_hint),
		T(test_no_hint_outside_a_container),
		T(test_token_is_never_logged),
		T(test_new_device_asks_again),
		T(test_too_many_devices),
		T(test_identity_outlives_changes_within_a_turn),
		T(test_wait_ends_with_the_answer),
		T(test_wait_ends_with_a_failure),
		T(test_wait_ends_with_time),
		T(test_wait_when_nothing_is_asked),
		T(test_close_drops_the_wait),
		T(test_close_before_the_loop_turns),
		T(test_close_at_every_stage),
		T(test_close_under_a_hanging_request),
		T(test_close_during_a_wait_after_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
