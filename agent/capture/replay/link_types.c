// SPDX-License-Identifier: MIT
#include "agent/capture/replay/link_types.h"

#include <pcap/pcap.h>
#include <stdio.h>

#include "bpf/link.h"

#define NOT_IP		   (FFFA_LINK_END | FFFA_ETH_P_LLC)
#define OUTGOING	   4 /* PACKET_OUTGOING of Linux */
#define NFLOG_PACKET	   1
#define NFLOG_PAYLOAD	   9
#define NFLOG_OUTPUT	   3 /* hooks of netfilter */
#define NFLOG_POSTROUTING  4
#define NFLOG_TLVS_MAX	   64
#define RADIOTAP_TSFT	   0x01
#define RADIOTAP_FLAGS	   0x02
#define RADIOTAP_EXT	   0x80000000U
#define RADIOTAP_WORDS_MAX 32
#define RADIOTAP_PADDED	   0x20
#define WIFI_HEADER	   24
#define AVS_MAGIC	   0x80211000U

struct frame {
	const uint8_t *b, *end;
	enum fffa_capture_way *way;
	bool swapped;
};

/* True when the frame has n bytes from offset off on. */
static bool has(const struct frame *f, uint32_t off, uint32_t n)
{
	return (size_t)(f->end - f->b) >= (size_t)off + n;
}

static uint16_t be16(const struct frame *f, uint32_t off)
{
	return FFFA_BE16(FFFA_LD16(f->b + off));
}

static uint32_t be32(const struct frame *f, uint32_t off)
{
	return FFFA_BE32(FFFA_LD32(f->b + off));
}

static uint16_t le16(const struct frame *f, uint32_t off)
{
	return (uint16_t)(f->b[off] | f->b[off + 1] << 8);
}

static uint32_t le32(const struct frame *f, uint32_t off)
{
	return (uint32_t)le16(f, off) | (uint32_t)le16(f, off + 2) << 16;
}

static uint32_t walk(const struct frame *f, uint32_t off, uint16_t type)
{
	return off > FFFA_LINK_MAX ? NOT_IP : fffa_link_walk(f->b, f->end, off, type);
}

/* By the version in the first four bits. */
static uint32_t walk_ip(const struct frame *f, uint32_t off)
{
	if (!has(f, off, 1))
		return FFFA_LINK_TRUNCATED;
	if (off > FFFA_LINK_MAX)
		return NOT_IP;
	if (f->b[off] >> 4 == 4)
		return FFFA_LINK(off, FFFA_ETH_P_IP);
	return f->b[off] >> 4 == 6 ? FFFA_LINK(off, FFFA_ETH_P_IPV6) : NOT_IP;
}

static uint32_t walk_raw(const struct frame *f)
{
	return walk_ip(f, 0);
}

/* BSD loopback: an address family of the capturing system, which numbers IPv6 as it likes. */
static uint32_t walk_null(const struct frame *f)
{
	return has(f, 0, 4) ? walk_ip(f, 4) : FFFA_LINK_TRUNCATED;
}

/* OpenBSD's enc(4): address family, SPI, flags. */
static uint32_t walk_enc(const struct frame *f)
{
	return has(f, 0, 12) ? walk_ip(f, 12) : FFFA_LINK_TRUNCATED;
}

static uint32_t walk_eth(const struct frame *f)
{
	return has(f, 0, 14) ? walk(f, 14, be16(f, 12)) : FFFA_LINK_TRUNCATED;
}

static void take_packet_type(const struct frame *f, uint16_t type)
{
	if (type <= OUTGOING)
		*f->way = type == OUTGOING ? FFFA_WAY_OUT : FFFA_WAY_IN;
}

/* Types below 0x600 are Linux's own; 1 and 4 are 802.3 and LLC. */
static uint32_t walk_cooked(const struct frame *f, uint32_t off, uint16_t type)
{
	if (type < FFFA_ETH_P_MIN && type != 1 && type != 4)
		return NOT_IP;
	return walk(f, off, type);
}

static uint32_t walk_sll(const struct frame *f)
{
	if (!has(f, 0, 16))
		return FFFA_LINK_TRUNCATED;
	take_packet_type(f, be16(f, 0));
	return walk_cooked(f, 16, be16(f, 14));
}

static uint32_t walk_sll2(const struct frame *f)
{
	if (!has(f, 0, 20))
		return FFFA_LINK_TRUNCATED;
	take_packet_type(f, f->b[10]);
	return walk_cooked(f, 20, be16(f, 0));
}

/* PPP (RFC 1661), with or without the address and control of HDLC-like framing (RFC 1662). */
static uint32_t walk_ppp_at(const struct frame *f, uint32_t off)
{
	if (has(f, off, 2) && f->b[off] == 0xff && f->b[off + 1] == 0x03)
		off += 2;
	return fffa_link_ppp(f->b + off, f->end, off);
}

static uint32_t walk_ppp(const struct frame *f)
{
	return walk_ppp_at(f, 0);
}

/* PPP behind a byte that says which way; 0 was received. */
static uint32_t walk_ppp_direction(const struct frame *f)
{
	if (!has(f, 0, 1))
		return FFFA_LINK_TRUNCATED;
	*f->way = f->b[0] ? FFFA_WAY_OUT : FFFA_WAY_IN;
	return walk_ppp_at(f, 1);
}

/* pppd writes the direction over the address byte; the control byte may follow. */
static uint32_t walk_ppp_pppd(const struct frame *f)
{
	if (!has(f, 0, 2))
		return FFFA_LINK_TRUNCATED;
	if (f->b[0] != 0xff)
		*f->way = f->b[0] ? FFFA_WAY_OUT : FFFA_WAY_IN;
	return walk_ppp_at(f, f->b[1] == 0x03 ? 2 : 1);
}

/* A PPPoE session without the Ethernet header. */
static uint32_t walk_ppp_ether(const struct frame *f)
{
	return walk(f, 0, FFFA_ETH_P_PPP_SES);
}

/* Cisco HDLC: address, control, ether type. A capture of PPP-HDLC may hold either. */
static uint32_t walk_chdlc(const struct frame *f)
{
	if (!has(f, 0, 4))
		return FFFA_LINK_TRUNCATED;
	return walk(f, 4, be16(f, 2));
}

static uint32_t walk_ppp_hdlc(const struct frame *f)
{
	if (has(f, 0, 2) && (f->b[0] == 0x0f || f->b[0] == 0x8f) && f->b[1] == 0)
		return walk_chdlc(f);
	return walk_ppp(f);
}

/* Attributes of netfilter, in the byte order of the capturing host: packet header, payload. */
static uint32_t walk_nflog(const struct frame *f)
{
	uint32_t off = 4;

	for (int i = 0; i < NFLOG_TLVS_MAX; i++) {
		uint16_t len, type;

		if (!has(f, off, 4))
			return FFFA_LINK_TRUNCATED;
		len = FFFA_LD16(f->b + off);
		type = FFFA_LD16(f->b + off + 2);
		if (f->swapped) {
			len = __builtin_bswap16(len);
			type = __builtin_bswap16(type);
		}
		if (len < 4)
			return NOT_IP;
		if (type == NFLOG_PAYLOAD)
			return walk_ip(f, off + 4);
		if (type == NFLOG_PACKET && len >= 7 && has(f, off, 7)) {
			uint8_t hook = f->b[off + 6];

			*f->way = hook == NFLOG_OUTPUT || hook == NFLOG_POSTROUTING ? FFFA_WAY_OUT
										    : FFFA_WAY_IN;
		}
		off += (len + 3U) & ~3U;
	}
	return NOT_IP;
}

/* A data frame of IEEE 802.11 that is not encrypted; its header is padded to words when asked. */
static uint32_t walk_wifi_at(const struct frame *f, uint32_t off, bool padded)
{
	uint32_t header = WIFI_HEADER;
	bool aggregate = false;

	if (!has(f, off, 2))
		return FFFA_LINK_TRUNCATED;
	/* data, not a "null" frame without data, not protected */
	if ((f->b[off] & 0x0c) != 0x08 || f->b[off] & 0x40 || f->b[off + 1] & 0x40)
		return NOT_IP;
	if ((f->b[off + 1] & 3) == 3) /* between access points: a fourth address */
		header += 6;
	if (f->b[off] & 0x80) { /* quality of service */
		if (!has(f, off, header + 2))
			return FFFA_LINK_TRUNCATED;
		aggregate = f->b[off + header] & 0x80;
		header += f->b[off + 1] & 0x80 ? 6 : 2;
	}
	if (padded)
		header = (header + 3) & ~3U;
	if (aggregate) /* of several packets: the first one, behind addresses and length */
		header += 14;
	return walk(f, off + header, FFFA_ETH_P_LLC);
}

static uint32_t walk_wifi(const struct frame *f)
{
	return walk_wifi_at(f, 0, false);
}

static uint32_t walk_radiotap(const struct frame *f)
{
	uint32_t at = 8, len, present, first;
	bool padded = false;

	if (!has(f, 0, 8))
		return FFFA_LINK_TRUNCATED;
	len = le16(f, 2);
	first = present = le32(f, 4);
	for (int i = 0; present & RADIOTAP_EXT && i < RADIOTAP_WORDS_MAX; i++, at += 4) {
		if (!has(f, at, 4))
			return FFFA_LINK_TRUNCATED;
		present = le32(f, at);
	}
	if (first & RADIOTAP_TSFT)
		at = ((at + 7) & ~7U) + 8;
	if (len < 8 || !has(f, 0, len))
		return FFFA_LINK_TRUNCATED;
	if (first & RADIOTAP_FLAGS && at < len)
		padded = f->b[at] & RADIOTAP_PADDED;
	return walk_wifi_at(f, len, padded);
}

/* The headers of Prism and AVS have one link type. */
static uint32_t walk_prism(const struct frame *f)
{
	uint32_t len;

	if (!has(f, 0, 8))
		return FFFA_LINK_TRUNCATED;
	len = (be32(f, 0) & 0xfffff000U) == AVS_MAGIC ? be32(f, 4) : le32(f, 4);
	if (len < 8 || len > FFFA_LINK_MAX)
		return NOT_IP;
	return walk_wifi_at(f, len, false);
}

static const struct row {
	int linktype;
	uint32_t header_bytes;
	uint32_t (*walk)(const struct frame *f);
} rows[] = {
	{0, 4, walk_null},	/* NULL */
	{1, 14, walk_eth},	/* ETHERNET */
	{9, 2, walk_ppp},	/* PPP */
	{12, 0, walk_raw},	/* RAW of BSD */
	{14, 0, walk_raw},	/* RAW of OpenBSD */
	{50, 4, walk_ppp_hdlc}, /* PPP_HDLC */
	{51, 7, walk_ppp_ether},
	{101, 0, walk_raw},
	{104, 4, walk_chdlc},
	{105, WIFI_HEADER, walk_wifi},
	{108, 4, walk_null}, /* LOOP */
	{109, 12, walk_enc},
	{113, 16, walk_sll},
	{119, WIFI_HEADER + 8, walk_prism},
	{127, WIFI_HEADER + 8, walk_radiotap},
	{163, WIFI_HEADER + 8, walk_prism}, /* AVS */
	{166, 2, walk_ppp_pppd},
	{204, 2, walk_ppp_direction},
	{228, 0, walk_raw}, /* IPV4 */
	{229, 0, walk_raw}, /* IPV6 */
	{239, 4, walk_nflog},
	{276, 20, walk_sll2},
};

static const struct row *row_of(int linktype)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].linktype == linktype)
			return &rows[i];
	}
	return NULL;
}

bool fffa_link_types_has(int linktype)
{
	return row_of(linktype) != NULL;
}

const char *fffa_link_types_name(int linktype, char *dst, size_t cap)
{
	/* libpcap's numbers are those of the files but for a few old ones. */
	const char *name = pcap_datalink_val_to_name(linktype);

	(void)snprintf(dst, cap, "%s (%d)", name ? name : "unknown", linktype);
	return dst;
}

uint32_t fffa_link_types_header_bytes(int linktype)
{
	const struct row *r = row_of(linktype);

	return r ? r->header_bytes : 0;
}

uint32_t fffa_link_types_walk(int linktype, bool swapped, const uint8_t *b, const uint8_t *end,
			      enum fffa_capture_way *way)
{
	struct frame f = {.b = b, .end = end, .swapped = swapped};
	const struct row *r = row_of(linktype);

	f.way = way;
	return r ? r->walk(&f) : NOT_IP;
}
