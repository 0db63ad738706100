// SPDX-License-Identifier: MIT
/* What the agent reads from the mapped memory of the programs and writes there. Here it is memory of this test. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/capture/kernel/kernel_internal.h"
#include "fffa_bpf.skel.h"
#include "tests/stubs/cmocka_all.h"

#define SLICES	3
#define SETS	200
#define TICK_NS (UINT64_C(1) << 20)

struct fixture {
	struct fffa_kernel k;
	struct fffa_bpf skel;
	struct fffa_bpf_ctl ctl;
	struct fffa_set table[SLICES * 2 * SETS];
	struct fffa_side side[SLICES * 2 * SETS];
	struct fffa_counts counts[SLICES + 1];
	struct fffa_tunnel tunnels[FFFA_TUNNELS_MAX + 1];
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->k = (struct fffa_kernel){.skel = &f->skel,
				    .slices = SLICES,
				    .sets_per_slice = SETS,
				    .clock = FFFA_CLOCK_PRECISE,
				    .tick_ns = TICK_NS,
				    .table = f->table,
				    .side = f->side,
				    .counts = f->counts,
				    .tunnels = f->tunnels,
				    .ctl = &f->ctl,
				    .membarrier = true,
				    .outer_fd = -1,
				    .inner_fd = -1};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	test_free(*state);
	return 0;
}

static void an_entry_becomes_a_delta(void **state)
{
	struct fixture *f = *state;
	const struct fffa_kernel_now now = {.ns = 5000 * TICK_NS, .ticks = 10};
	struct fffa_entry e = {.packets = 7,
			       .bytes_flags = UINT64_C(0x0112) << 48 | UINT64_C(0xfedcba987654),
			       .first = 10 - 100, /* the ticks wrapped meanwhile */
			       .last = 13};	  /* after the clock was read */
	struct fffa_delta d;

	memset(&e.key, 0x5a, sizeof(e.key));
	memset(&d, 0xff, sizeof(d));
	fffa_kernel__decode(&f->k, &e, 0xabcd, &now, &d);
	assert_memory_equal(&d.key, &e.key, sizeof(d.key));
	assert_int_equal(d.packets, 7);
	assert_int_equal(d.bytes, UINT64_C(0xfedcba987654));
	assert_int_equal(d.flags, 0x0112);
	assert_int_equal(d.first_ns, 4900 * TICK_NS);
	assert_int_equal(d.last_ns, 5003 * TICK_NS);
	assert_int_equal(d.cookie, 0xabcd);
	assert_false(d.seen_now || d.untimed);
	e.key.tunnel = 0;
	fffa_kernel__decode(&f->k, &e, 0xabcd, &now, &d);
	assert_int_equal(d.cookie, 0); /* the slot's cookie is of a flow before */
}

static void the_precise_clock_is_the_kernels(void **state)
{
	struct fixture *f = *state;
	struct fffa_kernel_now now;
	struct timespec before, after;

	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	fffa_kernel__now(&f->k, &now);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(now.ns >= (uint64_t)before.tv_sec * FFFA_NS_PER_S + (uint64_t)before.tv_nsec);
	assert_true(now.ns <= (uint64_t)after.tv_sec * FFFA_NS_PER_S + (uint64_t)after.tv_nsec);
	assert_int_equal(now.ticks, (uint32_t)(now.ns >> 20));
	assert_int_equal(fffa_kernel__clock_start(&f->k), 0);
	assert_string_equal(fffa_kernel_clock_name(&f->k), "precise");
	f->k.clock = FFFA_CLOCK_JIFFIES;
	assert_string_equal(fffa_kernel_clock_name(&f->k), "jiffies");
	fffa_kernel__clock_choose(&f->k);
	(void)clock_getres(CLOCK_MONOTONIC_COARSE, &before);
	assert_int_equal(f->k.clock, FFFA_CLOCK_JIFFIES); /* every kernel has a coarse clock */
	assert_int_equal(f->k.tick_ns, before.tv_nsec);
}

/* Without the memory to ask a program, the clock's own ticks are counted on. */
static void jiffies_without_an_answer(void **state)
{
	struct fixture *f = *state;
	struct fffa_kernel_now now;

	f->k.clock = FFFA_CLOCK_JIFFIES;
	f->k.tick_ns = 4000000;
	fffa_kernel__now(&f->k, &now);
	f->k.start = (struct fffa_kernel_now){.ns = now.ns - 999 * f->k.tick_ns, .ticks = 50};
	fffa_kernel__now(&f->k, &now);
	assert_int_equal(now.ticks, 50 + (now.ns - f->k.start.ns) / f->k.tick_ns);
	assert_true(now.ticks >= 50 + 999);
	assert_true(fffa_kernel__clock_start(&f->k) < 0); /* at the start it is an error */
}

static struct fffa_entry *entry(struct fixture *f, size_t slice, size_t half, size_t set,
				size_t way)
{
	return &f->table[(slice * 2 + half) * SETS + set].e[way];
}

/* Every slot of every slice: of the half that was filled until now, and no other. */
static void a_drain_takes_one_half(void **state)
{
	struct fixture *f = *state;
	struct fffa_deltas d = {0};
	const size_t half = (size_t)SLICES * SETS * FFFA_WAYS;

	for (size_t i = 0; i < 2 * half; i++) {
		struct fffa_set *s = &f->table[i / FFFA_WAYS];

		s->e[i % FFFA_WAYS].packets = (uint32_t)i + 1;
		s->e[i % FFFA_WAYS].key.tunnel = 1;
		f->side[i / FFFA_WAYS].cookie[i % FFFA_WAYS] = (uint32_t)i + 9;
	}
	for (uint32_t n = 0; n < 2; n++) {
		size_t at = 0;

		d.count = 0;
		assert_int_equal(fffa_kernel_drain(&f->k, &d), 0);
		assert_int_equal(f->ctl.generation, n ^ 1);
		assert_int_equal(d.count, half);
		for (size_t slice = 0; slice < SLICES; slice++) {
			for (size_t i = 0; i < (size_t)SETS * FFFA_WAYS; i++) {
				size_t want = (slice * 2 + n) * SETS * FFFA_WAYS + i;

				assert_int_equal(d.v[at].packets, want + 1);
				assert_int_equal(d.v[at++].cookie, want + 9);
			}
		}
	}
	for (size_t i = 0; i < 2 * half; i++)
		assert_int_equal(f->table[i / FFFA_WAYS].e[i % FFFA_WAYS].packets, 0);
	/* What was drained before stays in front. */
	entry(f, 2, 0, SETS - 1, 3)->packets = 5;
	assert_int_equal(fffa_kernel_drain(&f->k, &d), 0);
	assert_int_equal(d.count, half + 1);
	assert_int_equal(d.v[half].packets, 5);
	assert_true(d.capacity >= half + 1);
	fffa_drain_deltas_fini(&d);
}

/* The memory of a large drain goes back to the system. */
static void deltas_are_given_back(void **state)
{
	struct fixture *f = *state;
	struct fffa_deltas d = {0};
	struct fffa_delta *v;

	entry(f, 0, 0, 0, 0)->packets = 1;
	assert_int_equal(fffa_kernel_drain(&f->k, &d), 0);
	v = d.v;
	assert_int_equal(msync(v, 1, MS_ASYNC), 0);
	assert_int_equal(d.capacity, 1024);
	fffa_drain_deltas_fini(&d);
	assert_true(msync(v, 1, MS_ASYNC) < 0 && errno == ENOMEM);
	assert_true(!d.v && !d.count && !d.capacity);
	fffa_drain_deltas_fini(&d);
}

/* Nothing is read while programs may still write it; the half is that of before after a second try. */
static void without_a_grace_period(void **state)
{
	struct fixture *f = *state;
	struct fffa_deltas d = {0};

	f->k.membarrier = false;
	entry(f, 0, 0, 0, 0)->packets = 1;
	assert_true(fffa_kernel_drain(&f->k, &d) < 0);
	assert_int_equal(d.count, 0);
	assert_true(fffa_kernel_drain(&f->k, &d) < 0);
	assert_int_equal(f->ctl.generation, 0);
	f->k.membarrier = true;
	assert_int_equal(fffa_kernel_drain(&f->k, &d), 0);
	assert_int_equal(d.count, 1);
	fffa_drain_deltas_fini(&d);
}

/* Over all slices, and the one that CPUs without a slice share. */
static void counters_are_summed(void **state)
{
	struct fixture *f = *state;
	uint64_t events[FFFA_RING_EVENT_KINDS];
	struct fffa_ledger l;

	memset(&l, 0, sizeof(l));
	l.lost[FFFA_KL_MAX].packets = 11; /* not the kernel's */
	l.unattended.packets = 12;
	for (uint64_t i = 0; i <= SLICES; i++) {
		struct fffa_counts *c = &f->counts[i];
		uint64_t unit = UINT64_C(1) << 4 * i;

		for (int dir = 0; dir < 2; dir++) {
			c->seen_packets[dir] = unit * (1 + (uint64_t)dir);
			c->seen_bytes[dir] = unit * (3 + (uint64_t)dir);
		}
		for (int why = 0; why < FFFA_KL_MAX; why++) {
			c->lost_packets[why] = unit * (1 + (uint64_t)why);
			c->lost_bytes[why] = unit * (5 + (uint64_t)why);
		}
		for (int kind = 0; kind < FFFA_RING_EVENT_KINDS; kind++)
			c->ring_events[kind] = unit * (1 + (uint64_t)kind);
		c->not_ip_frames = unit * 2;
		c->no_tunnel_id = unit * 3;
		c->not_sampled = unit * 4;
		c->no_first_fragment = unit * 5;
		c->no_receiver = unit * 6;
		c->not_on_wire_packets = unit * 7;
		c->not_on_wire_bytes = unit * 8;
		c->not_ip[i * 8] = UINT64_C(0x0806) << 48 | unit;
		c->not_ip[FFFA_NOT_IP_SLOTS - 1] = UINT64_C(0x88cc) << 48 | 1;
	}
	for (int twice = 0; twice < 2; twice++) {
		fffa_kernel_read_counts(&f->k, &l);
		for (unsigned int dir = 0; dir < 2; dir++) {
			assert_int_equal(l.seen[dir].packets, 0x1111 * (1 + dir));
			assert_int_equal(l.seen[dir].bytes, 0x1111 * (3 + dir));
		}
		for (unsigned int why = 0; why < FFFA_KL_MAX; why++) {
			assert_int_equal(l.lost[why].packets, 0x1111 * (1 + why));
			assert_int_equal(l.lost[why].bytes, 0x1111 * (5 + why));
		}
		assert_int_equal(l.lost[FFFA_KL_MAX].packets, 11);
		assert_int_equal(l.unattended.packets, 12);
		assert_int_equal(l.not_ip_frames, 0x2222);
		assert_int_equal(l.no_tunnel_id, 0x3333);
		assert_int_equal(l.not_sampled, 0x4444);
		assert_int_equal(l.no_first_fragment, 0x5555);
		assert_int_equal(l.not_on_wire.packets, 0x7777);
		assert_int_equal(l.not_on_wire.bytes, 0x8888);
		assert_int_equal(l.not_ip[0].ether_type, 0x0806);
		assert_int_equal(l.not_ip[0].frames, 0x1111);
		assert_int_equal(l.not_ip[1].ether_type, 0x88cc);
		assert_int_equal(l.not_ip[1].frames, SLICES + 1);
		assert_int_equal(l.not_ip[2].frames, 0);
	}
	fffa_kernel_ring_events(&f->k, events);
	for (unsigned int kind = 0; kind < FFFA_RING_EVENT_KINDS; kind++)
		assert_int_equal(events[kind], 0x1111 * (1 + kind));
	assert_int_equal(fffa_kernel_tunnels_closed(&f->k),
			 0x666); /* those without a slice open none */
}

static void the_bound_of_a_window(void **state)
{
	static const struct {
		uint64_t ns;
		uint32_t ticks;
	} rows[] = {
		{0, 0},
		{1, 1},
		{TICK_NS - 1, 1},
		{TICK_NS, 1},
		{2 * TICK_NS - 1, 1},
		{2 * TICK_NS, 2},
		{INT32_MAX * TICK_NS, INT32_MAX},
		{(INT32_MAX + UINT64_C(1)) * TICK_NS, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->ctl.window_ticks = 99;
		fffa_kernel_limit_window(&f->k, rows[i].ns);
		assert_int_equal(f->ctl.window_ticks, rows[i].ticks);
	}
}

static void which_ids_stand_for_a_tunnel(void **state)
{
	struct fixture *f = *state;

	f->tunnels[0].type = f->tunnels[1].type = f->tunnels[FFFA_TUNNELS_MAX].type =
		FFFA_TUNNEL_VXLAN;
	assert_null(fffa_kernel_tunnel(&f->k, 0));
	assert_ptr_equal(fffa_kernel_tunnel(&f->k, 1), &f->tunnels[1]);
	assert_null(fffa_kernel_tunnel(&f->k, 2));
	assert_ptr_equal(fffa_kernel_tunnel(&f->k, FFFA_TUNNELS_MAX),
			 &f->tunnels[FFFA_TUNNELS_MAX]);
	assert_null(fffa_kernel_tunnel(&f->k, FFFA_TUNNELS_MAX + 1));
	f->ctl.tunnel_epoch = 7;
	fffa_kernel_tunnels_ask(&f->k);
	assert_int_equal(f->ctl.tunnel_epoch, 8);
	f->ctl.tunnel_epoch = UINT32_MAX; /* 0 stands for an empty line of the cache */
	fffa_kernel_tunnels_ask(&f->k);
	assert_int_equal(f->ctl.tunnel_epoch, 1);
}

static void settings_are_written(void **state)
{
	const struct fffa_kernel_settings s = {.geneve_ports = {6081, 0, 64},
					       .vxlan_ports = {4789, 63, 0, 8472},
					       .ask_receiver = true,
					       .sample = 5,
					       .tunnel_view = FFFA_TUNNEL_RECORD_BOTH};
	struct fixture *f = *state;

	f->ctl.tunnel_epoch = 1;
	fffa_kernel_change(&f->k, &s);
	assert_memory_equal(f->ctl.geneve_ports, s.geneve_ports, sizeof(s.geneve_ports));
	assert_memory_equal(f->ctl.vxlan_ports, s.vxlan_ports, sizeof(s.vxlan_ports));
	assert_int_equal(f->ctl.tunnel_ports,
			 UINT64_C(1) << (6081 & 63) | UINT64_C(1) << (64 & 63) |
				 UINT64_C(1) << (4789 & 63) | UINT64_C(1) << 63 |
				 UINT64_C(1) << (8472 & 63));
	assert_int_equal(f->ctl.sample, 5);
	assert_int_equal(f->ctl.tunnel_view, FFFA_TUNNEL_RECORD_BOTH);
	assert_int_equal(f->ctl.ask_receiver, 1);
	assert_int_equal(f->ctl.tunnel_epoch, 2); /* what was found with others is void */
	fffa_kernel_change(&f->k, &(struct fffa_kernel_settings){0});
	assert_true(!f->ctl.tunnel_ports && !f->ctl.ask_receiver && !f->ctl.sample);
	fffa_kernel_ring_arm(&f->k);
	assert_int_equal(f->ctl.ring_armed, 1);
}

static void programs_and_their_twins(void **state)
{
	static const struct {
		enum fffa_program twin;
		bool egress, second;
		const char *name;
	} rows[] = {
		[FFFA_PROGRAM_TC_IN] = {FFFA_PROGRAM_TC_IN_2ND, false, false, "tc_ingress"},
		[FFFA_PROGRAM_TC_OUT] = {FFFA_PROGRAM_TC_OUT_2ND, true, false, "tc_egress"},
		[FFFA_PROGRAM_XDP_IN] = {FFFA_PROGRAM_MAX, false, false, "xdp_ingress"},
		[FFFA_PROGRAM_TC_IN_2ND] = {FFFA_PROGRAM_TC_IN, false, true, "tc_ingress_2nd"},
		[FFFA_PROGRAM_TC_OUT_2ND] = {FFFA_PROGRAM_TC_OUT, true, true, "tc_egress_2nd"},
		[FFFA_PROGRAM_IP_IN] = {FFFA_PROGRAM_IP_IN_2ND, false, false, "tc_ip_ingress"},
		[FFFA_PROGRAM_IP_OUT] = {FFFA_PROGRAM_IP_OUT_2ND, true, false, "tc_ip_egress"},
		[FFFA_PROGRAM_IP_IN_2ND] = {FFFA_PROGRAM_IP_IN, false, true, "tc_ip_ingress_2nd"},
		[FFFA_PROGRAM_IP_OUT_2ND] = {FFFA_PROGRAM_IP_OUT, true, true, "tc_ip_egress_2nd"},
	};
	struct fixture *f = *state;

	for (enum fffa_program p = 0; p < FFFA_PROGRAM_MAX; p++) {
		struct fffa_program_runs runs = {.run_ns = 1, .runs = 1};

		assert_int_equal(fffa_kernel_program_is_egress(p), rows[p].egress);
		assert_int_equal(fffa_kernel_program_twin(p), rows[p].twin);
		fffa_kernel_program_mute(&f->k, p, 6);
		assert_int_equal(f->ctl.muted, 6 << 2 | rows[p].egress << 1 | rows[p].second);
		fffa_kernel_program_mute(&f->k, p, 0);
		assert_int_equal(f->ctl.muted, 0);
		/* None is loaded here. */
		assert_int_equal(fffa_kernel_program_fd(&f->k, p), -1);
		assert_int_equal(fffa_kernel_program_id(&f->k, p), 0);
		fffa_kernel_program_runs(&f->k, p, &runs);
		assert_string_equal(runs.name, rows[p].name);
		assert_true(!runs.run_ns && !runs.runs);
	}
	assert_int_equal(fffa_kernel_program_fd(&f->k, FFFA_PROGRAM_MAX), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_entry_becomes_a_delta),	 T(the_precise_clock_is_the_kernels),
		T(jiffies_without_an_answer),	 T(a_drain_takes_one_half),
		T(deltas_are_given_back),	 T(without_a_grace_period),
		T(counters_are_summed),		 T(the_bound_of_a_window),
		T(which_ids_stand_for_a_tunnel), T(settings_are_written),
		T(programs_and_their_twins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
