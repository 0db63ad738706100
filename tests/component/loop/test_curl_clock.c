// SPDX-License-Identifier: MIT
/* The bridge with a clock of the test: how long connections live. And done that starts or closes while others fail. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "tests/component/loop/curl_fixture.h"

/* What the bridge sees; it is linked with --wrap of each. */
static struct {
	uint64_t now_ms; /* 0: that of the loop */
	bool no_watcher;
	unsigned int made; /* multis */
} lib;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
uint64_t __real_uv_now(const uv_loop_t *loop);
uint64_t __wrap_uv_now(const uv_loop_t *loop);
CURLM *__real_curl_multi_init(void);
CURLM *__wrap_curl_multi_init(void);
int __real_uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *p, uv_os_sock_t fd);
int __wrap_uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *p, uv_os_sock_t fd);

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	return lib.now_ms ? lib.now_ms : __real_uv_now(loop);
}

CURLM *__wrap_curl_multi_init(void)
{
	lib.made++;
	return __real_curl_multi_init();
}

int __wrap_uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *p, uv_os_sock_t fd)
{
	return lib.no_watcher ? UV_ENOMEM : __real_uv_poll_init_socket(loop, p, fd);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static int setup(void **state)
{
	memset(&lib, 0, sizeof(lib));
	return curl_fixture_setup(state);
}

static void expect_fine_at(struct curl_fixture *r, uint64_t now_ms, unsigned int made)
{
	unsigned int calls = r->dones;

	lib.now_ms = now_ms;
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, calls + 1);
	assert_string_equal(r->t[0].body, "fine");
	assert_int_equal(lib.made, made);
	assert_int_equal(r->server.connections, made);
}

/* It begins with the first request, not with the bridge, and no request makes it longer. */
static void a_life_begins_with_the_first_request(void **state)
{
	struct curl_fixture *r = *state;

	fffa_curl_loop_limit_lifetime(r->bridge, 1000);
	expect_fine_at(r, 5000000, 1);
	expect_fine_at(r, 5000600, 1);
	expect_fine_at(r, 5000999, 1);
	expect_fine_at(r, 5001000, 2);
	expect_fine_at(r, 5001999, 2);
	expect_fine_at(r, 5002000, 3);
	fffa_curl_loop_limit_lifetime(r->bridge, 0);
	expect_fine_at(r, 9000000, 3);
}

/* The time-out is what is left of the time, when the request begins. */
static void what_has_passed_is_not_there_any_more(void **state)
{
	struct curl_fixture *r = *state;

	lib.now_ms = 1000;
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(start(&r->t[i], "/hang"), 0);
	r->t[4].request.timeout_ms = 3600000;
	assert_int_equal(start(&r->t[4], "/hang"), 0);
	assert_false(r->t[4].request.begun);
	lib.now_ms = 3600999; /* one millisecond of it is left */
	cancel(&r->t[0]);
	await_that(r, has_calls, 1);
	assert_true(r->t[4].request.begun);
	assert_int_equal(r->t[4].result, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(start(&r->t[0], "/hang"), 0);
	r->t[5].request.timeout_ms = 500;
	assert_int_equal(start(&r->t[5], "/ok"), 0);
	lib.now_ms += 500; /* and here nothing */
	cancel(&r->t[0]);
	await_that(r, has_calls, 2);
	assert_false(r->t[5].request.begun);
	assert_int_equal(r->t[5].result, CURLE_OPERATION_TIMEDOUT);
}

static void start_watched(struct transfer *t)
{
	t->then = NULL;
	lib.no_watcher = false;
	assert_int_equal(start(t, "/ok"), 0);
}

/* What done starts is not one of those that fail. */
static void one_that_failed_starts_again(void **state)
{
	struct curl_fixture *r = *state;

	lib.no_watcher = true;
	r->t[0].then = start_watched;
	assert_int_equal(start(&r->t[0], "/hang"), 0);
	assert_int_equal(start(&r->t[1], "/hang"), 0);
	await_that(r, has_calls, 3);
	assert_int_equal(r->t[1].result, CURLE_OUT_OF_MEMORY);
	assert_int_equal(r->t[0].calls, 2);
	assert_int_equal(r->t[0].result, CURLE_OK);
	assert_string_equal(r->t[0].body, "fine");
}

static void close_now(struct transfer *t)
{
	close_bridge(t->fixture);
}

/* The rest ends as at any close, also with a lifetime. */
static void one_that_failed_closes(void **state)
{
	struct curl_fixture *r = *state;

	fffa_curl_loop_limit_lifetime(r->bridge, 3600000);
	lib.no_watcher = true;
	r->t[0].then = close_now;
	assert_int_equal(start(&r->t[0], "/hang"), 0);
	assert_int_equal(start(&r->t[1], "/hang"), 0);
	await_that(r, is_closed, 0);
	assert_int_equal(r->t[0].result, CURLE_OUT_OF_MEMORY);
	assert_int_equal(r->t[1].result, CURLE_ABORTED_BY_CALLBACK);
	assert_int_equal(r->done_before_closed, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, curl_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(a_life_begins_with_the_first_request),
		T(what_has_passed_is_not_there_any_more),
		T(one_that_failed_starts_again),
		T(one_that_failed_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
