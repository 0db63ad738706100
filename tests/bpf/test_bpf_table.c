// SPDX-License-Identifier: MIT
/* The table, the ring and the counters: one packet at a time, and when they are much too small. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "agent/capture/kernel/kernel_internal.h"
#include "tests/bpf/bpf_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/packets.h"

struct sum {
	uint64_t packets, bytes, deltas, ends;
	uint64_t longest_ns;
};

static void add_delta(void *arg, const struct fffa_delta *d)
{
	struct sum *s = arg;

	s->packets += d->packets;
	s->bytes += d->bytes;
	s->deltas++;
	if (d->last_ns - d->first_ns > s->longest_ns)
		s->longest_ns = d->last_ns - d->first_ns;
	s->ends += !!(d->flags & (FFFA_F_FIN | FFFA_F_RST));
}

static void flow_packet(struct packet *p, uint32_t flow, uint8_t flags)
{
	packet_start(p, "flow");
	packet_eth(p, 0x0800);
	packet_ipv4(p, 6, 0x0a000000 + flow, 0x0b000001, 0, 0);
	packet_tcp(p, 1000, 443, flags, 0);
	packet_payload(p, 60);
	packet_finish(p);
}

static void send_flows(struct fffa_kernel *k, uint32_t flows, uint32_t times, uint8_t flags)
{
	struct packet p;

	for (uint32_t i = 0; i < flows; i++) {
		flow_packet(&p, i, flags);
		(void)bpf_fixture_repeat(k, FFFA_PROGRAM_TC_IN, p.b, p.len, times);
	}
}

/* Drains both generations and the ring into s. */
static void drain_all(struct fffa_kernel *k, struct sum *s)
{
	struct fffa_deltas d = {0};
	uint64_t bad = 0;

	assert_int_equal(fffa_kernel_drain(k, &d), 0);
	assert_int_equal(fffa_kernel_drain(k, &d), 0);
	for (size_t i = 0; i < d.count; i++)
		add_delta(s, &d.v[i]);
	fffa_drain_deltas_fini(&d);
	while (fffa_kernel_ring_read(k, 100, add_delta, s, &bad)) {
	}
	assert_int_equal(bad, 0);
}

static void counts_and_times(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(1024, 65536);
	struct fffa_deltas d = {0};
	struct fffa_kernel_now before, after;

	(void)state;
	fffa_kernel__now(k, &before);
	send_flows(k, 1, 1000, 0x10);
	assert_int_equal(fffa_kernel_drain(k, &d), 0);
	fffa_kernel__now(k, &after);
	assert_int_equal(d.count, 1);
	assert_int_equal(d.v[0].packets, 1000);
	assert_int_equal(d.v[0].bytes, 100000);
	assert_int_equal(d.v[0].flags, FFFA_F_ACK);
	assert_true(d.v[0].first_ns + k->tick_ns >= before.ns && d.v[0].first_ns <= d.v[0].last_ns);
	assert_true(d.v[0].last_ns <= after.ns + k->tick_ns);
	/* The other generation is empty, and this one was cleared. */
	d.count = 0;
	assert_int_equal(fffa_kernel_drain(k, &d), 0);
	assert_int_equal(fffa_kernel_drain(k, &d), 0);
	assert_int_equal(d.count, 0);
	fffa_drain_deltas_fini(&d);
	fffa_kernel_close(k);
}

/* The programs go on in the other half, so that what is read stands still. */
static void each_drain_reads_the_quiet_half(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(1024, 65536);
	struct fffa_deltas d = {0};

	(void)state;
	for (size_t i = 1; i <= 4; i++) {
		uint32_t filled = k->ctl->generation & 1;

		send_flows(k, 1, 1, 0x10);
		assert_int_equal(fffa_kernel_drain(k, &d), 0);
		assert_int_equal(k->ctl->generation & 1, filled ^ 1);
		assert_int_equal(d.count, i);
	}
	fffa_drain_deltas_fini(&d);
	fffa_kernel_close(k);
}

static void victims_go_through_the_ring(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(64, 1 << 20);
	struct fffa_ledger l = {0};
	struct sum s = {0};

	(void)state;
	send_flows(k, 5000, 3, 0x10);
	drain_all(k, &s);
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(l.seen[0].packets, 15000);
	assert_int_equal(fffa_ledger_lost(&l).packets, 0);
	assert_int_equal(s.packets, 15000);
	assert_int_equal(s.bytes, 1500000);
	assert_int_equal(s.deltas, 5000);
	fffa_kernel_close(k);
}

/* Sends one packet of the flow and returns the set of the table in which it is. */
static struct fffa_set *set_of(struct fffa_kernel *k, uint32_t flow)
{
	size_t sets = (size_t)k->slices * 2 * k->sets_per_slice;
	struct packet p;

	flow_packet(&p, flow, 0x10);
	(void)bpf_fixture_run(k, FFFA_PROGRAM_TC_IN, p.b, p.len);
	for (size_t i = 0; i < sets; i++) {
		for (int j = 0; j < FFFA_WAYS; j++) {
			const struct fffa_entry *e = &k->table[i].e[j];

			if (e->packets && !memcmp(e->key.src + 12, p.b + 14 + 12, 4))
				return &k->table[i];
		}
	}
	fail_msg("flow %u is not in the table", flow);
	return NULL;
}

/* Fills flows with one more than a set holds, all of the set that it returns. */
static struct fffa_set *flows_of_one_set(struct fffa_kernel *k, uint32_t flows[FFFA_WAYS + 1])
{
	struct fffa_set *first = set_of(k, 0);
	size_t n = 0;

	for (uint32_t flow = 0; n < FFFA_WAYS + 1; flow++) {
		struct fffa_set *s = set_of(k, flow);

		if (s == first)
			flows[n++] = flow;
		memset(s, 0, sizeof(*s));
	}
	return first;
}

/* The packets of a flow in this set, wherever in it the flow is. */
static uint32_t packets_in(const struct fffa_set *s, uint32_t flow)
{
	uint32_t packets = 0;
	struct packet p;

	flow_packet(&p, flow, 0x10);
	for (int j = 0; j < FFFA_WAYS; j++)
		if (!memcmp(s->e[j].key.src + 12, p.b + 14 + 12, 4))
			packets += s->e[j].packets;
	return packets;
}

/* Four flows that share a set are told apart, whichever of them a packet belongs to. */
static void each_flow_of_a_set_has_its_entry(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(64, 1 << 20);
	uint32_t flows[FFFA_WAYS + 1];
	struct fffa_set *s;

	(void)state;
	s = flows_of_one_set(k, flows);
	memset(s, 0, sizeof(*s));
	for (int times = 0; times < FFFA_WAYS + 1; times++) {
		for (int i = 0; i < FFFA_WAYS; i++) {
			if (times <= i + 1)
				assert_ptr_equal(set_of(k, flows[i]), s);
		}
	}
	for (uint32_t i = 0; i < FFFA_WAYS; i++)
		assert_int_equal(packets_in(s, flows[i]), i + 2);
	fffa_kernel_close(k);
}

/*
 * A newcomer takes a free slot, else the slot of the flow that has been idle for longest, in every
 * order of the four flows that matters.
 */
static void the_longest_idle_gives_way(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(64, 1 << 20);
	uint32_t flows[FFFA_WAYS + 1];
	struct fffa_kernel_now now;
	struct fffa_set *s, before;
	struct sum victims = {0};
	uint64_t bad = 0;

	(void)state;
	s = flows_of_one_set(k, flows);
	for (int oldest = 0; oldest < FFFA_WAYS; oldest++) {
		for (int is_free = 0; is_free < 2; is_free++) {
			memset(s, 0, sizeof(*s));
			for (int i = 0; i < FFFA_WAYS; i++)
				assert_ptr_equal(set_of(k, flows[i]), s);
			fffa_kernel__now(k, &now);
			/* When a flow began does not matter: the longest idle began last. */
			for (uint32_t i = 0; i < FFFA_WAYS; i++) {
				s->e[i].last = now.ticks - 100 - i;
				s->e[i].first = now.ticks - 1000 + i;
			}
			s->e[oldest].first = now.ticks - 300;
			s->e[oldest].last = now.ticks - (is_free ? 0 : 200);
			s->e[oldest].packets = is_free ? 0 : 7;
			before = *s;
			assert_ptr_equal(set_of(k, flows[FFFA_WAYS]), s);
			for (int i = 0; i < FFFA_WAYS; i++)
				assert_true(!memcmp(&s->e[i], &before.e[i], sizeof(s->e[i])) ==
					    (i != oldest));
			memset(&victims, 0, sizeof(victims));
			while (fffa_kernel_ring_read(k, 100, add_delta, &victims, &bad)) {
			}
			assert_int_equal(victims.packets, is_free ? 0 : 7);
		}
	}
	fffa_kernel_close(k);
}

static void a_full_ring_loses_the_least_and_says_how_much(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(64, 4096);
	struct fffa_ledger l = {0};
	struct sum s = {0};

	(void)state;
	send_flows(k, 5000, 1, 0x10);
	drain_all(k, &s);
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(l.seen[0].packets, 5000);
	/*
	 * 64 flows stay in the slice, some 40 events fit in the ring, the rest is lost and counted.
	 */
	assert_true(l.lost[FFFA_PL_TABLE_FULL].packets > 4500);
	assert_int_equal(s.packets + l.lost[FFFA_PL_TABLE_FULL].packets, 5000);
	assert_int_equal(s.bytes + l.lost[FFFA_PL_TABLE_FULL].bytes, l.seen[0].bytes);
	assert_int_equal(fffa_ledger_lost(&l).packets, l.lost[FFFA_PL_TABLE_FULL].packets);
	fffa_kernel_close(k);
}

static bool wakes(const struct fffa_kernel *k, int wait_ms)
{
	struct pollfd p = {.fd = fffa_kernel_ring_fd(k), .events = POLLIN};

	return poll(&p, 1, wait_ms) == 1;
}

static void ends_of_connections_are_reported_at_once(void **state)
{
	struct fffa_kernel *k =
		bpf_fixture_open_tc_in(131072, 1 << 20); /* no set fills: nothing is pushed out */
	struct sum s = {0};
	uint64_t bad = 0;

	(void)state;
	send_flows(k, 100, 5, 0x10);
	assert_int_equal(fffa_kernel_ring_read(k, 1000, add_delta, &s, &bad), 0);
	assert_false(wakes(k, 0));
	send_flows(k, 100, 1, 0x11);
	assert_true(wakes(k, 5000));
	assert_int_equal(fffa_kernel_ring_read(k, 1000, add_delta, &s, &bad), 100);
	assert_int_equal(s.packets, 600);
	assert_int_equal(s.ends, 100);
	drain_all(k, &s);
	assert_int_equal(s.packets, 600);
	fffa_kernel_close(k);
}

/* The reader has read to the end before each of them. */
static void a_quarter_of_the_ring_wakes_the_reader(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(64, 65536);
	struct sum s = {0};
	uint64_t bad = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		send_flows(k, 100, 1,
			   0x10); /* at most 100 victims of 88 bytes: less than a quarter */
		assert_false(wakes(k, 0));
		send_flows(k, 300, 1, 0x10);
		assert_true(wakes(k, 5000));
		while (fffa_kernel_ring_read(k, 100, add_delta, &s, &bad)) {
		}
		assert_false(wakes(k, 0));
	}
	drain_all(k, &s);
	assert_int_equal(s.packets, 1200);
	fffa_kernel_close(k);
}

static void an_end_without_room_stays_in_the_table(void **state)
{
	/*
	 * The table has so many sets that no five of the flows meet in one, whatever the seed of
	 * the hash, because the ring has no room for victims either.
	 */
	struct fffa_kernel *k = bpf_fixture_open_tc_in(131072, 4096);
	struct fffa_ledger l = {0};
	struct sum s = {0};

	(void)state;
	send_flows(k, 500, 2, 0x11);
	drain_all(k, &s);
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(fffa_ledger_lost(&l).packets, 0);
	assert_int_equal(s.packets, 1000);
	fffa_kernel_close(k);
}

static void ring_reads_are_bounded(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(64, 1 << 20);
	struct sum s = {0};
	uint64_t bad = 0;

	(void)state;
	send_flows(k, 3000, 1, 0x10);
	assert_int_equal(fffa_kernel_ring_read(k, 100, add_delta, &s, &bad), 100);
	assert_int_equal(s.deltas, 100);
	drain_all(k, &s);
	assert_int_equal(s.packets, 3000);
	fffa_kernel_close(k);
}

static void a_cpu_without_a_slice_is_counted(void **state)
{
	struct fffa_kernel_conf c = {.max_flows = 1024, .ring_bytes = 65536, .slices = 1};
	struct fffa_kernel *k;
	struct fffa_ledger l = {0};
	struct fffa_err err;
	struct packet p;

	(void)state;
	bpf_fixture_stay_on(1); /* needs two CPUs */
	assert_int_equal(fffa_kernel_open(&c, &k, &err), 0);
	flow_packet(&p, 1, 0x10);
	(void)bpf_fixture_repeat(k, FFFA_PROGRAM_TC_IN, p.b, p.len, 10);
	(void)bpf_fixture_repeat(k, FFFA_PROGRAM_XDP_IN, p.b, p.len, 5);
	(void)bpf_fixture_repeat(k, FFFA_PROGRAM_TC_OUT, p.b, p.len, 3);
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(l.seen[0].packets, 15);
	assert_int_equal(l.seen[0].bytes, 15 * (p.len - 14));
	assert_int_equal(l.seen[1].packets, 3);
	assert_int_equal(l.seen[1].bytes, 3 * (p.len - 14));
	assert_int_equal(l.lost[FFFA_PL_NO_SLICE].packets, 18);
	assert_int_equal(l.lost[FFFA_PL_NO_SLICE].bytes, 18 * (p.len - 14));
	fffa_kernel_close(k);
}

/* What cannot be parsed is seen and lost, with its bytes behind the link header. */
static void what_cannot_be_parsed_is_counted(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open(64, 1 << 20);
	struct fffa_amount want[2] = {{0, 0}, {0, 0}};
	struct fffa_ledger l = {0};
	struct packet bad;

	(void)state;
	flow_packet(&bad, 1, 0x10);
	bad.b[14] = 0x44; /* a header of 16 bytes */
	for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++) {
		struct fffa_amount *dir = &want[prog == FFFA_PROGRAM_TC_OUT];

		(void)bpf_fixture_repeat(k, prog, bad.b, bad.len, 3);
		fffa_amount_add(dir, 3, 3 * (bad.len - 14));
	}
	fffa_kernel_read_counts(k, &l);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(l.seen[i].packets, want[i].packets);
		assert_int_equal(l.seen[i].bytes, want[i].bytes);
	}
	assert_int_equal(l.lost[FFFA_PL_MALFORMED].packets, 9);
	assert_int_equal(l.lost[FFFA_PL_MALFORMED].bytes, 9 * (bad.len - 14));
	fffa_kernel_close(k);
}

/* The packets inside that are recorded without a tunnel count as ends. */
static void add_stray(void *arg, const struct fffa_delta *d)
{
	struct sum *s = arg;

	add_delta(s, d);
	s->ends += d->key.proto == 6 && !d->key.tunnel;
}

/* Sends packets of so many flows at first, over and over, and once that many ticks have passed. */
static uint64_t send_for(struct fffa_kernel *k, uint32_t flows, uint32_t ticks)
{
	struct fffa_kernel_now begin, now;
	uint64_t sent = 0;

	fffa_kernel__now(k, &begin);
	do {
		send_flows(k, flows, 2, 0x10);
		sent += 2ULL * flows;
		fffa_kernel__now(k, &now);
	} while (now.ticks - begin.ticks < ticks);
	send_flows(k, flows, 1, 0x10); /* however seldom this process ran */
	return sent + flows;
}

/* The process may stand still: then nobody drains, and windows end all the same. */
static void windows_end_without_a_drain(void **state)
{
	for (uint32_t bound = 0; bound <= 4; bound += 4) {
		struct fffa_kernel *k = bpf_fixture_open(1024, 1 << 20);
		uint64_t events[FFFA_RING_EVENT_KINDS], sent;
		struct sum s = {0};

		(void)state;
		fffa_kernel_limit_window(k, bound * k->tick_ns);
		sent = send_for(k, 3, 30);
		fffa_kernel_ring_events(k, events);
		drain_all(k, &s);
		assert_int_equal(s.packets, sent);
		if (bound) {
			assert_true(events[FFFA_EV_AGED] >= 3);
			assert_true(s.longest_ns < bound * k->tick_ns);
		} else {
			assert_int_equal(events[FFFA_EV_AGED], 0);
			assert_int_equal(s.deltas, 3);
		}
		fffa_kernel_close(k);
	}
}

/* Half of the ring is for those that would lose packets without it. */
static void windows_that_end_leave_room_in_the_ring(void **state)
{
	const uint32_t ring_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	/* So large that no set of the table is full by chance. */
	struct fffa_kernel *k = bpf_fixture_open(1 << 16, ring_bytes);
	uint64_t events[FFFA_RING_EVENT_KINDS], sent;
	struct fffa_ledger l = {0};
	struct sum s = {0};

	(void)state;
	fffa_kernel_limit_window(k, k->tick_ns);
	sent = send_for(k, 200, 20);
	fffa_kernel_ring_events(k, events);
	assert_uint_in_range(events[FFFA_EV_AGED], 10, ring_bytes / 2 / sizeof(struct fffa_event));
	assert_int_equal(events[0], 0);
	drain_all(k, &s);
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(s.packets, sent);
	assert_int_equal(l.lost[FFFA_PL_TABLE_FULL].packets, 0);
	fffa_kernel_close(k);
}

static uint64_t victims_of(struct fffa_kernel *k, uint32_t flows,
			   void (*addresses)(uint32_t i, uint32_t *src, uint32_t *dst))
{
	uint64_t before[FFFA_RING_EVENT_KINDS], after[FFFA_RING_EVENT_KINDS], bad = 0;
	struct sum s = {0};

	fffa_kernel_ring_events(k, before);
	for (uint32_t i = 0; i < flows; i++) {
		uint32_t src, dst;
		struct packet p;

		addresses(i, &src, &dst);
		packet_start(&p, "pair");
		packet_eth(&p, 0x0800);
		packet_ipv4(&p, 17, src, dst, 0, 0);
		packet_udp(&p, 123, 123);
		packet_payload(&p, 10);
		packet_finish(&p);
		(void)bpf_fixture_run(k, FFFA_PROGRAM_TC_IN, p.b, p.len);
		while (i % 1000 == 0 && fffa_kernel_ring_read(k, 100, add_delta, &s, &bad)) {
		}
	}
	fffa_kernel_ring_events(k, after);
	drain_all(k, &s);
	return after[FFFA_EV_VICTIM] - before[FFFA_EV_VICTIM];
}

static void pairs(uint32_t i, uint32_t *src, uint32_t *dst)
{
	*src = 0x0a010200 | (i & 0x3f);
	*dst = 0x0a010300 | i >> 6;
}

static void one_range(uint32_t i, uint32_t *src, uint32_t *dst)
{
	*src = 0x0a010000 | i;
	*dst = 0x0a020001;
}

/*
 * As many flows as a slice has entries: with a good hash one in five finds its set full. Flows
 * between two networks must not meet more often, whatever the key.
 */
static void flows_between_two_networks_spread(void **state)
{
	const uint32_t flows = 64 * 64;

	(void)state;
	for (int round = 0; round < 2; round++) { /* each with another key */
		struct fffa_kernel *k = bpf_fixture_open_tc_in(
			flows * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN), 1 << 20);

		assert_uint_in_range(victims_of(k, flows, one_range), flows / 8, flows / 4);
		assert_uint_in_range(victims_of(k, flows, pairs), flows / 8, flows / 4);
		fffa_kernel_close(k);
	}
}

static void without_free_tunnel_ids_the_outer_packet_is_recorded(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open_tc_in(65536, 1 << 20);
	struct fffa_deltas d = {0};
	struct fffa_ledger l = {0};
	uint64_t bad = 0;
	struct sum s = {0};
	struct packet p;

	(void)state;
	for (uint32_t i = 0; i < FFFA_TUNNELS_MAX + 100; i++) {
		packet_start(&p, "tunnel");
		packet_eth(&p, 0x0800);
		packet_ipv4(&p, 17, 1, 2, 0, 0);
		packet_udp(&p, 3, 6081);
		packet_geneve(&p, 0x0800, i, 0);
		packet_ipv4(&p, 6, 3, 4, 0, 0);
		packet_tcp(&p, 5, 6, 0x10, 0);
		packet_finish(&p);
		(void)bpf_fixture_run(k, FFFA_PROGRAM_TC_IN, p.b, p.len);
	}
	assert_int_equal(fffa_kernel_drain(k, &d), 0);
	for (size_t i = 0; i < d.count; i++)
		add_stray(&s, &d.v[i]);
	fffa_drain_deltas_fini(&d);
	while (fffa_kernel_ring_read(k, 100, add_stray, &s, &bad)) {
	}
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(s.packets, FFFA_TUNNELS_MAX + 100);
	assert_int_equal(s.ends, 0);
	assert_int_equal(l.no_tunnel_id, 100);
	assert_int_equal(fffa_ledger_lost(&l).packets, 0);
	fffa_kernel_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_and_times),
		cmocka_unit_test(each_drain_reads_the_quiet_half),
		cmocka_unit_test(victims_go_through_the_ring),
		cmocka_unit_test(each_flow_of_a_set_has_its_entry),
		cmocka_unit_test(the_longest_idle_gives_way),
		cmocka_unit_test(a_full_ring_loses_the_least_and_says_how_much),
		cmocka_unit_test(ends_of_connections_are_reported_at_once),
		cmocka_unit_test(an_end_without_room_stays_in_the_table),
		cmocka_unit_test(a_quarter_of_the_ring_wakes_the_reader),
		cmocka_unit_test(ring_reads_are_bounded),
		cmocka_unit_test(what_cannot_be_parsed_is_counted),
		cmocka_unit_test(a_cpu_without_a_slice_is_counted),
		cmocka_unit_test(windows_end_without_a_drain),
		cmocka_unit_test(windows_that_end_leave_room_in_the_ring),
		cmocka_unit_test(flows_between_two_networks_spread),
		cmocka_unit_test(without_free_tunnel_ids_the_outer_packet_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
