/* SPDX-License-Identifier: MIT */
/* The head of a segment on disk, see agent/spool/README.md. Pure; any thread. */
#ifndef FFFA_AGENT_SPOOL_SEGMENT_H
#define FFFA_AGENT_SPOOL_SEGMENT_H

#include <stdint.h>

#define FFFA_SPOOL_SEGMENT_HEAD 128

struct fffa_spool_segment {
	uint64_t id;
	uint64_t epoch;
	uint64_t identity; /* of whatever the bytes of a record depend on beside the record */
	char format[16];
};

void fffa_spool_segment_put(const struct fffa_spool_segment *s,
			    uint8_t dst[FFFA_SPOOL_SEGMENT_HEAD]);
/* -EBADMSG: that is no segment's head, or not one of this version. */
int fffa_spool_segment_get(struct fffa_spool_segment *s,
			   const uint8_t src[FFFA_SPOOL_SEGMENT_HEAD]);

#endif
