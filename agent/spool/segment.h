/* SPDX-License-Identifier: MIT */
/* The head of a segment on disk, see agent/spool/README.md. Pure; any thread may call this. */
#ifndef FFFA_AGENT_SPOOL_SEGMENT_H
#define FFFA_AGENT_SPOOL_SEGMENT_H

#include <stdint.h>

#define FFFA_SPOOL_SEGMENT_HEAD 128

struct fffa_spool_segment {
	uint64_t id;
	uint64_t epoch;
	uint64_t identity; /* hash of the settings that the bytes of a record depend on */
	char format[16];
};

/* Writes the head. */
void fffa_spool_segment_put(const struct fffa_spool_segment *s,
			    uint8_t dst[FFFA_SPOOL_SEGMENT_HEAD]);
/* Reads a head. 0, or -EBADMSG when src is none of this version. */
int fffa_spool_segment_get(struct fffa_spool_segment *s,
			   const uint8_t src[FFFA_SPOOL_SEGMENT_HEAD]);

#endif
