/* SPDX-License-Identifier: MIT */
/*
 * A sink's directory of segments. Every call may block: at the start, or in the worker pool; one
 * call at a time, whatever the thread. Nothing is logged here.
 */
#ifndef FFFA_AGENT_SPOOL_STORE_H
#define FFFA_AGENT_SPOOL_STORE_H

#include "agent/base/err.h"
#include "agent/spool/walk.h"

struct fffa_store;

/* Up to where all is settled. */
struct fffa_spool_ack {
	uint64_t segment; /* 0: nothing is known */
	struct fffa_spool_pos pos;
};

/* What fffa_store_ack_write keeps on disk beside the segments. */
#define FFFA_STORE_ACK_BYTES 4096

/*
 * Makes base and base/name (mode 0700) where they are missing and locks the latter for this process.
 * -EBUSY: another process has it; -errno; err says what. On failure *out is untouched. Free with
 * fffa_store_close.
 */
int fffa_store_open(const char *base, const char *name, struct fffa_store **out,
		    struct fffa_err *err);
/* To look only: nothing is made and nothing locked. */
int fffa_store_open_read(const char *dir, struct fffa_store **out, struct fffa_err *err);
/* NULL is allowed. */
void fffa_store_close(struct fffa_store *s);

/* The ids of all segments, rising (caller frees *ids), and the last ack. 0 or -errno. */
int fffa_store_list(struct fffa_store *s, uint64_t **ids, size_t *n, struct fffa_spool_ack *ack);

/* A segment to read: valid until the next call with another id, or until the store is closed. */
int fffa_store_source(struct fffa_store *s, uint64_t id, struct fffa_spool_source *src);
/* Cuts a segment that is not being written. */
int fffa_store_cut(struct fffa_store *s, uint64_t id, uint64_t size);
int fffa_store_remove(struct fffa_store *s, uint64_t id);
/* Gives a segment a name that is never read again. */
int fffa_store_set_aside(struct fffa_store *s, uint64_t id);

/* Ends the segment being written and begins the next. 0 or -errno: then none is being written. */
int fffa_store_write_begin(struct fffa_store *s, const struct fffa_spool_segment *head);
/*
 * Appends b at offset at of the segment being written; f as fffa_spool_frame_describe and the caller filled
 * it. After a failure (-errno) the segment is cut back to at where that is possible; sync and end it.
 */
int fffa_store_write_append(struct fffa_store *s, uint64_t at, struct fffa_spool_frame *f,
			    const struct fffa_batch *b);
/* Returns when all appended is on the medium. After a failure nothing since the last sync is sure:
 * end the segment. */
int fffa_store_write_sync(struct fffa_store *s);
/* Nothing is being written any more. */
void fffa_store_write_end(struct fffa_store *s);
/* Not synchronised: after a power cut an older ack may be found, never a younger one. */
int fffa_store_ack_write(struct fffa_store *s, const struct fffa_spool_ack *ack);

#endif
