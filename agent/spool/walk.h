/* SPDX-License-Identifier: MIT */
/*
 * From frame to frame through a segment, past what is damaged. Pure but for the reading; any thread.
 */
#ifndef FFFA_AGENT_SPOOL_WALK_H
#define FFFA_AGENT_SPOOL_WALK_H

#include "agent/spool/frame.h"
#include "agent/spool/segment.h"

struct fffa_spool_source {
	/* Exactly n bytes at off, which lie below size: 0 or -errno. */
	int (*read)(void *arg, uint64_t off, void *dst, size_t n);
	void *arg;
	uint64_t size;
};

/* A place in a segment, with what the frames before it hold. */
struct fffa_spool_pos {
	uint64_t at;
	uint64_t records;
	uint64_t numbers;
	uint64_t seq; /* the last number before it; 0: none */
};

/* Where a segment's frames begin. */
static inline struct fffa_spool_pos fffa_spool_walk_begin(void)
{
	return (struct fffa_spool_pos){.at = FFFA_SPOOL_SEGMENT_HEAD};
}

struct fffa_spool_found {
	struct fffa_spool_frame frame;
	/* Behind the frames whose heads were damaged; equal to the old place where none was. */
	struct fffa_spool_pos begin;
	struct fffa_spool_pos end; /* behind this frame */
};

/*
 * The next frame from pos on that is there as a whole. 1: found; 0: there is none (nothing more, a
 * torn tail, or damage up to the end); -errno when reading failed. *out is written with 1 only.
 */
int fffa_spool_walk_next(const struct fffa_spool_source *src, const struct fffa_spool_pos *pos,
			 struct fffa_spool_found *out);

/*
 * Reads the body of a frame and makes its batch, sealed; the caller has its reference. -EBADMSG when
 * the body is damaged, -ENOMEM, or -errno of the reading; *out is untouched then.
 */
int fffa_spool_walk_load(const struct fffa_spool_source *src, const struct fffa_spool_found *found,
			 struct fffa_batch **out);

#endif
