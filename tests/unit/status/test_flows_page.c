// SPDX-License-Identifier: MIT
/* The walks of /flows with a clock of the test: who gets which answer, when the next walk begins, and the end. */
#include "agent/status/flows_page.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/stubs/cmocka_all.h"

#define MS	UINT64_C(1000000)
#define UNIX_MS UINT64_C(1700000000123)
#define LIMIT	10000 /* turns of the loop */

static uint64_t mono_ns; /* what the page's clock says; it is linked with --wrap=clock_gettime */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's name */
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	uint64_t ns = id == CLOCK_REALTIME ? UNIX_MS * MS : mono_ns;

	t->tv_sec = (time_t)(ns / 1000000000);
	t->tv_nsec = (long)(ns % 1000000000);
	return 0;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

struct fixture {
	uv_loop_t loop;
	uv_timer_t tick; /* keeps the loop going */
	struct fffa_ledger ledger;
	struct fffa_interfaces interfaces;
	struct fffa_flow_table *table;
	struct fffa_flows_page *page;
	struct fffa_flows_request r[4];
	unsigned int ready[4];
	bool closed;
};

static void fill_view(void *arg, struct fffa_status_view *v)
{
	v->interfaces = &((struct fixture *)arg)->interfaces;
	v->flows_active += 51; /* of zero */
}

static const struct fffa_flow_table *find_flows(void *arg)
{
	return ((struct fixture *)arg)->table;
}

static void on_record(void *arg, struct fffa_record *r)
{
	(void)arg;
	(void)r;
}

static void on_tick(uv_timer_t *t)
{
	(void)t;
}

static int setup(void **state)
{
	const struct fffa_flow_conf conf = {
		.idle_ns = 60000 * MS, .active_ns = 60000 * MS, .max_flows = 50000};
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || uv_loop_init(&f->loop) ||
	    fffa_flow_table_new(&conf, &f->ledger, on_record, NULL, &f->table))
		return -1;
	f->page = calloc(1, sizeof(*f->page));
	if (!f->page)
		return -1;
	fffa_flow_set_time(f->table, 1000 * MS, UNIX_MS * MS);
	mono_ns = 5000 * MS;
	fffa_flows_page_init(
		f->page, &f->loop,
		&(struct fffa_status_source){.view = fill_view, .flows = find_flows, .arg = f});
	*state = f;
	(void)uv_timer_init(&f->loop, &f->tick);
	return uv_timer_start(&f->tick, on_tick, 1, 1);
}

static void count_handle(uv_handle_t *h, void *arg)
{
	(void)h;
	++*(unsigned int *)arg;
}

static void on_closed(void *arg)
{
	struct fixture *f = arg;
	unsigned int handles = 0;

	uv_walk(&f->loop, count_handle, &handles);
	assert_int_equal(handles, 0);
	assert_false(f->closed);
	f->closed = true;
	free(f->page);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++)
		fffa_flows_page_drop(f->page, &f->r[i]);
	uv_close((uv_handle_t *)&f->tick, NULL);
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	fffa_flows_page_close(f->page, on_closed, f);
	assert_false(f->closed);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_true(f->closed);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	fffa_flow_table_free(f->table);
	free(f);
	return 0;
}

static void merge(struct fixture *f, uint32_t n)
{
	struct fffa_delta d = {.packets = 1, .bytes = 100, .first_ns = 1, .last_ns = 2};

	d.key.proto = 17;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(d.key.src, &i, sizeof(i));
		fffa_flow_merge(f->table, &d);
	}
}

static void on_ready(void *arg)
{
	++*(unsigned int *)arg;
}

/* Asks with request i, which is over before. */
static bool ask(struct fixture *f, size_t i, const char *text, bool by_packets)
{
	struct fffa_flows_request *r = &f->r[i];
	struct fffa_err err = {""};

	fffa_flows_page_drop(f->page, r);
	*r = (struct fffa_flows_request){.n = 10, .ready = on_ready, .arg = &f->ready[i]};
	f->ready[i] = 0;
	r->question.by_packets = by_packets;
	memcpy(r->question.text, text, strlen(text) + 1);
	if (*text)
		assert_int_equal(fffa_filter_new(text, &r->filter, &err), 0);
	return fffa_flows_page_ask(f->page, r);
}

/* Returns the number of turns. */
static unsigned int await_ready(struct fixture *f, size_t i)
{
	unsigned int turns = 0;

	while (!f->ready[i] && turns++ < LIMIT)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(f->ready[i], 1);
	assert_false(f->r[i].waits);
	return turns;
}

static void an_answer_is_good_for_a_while(void **state)
{
	static const char begin[] = "{\"time_ms\":1700000000123,\"active\":51,\"flows\":[{";
	struct fixture *f = *state;

	merge(f, 3);
	for (int i = 0; i < 2; i++) { /* the view begins with zeros each time */
		assert_false(ask(f, 0, "", false));
		assert_int_equal(await_ready(f, 0), 1);
		assert_memory_equal(f->r[0].body.ptr, begin, strlen(begin));
		mono_ns += 249 * MS;
		assert_true(ask(f, 1, "", false));
		assert_memory_equal(f->r[1].body.ptr, begin, strlen(begin));
		assert_true(fffa_flows_page_ask(f->page, &f->r[1])); /* it stays written */
		assert_int_equal(f->ready[1], 0);
		mono_ns += MS;
	}
}

/* Its walk waits until the pause is over, and the pause keeps no loop going. */
static void another_question_has_its_own_walk(void **state)
{
	struct fixture *f = *state;

	assert_false(ask(f, 0, "", false));
	(void)await_ready(f, 0);
	for (size_t i = 1; i < 3; i++) {
		mono_ns += 249 * MS + MS / 2;
		assert_false(ask(f, i, i == 1 ? "udp" : "", i == 2));
		assert_true(f->r[i].waits);
		uv_unref((uv_handle_t *)&f->tick);
		assert_false(uv_loop_alive(&f->loop));
		uv_ref((uv_handle_t *)&f->tick);
		mono_ns += MS / 2;
		(void)await_ready(f, i);
		assert_int_equal(f->page->question.by_packets, i == 2);
	}
}

static void those_who_ask_the_same_get_the_same(void **state)
{
	struct fixture *f = *state;

	merge(f, 3);
	assert_false(ask(f, 0, "tcp", false));
	assert_false(ask(f, 1, "udp", false));
	assert_false(ask(f, 2, "tcp", false));
	assert_false(ask(f, 3, "tcp", false));
	fffa_flows_page_drop(f->page, &f->r[3]);
	(void)await_ready(f, 0);
	assert_int_equal(f->ready[2], 1); /* both in one turn */
	assert_int_equal(f->ready[1], 0);
	assert_int_equal(f->ready[3], 0);
	assert_null(memmem(f->r[2].body.ptr, f->r[2].body.len, "\"bytes\"", 7));
	mono_ns += 250 * MS;
	(void)await_ready(f, 1);
	assert_non_null(memmem(f->r[1].body.ptr, f->r[1].body.len, "\"bytes\":100", 11));
}

static void on_late(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

/* Nobody waits any more when the pause is over. */
static void a_walk_that_nobody_wants(void **state)
{
	struct fixture *f = *state;
	bool late = false;
	uv_timer_t timer = {.data = &late};

	assert_false(ask(f, 0, "", false));
	(void)await_ready(f, 0);
	mono_ns += 249 * MS + MS / 2;
	assert_false(ask(f, 1, "udp", false));
	fffa_flows_page_drop(f->page, &f->r[1]);
	assert_null(f->r[1].filter);
	assert_int_equal(uv_timer_init(&f->loop, &timer), 0);
	assert_int_equal(uv_timer_start(&timer, on_late, 20, 0), 0);
	mono_ns += MS;
	while (!late)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_false(uv_is_active((uv_handle_t *)&f->page->walk));
	assert_false(uv_is_active((uv_handle_t *)&f->page->pause));
	uv_close((uv_handle_t *)&timer, NULL);
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* So many flows, and with a filter so many, are looked at in one turn. */
static void a_turn_of_the_loop_is_short(void **state)
{
	static const struct {
		uint32_t flows;
		const char *filter;
		unsigned int turns;
	} rows[] = {{8192, "udp", 1}, {8193, "udp", 2}, {32768, "", 1}, {32769, "", 2}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		merge(f, rows[i].flows);
		mono_ns += 250 * MS;
		assert_false(ask(f, 0, rows[i].filter, false));
		assert_int_equal(await_ready(f, 0), rows[i].turns);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_answer_is_good_for_a_while),	T(another_question_has_its_own_walk),
		T(those_who_ask_the_same_get_the_same), T(a_walk_that_nobody_wants),
		T(a_turn_of_the_loop_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
