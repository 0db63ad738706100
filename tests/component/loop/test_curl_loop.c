// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/component/loop/curl_fixture.h"

static void test_one(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/ok"), 0);
	assert_int_equal(r->t[0].calls, 0);
	await_that(r, has_calls, 1);
	assert_int_equal(r->t[0].result, CURLE_OK);
	assert_string_equal(r->t[0].body, "fine");
}

static void test_connection_is_kept(void **state)
{
	struct curl_fixture *r = *state;

	for (unsigned int n = 1; n <= 5; n++) {
		assert_int_equal(start(&r->t[0], "/ok"), 0);
		await_that(r, has_calls, n);
		assert_string_equal(r->t[0].body, "fine");
	}
	assert_int_equal(r->server.connections, 1);
}

static bool has_open(struct curl_fixture *r, unsigned int n)
{
	return r->server.open == n;
}

/* From now on a connection that has been used may not be used again. */
static void end_lifetime(struct curl_fixture *r)
{
	fffa_curl_loop_limit_lifetime(r->bridge, 1);
	uv_sleep(2);
	uv_update_time(&r->loop);
}

/* A connection that has lived long enough is replaced by the next request, and closed. */
static void test_a_connection_has_a_lifetime(void **state)
{
	struct curl_fixture *r = *state;

	/* The loop's clock began so long ago: nobody counts from there. */
	fffa_curl_loop_limit_lifetime(r->bridge, uv_now(&r->loop));
	for (unsigned int n = 1; n <= 2; n++) {
		assert_int_equal(start(&r->t[0], "/ok"), 0);
		await_that(r, has_calls, n);
	}
	assert_int_equal(r->server.connections, 1);
	end_lifetime(r);
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	fffa_curl_loop_limit_lifetime(r->bridge, 3600000);
	await_that(r, has_calls, 3);
	assert_int_equal(r->server.connections, 2);
	await_that(r, has_open, 1);
}

static void then_lifetime_ends(struct transfer *t)
{
	end_lifetime(t->fixture);
}

/* The same for a request that has waited for the end of another. */
static void test_a_lifetime_ends_before_a_turn(void **state)
{
	struct curl_fixture *r = *state;

	for (int i = 0; i < CONNECTIONS - 1; i++)
		assert_int_equal(start(&r->t[i], "/hang"), 0);
	r->t[CONNECTIONS - 1].then = then_lifetime_ends;
	assert_int_equal(start(&r->t[CONNECTIONS - 1], "/ok"), 0);
	assert_int_equal(start(&r->t[CONNECTIONS], "/ok"), 0);
	assert_false(r->t[CONNECTIONS].request.begun);
	await_that(r, has_calls, 2);
	assert_string_equal(r->t[CONNECTIONS].body, "fine");
	assert_int_equal(r->server.connections, CONNECTIONS + 1);
}

static void test_many_share_the_connections(void **state)
{
	struct curl_fixture *r = *state;

	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(start(&r->t[i], "/ok"), 0);
	await_that(r, has_calls, REQUESTS);
	for (int i = 0; i < REQUESTS; i++) {
		assert_int_equal(r->t[i].calls, 1);
		assert_int_equal(r->t[i].result, CURLE_OK);
		assert_string_equal(r->t[i].body, "fine");
	}
	assert_true(r->server.most_open <= 4);
}

static void test_failures(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start_at(&r->t[0], 1, "/"), 0);
	assert_int_equal(start(&r->t[1], "/gone"), 0);
	(void)curl_easy_setopt(r->t[2].request.easy, CURLOPT_TIMEOUT_MS, 50L);
	assert_int_equal(start(&r->t[2], "/hang"), 0);
	await_that(r, has_calls, 3);
	assert_int_equal(r->t[0].result, CURLE_COULDNT_CONNECT);
	assert_int_equal(r->t[1].result, CURLE_GOT_NOTHING);
	assert_int_equal(r->t[2].result, CURLE_OPERATION_TIMEDOUT);
}

static void test_answer_before_a_reset(void **state)
{
	struct curl_fixture *r = *state;

	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(start(&r->t[i], "/last"), 0);
	await_that(r, has_calls, REQUESTS);
	for (int i = 0; i < REQUESTS; i++) {
		assert_int_equal(r->t[i].result, CURLE_OK);
		assert_string_equal(r->t[i].body, "fine");
	}
}

static void test_bad_arguments(void **state)
{
	struct curl_fixture *r = *state;
	struct fffa_curl_loop *none = NULL;

	assert_int_equal(fffa_curl_loop_open(&r->loop, 0, &none), -EINVAL);
	assert_null(none);
	assert_int_equal(start(&r->t[0], "/hang"), 0);
	assert_int_equal(fffa_curl_loop_start(r->bridge, &r->t[0].request), -EALREADY);
}

static void test_cancel(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/hang"), 0);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	fffa_curl_loop_cancel(r->bridge, &r->t[1].request); /* before anything was sent */
	await_that(r, has_requests, 1);
	fffa_curl_loop_cancel(r->bridge, &r->t[0].request);
	fffa_curl_loop_cancel(r->bridge, &r->t[0].request); /* does nothing */
	assert_int_equal(start(&r->t[2], "/ok"), 0);
	await_that(r, has_calls, 1);
	assert_int_equal(r->t[0].calls, 0);
	assert_int_equal(r->t[1].calls, 0);
	assert_int_equal(r->t[2].calls, 1);
	/* The handles are the caller's again. */
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 2);
	assert_string_equal(r->t[0].body, "fine");
}

static void start_again(struct transfer *t)
{
	if (t->calls < 4)
		assert_int_equal(start(t, "/ok"), 0);
}

static void test_start_from_done(void **state)
{
	struct curl_fixture *r = *state;

	r->t[0].then = start_again;
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 4);
	assert_int_equal(r->server.connections, 1);
}

static void cancel_next(struct transfer *t)
{
	fffa_curl_loop_cancel(t->fixture->bridge, &t[1].request);
}

static void test_cancel_from_done(void **state)
{
	struct curl_fixture *r = *state;

	r->t[0].then = cancel_next;
	assert_int_equal(start(&r->t[1], "/hang"), 0);
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 1);
	assert_int_equal(r->t[0].calls, 1);
	assert_false(r->t[1].request.active);
}

static void close_now(struct transfer *t)
{
	if (t->fixture->bridge)
		close_bridge(t->fixture);
}

static void test_close_from_done(void **state)
{
	struct curl_fixture *r = *state;

	for (int i = 0; i < 3; i++) {
		r->t[i].then = close_now;
		assert_int_equal(start(&r->t[i], i ? "/hang" : "/ok"), 0);
	}
	await_that(r, is_closed, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r->t[i].calls, 1);
		assert_int_equal(r->t[i].result, i ? CURLE_ABORTED_BY_CALLBACK : CURLE_OK);
	}
	assert_int_equal(r->done_before_closed, 3);
}

static void test_close_ends_what_is_under_way(void **state)
{
	struct curl_fixture *r = *state;

	for (int i = 0; i < REQUESTS; i++) /* half of them wait for a connection */
		assert_int_equal(start(&r->t[i], "/hang"), 0);
	await_that(r, has_requests, 4);
	close_bridge(r);
	await_that(r, is_closed, 0);
	for (int i = 0; i < REQUESTS; i++) {
		assert_int_equal(r->t[i].calls, 1);
		assert_int_equal(r->t[i].result, CURLE_ABORTED_BY_CALLBACK);
	}
	assert_int_equal(r->done_before_closed, REQUESTS);
}

static void restart(struct transfer *t)
{
	assert_int_equal(start_at(t, 1, "/"), -ECANCELED);
}

static void test_nothing_starts_while_closing(void **state)
{
	struct curl_fixture *r = *state;
	struct fffa_curl_loop *bridge = r->bridge;

	assert_int_equal(start(&r->t[0], "/hang"), 0);
	r->t[0].then = restart;
	close_bridge(r);
	r->bridge = bridge; /* still there until closed */
	assert_int_equal(start(&r->t[1], "/ok"), -ECANCELED);
	await_that(r, is_closed, 0);
	r->bridge = NULL;
	assert_int_equal(r->t[0].calls, 1);
	assert_int_equal(r->t[1].calls, 0);
}

static void test_cancel_while_closing(void **state)
{
	struct curl_fixture *r = *state;
	struct fffa_curl_loop *bridge = r->bridge;

	assert_int_equal(start(&r->t[0], "/hang"), 0);
	close_bridge(r);
	fffa_curl_loop_cancel(bridge, &r->t[0].request);
	await_that(r, is_closed, 0);
	assert_int_equal(r->t[0].calls, 0);
}

static void test_close_before_the_loop_turns(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/ok"), 0);
	close_bridge(r);
	await_that(r, is_closed, 0);
	assert_int_equal(r->t[0].result, CURLE_ABORTED_BY_CALLBACK);
	assert_int_equal(r->server.requests, 0);
}

static void test_out_of_descriptors(void **state)
{
	struct curl_fixture *r = *state;
	struct rlimit before, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_not_equal(r->t[0].result, CURLE_OK);
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 2);
	assert_int_equal(r->t[0].result, CURLE_OK);
}

static void ignore_poll(uv_poll_t *poll, int status, int events)
{
	(void)poll;
	(void)status;
	(void)events;
}

/* For CURLOPT_OPENSOCKETFUNCTION: a socket that the loop watches already, so nobody else can. */
static curl_socket_t open_watched(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	uv_poll_t *poll = arg;
	int fd = socket(address->family, address->socktype, address->protocol);

	(void)purpose;
	assert_true(fd >= 0);
	assert_int_equal(uv_poll_init_socket(poll->data, poll, fd), 0);
	assert_int_equal(uv_poll_start(poll, UV_DISCONNECT, ignore_poll), 0);
	return fd;
}

static void stop_watching(struct transfer *t)
{
	uv_close(t->fixture->loop.data, NULL); /* before the descriptor's number is used again */
}

static void cancel_and_start(struct transfer *t)
{
	struct curl_fixture *r = t->fixture;

	fffa_curl_loop_cancel(r->bridge, &r->t[2].request); /* was to fail, too */
	assert_int_equal(start(&r->t[6], "/ok"), 0);
}

/* A socket that cannot be watched fails what is under way, and neither what waits nor what is new. */
static void test_a_socket_that_cannot_be_watched(void **state)
{
	struct curl_fixture *r = *state;
	uv_poll_t poll = {.data = &r->loop};
	struct transfer *last = &r->t[3];

	for (int i = 0; i < 3; i++)
		assert_int_equal(start(&r->t[i], "/hang"), 0);
	await_that(r, has_requests, 3);
	(void)curl_easy_setopt(last->request.easy, CURLOPT_OPENSOCKETFUNCTION, open_watched);
	(void)curl_easy_setopt(last->request.easy, CURLOPT_OPENSOCKETDATA, &poll);
	r->loop.data = &poll;
	r->t[0].then = cancel_and_start;
	last->then = stop_watching;
	assert_int_equal(start(last, "/hang"), 0);
	assert_int_equal(start(&r->t[4], "/ok"), 0); /* these two wait */
	assert_int_equal(start(&r->t[5], "/ok"), 0);
	await_that(r, has_calls, 6);
	assert_int_equal(r->t[0].result, CURLE_OUT_OF_MEMORY);
	assert_int_equal(r->t[1].result, CURLE_OUT_OF_MEMORY);
	assert_int_equal(r->t[2].calls, 0);
	assert_int_equal(last->result, CURLE_OUT_OF_MEMORY);
	for (int i = 4; i < 7; i++) {
		assert_int_equal(r->t[i].result, CURLE_OK);
		assert_string_equal(r->t[i].body, "fine");
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, curl_fixture_setup, curl_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_one),
		T(test_connection_is_kept),
		T(test_a_connection_has_a_lifetime),
		T(test_a_lifetime_ends_before_a_turn),
		T(test_many_share_the_connections),
		T(test_failures),
		T(test_answer_before_a_reset),
		T(test_bad_arguments),
		T(test_cancel),
		T(test_start_from_done),
		T(test_cancel_from_done),
		T(test_close_from_done),
		T(test_close_ends_what_is_under_way),
		T(test_nothing_starts_while_closing),
		T(test_cancel_while_closing),
		T(test_close_before_the_loop_turns),
		T(test_out_of_descriptors),
		T(test_a_socket_that_cannot_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
