// SPDX-License-Identifier: MIT
#include "tests/unit/capture/frame_fixture.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

struct fffa_frame_conf frame_conf(void)
{
	return (struct fffa_frame_conf){
		.linktype = 1 /* Ethernet */, .geneve_ports = {6081}, .vxlan_ports = {4789}};
}

struct parsed frame_parse(const struct fffa_frame_conf *c, const void *bytes, size_t len,
			  size_t wire)
{
	uint8_t *copy = malloc(len ? len : 1); /* the sanitizer guards its end */
	struct parsed s = {0};

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	s.result = fffa_frame_parse(c, copy, len, wire, &s.p, &s.t, &s.tunnelled);
	free(copy);
	return s;
}

struct parsed frame_whole(struct packet *p)
{
	struct fffa_frame_conf c = frame_conf();

	packet_finish(p);
	return frame_parse(&c, p->b, p->len, p->len);
}

void frame_expect(const struct parsed *s, uint8_t proto, uint16_t sport, uint16_t dport,
		  uint64_t bytes)
{
	assert_int_equal(s->result, FFFA_PARSE_OK);
	assert_int_equal(s->p.key.proto, proto);
	assert_int_equal(ntohs(s->p.key.sport), sport);
	assert_int_equal(ntohs(s->p.key.dport), dport);
	assert_int_equal(s->p.packets, 1);
	assert_int_equal(s->p.bytes, bytes);
	assert_int_equal(s->p.key.ifindex, 0);
	assert_int_equal(s->p.key.tunnel, 0); /* the caller gives the id */
}

void frame_expect_v4(const uint8_t *addr, uint32_t want)
{
	uint8_t mapped[16] = {[10] = 0xff,
			      [11] = 0xff,
			      [12] = (uint8_t)(want >> 24),
			      [13] = (uint8_t)(want >> 16),
			      [14] = (uint8_t)(want >> 8),
			      [15] = (uint8_t)want};

	assert_memory_equal(addr, mapped, 16);
}

void frame_expect_v6(const uint8_t *addr, uint8_t tail)
{
	uint8_t want[16] = {0xfd, [15] = tail};

	assert_memory_equal(addr, want, 16);
}
