// SPDX-License-Identifier: MIT
/* What each link header says by itself: where IP begins, which way the packet went, how short it may be. */
#include "agent/capture/replay/link_types.h"

#include <string.h>

#include "agent/capture/replay/frame.h"
#include "bpf/link.h"
#include "tests/stubs/cmocka_all.h"

#define IP(off)	 FFFA_LINK(off, FFFA_ETH_P_IP)
#define IP6(off) FFFA_LINK(off, FFFA_ETH_P_IPV6)
#define NOT_IP	 (FFFA_LINK_END | FFFA_ETH_P_LLC)
#define SNAP	 0xaa, 0xaa, 3, 0, 0, 0, 8, 0
#define SNAP6	 0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd
#define BYTES	 128

struct way {
	int linktype;
	uint8_t b[BYTES];
	enum fffa_capture_way way;
};

static uint32_t walk(int linktype, bool swapped, const uint8_t *b, size_t n,
		     enum fffa_capture_way *way)
{
	uint8_t *copy = malloc(n ? n : 1); /* the sanitizer guards its end */
	uint32_t step;

	assert_non_null(copy);
	memcpy(copy, b, n);
	step = fffa_link_types_walk(linktype, swapped, copy, copy + n, way);
	free(copy);
	return step;
}

static void test_the_header_says_which_way(void **state)
{
	static const struct way rows[] = {
		{113, {0, 0}, FFFA_WAY_IN},
		{113, {0, 3}, FFFA_WAY_IN},
		{113, {0, 4}, FFFA_WAY_OUT},
		{113, {0, 5}, FFFA_WAY_UNKNOWN},
		{113, {1, 4}, FFFA_WAY_UNKNOWN},
		{276, {[10] = 0}, FFFA_WAY_IN},
		{276, {[10] = 4}, FFFA_WAY_OUT},
		{276, {[10] = 5}, FFFA_WAY_UNKNOWN},
		{204, {0, 0x21}, FFFA_WAY_IN},
		{204, {1, 0x21}, FFFA_WAY_OUT},
		{166, {0, 0x21}, FFFA_WAY_IN},
		{166, {1, 0x21}, FFFA_WAY_OUT},
		{166, {0xff, 0x21}, FFFA_WAY_UNKNOWN},
		{1, {4}, FFFA_WAY_UNKNOWN},
		/* NFLOG: the hook stands in the third attribute, then comes the payload */
		{239, {[4] = 8, 0, 1, 0, 8, 0, 0, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_IN},
		{239, {[4] = 8, 0, 1, 0, 8, 0, 2, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_IN},
		{239, {[4] = 8, 0, 1, 0, 8, 0, 3, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_OUT},
		{239, {[4] = 8, 0, 1, 0, 8, 0, 4, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_OUT},
		{239, {[4] = 8, 0, 1, 0, 8, 0, 5, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_IN},
		{239, {[4] = 7, 0, 1, 0, 8, 0, 3, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_OUT},
		{239, {[4] = 6, 0, 1, 0, 8, 0, 3, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_UNKNOWN},
		{239, {[4] = 8, 0, 0, 0, 8, 0, 3, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_UNKNOWN},
		{239, {[4] = 8, 0, 2, 0, 8, 0, 3, 0, 5, 0, 9, 0, 0x45}, FFFA_WAY_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum fffa_capture_way way = FFFA_WAY_UNKNOWN;

		(void)walk(rows[i].linktype, false, rows[i].b, BYTES, &way);
		assert_int_equal(way, rows[i].way);
	}
}

/* What a packet whose link header is cut off had at least less. */
static void test_the_shortest_headers(void **state)
{
	static const struct {
		int linktype;
		uint32_t bytes;
	} rows[] = {
		{0, 4},	   {1, 14},   {9, 2},	 {12, 0},   {14, 0},  {50, 4},
		{51, 7},   {101, 0},  {104, 4},	 {105, 24}, {108, 4}, {109, 12},
		{113, 16}, {119, 32}, {127, 32}, {163, 32}, {166, 2}, {204, 2},
		{228, 0},  {229, 0},  {239, 4},	 {276, 20}, {147, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(fffa_link_types_header_bytes(rows[i].linktype), rows[i].bytes);
}

static void test_where_ip_begins(void **state)
{
	static const struct {
		int linktype;
		uint8_t b[BYTES];
		uint32_t step;
	} rows[] = {
		/* Types below 0x600 are Linux's own; 1 and 4 are 802.3 and LLC. */
		{113, {[14] = 0, 1, SNAP}, IP(24)},
		{113, {[14] = 0, 4, SNAP}, IP(24)},
		{113, {[14] = 0, 3, SNAP}, NOT_IP},
		{113, {[14] = 5, 0xff, SNAP}, NOT_IP},
		{276, {0, 4, [20] = SNAP6}, IP6(28)},
		{276, {0, 12, [20] = SNAP}, NOT_IP},
		{51, {0x11, [6] = 0, 0x21}, IP(8)},
		{51, {0x11, [6] = 0xc0, 0x21}, FFFA_LINK_END | FFFA_ETH_P_PPP_SES},
		{50, {0x8f, 0, 8, 0}, IP(4)},
		{50, {0x0f, 0, 0x86, 0xdd}, IP6(4)},
		{50, {0x0f, 1, 8, 0}, FFFA_LINK_END | FFFA_ETH_P_PPP_SES},
		{9, {0xff, 3, 0x57}, IP6(3)},
		{9, {0xff, 2, 0x57}, FFFA_LINK_END | FFFA_ETH_P_PPP_SES},
		{166, {0, 3, 0x21}, IP(3)},
		{166, {0, 0x21}, IP(2)},
		{204, {0, 0xff, 3, 0x21}, IP(4)},
		{0, {0, 0, 0, 2, 0x45}, IP(4)},
		{108, {0, 0, 0, 24, 0x60}, IP6(4)},
		{109, {[12] = 0x45}, IP(12)},
		{109, {[12] = 0x55}, NOT_IP},
		{12, {0x45}, IP(0)},
		{14, {0x60}, IP6(0)},
		{228, {0x45}, IP(0)},
		{229, {0x60}, IP6(0)},
		{101, {0x30}, NOT_IP},
		/* NFLOG: an attribute is padded to words; one without its own header ends it */
		{239, {[4] = 5, 0, 2, 0, 1, 0, 0, 0, 8, 0, 9, 0, 0x45}, IP(16)},
		{239, {[4] = 3, 0, 2, 0, 8, 0, 9, 0, 0x45}, NOT_IP},
		{239, {[4] = 4, 0, 2, 0, 8, 0, 9, 0, 0x45}, IP(12)},
		/* 802.11: the header as it is, with a fourth address, with quality of service */
		{105, {0x08, 0, [24] = SNAP}, IP(32)},
		{105, {0x08, 3, [30] = SNAP6}, IP6(38)},
		{105, {0x88, 0, [26] = SNAP}, IP(34)},
		{105, {0x88, 0x80, [30] = SNAP}, IP(38)},
		{105, {0x88, 3, [32] = SNAP}, IP(40)},
		{105, {0x88, 0, [24] = 0x80, 0, [40] = SNAP}, IP(48)}, /* aggregate */
		{105, {0x18, 0, [24] = SNAP}, IP(32)},
		{105, {0x04, 0, [24] = SNAP}, NOT_IP},
		{105, {0x48, 0, [24] = SNAP}, NOT_IP},
		{105, {0x08, 0x40, [24] = SNAP}, NOT_IP},
		/* Prism: a length in the byte order of Intel; AVS, by its magic, in the other */
		{119, {0x44, 0, 0, 0, 12, 0, 0, 0, [12] = 0x08, 0, [36] = SNAP}, IP(44)},
		{163, {0x80, 0x21, 0x10, 2, 0, 0, 0, 12, [12] = 0x08, 0, [36] = SNAP}, IP(44)},
		{119, {0x44, 0, 0, 0, 8, 0, 0, 0, 0x08, 0, [32] = SNAP}, IP(40)},
		{119, {0x44, 0, 0, 0, 7, 0, 0, 0, 0x08, 0, [32] = SNAP}, NOT_IP},
		{119, {0x44, 0, 0, 0, 1, 4, 0, 0}, NOT_IP},
		{119, {0x44, 0, 0, 0, 0, 4, 0, 0}, FFFA_LINK_TRUNCATED},
		/* radiotap: no fields; more words; the flags behind the clock; padded */
		{127, {0, 0, 8, [8] = 0x08, 0, [32] = SNAP}, IP(40)},
		{127, {0, 0, 7, [8] = 0x08, 0, [32] = SNAP}, FFFA_LINK_TRUNCATED},
		{127, {0, 0, 13, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0x20, 0x88, 0, [41] = SNAP}, IP(49)},
		{127, {0, 0, 13, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0, 0x88, 0, [39] = SNAP}, IP(47)},
		{127,
		 {0, 0,	   17, 0, 2, 0, 0,    0x80, 0, 0,
		  0, 0x80, 0,  0, 0, 0, 0x20, 0x88, 0, [45] = SNAP},
		 IP(53)},
		{127, {0, 0, 17, 0, 3, 0, 0, 0, [16] = 0x20, 0x88, 0, [45] = SNAP}, IP(53)},
		{127, {0, 0, 25, 0, 3, 0, 0, 0x80, [24] = 0x20, 0x88, 0, [53] = SNAP}, IP(61)},
		{127, {0, 0, 8, 0, 2, 0, 0, 0, 0x28, 0, [32] = SNAP}, IP(40)},
	};
	enum fffa_capture_way way = FFFA_WAY_UNKNOWN;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t step = walk(rows[i].linktype, false, rows[i].b, BYTES, &way);

		if (step != rows[i].step)
			print_message("row %zu\n", i);
		assert_int_equal(step, rows[i].step);
	}
	assert_int_equal(walk(147, false, rows[0].b, BYTES, &way), NOT_IP);
}

/* Attributes without end are not followed for ever, and each one must be there. */
static void test_nflog_has_a_bound(void **state)
{
	enum fffa_capture_way way = FFFA_WAY_UNKNOWN;
	uint8_t b[4 + 4 * 65 + 4];

	(void)state;
	memset(b, 0, sizeof(b));
	for (size_t at = 4; at < sizeof(b) - 8; at += 4)
		b[at] = 4;
	for (size_t n = 62; n <= 65; n++) {
		uint8_t *payload = b + 4 + 4 * n;

		memcpy(payload, (const uint8_t[]){8, 0, 9, 0, 0x45, 0, 0, 0}, n < 65 ? 8 : 4);
		assert_int_equal(walk(239, false, b, sizeof(b), &way),
				 n < 64 ? IP(4 + 4 * n + 4) : NOT_IP);
		memcpy(payload, (const uint8_t[]){4, 0, 0, 0, 4, 0, 0, 0}, n < 65 ? 8 : 4);
	}
	assert_int_equal(walk(239, false, b, 7, &way), FFFA_LINK_TRUNCATED);
	assert_int_equal(walk(239, false, b, 8, &way), FFFA_LINK_TRUNCATED);
}

/* Each of them, cut anywhere, is never read behind its end. */
static void test_cut_anywhere(void **state)
{
	static const int linktypes[] = {0,   1,	  9,   12,  14,	 50,  51,  101, 104, 105, 108,
					109, 113, 119, 127, 163, 166, 204, 228, 229, 239, 276};
	enum fffa_capture_way way = FFFA_WAY_UNKNOWN;
	uint8_t b[64];

	(void)state;
	for (int fill = 0; fill < 256; fill++) {
		memset(b, fill, sizeof(b));
		for (size_t i = 0; i < sizeof(linktypes) / sizeof(linktypes[0]); i++) {
			for (size_t n = 0; n <= sizeof(b); n++)
				(void)walk(linktypes[i], fill & 1, b, n, &way);
			assert_int_equal(walk(linktypes[i], false, b, 0, &way),
					 FFFA_LINK_TRUNCATED);
		}
	}
}

/* What a replay begins with, whatever was there before. */
static void test_a_frame_configuration(void **state)
{
	struct fffa_capture_conf capture;
	static const struct fffa_cidr local[2];
	struct fffa_frame_conf f;

	(void)state;
	memset(&capture, 0, sizeof(capture));
	capture.tunnel_view = FFFA_TUNNEL_VIEW_OUTER;
	memset(&f, 0xff, sizeof(f));
	f.swapped = true;
	fffa_frame_conf_init(&f, &capture, local, 2);
	assert_int_equal(f.linktype, 1);
	assert_false(f.swapped);
	assert_int_equal(f.way, FFFA_WAY_UNKNOWN);
	assert_ptr_equal(f.local, local);
	assert_int_equal(f.local_count, 2);
	for (size_t i = 0; i < FFFA_MAX_TUNNEL_PORTS; i++)
		assert_true(!f.geneve_ports[i] && !f.vxlan_ports[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_header_says_which_way),
		cmocka_unit_test(test_the_shortest_headers),
		cmocka_unit_test(test_where_ip_begins),
		cmocka_unit_test(test_nflog_has_a_bound),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_a_frame_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
