/* SPDX-License-Identifier: MIT */
/*
 * Walks from frame to frame through a segment, past damage. Pure but for the reading; any thread.
 */
#ifndef FFFA_AGENT_SPOOL_WALK_H
#define FFFA_AGENT_SPOOL_WALK_H

#include "agent/spool/frame.h"
#include "agent/spool/segment.h"

struct fffa_spool_source {
	/* Reads exactly n bytes at off, which lie below size. 0 or -errno. */
	int (*read)(void *arg, uint64_t off, void *dst, size_t n);
	void *arg;
	uint64_t size;
};

/* A position in a segment, and what the frames before it hold. */
struct fffa_spool_pos {
	uint64_t at;
	uint64_t records;
	uint64_t numbers;
	uint64_t seq; /* the last number before it; 0: none */
};

/* Where the frames of a segment begin. */
static inline struct fffa_spool_pos fffa_spool_walk_begin(void)
{
	return (struct fffa_spool_pos){.at = FFFA_SPOOL_SEGMENT_HEAD};
}

struct fffa_spool_found {
	struct fffa_spool_frame frame;
	/* Of this frame. It differs from the position asked for where damage lies between. */
	struct fffa_spool_pos begin;
	struct fffa_spool_pos end; /* behind this frame */
};

/*
 * Finds the next whole frame from pos on. 1: *out is filled. 0: there is none (the end, a torn
 * tail, or damage up to the end). -errno: reading failed.
 */
int fffa_spool_walk_next(const struct fffa_spool_source *src, const struct fffa_spool_pos *pos,
			 struct fffa_spool_found *out);

/*
 * Reads the body of a frame and makes its batch, which is sealed. The caller owns its
 * reference. 0, -ENOMEM, -EBADMSG when the body is damaged, or -errno of the reading; on
 * failure *out is untouched.
 */
int fffa_spool_walk_load(const struct fffa_spool_source *src, const struct fffa_spool_found *found,
			 struct fffa_batch **out);

#endif
