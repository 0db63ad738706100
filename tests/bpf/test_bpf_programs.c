// SPDX-License-Identifier: MIT
/*
 * The programs that other tests do not run: those of devices without a link header, and the twin of each, which takes its
 * place while packets pass. And what the ingress programs note of packets that IPsec will decrypt.
 */
#include <arpa/inet.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel_internal.h"
#include "bpf/ipsec.h"
#include "fffa_bpf.skel.h"
#include "tests/bpf/bpf_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/packets.h"

#define LO 1 /* the device of a test run */

static void udp_packet(struct packet *p, uint16_t sport, uint16_t dport, uint8_t proto)
{
	packet_start(p, "packet");
	packet_eth(p, 0x0800);
	packet_ipv4(p, proto, 0x0a000001, 0x0a000002, 0, 0);
	if (proto == 17)
		packet_udp(p, sport, dport);
	packet_payload(p, 100);
	packet_finish(p);
}

static bool has_twins(const struct fffa_kernel *k)
{
	if (fffa_kernel_program_fd(k, FFFA_PROGRAM_TC_IN_2ND) >= 0)
		return true;
	print_message("this kernel has no TCX, so no twins are loaded\n");
	return false;
}

/* Asserts what the program counted of one packet, which begins at frame offset 14. */
static void expect_counted(struct fffa_kernel *k, enum fffa_program prog, bool counts)
{
	struct fffa_delta d[2];
	struct packet p;

	udp_packet(&p, 7, 8, 17);
	(void)bpf_fixture_run(k, prog, p.b, p.len);
	assert_int_equal(bpf_fixture_take(k, d, 2), counts);
	if (!counts)
		return;
	assert_int_equal(d[0].packets, 1);
	assert_int_equal(d[0].bytes, p.len - 14);
	assert_int_equal(ntohs(d[0].key.sport), 7);
	assert_int_equal(ntohs(d[0].key.dport), 8);
	assert_int_equal(d[0].key.proto, 17);
	assert_int_equal(d[0].key.ifindex, LO);
	assert_int_equal(d[0].key.view, fffa_kernel_program_is_egress(prog) ? FFFA_VIEW_EGRESS : 0);
}

/* Of two that do the same the muted one counts nothing; its direction and its device alone. */
static void expect_muting(struct fffa_kernel *k, const enum fffa_program programs[4])
{
	for (int i = 0; i < 4; i++)
		expect_counted(k, programs[i], true);
	for (int muted = 0; muted < 4; muted++) {
		fffa_kernel_program_mute(k, programs[muted], LO);
		for (int i = 0; i < 4; i++)
			expect_counted(k, programs[i], i != muted);
		fffa_kernel_program_mute(k, programs[muted], LO + 1);
		expect_counted(k, programs[muted], true);
		fffa_kernel_program_mute(k, programs[muted], 0);
		expect_counted(k, programs[muted], true);
	}
}

static void a_muted_program_counts_nothing(void **state)
{
	static const enum fffa_program programs[] = {FFFA_PROGRAM_TC_IN, FFFA_PROGRAM_TC_OUT,
						     FFFA_PROGRAM_TC_IN_2ND,
						     FFFA_PROGRAM_TC_OUT_2ND};
	struct fffa_kernel *k = bpf_fixture_open_programs(
		1024, 65536, "fffa_tc_in fffa_tc_out fffa_tc_in_2nd fffa_tc_out_2nd ");

	(void)state;
	if (has_twins(k))
		expect_muting(k, programs);
	fffa_kernel_close(k);
}

/*
 * A packet of a device without a link header, where a tunnel left its own in front: IP is where the kernel says, which is
 * behind the 14 bytes of a test run.
 */
static void packets_that_begin_with_ip(void **state)
{
	static const enum fffa_program programs[] = {FFFA_PROGRAM_IP_IN, FFFA_PROGRAM_IP_OUT,
						     FFFA_PROGRAM_IP_IN_2ND,
						     FFFA_PROGRAM_IP_OUT_2ND};
	struct fffa_kernel *k =
		bpf_fixture_open_programs(1024, 65536,
					  "fffa_tc_ip_in fffa_tc_ip_out fffa_tc_ip_in2 "
					  "fffa_tc_ip_out2 ");
	bool twins = fffa_kernel_program_fd(k, FFFA_PROGRAM_IP_IN_2ND) >= 0;
	struct fffa_ledger l = {0};
	struct packet p;

	(void)state;
	if (twins)
		expect_muting(k, programs);
	for (int i = 0; i < 2; i++) {
		struct fffa_amount before;

		expect_counted(k, programs[i], true);
		fffa_kernel_read_counts(k, &l);
		before = l.seen[i];
		udp_packet(&p, 7, 8, 17);
		p.b[14] = 0x44; /* a header of 16 bytes */
		(void)bpf_fixture_run(k, programs[i], p.b, p.len);
		fffa_kernel_read_counts(k, &l);
		/* All of the frame counts: there is no link header. */
		assert_int_equal(l.seen[i].packets - before.packets, 1);
		assert_int_equal(l.seen[i].bytes - before.bytes, p.len);
		assert_int_equal(l.lost[FFFA_PL_MALFORMED].packets, i + 1);
		assert_int_equal(l.lost[FFFA_PL_MALFORMED].bytes, ((size_t)i + 1) * p.len);
	}
	packet_start(&p, "arp");
	packet_eth(&p, 0x0806);
	packet_payload(&p, 46);
	(void)bpf_fixture_run(k, FFFA_PROGRAM_IP_IN, p.b, p.len);
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(l.not_ip_frames, 1);
	assert_int_equal(l.not_ip[0].ether_type, 0x0806);
	fffa_kernel_close(k);
}

/* Where the programs begin to look for a place of this ether type. */
static uint32_t place_of(uint16_t type)
{
	return (type ^ (uint32_t)type >> 5 ^ (uint32_t)type >> 10) % FFFA_NOT_IP_SLOTS;
}

static uint64_t frames_of(const struct fffa_ledger *l, uint16_t type)
{
	for (int i = 0; i < FFFA_LEDGER_NOT_IP_TYPES; i++) {
		if (l->not_ip[i].frames && l->not_ip[i].ether_type == type)
			return l->not_ip[i].frames;
	}
	return 0;
}

/* Each type is counted by itself, while one of four places is free; the others are in the sum alone. */
static void frames_without_ip(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open(1024, 65536);
	uint16_t types[5], n = 0;
	struct fffa_ledger l = {0};
	struct packet p;

	(void)state;
	for (uint16_t type = 0x9300; n < 5; type++) {
		if (!n || place_of(type) == place_of(types[0]))
			types[n++] = type;
	}
	for (unsigned int i = 0; i < 5; i++) {
		packet_start(&p, "other");
		packet_eth(&p, types[i]);
		packet_payload(&p, 46);
		for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++)
			(void)bpf_fixture_repeat(k, (enum fffa_program)prog, p.b, p.len, i + 1);
	}
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(l.not_ip_frames, 3 * (1 + 2 + 3 + 4 + 5));
	assert_int_equal(l.seen[0].packets + l.seen[1].packets, 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(frames_of(&l, types[i]), 3 * (i + 1));
	assert_int_equal(frames_of(&l, types[4]), 0);
	fffa_kernel_close(k);
}

static uint32_t noted(const struct fffa_kernel *k, uint32_t spi)
{
	struct fffa_ipsec_spi key = {.spi = htonl(spi), .ifindex = LO};
	uint32_t ticks = 0;

	(void)bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.fffa_ipsec), &key, &ticks);
	return ticks;
}

static void send_esp(const struct fffa_kernel *k, enum fffa_program prog, uint16_t dport,
		     uint32_t spi)
{
	struct packet p;
	size_t at = 14 + 20 + (dport ? 8 : 0);

	udp_packet(&p, 9, dport, dport ? 17 : 50);
	spi = htonl(spi);
	memcpy(p.b + at, &spi, sizeof(spi));
	(void)bpf_fixture_run(k, prog, p.b, p.len);
}

/* When an encrypted packet came in, by its association; nothing of what leaves, and of IKE. */
static void encrypted_packets_are_noted(void **state)
{
	struct fffa_kernel *k = bpf_fixture_open(1024, 65536);
	struct fffa_kernel_now before, after;

	(void)state;
	if (!k->skel->rodata->fffa_conf.ipsec_life_ticks) {
		fffa_kernel_close(k);
		print_message("this kernel is built without IPsec\n");
		skip();
	}
	send_esp(k, FFFA_PROGRAM_TC_OUT, 0, 0x1001);
	send_esp(k, FFFA_PROGRAM_TC_IN, 4501, 0x1001);
	send_esp(k, FFFA_PROGRAM_TC_IN, 4500, 0);
	send_esp(k, FFFA_PROGRAM_XDP_IN, 0, 0x1001);
	assert_int_equal(k->ctl->ipsec_ticks, 0);
	assert_int_equal(noted(k, 0x1001), 0);
	fffa_kernel__now(k, &before);
	send_esp(k, FFFA_PROGRAM_TC_IN, 0, 0x1001);
	send_esp(k, FFFA_PROGRAM_TC_IN, 4500, 0x1002);
	fffa_kernel__now(k, &after);
	assert_uint_in_range(noted(k, 0x1001), before.ticks, after.ticks);
	assert_uint_in_range(noted(k, 0x1002), before.ticks, after.ticks);
	assert_uint_in_range(k->ctl->ipsec_ticks, before.ticks, after.ticks);
	/* The mark for all is written again when a quarter of the time has passed. */
	k->ctl->ipsec_ticks = after.ticks - k->skel->rodata->fffa_conf.ipsec_life_ticks / 4;
	fffa_kernel__now(k, &before);
	send_esp(k, FFFA_PROGRAM_TC_IN, 0, 0x1001);
	assert_true(k->ctl->ipsec_ticks >= before.ticks);
	/* Not sooner, because every packet reads that line of memory. */
	before.ticks = k->ctl->ipsec_ticks -= 10;
	send_esp(k, FFFA_PROGRAM_TC_IN, 0, 0x1001);
	fffa_kernel__now(k, &after);
	if (after.ticks - before.ticks < k->skel->rodata->fffa_conf.ipsec_life_ticks / 4)
		assert_int_equal(k->ctl->ipsec_ticks, before.ticks);
	fffa_kernel_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_muted_program_counts_nothing),
		cmocka_unit_test(packets_that_begin_with_ip),
		cmocka_unit_test(frames_without_ip),
		cmocka_unit_test(encrypted_packets_are_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
