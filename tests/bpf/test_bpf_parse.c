// SPDX-License-Identifier: MIT
/*
 * Both builds of the parser must agree on every packet: the corpus whole, cut at every
 * byte, and mutated at random; TC and XDP. tests/unit/capture compares the host build with
 * written expectations. FFFA_MUTATIONS sets the number of mutations, for emulated machines.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/capture/replay/fragments.h"
#include "agent/capture/replay/tunnels.h"
#include "agent/capture/replay/frame.h"
#include "bpf/segments.h"
#include "tests/bpf/bpf_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/packets.h"
#include "tests/stubs/super_packets.h"

#define CORPUS_MAX   256
#define MUTATIONS    100000
#define FORGET_EVERY 1000
#define SUPERS_MAX   64

struct fixture {
	struct fffa_kernel *k;
	struct fffa_frame_conf host;
	struct packet *corpus;
	size_t count;
	struct fffa_ledger before;
	struct fffa_fragments *fragments; /* the host's table of first fragments */
	struct fffa_tunnels *tunnels;	  /* the host's ids */
	size_t compared;
};

/*
 * The kernel forgets a first fragment after a while, but no time passes for the host's table. So
 * both forget all fragments after this many packets, for which the slowest machine needs less time.
 */
static void forget_fragments(struct fixture *f)
{
	bpf_fixture_forget_fragments(f->k);
	fffa_fragments_free(f->fragments);
	f->fragments = fffa_fragments_new();
	assert_non_null(f->fragments);
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->k = bpf_fixture_open(64, 65536);
	forget_fragments(f);
	f->tunnels = fffa_tunnels_new();
	assert_non_null(f->tunnels);
	f->host.linktype = 1 /* Ethernet */;
	f->host.geneve_ports[0] = 6081;
	f->host.vxlan_ports[0] = 4789;
	f->corpus = test_calloc(CORPUS_MAX, sizeof(*f->corpus));
	f->count = packet_corpus(f->corpus, CORPUS_MAX);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fffa_kernel_close(f->k);
	fffa_fragments_free(f->fragments);
	fffa_tunnels_free(f->tunnels);
	test_free(f->corpus);
	test_free(f);
	return 0;
}

static void same_record(const struct fixture *f, const struct fffa_delta *d,
			const struct fffa_packet *p, const struct fffa_tunnel *t, bool tunnelled,
			uint8_t view)
{
	const struct fffa_tunnel *kt = fffa_kernel_tunnel(f->k, d->key.tunnel);

	assert_memory_equal(d->key.src, p->key.src, 16);
	assert_memory_equal(d->key.dst, p->key.dst, 16);
	assert_int_equal(d->key.sport, p->key.sport);
	assert_int_equal(d->key.dport, p->key.dport);
	assert_int_equal(d->key.proto, p->key.proto);
	assert_int_equal(d->key.view, view | (p->key.view & FFFA_VIEW_IPV6));
	assert_int_equal(d->packets, p->packets);
	assert_int_equal(d->bytes, p->bytes);
	assert_int_equal(d->flags, p->flags);
	assert_int_equal(!!d->key.tunnel, tunnelled);
	if (tunnelled) {
		assert_non_null(kt);
		assert_memory_equal(kt, t, sizeof(*t));
		assert_int_equal(d->cookie, p->cookie);
	}
}

static uint64_t frames_of(const struct fffa_ledger *l, uint16_t ether_type)
{
	for (int i = 0; i < FFFA_LEDGER_NOT_IP_TYPES && l->not_ip[i].frames; i++) {
		if (l->not_ip[i].ether_type == ether_type)
			return l->not_ip[i].frames;
	}
	return 0;
}

/* One frame more, or the CPU's slots for types are used up: then it is in the total alone. */
static void expect_ether_type(const struct fffa_ledger *before, const struct fffa_ledger *after,
			      uint16_t ether_type)
{
	uint64_t more = frames_of(after, ether_type) - frames_of(before, ether_type);
	uint64_t other = fffa_ledger_not_ip_other(after) - fffa_ledger_not_ip_other(before);

	assert_int_equal(more + other, 1);
}

/* Takes p into the host's table of fragments. t: NULL for a packet that is in no tunnel. */
static bool is_orphan(struct fixture *f, struct fffa_packet *p, const struct fffa_tunnel *t)
{
	if (t)
		p->key.tunnel = fffa_tunnels_intern(f->tunnels, t);
	return !fffa_fragments_apply(f->fragments, p, 1);
}

/* Runs one program on one frame and compares all that comes of it with the host build. */
static void compare(struct fixture *f, enum fffa_program prog, const uint8_t *bytes, size_t len)
{
	static const uint8_t views[] = {0, FFFA_VIEW_EGRESS, FFFA_VIEW_HOOK_XDP};
	struct fffa_ledger after = {0};
	struct fffa_packet p = {0};
	struct fffa_tunnel t;
	struct fffa_delta d[4];
	bool tunnelled;
	enum fffa_parse want = fffa_frame_parse(&f->host, bytes, len, len, &p, &t, &tunnelled);
	uint64_t orphans = want == FFFA_PARSE_OK && is_orphan(f, &p, tunnelled ? &t : NULL);
	int verdict = bpf_fixture_run(f->k, prog, bytes, len);
	size_t n = bpf_fixture_take(f->k, d, 4);
	int dir = views[prog] & FFFA_VIEW_EGRESS ? 1 : 0;

	assert_int_equal(verdict,
			 prog == FFFA_PROGRAM_XDP_IN ? 2 : -1); /* XDP_PASS, TC_ACT_UNSPEC */
	fffa_kernel_read_counts(f->k, &after);
	assert_int_equal(after.seen[dir].packets - f->before.seen[dir].packets,
			 want != FFFA_PARSE_NOT_IP);
	assert_int_equal(after.not_ip_frames - f->before.not_ip_frames, want == FFFA_PARSE_NOT_IP);
	if (want == FFFA_PARSE_NOT_IP)
		expect_ether_type(&f->before, &after, p.ether_type);
	assert_int_equal(after.lost[FFFA_PL_MALFORMED].packets -
				 f->before.lost[FFFA_PL_MALFORMED].packets,
			 want == FFFA_PARSE_MALFORMED);
	assert_int_equal(after.lost[FFFA_PL_TRUNCATED].packets -
				 f->before.lost[FFFA_PL_TRUNCATED].packets,
			 want == FFFA_PARSE_TRUNCATED);
	assert_int_equal(after.no_first_fragment - f->before.no_first_fragment, orphans);
	assert_int_equal(n, want == FFFA_PARSE_OK);
	if (want == FFFA_PARSE_OK)
		same_record(f, &d[0], &p, &t, tunnelled, views[prog]);
	f->before = after;
}

/*
 * Newer kernels make no skb that is shorter than the header that the ether type names. XDP takes
 * every length.
 */
static bool tc_takes(const uint8_t *bytes, size_t len)
{
	if (bytes[12] == 0x08 && bytes[13] == 0x00)
		return len >= 14 + 20;
	if (bytes[12] == 0x86 && bytes[13] == 0xdd)
		return len >= 14 + 40;
	return len > 14;
}

static void compare_all(struct fixture *f, const uint8_t *bytes, size_t len)
{
	if (++f->compared % FORGET_EVERY == 0)
		forget_fragments(f);
	compare(f, FFFA_PROGRAM_XDP_IN, bytes, len);
	if (!tc_takes(bytes, len))
		return;
	compare(f, FFFA_PROGRAM_TC_IN, bytes, len);
	compare(f, FFFA_PROGRAM_TC_OUT, bytes, len);
}

static void both_parsers_agree_on_whole_packets(void **state)
{
	struct fixture *f = *state;

	assert_true(f->count > 45);
	for (size_t i = 0; i < f->count; i++)
		compare_all(f, f->corpus[i].b, f->corpus[i].len);
}

static void cut_at_every_byte(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->count; i++) {
		for (size_t len = 14; len < f->corpus[i].len; len++)
			compare_all(f, f->corpus[i].b, len);
	}
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void random_mutations(void **state)
{
	const char *set = getenv("FFFA_MUTATIONS");
	uint64_t mutations = set ? strtoull(set, NULL, 10) : MUTATIONS;
	struct fixture *f = *state;
	uint32_t seed = 20261123;
	struct packet p;

	for (uint64_t i = 0; i < mutations; i++) {
		uint32_t changes = 1 + next_random(&seed) % 4;

		p = f->corpus[next_random(&seed) % f->count];
		while (changes--)
			p.b[next_random(&seed) % (p.len < 120 ? p.len : 120)] =
				(uint8_t)next_random(&seed);
		compare_all(f, p.b, p.len);
	}
}

static void gso_counts_segments_and_their_headers(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta d[4];
	struct packet p;

	/* 1400 bytes of payload in segments of 500: 3 packets, 2 further headers of 20 + 32 bytes.
	 */
	packet_start(&p, "gso");
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 6, 1, 2, 0, 0);
	packet_tcp(&p, 1, 2, 0x10, 3);
	packet_payload(&p, 1400);
	packet_finish(&p);
	assert_int_equal(bpf_fixture_run_gso(f->k, FFFA_PROGRAM_TC_OUT, p.b, p.len, 3, 500), -1);
	assert_int_equal(bpf_fixture_take(f->k, d, 4), 1);
	assert_int_equal(d[0].packets, 3);
	assert_int_equal(d[0].bytes, 3 * 52 + 1400);
	/* The number of segments may be missing: virtio leaves it 0. */
	assert_int_equal(bpf_fixture_run_gso(f->k, FFFA_PROGRAM_TC_IN, p.b, p.len, 0, 500), -1);
	assert_int_equal(bpf_fixture_take(f->k, d, 4), 1);
	assert_int_equal(d[0].packets, 3);
	assert_int_equal(d[0].bytes, 3 * 52 + 1400);
	fffa_kernel_read_counts(f->k, &f->before);
}

/* The host build says how the packet counts, also where a tunnel is opened. */
static void compare_super(struct fixture *f, const struct packet *p, uint32_t segs, uint32_t size)
{
	struct fffa_frame frame = {.gso_bytes = size, .gso_segs = segs};
	struct fffa_packet want = {0};
	struct fffa_delta d[4];
	struct fffa_tunnel t;
	bool tunnelled;

	if (fffa_frame_parse(&f->host, p->b, p->len, p->len, &want, &t, &tunnelled) ||
	    want.fragment)
		return;
	fffa_count_segments(&frame, &want);
	fffa_segments_count(p->b, &frame, &want);
	bpf_fixture_run_gso(f->k, FFFA_PROGRAM_TC_OUT, p->b, p->len, segs, size);
	if (bpf_fixture_take(f->k, d, 4) != 1)
		fail_msg("%s: no record, or several", p->name);
	same_record(f, &d[0], &want, &t, tunnelled, FFFA_VIEW_EGRESS);
}

static void both_agree_on_super_packets(void **state)
{
	static struct super_packet all[SUPERS_MAX];
	size_t n = super_packets(all, SUPERS_MAX);
	struct fixture *f = *state;
	uint32_t seed = 20261129;

	for (size_t i = 0; i < n; i++) {
		struct packet p = all[i].p;

		for (uint32_t segs = 0; segs < 6; segs++) {
			compare_super(f, &p, segs, SUPER_SEGMENT);
			compare_super(f, &p, segs, 0xffff); /* GSO_BY_FRAGS: no size */
		}
		for (int change = 0; change < 100; change++) {
			p = all[i].p;
			p.b[14 + next_random(&seed) % 120] = (uint8_t)next_random(&seed);
			if (tc_takes(p.b, p.len))
				compare_super(f, &p, all[i].segs, SUPER_SEGMENT);
		}
	}
	fffa_kernel_read_counts(f->k, &f->before);
}

/* What is counted of a packet that is not opened, without asking the host build. */
static void a_closed_tunnel_repeats_all_headers(void **state)
{
	static struct super_packet all[SUPERS_MAX];
	size_t n = super_packets(all, SUPERS_MAX);
	struct fixture *f = *state;
	struct fffa_delta d[4];

	for (size_t i = 0; i < n; i++) {
		const struct packet *p = &all[i].p;

		bpf_fixture_run_gso(f->k, FFFA_PROGRAM_TC_IN, p->b, p->len, all[i].segs,
				    SUPER_SEGMENT);
		assert_int_equal(bpf_fixture_take(f->k, d, 4), 1);
		assert_int_equal(d[0].packets, all[i].segs);
		if (d[0].key.tunnel)
			continue;
		assert_int_equal(d[0].bytes, p->len - 14 + (all[i].segs - 1) * all[i].headers);
	}
	fffa_kernel_read_counts(f->k, &f->before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_parsers_agree_on_whole_packets),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(random_mutations),
		cmocka_unit_test(gso_counts_segments_and_their_headers),
		cmocka_unit_test(both_agree_on_super_packets),
		cmocka_unit_test(a_closed_tunnel_repeats_all_headers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
