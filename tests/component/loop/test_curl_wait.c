// SPDX-License-Identifier: MIT
/* Requests that wait: for the first of those that share a connection, or for their turn. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>

#include "tests/component/loop/curl_fixture.h"

#define SENT_IN_MS 3000 /* a limit until which a request is sent, on any machine */

static void set_shares(struct curl_fixture *r)
{
	for (int i = 0; i < REQUESTS; i++)
		r->t[i].request.shares = true;
}

/* A handshake that the server never answers. */
static void start_stuck(struct transfer *t)
{
	assert_int_equal(start_url(t, "https", t->fixture->server.port, "/"), 0);
}

/* t[0] to t[3] have the connections and no answer. */
static void fill(struct curl_fixture *r)
{
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(start(&r->t[i], "/hang"), 0);
	await_that(r, has_requests, CONNECTIONS);
}

static void test_the_first_goes_alone(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	for (int i = 0; i < CONNECTIONS; i++)
		start_stuck(&r->t[i]);
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		await_that(r, has_heard, i + 1);
		assert_int_equal(r->server.connections, i + 1);
		cancel(&r->t[i]); /* the next is the first now */
	}
	assert_int_equal(r->dones, 0);
}

static void test_the_others_follow_when_it_is_connected(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	fill(r); /* with an answer to none of them */
	assert_int_equal(r->server.most_open, CONNECTIONS);
	assert_int_equal(start(&r->t[4], "/ok"), 0);
	cancel(&r->t[2]);
	await_that(r, has_calls, 1);
	assert_string_equal(r->t[4].body, "fine");
}

static void test_a_connected_one_is_enough(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	assert_int_equal(start(&r->t[0], "/hang"), 0);
	await_that(r, has_requests, 1);
	start_stuck(&r->t[1]);
	assert_int_equal(start(&r->t[2], "/ok"), 0);
	await_that(r, has_calls, 1);
	assert_int_equal(r->t[2].calls, 1);
	await_that(r, has_heard, 3);
	cancel(&r->t[0]); /* now t[1] is the first, and not connected */
	assert_int_equal(start(&r->t[3], "/ok"), 0);
	assert_false(r->t[3].request.begun);
	cancel(&r->t[1]);
	await_that(r, has_calls, 2);
	assert_string_equal(r->t[3].body, "fine");
}

static void test_those_that_do_not_share_do_not_wait(void **state)
{
	struct curl_fixture *r = *state;

	r->t[0].request.shares = true;
	start_stuck(&r->t[0]);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	await_that(r, has_calls, 1);
	assert_string_equal(r->t[1].body, "fine");
}

static void test_connections_that_the_server_closed(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	for (unsigned int n = 1; n <= 5; n++) {
		for (int i = 0; i < CONNECTIONS; i++)
			assert_int_equal(start(&r->t[i], "/ok"), 0);
		await_that(r, has_calls, n * CONNECTIONS);
		for (int i = 0; i < CONNECTIONS; i++)
			assert_int_equal(r->t[i].result, CURLE_OK);
		canned_server_drop_all(&r->server);
	}
	assert_true(r->server.most_open <= CONNECTIONS);
}

static bool has_tunnels(struct curl_fixture *r, unsigned int n)
{
	return r->server.tunnels >= n;
}

static void set_tunnel(struct transfer *t)
{
	char proxy[64];

	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", t->fixture->server.port);
	(void)curl_easy_setopt(t->request.easy, CURLOPT_PROXY, proxy);
	(void)curl_easy_setopt(t->request.easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
}

/* libcurl connects again by itself when a connection of before is dead. */
static void test_the_first_connects_again(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	for (int i = 0; i < 3; i++)
		set_tunnel(&r->t[i]);
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 1);
	r->server.deaf = true;
	assert_int_equal(start(&r->t[0], "/gone"), 0);
	await_that(r, has_tunnels, 2);
	assert_int_equal(r->t[0].calls, 1);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	assert_false(r->t[1].request.begun); /* the other is the first again */
	cancel(&r->t[0]);
	await_that(r, has_tunnels, 3);
	assert_int_equal(r->t[1].calls, 0);
}

/* A connection on which a request timed out may be dead, and so may those of the same age. */
static void test_no_connection_from_before_a_time_out(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/ok"), 0);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	await_that(r, has_calls, 2);
	r->t[0].request.timeout_ms = SENT_IN_MS;
	assert_int_equal(start(&r->t[0], "/hang"), 0);
	assert_int_equal(start(&r->t[2], "/hang"), 0); /* goes on */
	await_that(r, has_calls, 3);
	assert_int_equal(r->t[0].result, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(r->server.connections, 2);
	for (unsigned int n = 4; n < 7; n++) {
		assert_int_equal(start(&r->t[1], "/ok"), 0);
		await_that(r, has_calls, n);
		assert_string_equal(r->t[1].body, "fine");
		assert_int_equal(r->server.connections, 3);
	}
	assert_true(r->t[2].request.active);
	cancel(&r->t[2]);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	await_that(r, has_calls, 7);
	assert_int_equal(r->server.connections, 3);
}

/* Those that share wait for the first of the new connections, not for one of before. */
static void test_the_first_after_a_time_out(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	assert_int_equal(start(&r->t[0], "/hang"), 0);
	await_that(r, has_requests, 1);
	r->t[1].request.timeout_ms = SENT_IN_MS;
	assert_int_equal(start(&r->t[1], "/hang"), 0);
	await_that(r, has_calls, 1);
	start_stuck(&r->t[2]);
	start_stuck(&r->t[3]);
	assert_true(r->t[2].request.begun);
	assert_false(r->t[3].request.begun);
	assert_int_equal(r->t[0].calls, 0);
}

static void test_failures_one_at_a_time(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	r->server.hang_up = true;
	for (int i = 0; i < CONNECTIONS; i++)
		start_stuck(&r->t[i]);
	await_that(r, has_calls, CONNECTIONS);
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		assert_int_not_equal(r->t[i].result, CURLE_OK);
		assert_int_equal(r->t[i].order, i + 1);
	}
	assert_int_equal(r->server.connections, CONNECTIONS);
	assert_int_equal(r->server.most_open, 1);
}

static void test_resets(void **state)
{
	struct curl_fixture *r = *state;

	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(start(&r->t[i], i < CONNECTIONS ? "/gone" : "/ok"), 0);
	await_that(r, has_calls, REQUESTS);
	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(r->t[i].result, i < CONNECTIONS ? CURLE_GOT_NOTHING : CURLE_OK);
}

static void test_the_first_times_out(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	r->t[0].request.timeout_ms = 50;
	start_stuck(&r->t[0]); /* a late loop may end it before the server hears of it */
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	assert_false(r->t[1].request.begun);
	await_that(r, has_calls, 2);
	assert_int_equal(r->t[0].order, 1);
	assert_int_equal(r->t[0].result, CURLE_OPERATION_TIMEDOUT);
	assert_true(r->t[0].request.begun);
	assert_string_equal(r->t[1].body, "fine");
}

static void test_time_out_behind_the_first(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	start_stuck(&r->t[0]);
	await_that(r, has_heard, 1);
	r->t[1].request.timeout_ms = 50;
	start_stuck(&r->t[1]);
	await_that(r, has_calls, 1);
	assert_int_equal(r->t[1].result, CURLE_OPERATION_TIMEDOUT);
	assert_false(r->t[1].request.begun);
	assert_int_equal(r->t[0].calls, 0);
	assert_int_equal(r->server.connections, 1);
}

static void start_again(struct transfer *t)
{
	if (t->calls < 3)
		assert_int_equal(start(t, "/ok"), 0);
}

static void test_time_out_before_its_turn(void **state)
{
	struct curl_fixture *r = *state;

	fill(r);
	r->t[4].then = start_again;
	r->t[4].request.timeout_ms = 50;
	assert_int_equal(start(&r->t[4], "/ok"), 0);
	await_that(r, has_calls, 3);
	assert_int_equal(r->t[4].calls, 3);
	assert_int_equal(r->t[4].result, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(r->server.requests, CONNECTIONS);
	cancel(&r->t[0]);
	r->t[4].request.timeout_ms = 15000;
	assert_int_equal(start(&r->t[4], "/ok"), 0);
	await_that(r, has_calls, 4);
	assert_string_equal(r->t[4].body, "fine");
}

/* The end of one does not hide that of the next. */
static void test_each_waits_for_its_own_time(void **state)
{
	struct curl_fixture *r = *state;

	fill(r);
	for (unsigned int i = 4; i < 7; i++) {
		r->t[i].request.timeout_ms = 50 * (i - 3);
		assert_int_equal(start(&r->t[i], "/ok"), 0);
	}
	await_that(r, has_calls, 3);
	for (unsigned int i = 4; i < 7; i++)
		assert_int_equal(r->t[i].result, CURLE_OPERATION_TIMEDOUT);
}

static bool is_late(struct curl_fixture *r, unsigned int ms)
{
	return uv_now(&r->loop) >= ms;
}

/*
 * t[4] waits for 1200 ms of its 4000. Were they not part of them, it would end after t[3]. A late
 * loop ends both at once, in the order of their times.
 */
static void test_waiting_is_part_of_the_time(void **state)
{
	struct curl_fixture *r = *state;
	unsigned int began;

	for (int i = 0; i < CONNECTIONS - 1; i++)
		assert_int_equal(start(&r->t[i], "/hang"), 0);
	await_that(r, has_requests, CONNECTIONS - 1);
	r->t[3].request.timeout_ms = 4800;
	assert_int_equal(start(&r->t[3], "/hang"), 0);
	r->t[4].request.timeout_ms = 4000;
	began = (unsigned int)uv_now(&r->loop);
	assert_int_equal(start(&r->t[4], "/hang"), 0);
	await_that(r, is_late, began + 1200);
	assert_false(r->t[4].request.begun);
	cancel(&r->t[0]);
	await_that(r, has_calls, 2);
	assert_int_equal(r->t[4].result, CURLE_OPERATION_TIMEDOUT);
	assert_true(r->t[4].request.begun);
	assert_int_equal(r->t[4].order, 1);
	assert_int_equal(r->t[3].result, CURLE_OPERATION_TIMEDOUT);
}

static void test_the_oldest_first(void **state)
{
	struct curl_fixture *r = *state;

	fill(r);
	for (int i = CONNECTIONS; i < REQUESTS; i++)
		assert_int_equal(start(&r->t[i], "/ok"), 0);
	cancel(&r->t[1]); /* one place for all of them */
	await_that(r, has_calls, REQUESTS - CONNECTIONS);
	for (unsigned int i = CONNECTIONS; i < REQUESTS; i++) {
		assert_string_equal(r->t[i].body, "fine");
		assert_int_equal(r->t[i].order, i - CONNECTIONS + 1);
	}
}

static void test_cancel_while_waiting(void **state)
{
	struct curl_fixture *r = *state;

	fill(r);
	for (int i = CONNECTIONS; i < REQUESTS; i++)
		assert_int_equal(start(&r->t[i], "/ok"), 0);
	assert_int_equal(start(&r->t[5], "/ok"), -EALREADY);
	cancel(&r->t[4]);
	cancel(&r->t[6]);
	cancel(&r->t[6]); /* does nothing */
	cancel(&r->t[0]);
	await_that(r, has_calls, 2);
	assert_int_equal(r->t[5].calls, 1);
	assert_int_equal(r->t[7].calls, 1);
	assert_int_equal(r->server.requests, CONNECTIONS + 2);
	assert_int_equal(start(&r->t[4], "/ok"), 0);
	await_that(r, has_calls, 3);
	assert_string_equal(r->t[4].body, "fine");
	assert_int_equal(r->t[6].calls, 0);
}

/* The server goes on with those that come later. */
static void cancel_next(struct transfer *t)
{
	t->fixture->server.hang_up = false;
	fffa_curl_loop_cancel(t->fixture->bridge, &t[1].request);
}

static void test_cancel_a_waiting_one_from_done(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	r->server.hang_up = true;
	r->t[0].then = cancel_next;
	for (int i = 0; i < 3; i++)
		start_stuck(&r->t[i]);
	await_that(r, has_heard, 2); /* that of t[2] */
	assert_int_equal(r->dones, 1);
	cancel(&r->t[2]);
	assert_int_equal(start(&r->t[3], "/ok"), 0);
	await_that(r, has_calls, 2);
	assert_int_equal(r->server.connections, 3);
}

static void close_now(struct transfer *t)
{
	if (t->fixture->bridge)
		close_bridge(t->fixture);
}

static void test_close_with_some_waiting(void **state)
{
	struct curl_fixture *r = *state;

	set_shares(r);
	r->server.hang_up = true; /* at the first, which is the only one that it hears */
	for (int i = 0; i < REQUESTS; i++) {
		r->t[i].then = close_now;
		start_stuck(&r->t[i]);
	}
	await_that(r, is_closed, 0);
	for (int i = 0; i < REQUESTS; i++) {
		assert_int_equal(r->t[i].calls, 1);
		assert_true(r->t[i].result != CURLE_OK);
		assert_int_equal(r->t[i].result == CURLE_ABORTED_BY_CALLBACK, i > 0);
	}
	assert_int_equal(r->done_before_closed, REQUESTS);
	assert_int_equal(r->server.connections, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, curl_fixture_setup, curl_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_first_goes_alone),
		T(test_the_others_follow_when_it_is_connected),
		T(test_a_connected_one_is_enough),
		T(test_those_that_do_not_share_do_not_wait),
		T(test_connections_that_the_server_closed),
		T(test_the_first_connects_again),
		T(test_no_connection_from_before_a_time_out),
		T(test_the_first_after_a_time_out),
		T(test_failures_one_at_a_time),
		T(test_resets),
		T(test_the_first_times_out),
		T(test_time_out_behind_the_first),
		T(test_time_out_before_its_turn),
		T(test_each_waits_for_its_own_time),
		T(test_waiting_is_part_of_the_time),
		T(test_the_oldest_first),
		T(test_cancel_while_waiting),
		T(test_cancel_a_waiting_one_from_done),
		T(test_close_with_some_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
