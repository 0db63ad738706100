// SPDX-License-Identifier: MIT
/*
 * A timer and a descriptor get their turn while IMDS is silent or slow. The loop itself measures
 * how long a turn lasts and how many turns an event waits.
 */
#include "tests/stubs/cmocka_all.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "tests/component/enrich/metadata_fixture.h"

/* Much less than the silence of IMDS (1 s), much more than a callback takes. */
#define TURN_MAX_NS (250 * FFFA_NS_PER_MS)
/* From one call of the timer to the next, on the average. */
#define CALL_MAX_NS (20 * FFFA_NS_PER_MS)

struct turns {
	struct metadata_fixture *r;
	uv_prepare_t prepare; /* before each wait of the loop */
	uv_timer_t timer;     /* every 5 ms: no wait is longer */
	uv_poll_t poll;
	int fd;
	uint64_t began_ns;
	uint64_t turn, last_ns, longest_ns; /* from one wait to the next */
	uint64_t asked_turn, waited_turns;  /* from writing to the descriptor to reading it */
	uint64_t timer_calls, fd_calls;
};

static void on_prepare(uv_prepare_t *h)
{
	struct turns *t = h->data;
	uint64_t now_ns = metadata_fixture_clock_ns();

	if (t->turn++ && now_ns - t->last_ns > t->longest_ns)
		t->longest_ns = now_ns - t->last_ns;
	t->last_ns = now_ns;
}

static void on_timer(uv_timer_t *h)
{
	struct turns *t = h->data;
	uint64_t one = 1;

	/*
	 * A late loop runs the timer twice between two waits; the descriptor has its turn in
	 * a wait.
	 */
	if (t->timer_calls && t->asked_turn == t->turn)
		return;
	assert_int_equal(t->fd_calls, t->timer_calls); /* the last one was read meanwhile */
	t->timer_calls++;
	t->asked_turn = t->turn;
	assert_int_equal(write(t->fd, &one, sizeof(one)), sizeof(one));
}

static void on_fd(uv_poll_t *h, int status, int events)
{
	struct turns *t = h->data;
	uint64_t value;

	(void)events;
	assert_int_equal(status, 0);
	assert_int_equal(read(t->fd, &value, sizeof(value)), sizeof(value));
	assert_int_equal(value, 1);
	if (t->turn - t->asked_turn > t->waited_turns)
		t->waited_turns = t->turn - t->asked_turn;
	t->fd_calls++;
}

static void turns_open(struct turns *t, struct metadata_fixture *r)
{
	memset(t, 0, sizeof(*t));
	t->r = r;
	t->began_ns = metadata_fixture_clock_ns();
	t->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(t->fd >= 0);
	(void)uv_prepare_init(&r->loop, &t->prepare);
	(void)uv_timer_init(&r->loop, &t->timer);
	assert_int_equal(uv_poll_init(&r->loop, &t->poll, t->fd), 0);
	t->prepare.data = t->timer.data = t->poll.data = t;
	(void)uv_prepare_start(&t->prepare, on_prepare);
	(void)uv_timer_start(&t->timer, on_timer, 5, 5);
	(void)uv_poll_start(&t->poll, UV_READABLE, on_fd);
}

static void turns_close(struct turns *t)
{
	uv_close((uv_handle_t *)&t->prepare, NULL);
	uv_close((uv_handle_t *)&t->timer, NULL);
	uv_close((uv_handle_t *)&t->poll, NULL);
	metadata_fixture_run_ms(t->r, 20); /* t is on the stack */
	assert_int_equal(close(t->fd), 0);
}

/* IMDS runs into the time limit twice; the others get all their turns. */
static void check_turns(struct metadata_fixture *r, const char *faults)
{
	uint64_t took_ns;
	struct turns t;

	r->conf.imds.timeout_ns = 1000 * (int64_t)FFFA_NS_PER_MS;
	imds_child_faults(&r->mock, faults);
	turns_open(&t, r);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_failures, 2);
	assert_true(metadata_fixture_error(r, "timeout") >= 2);
	took_ns = metadata_fixture_clock_ns() - t.began_ns;
	turns_close(&t);
	assert_true(t.timer_calls > took_ns / CALL_MAX_NS && t.fd_calls + 1 >= t.timer_calls);
	assert_true(t.waited_turns <= 1);
	assert_true(t.longest_ns < TURN_MAX_NS);
	imds_child_faults(&r->mock, "[]");
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	metadata_fixture_assert_all_known(r);
}

static void silent_to_token_requests(void **state)
{
	check_turns(*state, "[{\"kind\":\"hang\",\"method\":\"PUT\"}]");
}

static void silent_to_questions(void **state)
{
	check_turns(*state, "[{\"kind\":\"hang\",\"method\":\"GET\"}]");
}

/* Each byte comes in time, but the whole body does not. */
static void a_body_that_does_not_end(void **state)
{
	check_turns(*state, "[{\"kind\":\"trickle\",\"ms\":5,\"method\":\"GET\"}]");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, metadata_fixture_setup, metadata_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(silent_to_token_requests),
		T(silent_to_questions),
		T(a_body_that_does_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
