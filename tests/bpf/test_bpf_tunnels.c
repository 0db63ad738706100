// SPDX-License-Identifier: MIT
/* Tunnel ids: they come back when no flow has them, and are never mistaken for another tunnel's. */

#include "agent/capture/live_tunnels.h"
#include "tests/bpf/bpf_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/packets.h"

#define TURNS_MAX 40

struct lab {
	struct fffa_kernel *k;
	struct fffa_live_tunnels tunnels;
	uint16_t used_up_to; /* ids that a flow has */
	uint64_t packets;
};

static struct lab *open_lab(void)
{
	struct lab *lab = test_calloc(1, sizeof(*lab));

	lab->k = bpf_fixture_open(131072, 1 << 20);
	return lab;
}

static void close_lab(struct lab *lab)
{
	fffa_kernel_close(lab->k);
	test_free(lab);
}

/* A packet in the tunnel vni; the destination inside says so. */
static void send_in(const struct lab *lab, uint32_t vni)
{
	struct packet p;

	packet_start(&p, "tunnel");
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 17, 1, 2, 0, 0);
	packet_udp(&p, 3, 6081);
	packet_geneve(&p, 0x0800, vni, 0);
	packet_ipv4(&p, 6, 3, 0x0a000000 + vni, 0, 0);
	packet_tcp(&p, 5, 6, 0x10, 0);
	packet_finish(&p);
	(void)bpf_fixture_run(lab->k, FFFA_PROGRAM_TC_IN, p.b, p.len);
}

/* An id stands for the tunnel that the packet came in, as long as deltas show it. */
static void expect_tunnel(void *arg, const struct fffa_delta *d)
{
	struct lab *lab = arg;
	const struct fffa_tunnel *t = fffa_kernel_tunnel(lab->k, d->key.tunnel);

	lab->packets += d->packets;
	if (d->key.proto == 17) { /* the packet around it: no id was free */
		assert_int_equal(d->key.tunnel, 0);
		return;
	}
	assert_non_null(t);
	assert_int_equal(t->vni, d->key.dst[13] << 16 | d->key.dst[14] << 8 | d->key.dst[15]);
}

static bool is_used(void *arg, uint16_t id)
{
	const struct lab *lab = arg;

	return id <= lab->used_up_to;
}

/* What the agent does once in each drain interval. */
static void turn(struct lab *lab)
{
	struct fffa_deltas d = {0};
	uint64_t bad = 0;

	while (fffa_kernel_ring_read(lab->k, 1000, expect_tunnel, lab, &bad)) {
	}
	assert_int_equal(fffa_kernel_drain(lab->k, &d), 0);
	for (size_t i = 0; i < d.count; i++)
		expect_tunnel(lab, &d.v[i]);
	fffa_drain_deltas_fini(&d);
	fffa_live_tunnels_turn(&lab->tunnels, lab->k, is_used, lab);
}

static uint64_t without_id(const struct lab *lab)
{
	struct fffa_ledger l = {0};

	fffa_kernel_read_counts(lab->k, &l);
	assert_int_equal(fffa_ledger_lost(&l).packets, 0);
	return l.no_tunnel_id;
}

/* 17 000 small packets of a stranger must not end the identity of tunnels. */
static void ids_come_back_when_no_flow_has_them(void **state)
{
	const uint32_t flood = 17000, over = flood - FFFA_TUNNELS_MAX;
	struct lab *lab = open_lab();

	(void)state;
	for (uint32_t i = 1; i <= flood; i++)
		send_in(lab, i);
	assert_int_equal(without_id(lab), over);
	lab->used_up_to = 10;
	for (int i = 0; i < TURNS_MAX; i++)
		turn(lab);
	for (uint32_t i = 1; i <= 10; i++)
		assert_int_equal(fffa_kernel_tunnel(lab->k, (uint16_t)i)->vni, i);
	for (uint32_t i = 1; i <= FFFA_TUNNELS_MAX; i++) /* ten of them still have an id */
		send_in(lab, i);
	assert_int_equal(without_id(lab), over);
	send_in(lab, flood);
	assert_int_equal(without_id(lab), over + 1);
	turn(lab);
	turn(lab);
	assert_int_equal(lab->packets, flood + FFFA_TUNNELS_MAX + 1);
	close_lab(lab);
}

/* Packets that come while an id is taken back keep their tunnel, whatever the moment. */
static void a_tunnel_that_goes_on_keeps_its_name(void **state)
{
	struct lab *lab = open_lab();

	(void)state;
	for (uint32_t round = 1; round <= 120; round++) {
		for (uint32_t vni = 1; vni <= 5; vni++)
			if (round % vni == 0)
				send_in(lab, vni);
		send_in(lab, 1000 + round);
		turn(lab);
	}
	turn(lab);
	assert_int_equal(lab->packets, 120 + 120 + 60 + 40 + 30 + 24);
	assert_int_equal(without_id(lab), 0);
	close_lab(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_come_back_when_no_flow_has_them),
		cmocka_unit_test(a_tunnel_that_goes_on_keeps_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
