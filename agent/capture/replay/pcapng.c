// SPDX-License-Identifier: MIT
/* The pcapng format (draft-ietf-opsawg-pcapng): blocks; those without packets are skipped. */
#include <errno.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/capture/replay/capture_file_internal.h"

#define SECTION_HEADER	 0x0a0d0d0a
#define INTERFACE	 1
#define OLD_PACKET	 2
#define SIMPLE_PACKET	 3
#define ENHANCED_PACKET	 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d

#define LATEST_NS UINT64_C(9000000000000000000) /* the year 2255: so that sums fit */

#define OPTION_TIME_RESOLUTION 9
#define OPTION_TIME_OFFSET     14
#define OPTION_FLAGS	       2 /* of a packet */

static uint16_t u16(const struct fffa_capture_file *f, const uint8_t *at)
{
	return fffa_capture_file__u16(f, at);
}

static uint32_t u32(const struct fffa_capture_file *f, const uint8_t *at)
{
	return fffa_capture_file__u32(f, at);
}

/* The value of option `code` among the n bytes at b, of at least `size` bytes; NULL: none. */
static const uint8_t *find_option(const struct fffa_capture_file *f, const uint8_t *b, size_t n,
				  uint16_t code, size_t size)
{
	while (n >= 4) {
		uint16_t type = u16(f, b), len = u16(f, b + 2);
		size_t whole = 4 + ((size_t)len + 3) / 4 * 4;

		if (!type || whole > n)
			return NULL;
		if (type == code)
			return len >= size ? b + 4 : NULL;
		b += whole;
		n -= whole;
	}
	return NULL;
}

/* From the byte-order magic on: the block's type and length have been read. */
static int take_section(struct fffa_capture_file *f, const uint8_t length[4], struct fffa_err *err)
{
	uint32_t magic, total;
	uint8_t b[4];
	int rc = fffa_capture_file__read(f, &magic, sizeof(magic), err);

	if (rc)
		return rc;
	f->swapped = magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
	if (magic != BYTE_ORDER_MAGIC && !f->swapped)
		return fffa_fail(err, EINVAL, "a pcapng section without its byte-order magic");
	total = u32(f, length);
	if (total < 28 || total % 4 || total > FFFA_CAPTURE_BYTES_MAX)
		return fffa_fail(err, EIO, "a pcapng section header of %u bytes", total);
	rc = fffa_capture_file__read(f, NULL, total - 12, err);
	if (rc)
		return rc;
	memcpy(b, f->buf, sizeof(b));
	if (u16(f, b) != 1)
		return fffa_fail(err, ENOTSUP, "pcapng version %u.%u is not supported", u16(f, b),
				 u16(f, b + 2));
	f->interface_count = 0; /* each section counts its own */
	return 0;
}

int fffa_pcapng_begin(struct fffa_capture_file *f, struct fffa_err *err)
{
	uint8_t length[4];
	int rc = fffa_capture_file__read(f, length, sizeof(length), err);

	return rc ? rc : take_section(f, length, err);
}

static int take_interface(struct fffa_capture_file *f, size_t n, struct fffa_err *err)
{
	struct fffa_capture_interface i = {.exponent = 6};
	const uint8_t *o;

	if (n < 8)
		return fffa_fail(err, EIO, "a pcapng interface block of %zu bytes", n + 12);
	i.linktype = u16(f, f->buf);
	i.snaplen = u32(f, f->buf + 4);
	o = find_option(f, f->buf + 8, n - 8, OPTION_TIME_RESOLUTION, 1);
	if (o) {
		i.binary = *o & 0x80;
		i.exponent = *o & 0x7f;
	}
	if (i.exponent > (i.binary ? 63 : 19))
		return fffa_fail(err, ENOTSUP, "a pcapng time resolution of %s%u is not supported",
				 i.binary ? "2^-" : "10^-", i.exponent);
	o = find_option(f, f->buf + 8, n - 8, OPTION_TIME_OFFSET, 8);
	if (o) {
		uint64_t v;

		memcpy(&v, o, sizeof(v));
		i.offset_s = (int64_t)(f->swapped ? __builtin_bswap64(v) : v);
	}
	return fffa_capture_file__add_interface(f, &i, err);
}

static uint64_t unix_ns(const struct fffa_capture_interface *i, uint64_t ticks)
{
	__int128 ns = (__int128)ticks * FFFA_NS_PER_S;

	if (i->binary) {
		ns >>= i->exponent;
	} else {
		uint64_t unit = 1;

		for (uint8_t k = 0; k < i->exponent; k++)
			unit *= 10;
		ns /= unit;
	}
	ns += (__int128)i->offset_s * FFFA_NS_PER_S;
	if (ns < 0)
		return 0;
	return ns > LATEST_NS ? LATEST_NS : (uint64_t)ns;
}

/* The interface of that number; NULL with err: the section has none. */
static const struct fffa_capture_interface *interface_of(const struct fffa_capture_file *f,
							 uint32_t number, struct fffa_err *err)
{
	if (number < f->interface_count)
		return &f->interfaces[number];
	(void)fffa_fail(err, EIO, "a packet of interface %u, which the section does not describe",
			number);
	return NULL;
}

/* The packet's bytes are at offset `at` of the block's n bytes; options follow them. */
static int give(const struct fffa_capture_file *f, const struct fffa_capture_interface *i,
		size_t at, size_t n, struct fffa_capture_packet *p, struct fffa_err *err)
{
	size_t whole = ((size_t)p->captured + 3) / 4 * 4;
	const uint8_t *flags;

	if (p->captured > n - at || whole > n - at)
		return fffa_fail(err, EIO, "a packet of %u bytes in a block of %zu", p->captured,
				 n + 12);
	p->bytes = f->buf + at;
	p->linktype = i->linktype;
	p->swapped = f->swapped;
	p->one_of_many = f->interface_count > 1;
	if (p->wire < p->captured)
		p->wire = p->captured;
	flags = find_option(f, f->buf + at + whole, n - at - whole, OPTION_FLAGS, 4);
	if (flags && (u32(f, flags) & 3) == 1)
		p->way = FFFA_WAY_IN;
	if (flags && (u32(f, flags) & 3) == 2)
		p->way = FFFA_WAY_OUT;
	return 1;
}

/* An enhanced or an old packet block; they differ in the width of the interface's number. */
static int take_packet(const struct fffa_capture_file *f, bool old, size_t n,
		       struct fffa_capture_packet *p, struct fffa_err *err)
{
	const struct fffa_capture_interface *i;
	const uint8_t *b = f->buf;

	if (n < 20)
		return fffa_fail(err, EIO, "a pcapng packet block of %zu bytes", n + 12);
	i = interface_of(f, old ? u16(f, b) : u32(f, b), err);
	if (!i)
		return -EIO;
	*p = (struct fffa_capture_packet){
		.captured = u32(f, b + 12),
		.wire = u32(f, b + 16),
		.unix_ns = unix_ns(i, (uint64_t)u32(f, b + 4) << 32 | u32(f, b + 8)),
		.timed = true,
	};
	return give(f, i, 20, n, p, err);
}

/* A simple packet block: of the first interface, without a time. */
static int take_simple(const struct fffa_capture_file *f, size_t n, struct fffa_capture_packet *p,
		       struct fffa_err *err)
{
	const struct fffa_capture_interface *i = interface_of(f, 0, err);

	if (!i)
		return -EIO;
	if (n < 4)
		return fffa_fail(err, EIO, "a pcapng packet block of %zu bytes", n + 12);
	*p = (struct fffa_capture_packet){.wire = u32(f, f->buf)};
	p->captured = p->wire;
	if (i->snaplen && p->captured > i->snaplen)
		p->captured = i->snaplen;
	if (p->captured > n - 4)
		p->captured = (uint32_t)(n - 4);
	return give(f, i, 4, n, p, err);
}

/* One block of n bytes between its two lengths, in f->buf. 0: it holds no packet. */
static int take_block(struct fffa_capture_file *f, uint32_t type, size_t n,
		      struct fffa_capture_packet *p, struct fffa_err *err)
{
	switch (type) {
	case INTERFACE:
		return take_interface(f, n, err);
	case OLD_PACKET:
	case ENHANCED_PACKET:
		return take_packet(f, type == OLD_PACKET, n, p, err);
	default:
		return take_simple(f, n, p, err);
	}
}

static bool is_known(uint32_t type)
{
	return type == INTERFACE || type == OLD_PACKET || type == SIMPLE_PACKET ||
	       type == ENHANCED_PACKET;
}

static int skip(struct fffa_capture_file *f, size_t n, struct fffa_err *err)
{
	ssize_t got = fffa_input_read(f->input, NULL, n, err);

	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : fffa_fail(err, EIO, "the file ends within a block");
}

/* The block of this type and length. 1: *p is a packet; 0: go on. */
static int read_block(struct fffa_capture_file *f, uint32_t type, uint32_t total,
		      struct fffa_capture_packet *p, struct fffa_err *err)
{
	uint8_t tail[4];
	int rc;

	if (total < 12 || total % 4)
		return fffa_fail(err, EIO, "a pcapng block of %u bytes", total);
	if (!is_known(type))
		return skip(f, total - 8, err);
	if (total > FFFA_CAPTURE_BYTES_MAX)
		return fffa_fail(err, EIO, "a pcapng block of %u bytes", total);
	rc = fffa_capture_file__read(f, NULL, total - 12, err);
	if (!rc)
		rc = fffa_capture_file__read(f, tail, sizeof(tail), err);
	if (rc)
		return rc;
	if (u32(f, tail) != total)
		return fffa_fail(err, EIO, "a pcapng block of %u bytes that ends as one of %u",
				 total, u32(f, tail));
	return take_block(f, type, total - 12, p, err);
}

int fffa_pcapng_next(struct fffa_capture_file *f, struct fffa_capture_packet *p,
		     struct fffa_err *err)
{
	int rc = 0;

	while (!rc) {
		uint8_t h[8];
		ssize_t got = fffa_input_read(f->input, h, sizeof(h), err);

		if (got <= 0)
			return (int)got;
		if ((size_t)got < sizeof(h))
			return fffa_fail(err, EIO, "the file ends within a block");
		if (u32(f, h) == SECTION_HEADER) /* the same in both byte orders */
			rc = take_section(f, h + 4, err);
		else
			rc = read_block(f, u32(f, h), u32(f, h + 4), p, err);
	}
	return rc;
}
