// SPDX-License-Identifier: MIT
/* What a check takes from the devices, gives back to them, and counts. Functions of this file stand in for the kernel's. */
#include "agent/capture/hook_watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/unit/capture/live_fixture.h"

#define S  UINT64_C(1000000000)
#define US UINT64_C(7000000000000)

/* What the kernel says of a hook, by its program's id, and what it was asked. */
static struct {
	enum fffa_place place[200];
	int put_back_error;
	char asked[256];
} chain;

enum fffa_place __wrap_fffa_chain_place(const struct fffa_attachment *a,
					struct fffa_chain_head *head);
void __wrap_fffa_chain_xdp(uint32_t ifindex, struct fffa_chain_head *out);
int __wrap_fffa_attach_put_back(struct fffa_kernel *k, struct fffa_attachment *a,
				const char *ifname, struct fffa_err *err);

static void note_asked(const char *what, const char *name, uint32_t id)
{
	size_t len = strlen(chain.asked);

	(void)snprintf(chain.asked + len, sizeof(chain.asked) - len, "%s%s %u ", what, name, id);
}

enum fffa_place __wrap_fffa_chain_place(const struct fffa_attachment *a,
					struct fffa_chain_head *head)
{
	*head = (struct fffa_chain_head){.prog_id = a->prog_id + 1000};
	return chain.place[a->prog_id];
}

void __wrap_fffa_chain_xdp(uint32_t ifindex, struct fffa_chain_head *out)
{
	*out = (struct fffa_chain_head){.prog_id = ifindex + 2000};
	note_asked("xdp", "", ifindex);
}

int __wrap_fffa_attach_put_back(struct fffa_kernel *k, struct fffa_attachment *a,
				const char *ifname, struct fffa_err *err)
{
	(void)k;
	note_asked("put back ", ifname, a->prog_id);
	if (chain.put_back_error)
		return fffa_fail(err, chain.put_back_error, "why");
	a->link_fd = 77;
	return 0;
}

struct fixture {
	struct fffa_hook_watch w;
	struct fffa_live_devices d;
	struct fffa_ledger ledger;
	struct fffa_amount counted[FFFA_DEVICES_MAX][2]; /* by the hooks */
};

static struct fffa_amount counted_of(void *arg, const char *name, int dir)
{
	const struct fixture *x = arg;

	for (size_t i = 0; i < x->d.n; i++) {
		if (!strcmp(x->d.v[i].dev.name, name))
			return x->counted[i][dir];
	}
	fail_msg("%s is no device", name);
	return x->counted[0][0];
}

/* Three devices with two hooks each: eth10, eth11, eth12. */
static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x)
		return -1;
	memset(&chain, 0, sizeof(chain));
	for (size_t i = 0; i < 200; i++)
		chain.place[i] = FFFA_PLACE_FIRST;
	live_fixture_reset();
	x->d.counted = counted_of;
	x->d.counted_arg = x;
	x->d.n = 3;
	for (uint32_t i = 0; i < x->d.n; i++) {
		struct fffa_hooked *h = &x->d.v[i];

		h->dev.ifindex = 10 + i;
		h->dev.type = 1; /* Ethernet */
		(void)snprintf(h->dev.name, sizeof(h->dev.name), "eth%u", 10 + i);
		for (uint32_t dir = 0; dir < 2; dir++)
			h->at[dir] = (struct fffa_attachment){.how = FFFA_ATTACH_TCX,
							      .ifindex = 10 + i,
							      .prog_id = 100 + 2 * i + dir,
							      .link_fd = -1};
	}
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_a_check_begins_with_all_hooks(void **state)
{
	struct fixture *x = *state;

	x->d.v[1].state[0].silent = x->d.v[1].state[1].silent = true;
	x->d.v[2].state[1].attempts = FFFA_HOOK_PUT_BACKS;
	x->d.v[2].state[1].attempts_ns = US;
	memset(x->w.v, 0xff, sizeof(x->w.v));
	fffa_hook_watch_begin(&x->w, &x->d, US + FFFA_HOOK_PUT_BACKS_S * S - 1);
	assert_int_equal(x->w.n, 3);
	for (uint32_t i = 0; i < 3; i++) {
		struct fffa_hook_check_device *c = &x->w.v[i];

		assert_int_equal(c->ifindex, 10 + i);
		assert_string_equal(c->name, x->d.v[i].dev.name);
		assert_false(c->dev_known);
		for (uint32_t dir = 0; dir < 2; dir++) {
			assert_int_equal(c->hook[dir].at.prog_id, 100 + 2 * i + dir);
			assert_int_equal(c->hook[dir].may_put_back, !(i == 2 && dir == 1));
			/* XDP stands in front of what comes in, and is asked about a silent hook. */
			assert_int_equal(c->hook[dir].ask_xdp, i == 1 && dir == 0);
			assert_false(c->hook[dir].tried || c->hook[dir].put_back);
			assert_int_equal(c->hook[dir].head.prog_id, 0);
			assert_string_equal(c->hook[dir].err.text, "");
		}
	}
	fffa_hook_watch_begin(&x->w, &x->d, US + FFFA_HOOK_PUT_BACKS_S * S);
	assert_true(x->w.v[2].hook[1].may_put_back);
}

static void run(struct fixture *x)
{
	fffa_hook_watch_begin(&x->w, &x->d, US);
	chain.asked[0] = '\0';
	fffa_hook_watch_run(&x->w, NULL);
}

/* Only a hook that is off or behind another program is put back, and only while it may be. */
static void test_what_is_put_back(void **state)
{
	struct fixture *x = *state;

	run(x);
	assert_string_equal(chain.asked, "");
	chain.place[100] = FFFA_PLACE_UNKNOWN;
	chain.place[102] = FFFA_PLACE_NONE;
	chain.place[103] = chain.place[105] = FFFA_PLACE_BEHIND;
	x->d.v[2].state[1].attempts = FFFA_HOOK_PUT_BACKS;
	x->d.v[2].state[1].attempts_ns = US;
	run(x);
	assert_string_equal(chain.asked, "put back eth11 102 put back eth11 103 ");
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t dir = 0; dir < 2; dir++) {
			const struct fffa_hook_check *c = &x->w.v[i].hook[dir];

			assert_int_equal(c->place, chain.place[100 + 2 * i + dir]);
			assert_int_equal(c->head.prog_id, 1100 + 2 * i + dir);
			assert_int_equal(c->tried, i == 1);
			assert_int_equal(c->put_back, i == 1);
			assert_int_equal(c->at.link_fd, i == 1 ? 77 : -1);
		}
	}
	chain.put_back_error = EBUSY;
	run(x);
	assert_true(x->w.v[1].hook[0].tried && !x->w.v[1].hook[0].put_back);
	assert_string_equal(x->w.v[1].hook[0].err.text, "why");
}

/* An XDP program in front is asked for where a hook behind it was silent. */
static void test_who_may_stand_in_front(void **state)
{
	struct fixture *x = *state;

	x->d.v[0].state[0].silent = x->d.v[1].state[0].silent = true;
	x->d.v[1].at[0].how = FFFA_ATTACH_XDP;
	run(x);
	assert_string_equal(chain.asked, "xdp 10 ");
	assert_int_equal(x->w.v[0].hook[0].xdp.prog_id, 2010);
	assert_int_equal(x->w.v[1].hook[0].xdp.prog_id, 0);
}

static void test_what_the_devices_counted(void **state)
{
	struct fixture *x = *state;

	live_fixture.counters = " eth12: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n"
				" eth10: 5 6 0 0 0 0 0 0 7 8 0 0 0 0 0 0\n";
	run(x);
	assert_true(x->w.v[0].dev_known && !x->w.v[1].dev_known && x->w.v[2].dev_known);
	assert_int_equal(x->w.v[0].dev.dir[1].packets, 8);
	assert_int_equal(x->w.v[2].dev.dir[0].bytes, 1);
	live_fixture.counters = NULL;
	run(x);
	assert_false(x->w.v[0].dev_known || x->w.v[1].dev_known || x->w.v[2].dev_known);
}

/* All are in order, as run found them. */
static void begin(struct fixture *x)
{
	fffa_hook_watch_begin(&x->w, &x->d, US);
	for (size_t i = 0; i < x->w.n; i++) {
		for (int dir = 0; dir < 2; dir++) {
			x->w.v[i].hook[dir].place = FFFA_PLACE_FIRST;
			x->w.v[i].dev.dir[dir] = (struct fffa_amount){1000, 114000};
		}
		x->w.v[i].dev_known = true;
	}
}

static void test_what_run_changed_is_taken_over(void **state)
{
	struct fixture *x = *state;

	begin(x);
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t dir = 0; dir < 2; dir++)
			x->w.v[i].hook[dir].at.prog_id += 50;
	}
	x->w.v[1].hook[1].tried = true;
	x->d.v[0].dev.ifindex = 99; /* another device took its place meanwhile */
	fffa_hook_watch_adopt(&x->w, &x->d, US);
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t dir = 0; dir < 2; dir++) {
			assert_int_equal(x->d.v[i].at[dir].prog_id,
					 100 + 2 * i + dir + (i ? 50 : 0));
			assert_int_equal(x->d.v[i].state[dir].attempts, i == 1 && dir == 1);
		}
	}
	assert_int_equal(x->d.v[1].state[1].attempts_ns, US);
}

static void expect_lost(const struct fixture *x, uint64_t packets, uint64_t bytes)
{
	assert_int_equal(x->ledger.unattended.packets, packets);
	assert_int_equal(x->ledger.unattended.bytes, bytes);
	assert_int_equal(x->ledger.lost[FFFA_PL_NOT_ATTACHED].packets, packets);
	assert_int_equal(x->ledger.lost[FFFA_PL_NOT_ATTACHED].bytes, bytes);
}

static bool end(struct fixture *x)
{
	bool news = fffa_hook_watch_end(&x->w, &x->d, &x->ledger);

	assert_int_equal(x->w.n, 0);
	return news;
}

static void test_nothing_is_wrong(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 3; i++) {
		begin(x);
		assert_false(end(x));
	}
	expect_lost(x, 0, 0);
	assert_null(fffa_hook_watch_problem(&x->d));
}

/* Of a hook that is put back: what its device counted and it did not, without link headers. */
static void test_a_hook_that_was_put_back(void **state)
{
	static const enum fffa_place places[] = {FFFA_PLACE_NONE, FFFA_PLACE_BEHIND};

	for (size_t i = 0; i < 2; i++) {
		struct fixture *x = *state;
		struct fffa_hook_state *s = &x->d.v[1].state[1];

		begin(x);
		assert_false(end(x));
		begin(x);
		x->w.v[1].dev.dir[1] = (struct fffa_amount){1010, 115140};
		x->w.v[1].hook[1].place = places[i];
		x->w.v[1].hook[1].put_back = true;
		x->counted[1][1].packets += 4;
		assert_true(end(x)); /* it did not count, other than before */
		assert_int_equal(s->condition, FFFA_HOOK_UP);
		assert_int_equal(s->put_backs, i + 1);
		expect_lost(x, 6 * (i + 1), 600 * (i + 1));
		assert_null(fffa_hook_watch_problem(&x->d));
		begin(x);
		x->w.v[1].dev.dir[1] = (struct fffa_amount){1010, 115140};
		assert_true(end(x)); /* it counts again */
		expect_lost(x, 6 * (i + 1), 600 * (i + 1));
		memset(s, 0, sizeof(*s));
		s->put_backs = i + 1;
	}
}

static void test_a_hook_that_stays_off(void **state)
{
	struct fixture *x = *state;

	begin(x);
	(void)end(x);
	begin(x);
	x->w.v[2].hook[0].place = FFFA_PLACE_NONE;
	(void)snprintf(x->w.v[2].hook[0].err.text, sizeof(x->w.v[2].hook[0].err.text), "why");
	x->w.v[2].dev.dir[0] = (struct fffa_amount){1001, 114114};
	assert_true(end(x));
	assert_int_equal(x->d.v[2].state[0].condition, FFFA_HOOK_OFF);
	assert_string_equal(fffa_hook_watch_problem(&x->d),
			    "eth12 ingress: the hook was taken off; it cannot be put back: why");
	expect_lost(x, 1, 100);
	begin(x);
	x->w.v[2].hook[0].place = FFFA_PLACE_NONE;
	x->w.v[2].dev.dir[0] = (struct fffa_amount){1001, 114114};
	assert_false(end(x)); /* as before */
	/* The first of two problems is told. */
	begin(x);
	x->w.v[2].hook[0].place = FFFA_PLACE_NONE;
	x->w.v[2].dev.dir[0] = (struct fffa_amount){1001, 114114};
	x->w.v[0].hook[1].place = FFFA_PLACE_BEHIND;
	x->w.v[0].hook[1].head = (struct fffa_chain_head){.prog_id = 7, .name = "other"};
	assert_true(end(x));
	assert_string_equal(fffa_hook_watch_problem(&x->d),
			    "eth10 egress: program 7 (other) stands in front, and what it does not "
			    "pass on is not counted");
}

/* Packets that hooks saw and that are in no flow may be a silent hook's. */
static bool is_blind(struct fixture *x, void (*count)(struct fffa_ledger *l, uint64_t n),
		     uint64_t each)
{
	const struct fffa_hook_state *s = &x->d.v[0].state[0];

	memset(x->d.v[0].state, 0, sizeof(x->d.v[0].state));
	for (uint64_t i = 0; i < 3; i++) {
		begin(x);
		x->w.v[0].dev.dir[0] = (struct fffa_amount){1000 + 60 * i, 114000 + 6000 * i};
		if (i)
			count(&x->ledger, each);
		(void)end(x);
	}
	return s->condition == FFFA_HOOK_BLIND;
}

static void count_nothing(struct fffa_ledger *l, uint64_t n)
{
	(void)l;
	(void)n;
}

static void count_not_ip(struct fffa_ledger *l, uint64_t n)
{
	l->not_ip_frames += n;
}

static void count_not_sampled(struct fffa_ledger *l, uint64_t n)
{
	l->not_sampled += n;
}

static void count_first_loss(struct fffa_ledger *l, uint64_t n)
{
	l->lost[0].packets += n;
}

static void count_last_loss(struct fffa_ledger *l, uint64_t n)
{
	l->lost[FFFA_KL_MAX - 1].packets += n;
}

static void count_loss_of_ours(struct fffa_ledger *l, uint64_t n)
{
	l->lost[FFFA_KL_MAX].packets += n;
}

static void test_what_is_in_no_flow_counts(void **state)
{
	struct fixture *x = *state;

	assert_true(is_blind(x, count_nothing, 0));
	assert_true(is_blind(x, count_not_ip, 10));
	assert_false(is_blind(x, count_not_ip, 11));
	assert_true(is_blind(x, count_not_sampled, 10));
	assert_false(is_blind(x, count_not_sampled, 11));
	assert_false(is_blind(x, count_first_loss, 11));
	assert_false(is_blind(x, count_last_loss, 11));
	assert_true(is_blind(x, count_loss_of_ours, 11));
}

static void test_what_is_not_judged(void **state)
{
	struct fixture *x = *state;

	x->d.v[0].at[1].how = FFFA_ATTACH_NONE; /* capture.direction excludes it */
	begin(x);
	x->w.v[0].hook[1].place = FFFA_PLACE_NONE;
	x->w.v[1].hook[0].place = FFFA_PLACE_NONE;
	x->d.v[1].dev.ifindex = 99; /* the device is gone */
	assert_false(end(x));
	for (int i = 0; i < 2; i++) {
		for (int dir = 0; dir < 2; dir++)
			assert_int_equal(x->d.v[i].state[dir].condition, FFFA_HOOK_UP);
	}
}

/* A device without any hook is a problem behind those of hooks. */
static void test_a_device_that_failed(void **state)
{
	struct fixture *x = *state;

	x->d.failed_count = 1;
	(void)snprintf(x->d.failed[0].text, sizeof(x->d.failed[0].text), "eth9: why");
	assert_string_equal(fffa_hook_watch_problem(&x->d), "eth9: why");
	x->d.v[2].state[1].condition = FFFA_HOOK_BLIND;
	(void)snprintf(x->d.v[2].state[1].problem, sizeof(x->d.v[2].state[1].problem), "blind");
	assert_string_equal(fffa_hook_watch_problem(&x->d), "blind");
}

/* Each change is told once, with what is lost. */
static void test_what_is_logged(void **state)
{
	struct fixture *x = *state;

	begin(x);
	(void)end(x);
	live_fixture_expect_log("");
	for (int i = 0; i < 2; i++) { /* the second time there is no news */
		begin(x);
		x->w.v[0].hook[0].place = FFFA_PLACE_NONE;
		x->w.v[0].dev.dir[0] = (struct fffa_amount){1003, 114342};
		(void)end(x);
		live_fixture_expect_log(i ? ""
					  : "E eth10 ingress: the hook was taken off; it was put "
					    "back several times and stays off now "
					    "missed_packets=3\n");
	}
	begin(x);
	x->w.v[0].dev.dir[0] = (struct fffa_amount){1003, 114342};
	(void)end(x);
	live_fixture_expect_log(
		"I the hook sees packets again interface=eth10 direction=ingress\n");
	begin(x);
	x->w.v[0].dev.dir[0] = (struct fffa_amount){1003, 114342};
	x->w.v[0].hook[1].place = FFFA_PLACE_NONE;
	x->w.v[0].hook[1].put_back = true;
	x->d.v[0].state[1].attempts = 2;
	x->w.v[1].hook[0].place = FFFA_PLACE_BEHIND;
	x->w.v[1].hook[0].head = (struct fffa_chain_head){.prog_id = 7, .name = "other"};
	x->w.v[1].hook[0].put_back = true;
	x->w.v[1].hook[0].at.how = FFFA_ATTACH_CLSACT;
	(void)end(x);
	live_fixture_expect_log(
		"W a hook was taken off from outside and is put back interface=eth10 "
		"direction=egress hook=tcx attempt=2\n"
		"W another program stood in front, the hook is first again interface=eth11 "
		"direction=ingress hook=clsact program_id=7 name=\"other\" attempt=0\n");
}

/* An exchange of hooks is told when packets passed meanwhile. */
static void test_an_exchange_is_logged(void **state)
{
	struct fixture *x = *state;

	begin(x);
	(void)end(x);
	for (uint64_t lost = 0; lost < 2; lost++) {
		x->d.v[0].state[1].again = x->d.v[0].state[1].missed = true;
		begin(x);
		x->w.v[0].dev.dir[1] = (struct fffa_amount){1000 + lost, 114000 + 114 * lost};
		assert_false(end(x)); /* it did not count before either */
		live_fixture_expect_log(
			lost ? "I packets passed while the hook was exchanged interface=eth10 "
			       "direction=egress missed_packets=1\n"
			     : "");
		expect_lost(x, lost, 100 * lost);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_check_begins_with_all_hooks),	T(test_what_is_put_back),
		T(test_who_may_stand_in_front),		T(test_what_the_devices_counted),
		T(test_what_run_changed_is_taken_over), T(test_nothing_is_wrong),
		T(test_a_hook_that_was_put_back),	T(test_a_hook_that_stays_off),
		T(test_what_is_in_no_flow_counts),	T(test_what_is_not_judged),
		T(test_a_device_that_failed),		T(test_what_is_logged),
		T(test_an_exchange_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
