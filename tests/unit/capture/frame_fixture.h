/* SPDX-License-Identifier: MIT */
/* Parses one frame with the host build of the parser. */
#ifndef FFFA_TESTS_UNIT_CAPTURE_FRAME_FIXTURE_H
#define FFFA_TESTS_UNIT_CAPTURE_FRAME_FIXTURE_H

#include "agent/capture/replay/frame.h"
#include "tests/stubs/packets.h"

#define ADDR_A UINT32_C(0x0a000001) /* 10.0.0.1 */
#define ADDR_B UINT32_C(0x0a000002)
#define V4     0x0800
#define V6     0x86dd

struct parsed {
	enum fffa_parse result;
	struct fffa_packet p;
	struct fffa_tunnel t;
	bool tunnelled;
};

/* Ethernet, GENEVE on 6081, VXLAN on 4789, no local prefix. */
struct fffa_frame_conf frame_conf(void);
/* Parses the first len of wire bytes, in a copy, so that the sanitizer sees a read behind them. */
struct parsed frame_parse(const struct fffa_frame_conf *c, const void *bytes, size_t len,
			  size_t wire);
/* packet_finish, then parses all of p with frame_conf. */
struct parsed frame_whole(struct packet *p);

/* Asserts OK, protocol, ports and counts. */
void frame_expect(const struct parsed *s, uint8_t proto, uint16_t sport, uint16_t dport,
		  uint64_t bytes);
void frame_expect_v4(const uint8_t *addr, uint32_t want);
/* The addresses that packet_ipv6 makes: fd00::tail for the source, fd00::tail for the other. */
void frame_expect_v6(const uint8_t *addr, uint8_t tail);

#endif
