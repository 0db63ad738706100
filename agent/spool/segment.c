// SPDX-License-Identifier: MIT
#include "agent/spool/segment.h"

#include <errno.h>

#include "agent/spool/wire.h"

#define VERSION 1

static const uint8_t magic[8] = {0xff, 'F', 'F', 'F', 'A', 's', 'p', VERSION};

void fffa_spool_segment_put(const struct fffa_spool_segment *s,
			    uint8_t dst[FFFA_SPOOL_SEGMENT_HEAD])
{
	uint8_t *p = dst;

	memset(dst, 0, FFFA_SPOOL_SEGMENT_HEAD);
	fffa_wire_put(&p, magic, sizeof(magic));
	fffa_wire_put64(&p, s->id);
	fffa_wire_put64(&p, s->epoch);
	fffa_wire_put64(&p, s->identity);
	fffa_wire_put(&p, s->format, sizeof(s->format));
	fffa_wire_put_crc(dst, FFFA_SPOOL_SEGMENT_HEAD);
}

int fffa_spool_segment_get(struct fffa_spool_segment *s, const uint8_t src[FFFA_SPOOL_SEGMENT_HEAD])
{
	const uint8_t *p = src + sizeof(magic);

	if (memcmp(src, magic, sizeof(magic)) ||
	    !fffa_wire_crc_is_right(src, FFFA_SPOOL_SEGMENT_HEAD))
		return -EBADMSG;
	s->id = fffa_wire_get64(&p);
	s->epoch = fffa_wire_get64(&p);
	s->identity = fffa_wire_get64(&p);
	fffa_wire_get(&p, s->format, sizeof(s->format));
	s->format[sizeof(s->format) - 1] = '\0';
	return 0;
}
