// SPDX-License-Identifier: MIT
/*
 * Exactness under load. Every CPU writes without pause while the table is drained again and
 * again. Table + ring + counted loss must be what was sent, to the packet and to the byte, also
 * when the tables are much too small. FFFA_EXACT_PACKETS sets the packets of each run, for
 * emulated machines.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/bpf_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/packets.h"

#define WRITERS 2
#define REPEAT	64		/* packets of one flow in a row */
#define FILL	(2000 * REPEAT) /* from each writer: more flows than a table of 1024 holds */
#define DRAINS	6		/* drains while they write, at least: they write until then */

struct writer {
	struct fffa_kernel *k;
	enum fffa_program program;
	int cpu;
	uint32_t flows;
	uint64_t target;
	uint64_t sent;
	uint64_t wait_at; /* sent: waits for the first drain; 0: never */
	pthread_barrier_t *filled;
	const int *drains;
	pthread_t thread;
};

struct sum {
	uint64_t packets, bytes;
};

static void add_delta(void *arg, const struct fffa_delta *d)
{
	struct sum *s = arg;

	s->packets += d->packets;
	s->bytes += d->bytes;
}

static void *write_packets(void *arg)
{
	struct writer *w = arg;
	uint32_t x = 12345 + (uint32_t)w->cpu;
	struct packet p;
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(w->cpu, &s);
	(void)sched_setaffinity(0, sizeof(s), &s);
	packet_start(&p, "load");
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 6, 0x0a000001, 0x0b000001, 0, 0);
	packet_tcp(&p, 1000, 443, 0x10, 0);
	packet_payload(&p, 60);
	packet_finish(&p);
	while (w->sent < w->target || __atomic_load_n(w->drains, __ATOMIC_RELAXED) < DRAINS) {
		uint32_t flow;

		x = x * 1664525 + 1013904223;
		flow = (x >> 8) % w->flows;
		memcpy(p.b + 26, &flow, sizeof(flow)); /* the source address */
		(void)bpf_fixture_repeat(w->k, w->program, p.b, p.len, REPEAT);
		w->sent += REPEAT;
		if (w->sent == w->wait_at)
			(void)pthread_barrier_wait(w->filled);
	}
	return NULL;
}

static void drain_until_done(struct fffa_kernel *k, struct fffa_deltas *d, struct sum *s)
{
	uint64_t bad = 0;

	d->count = 0;
	assert_int_equal(fffa_kernel_drain(k, d), 0);
	for (size_t i = 0; i < d->count; i++)
		add_delta(s, &d->v[i]);
	while (fffa_kernel_ring_read(k, 4096, add_delta, s, &bad)) {
	}
	assert_int_equal(bad, 0);
}

static void run_writers(uint64_t max_flows, uint32_t ring_bytes, uint32_t flows, uint64_t packets,
			bool loss)
{
	struct fffa_kernel *k = bpf_fixture_open(max_flows, ring_bytes);
	int writers = sysconf(_SC_NPROCESSORS_ONLN) < WRITERS ? 1 : WRITERS, drains = 0;
	pthread_barrier_t filled;
	struct writer w[WRITERS];
	struct fffa_deltas d = {0};
	struct fffa_ledger l = {0};
	struct sum s = {0};
	uint64_t sent = 0;

	assert_int_equal(pthread_barrier_init(&filled, NULL, (unsigned)writers + 1), 0);
	for (int i = 0; i < writers; i++) {
		w[i] = (struct writer){.k = k,
				       .program = i ? FFFA_PROGRAM_XDP_IN : FFFA_PROGRAM_TC_IN,
				       .cpu = i,
				       .flows = flows,
				       .target = packets / (uint64_t)writers,
				       .wait_at = loss ? FILL : 0,
				       .filled = &filled,
				       .drains = &drains};
		assert_int_equal(pthread_create(&w[i].thread, NULL, write_packets, &w[i]), 0);
	}
	if (loss) /* not by chance: how fast drains follow each other depends on the machine */
		(void)pthread_barrier_wait(&filled);
	for (int i = 0; i < writers;) {
		drain_until_done(k, &d, &s);
		__atomic_add_fetch(&drains, 1, __ATOMIC_RELAXED);
		if (pthread_tryjoin_np(w[i].thread, NULL) == 0)
			sent += w[i++].sent;
	}
	drain_until_done(k, &d, &s);
	drain_until_done(k, &d, &s);
	fffa_kernel_read_counts(k, &l);
	print_message("flows %" PRIu32 " packets %" PRIu64 " drains %d recorded %" PRIu64
		      " lost %" PRIu64 "\n",
		      flows, sent, drains, s.packets, fffa_ledger_lost(&l).packets);
	assert_int_equal(fffa_ledger_seen(&l).packets, sent);
	assert_int_equal(fffa_ledger_seen(&l).bytes, sent * 100);
	assert_int_equal(s.packets + fffa_ledger_lost(&l).packets, sent);
	assert_int_equal(s.bytes + fffa_ledger_lost(&l).bytes, sent * 100);
	assert_int_equal(fffa_ledger_lost(&l).packets > 0, loss);
	assert_true(drains >= DRAINS);
	fffa_drain_deltas_fini(&d);
	(void)pthread_barrier_destroy(&filled);
	fffa_kernel_close(k);
}

static uint64_t amount(uint64_t packets)
{
	const char *set = getenv("FFFA_EXACT_PACKETS");

	return set ? strtoull(set, NULL, 10) : packets;
}

static void one_flow(void **state)
{
	(void)state;
	run_writers(131072, 1 << 22, 1, amount(10000000), false);
}

static void fifty_thousand_flows(void **state)
{
	(void)state;
	run_writers(262144, 1 << 24, 50000, amount(20000000), false);
}

static void tables_much_too_small(void **state)
{
	(void)state;
	run_writers(1024, 4096, 50000, amount(10000000), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_flow),
		cmocka_unit_test(fifty_thousand_flows),
		cmocka_unit_test(tables_much_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
