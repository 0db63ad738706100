// SPDX-License-Identifier: MIT
/*
 * capture.tunnel_view and capture.sample in the real programs: which packets they record and how
 * they count them.
 */
#include <arpa/inet.h>

#include "tests/bpf/bpf_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/packets.h"

#define V4	0x0800
#define V6	0x86dd
#define OUT_A	UINT32_C(0x0a000001)
#define OUT_B	UINT32_C(0x0a000002)
#define IN_A	UINT32_C(0xc0a8010a)
#define IN_B	UINT32_C(0xc0a80114)
#define PAYLOAD 1400
#define SEGMENT 500
#define SEGS	3

static const uint8_t views[] = {0, FFFA_VIEW_EGRESS, FFFA_VIEW_HOOK_XDP};

/* A tunnelled packet, and what the IP packets in it measure. */
struct shape {
	struct packet p;
	uint32_t outer_bytes;	/* total of the outer IP packet */
	uint32_t inner_bytes;	/* of the inner one */
	uint32_t outer_headers; /* up to the end of the inner transport header */
	uint32_t inner_headers;
	uint16_t dport; /* of the outer packet */
};

static struct fffa_kernel *open_as(enum fffa_tunnel_record view, uint32_t sample)
{
	struct fffa_kernel_conf c = bpf_fixture_conf(1024, 65536);

	c.settings.tunnel_view = view;
	c.settings.sample = sample;
	return bpf_fixture_open_conf(&c);
}

/* IPv4/TCP with 3 words of options in GENEVE with the options of GWLB, over IPv4. */
static struct shape geneve(void)
{
	struct shape s = {.outer_bytes = 20 + 8 + 8 + 32 + 52 + PAYLOAD,
			  .inner_bytes = 52 + PAYLOAD,
			  .outer_headers = 20 + 8 + 8 + 32 + 52,
			  .inner_headers = 52,
			  .dport = 6081};

	packet_start(&s.p, "geneve");
	packet_eth(&s.p, V4);
	packet_ipv4(&s.p, 17, OUT_A, OUT_B, 0, 0);
	packet_udp(&s.p, 60000, 6081);
	packet_geneve(&s.p, V4, 5, 8);
	packet_gwlb(&s.p, 1, 2, 3);
	packet_ipv4(&s.p, 6, IN_A, IN_B, 0, 0);
	packet_tcp(&s.p, 8080, 443, FFFA_F_ACK, 3);
	packet_payload(&s.p, PAYLOAD);
	packet_finish(&s.p);
	return s;
}

/* An Ethernet frame with a VLAN tag and IPv6/UDP in VXLAN, over IPv6 with an extension header. */
static struct shape vxlan(void)
{
	struct shape s = {.outer_bytes = 40 + 8 + 8 + 8 + 18 + 48 + PAYLOAD,
			  .inner_bytes = 48 + PAYLOAD,
			  .outer_headers = 40 + 8 + 8 + 8 + 18 + 48,
			  .inner_headers = 48,
			  .dport = 4789};

	packet_start(&s.p, "vxlan");
	packet_eth(&s.p, V6);
	packet_ipv6(&s.p, 60, 1, 2);
	packet_ext(&s.p, 60, 17, 1, 0);
	packet_udp(&s.p, 60000, 4789);
	packet_vxlan(&s.p, 6);
	packet_eth(&s.p, 0x8100);
	packet_vlan(&s.p, V6);
	packet_ipv6(&s.p, 17, 3, 4);
	packet_udp(&s.p, 8080, 443);
	packet_payload(&s.p, PAYLOAD);
	packet_finish(&s.p);
	return s;
}

static const struct fffa_delta *with_dport(const struct fffa_delta *d, size_t n, uint16_t dport)
{
	for (size_t i = 0; i < n; i++) {
		if (ntohs(d[i].key.dport) == dport)
			return &d[i];
	}
	fail_msg("no record with the port %u", dport);
	return NULL;
}

static void expect_entry(const struct fffa_delta *d, uint32_t packets, uint32_t bytes,
			 bool encapsulated, uint8_t view)
{
	assert_int_equal(d->packets, packets);
	assert_int_equal(d->bytes, bytes);
	assert_int_equal(!!d->key.tunnel, encapsulated);
	assert_int_equal(d->key.view & ~FFFA_VIEW_IPV6, view);
	if (!encapsulated) {
		assert_int_equal(ntohs(d->key.sport), 60000);
		assert_int_equal(d->key.proto, 17);
		assert_int_equal(d->cookie, 0);
	}
}

/* Checks all entries of one packet of segs segments. The ledger counts exactly what is recorded. */
static void check_entries(struct fffa_kernel *k, enum fffa_tunnel_record view,
			  enum fffa_program prog, const struct shape *s, uint32_t segs,
			  uint32_t said)
{
	uint32_t outer = s->outer_bytes + (segs - 1) * s->outer_headers;
	uint32_t inner = s->inner_bytes + (segs - 1) * s->inner_headers;
	struct fffa_ledger before = {0}, after = {0};
	struct fffa_amount was, is;
	uint64_t packets = 0, bytes = 0;
	struct fffa_delta d[4];
	size_t n;

	fffa_kernel_read_counts(k, &before);
	if (segs > 1)
		bpf_fixture_run_gso(k, prog, s->p.b, s->p.len, said, SEGMENT);
	else
		bpf_fixture_run(k, prog, s->p.b, s->p.len);
	fffa_kernel_read_counts(k, &after);
	n = bpf_fixture_take(k, d, 4);
	assert_int_equal(n, view == FFFA_TUNNEL_RECORD_BOTH ? 2 : 1);
	if (view != FFFA_TUNNEL_RECORD_INNER)
		expect_entry(with_dport(d, n, s->dport), segs, outer, false, views[prog]);
	if (view != FFFA_TUNNEL_RECORD_OUTER)
		expect_entry(with_dport(d, n, 443), segs, inner, true, views[prog]);
	for (size_t i = 0; i < n; i++) {
		packets += d[i].packets;
		bytes += d[i].bytes;
	}
	was = fffa_ledger_seen(&before);
	is = fffa_ledger_seen(&after);
	assert_int_equal(is.packets - was.packets, packets);
	assert_int_equal(is.bytes - was.bytes, bytes);
	assert_int_equal(fffa_ledger_lost(&after).packets, 0);
}

static void check_view(enum fffa_tunnel_record view)
{
	struct fffa_kernel *k = open_as(view, 1);
	struct shape shapes[] = {geneve(), vxlan()};

	for (size_t i = 0; i < 2; i++) {
		for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++)
			check_entries(k, view, prog, &shapes[i], 1, 0);
		for (int prog = FFFA_PROGRAM_TC_IN; prog <= FFFA_PROGRAM_TC_OUT; prog++) {
			check_entries(k, view, prog, &shapes[i], SEGS, SEGS);
			check_entries(k, view, prog, &shapes[i], SEGS,
				      0); /* virtio does not say how many */
		}
	}
	fffa_kernel_close(k);
}

static void inner_view(void **state)
{
	(void)state;
	check_view(FFFA_TUNNEL_RECORD_INNER);
}

static void outer_view(void **state)
{
	(void)state;
	check_view(FFFA_TUNNEL_RECORD_OUTER);
}

static void both_views(void **state)
{
	(void)state;
	check_view(FFFA_TUNNEL_RECORD_BOTH);
}

/* A packet whose tunnel cannot be opened is recorded once, in every view. */
static void a_truncated_inner_packet(void **state)
{
	static const enum fffa_tunnel_record all[] = {
		FFFA_TUNNEL_RECORD_INNER, FFFA_TUNNEL_RECORD_OUTER, FFFA_TUNNEL_RECORD_BOTH};
	const size_t len = 14 + 20 + 8 + 8 + 32 + 10;
	struct shape s = geneve();

	(void)state;
	s.p.b[16] = 0;
	s.p.b[17] = (uint8_t)(len - 14); /* the outer packet is whole */
	for (size_t i = 0; i < 3; i++) {
		struct fffa_kernel *k = open_as(all[i], 1);

		for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++) {
			struct fffa_delta d[4];

			bpf_fixture_run(k, prog, s.p.b, len);
			assert_int_equal(bpf_fixture_take(k, d, 4), 1);
			expect_entry(&d[0], 1, len - 14, false, views[prog]);
		}
		fffa_kernel_close(k);
	}
}

/* VXLAN in GENEVE gives at most two records: the outermost and the innermost packet. */
static void nested_tunnels_have_two_views(void **state)
{
	struct fffa_kernel *k = open_as(FFFA_TUNNEL_RECORD_BOTH, 1);
	const uint32_t inner = 40 + 100, mid = 20 + 8 + 8 + 14 + inner;
	struct packet p;

	(void)state;
	packet_start(&p, "nested");
	packet_eth(&p, V4);
	packet_ipv4(&p, 17, OUT_A, OUT_B, 0, 0);
	packet_udp(&p, 60000, 6081);
	packet_geneve(&p, V4, 1, 8);
	packet_gwlb(&p, 1, 2, 3);
	packet_ipv4(&p, 17, IN_A, IN_B, 0, 0);
	packet_udp(&p, 60001, 4789);
	packet_vxlan(&p, 99);
	packet_eth(&p, V4);
	packet_ipv4(&p, 6, 1, 2, 0, 0);
	packet_tcp(&p, 8080, 443, FFFA_F_ACK, 0);
	packet_payload(&p, 100);
	packet_finish(&p);
	for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++) {
		struct fffa_delta d[4];

		bpf_fixture_run(k, prog, p.b, p.len);
		assert_int_equal(bpf_fixture_take(k, d, 4), 2);
		expect_entry(with_dport(d, 2, 6081), 1, 20 + 8 + 8 + 32 + mid, false, views[prog]);
		expect_entry(with_dport(d, 2, 443), 1, inner, true, views[prog]);
	}
	fffa_kernel_close(k);
}

/* The same with VXLAN outermost: the tunnels may come in any order. */
static void nested_tunnels_with_vxlan_outermost(void **state)
{
	struct fffa_kernel *k = open_as(FFFA_TUNNEL_RECORD_BOTH, 1);
	const uint32_t inner = 40 + 100, mid = 20 + 8 + 8 + 32 + inner;
	struct packet p;

	(void)state;
	packet_start(&p, "nested");
	packet_eth(&p, V4);
	packet_ipv4(&p, 17, OUT_A, OUT_B, 0, 0);
	packet_udp(&p, 60000, 4789);
	packet_vxlan(&p, 99);
	packet_eth(&p, V4);
	packet_ipv4(&p, 17, IN_A, IN_B, 0, 0);
	packet_udp(&p, 60001, 6081);
	packet_geneve(&p, V4, 1, 8);
	packet_gwlb(&p, 1, 2, 3);
	packet_ipv4(&p, 6, 1, 2, 0, 0);
	packet_tcp(&p, 8080, 443, FFFA_F_ACK, 0);
	packet_payload(&p, 100);
	packet_finish(&p);
	for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++) {
		struct fffa_delta d[4];

		bpf_fixture_run(k, prog, p.b, p.len);
		assert_int_equal(bpf_fixture_take(k, d, 4), 2);
		expect_entry(with_dport(d, 2, 4789), 1, 20 + 8 + 8 + 14 + mid, false, views[prog]);
		expect_entry(with_dport(d, 2, 443), 1, inner, true, views[prog]);
		assert_int_equal(with_dport(d, 2, 443)->cookie, 3); /* of the GENEVE inside */
	}
	fffa_kernel_close(k);
}

/*
 * Fragments of the outer packet are recorded with its ports, those of the inner packet with the
 * inner ports.
 */
static void fragments_keep_their_ports_in_both_views(void **state)
{
	struct fffa_kernel *k = open_as(FFFA_TUNNEL_RECORD_BOTH, 1);
	struct fffa_ledger l = {0};
	struct fffa_delta d[4];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct packet p;

		packet_start(&p, "fragment");
		packet_eth(&p, V4);
		packet_ipv4(&p, 17, OUT_A, OUT_B, 0, 0);
		packet_udp(&p, 60000, 6081);
		packet_geneve(&p, V4, 1, 0);
		packet_ipv4(&p, 17, IN_A, IN_B, 0, i ? 0x2009 : 0x2000);
		if (!i)
			packet_udp(&p, 8080, 443);
		packet_payload(&p, i ? 72 : 64);
		packet_finish(&p);
		bpf_fixture_run(k, FFFA_PROGRAM_TC_IN, p.b, p.len);
	}
	assert_int_equal(bpf_fixture_take(k, d, 4), 2);
	expect_entry(with_dport(d, 2, 6081), 2, 2 * (36 + 92), false, 0);
	expect_entry(with_dport(d, 2, 443), 2, 2 * 92, true, 0);
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(l.no_first_fragment, 0);
	fffa_kernel_close(k);
}

#define SENT  100000
#define TENTH (SENT / 10)
#define SIGMA 95 /* of the binomial distribution: sqrt(SENT * 0.1 * 0.9) */

static void one_packet_in_ten_is_sampled(void **state)
{
	struct fffa_kernel *k = open_as(FFFA_TUNNEL_RECORD_INNER, 10);
	struct shape s = geneve();

	(void)state;
	for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++) {
		struct fffa_ledger before = {0}, after = {0};
		uint64_t seen, passed;
		struct fffa_delta d[4];

		fffa_kernel_read_counts(k, &before);
		bpf_fixture_repeat(k, prog, s.p.b, s.p.len, SENT);
		fffa_kernel_read_counts(k, &after);
		seen = fffa_ledger_seen(&after).packets - fffa_ledger_seen(&before).packets;
		passed = after.not_sampled - before.not_sampled;
		assert_int_equal(seen + passed, SENT);
		assert_uint_in_range(seen, TENTH - 6 * SIGMA, TENTH + 6 * SIGMA);
		assert_int_equal(bpf_fixture_take(k, d, 4), 1);
		expect_entry(&d[0], (uint32_t)seen, (uint32_t)seen * s.inner_bytes, true,
			     views[prog]);
	}
	fffa_kernel_close(k);
}

/* A super-packet that is not sampled counts as its segments, like one that is recorded. */
static void sampling_counts_segments(void **state)
{
	struct fffa_kernel *k = open_as(FFFA_TUNNEL_RECORD_INNER, 10);
	struct fffa_ledger l = {0};
	struct shape s = geneve();
	uint64_t seen;

	(void)state;
	for (int i = 0; i < 1000; i++)
		bpf_fixture_run_gso(k, FFFA_PROGRAM_TC_OUT, s.p.b, s.p.len, SEGS, SEGMENT);
	fffa_kernel_read_counts(k, &l);
	seen = fffa_ledger_seen(&l).packets;
	assert_int_equal(seen + l.not_sampled, 1000 * SEGS);
	assert_uint_in_range(seen, SEGS * (100 - 57), SEGS * (100 + 57)); /* 6 sigma */
	fffa_kernel_close(k);
}

static void sample_of_one_is_every_packet(void **state)
{
	(void)state;
	for (uint32_t sample = 0; sample < 2; sample++) {
		struct fffa_kernel *k = open_as(FFFA_TUNNEL_RECORD_INNER, sample);
		struct fffa_ledger l = {0};
		struct shape s = vxlan();

		bpf_fixture_repeat(k, FFFA_PROGRAM_XDP_IN, s.p.b, s.p.len, 1000);
		fffa_kernel_read_counts(k, &l);
		assert_int_equal(fffa_ledger_seen(&l).packets, 1000);
		assert_int_equal(l.not_sampled, 0);
		fffa_kernel_close(k);
	}
}

/* The same programs follow what the agent writes. */
static void settings_change_while_they_run(void **state)
{
	struct fffa_kernel_settings s = {.vxlan_ports = {4789, 6081 + 64}};
	struct fffa_kernel *k = open_as(FFFA_TUNNEL_RECORD_INNER, 0);
	struct shape g = geneve();
	struct fffa_ledger l = {0};
	struct fffa_delta d[4];

	(void)state;
	for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++) {
		/* GENEVE's port is none any more, and shares its bit with one that is. */
		fffa_kernel_change(k, &s);
		bpf_fixture_run(k, prog, g.p.b, g.p.len);
		assert_int_equal(bpf_fixture_take(k, d, 4), 1);
		expect_entry(&d[0], 1, g.outer_bytes, false, views[prog]);
		s.geneve_ports[3] = 6081;
		s.tunnel_view = FFFA_TUNNEL_RECORD_BOTH;
		fffa_kernel_change(k, &s);
		bpf_fixture_run(k, prog, g.p.b, g.p.len);
		assert_int_equal(bpf_fixture_take(k, d, 4), 2);
		expect_entry(with_dport(d, 2, 443), 1, g.inner_bytes, true, views[prog]);
		s.geneve_ports[3] = 0;
		s.tunnel_view = FFFA_TUNNEL_RECORD_INNER;
	}
	s.sample = UINT32_MAX;
	fffa_kernel_change(k, &s);
	bpf_fixture_repeat(k, FFFA_PROGRAM_TC_IN, g.p.b, g.p.len, 1000);
	fffa_kernel_read_counts(k, &l);
	assert_uint_in_range(l.not_sampled, 990, 1000);
	fffa_kernel_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inner_view),
		cmocka_unit_test(outer_view),
		cmocka_unit_test(both_views),
		cmocka_unit_test(a_truncated_inner_packet),
		cmocka_unit_test(nested_tunnels_have_two_views),
		cmocka_unit_test(nested_tunnels_with_vxlan_outermost),
		cmocka_unit_test(fragments_keep_their_ports_in_both_views),
		cmocka_unit_test(one_packet_in_ten_is_sampled),
		cmocka_unit_test(sampling_counts_segments),
		cmocka_unit_test(sample_of_one_is_every_packet),
		cmocka_unit_test(settings_change_while_they_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
