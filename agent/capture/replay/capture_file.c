// SPDX-License-Identifier: MIT
/* The classic pcap format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/capture/replay/capture_file_internal.h"

#define FILE_HEADER_BYTES   24
#define PACKET_HEADER_BYTES 16

/* variant: bits */
#define NANO 0x01 /* time stamps have nanoseconds */
#define MODIFIED                                                                                   \
	0x02 /* Alexey Kuznetsov's: the packet header goes on with interface and direction */
#define SWAPPED_LENGTHS	      0x04 /* the two lengths stand the other way round */
#define MAYBE_SWAPPED_LENGTHS 0x08

/* False: not a magic number of pcap. */
static bool take_magic(struct fffa_capture_file *f, uint32_t magic)
{
	static const struct {
		uint32_t magic;
		uint8_t variant;
	} rows[] = {{0xa1b2c3d4, 0}, {0xa1b23c4d, NANO}, {0xa1b2cd34, MODIFIED}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->variant = rows[i].variant;
		f->swapped = magic == __builtin_bswap32(rows[i].magic);
		if (magic == rows[i].magic || f->swapped)
			return true;
	}
	return false;
}

/* The rest of the file header. As libpcap: before version 2.4 the lengths were written otherwise. */
static int begin_pcap(struct fffa_capture_file *f, struct fffa_err *err)
{
	struct fffa_capture_interface i = {0};
	uint8_t h[FILE_HEADER_BYTES - 4];
	uint16_t major, minor;
	int rc = fffa_capture_file__read(f, h, sizeof(h), err);

	if (rc)
		return rc;
	major = fffa_capture_file__u16(f, h);
	minor = fffa_capture_file__u16(f, h + 2);
	if (major < 2 || (major > 2 && major != 543))
		return fffa_fail(err, EINVAL, "pcap version %u.%u is not supported", major, minor);
	if (major == 543 || minor < 3)
		f->variant |= SWAPPED_LENGTHS;
	else if (minor == 3)
		f->variant |= MAYBE_SWAPPED_LENGTHS;
	/* Above the 16 bits: the length of the frame check sequence, and reserved. */
	i.linktype = (uint16_t)fffa_capture_file__u32(f, h + 16);
	i.snaplen = fffa_capture_file__u32(f, h + 12);
	return fffa_capture_file__add_interface(f, &i, err);
}

static void swap_lengths(const struct fffa_capture_file *f, uint32_t *captured, uint32_t *wire)
{
	uint32_t was = *captured;

	if (f->variant & SWAPPED_LENGTHS ||
	    (f->variant & MAYBE_SWAPPED_LENGTHS && *captured > *wire)) {
		*captured = *wire;
		*wire = was;
	}
}

static int next_pcap(struct fffa_capture_file *f, struct fffa_capture_packet *p,
		     struct fffa_err *err)
{
	const size_t header = PACKET_HEADER_BYTES + (f->variant & MODIFIED ? 8 : 0);
	uint8_t h[PACKET_HEADER_BYTES + 8];
	ssize_t got = fffa_input_read(f->input, h, header, err);
	uint64_t fraction;
	int rc;

	if (got <= 0)
		return (int)got;
	if ((size_t)got < header)
		return fffa_fail(err, EIO, "the file ends within a packet's header");
	fraction = fffa_capture_file__u32(f, h + 4);
	*p = (struct fffa_capture_packet){
		.captured = fffa_capture_file__u32(f, h + 8),
		.wire = fffa_capture_file__u32(f, h + 12),
		.unix_ns = fffa_capture_file__u32(f, h) * FFFA_NS_PER_S +
			   (f->variant & NANO ? fraction : fraction * 1000),
		.timed = true,
		.swapped = f->swapped,
		.linktype = f->interfaces[0].linktype,
	};
	if (f->variant & MODIFIED && h[22] <= 4) /* PACKET_OUTGOING is 4 */
		p->way = h[22] == 4 ? FFFA_WAY_OUT : FFFA_WAY_IN;
	swap_lengths(f, &p->captured, &p->wire);
	if (p->captured > FFFA_CAPTURE_BYTES_MAX)
		return fffa_fail(err, EIO, "a packet of %u bytes: the file is damaged",
				 p->captured);
	rc = fffa_capture_file__read(f, NULL, p->captured, err);
	p->bytes = f->buf;
	if (p->wire < p->captured)
		p->wire = p->captured;
	return rc ? rc : 1;
}

static int begin(struct fffa_capture_file *f, struct fffa_err *err)
{
	uint32_t magic;
	ssize_t got = fffa_input_read(f->input, &magic, sizeof(magic), err);

	if (got < 0)
		return (int)got;
	if (got == sizeof(magic)) {
		if (magic == 0x0a0d0d0a) {
			f->pcapng = true;
			return fffa_pcapng_begin(f, err);
		}
		if (take_magic(f, magic))
			return begin_pcap(f, err);
	}
	return fffa_fail(err, EINVAL, "not a capture: neither pcap nor pcapng");
}

int fffa_capture_file_open(const char *path, struct fffa_capture_file **out, struct fffa_err *err)
{
	struct fffa_capture_file *f = calloc(1, sizeof(*f));
	struct fffa_err why;
	int rc;

	if (!f)
		return fffa_fail(err, ENOMEM, "%s: no memory", path);
	rc = fffa_input_open(path, &f->input, err);
	if (rc) {
		fffa_capture_file_close(f);
		return rc;
	}
	f->path = strdup(path);
	rc = f->path && !fffa_capture_file__grow(f, 4096) ? begin(f, &why)
							  : fffa_fail(&why, ENOMEM, "no memory");
	if (rc) {
		(void)fffa_fail(err, -rc, "%s: %s", path, why.text);
		fffa_capture_file_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void fffa_capture_file_close(struct fffa_capture_file *f)
{
	if (!f)
		return;
	fffa_input_close(f->input);
	free(f->path);
	free(f->buf);
	free(f->interfaces);
	free(f);
}

int fffa_capture_file_next(struct fffa_capture_file *f, struct fffa_capture_packet *p,
			   struct fffa_err *err)
{
	struct fffa_err why;
	int rc;

	why.text[0] = '\0'; /* each packet comes here: its 1 KiB is not cleared */
	rc = (f->pcapng ? fffa_pcapng_next : next_pcap)(f, p, &why);
	return rc < 0 ? fffa_fail(err, -rc, "%s: %s", f->path, why.text) : rc;
}
