/* SPDX-License-Identifier: MIT */
/*
 * The directory of a sink's segments. Every function may block: call it before the loop runs, or in
 * a worker thread, and one at a time. Nothing is logged here.
 */
#ifndef FFFA_AGENT_SPOOL_STORE_H
#define FFFA_AGENT_SPOOL_STORE_H

#include "agent/base/err.h"
#include "agent/spool/account.h"

struct fffa_store;

/* Room on disk of the file that fffa_store_ack_write writes. */
#define FFFA_STORE_ACK_BYTES ((size_t)2 * FFFA_SPOOL_ACCOUNT_BYTES)

/*
 * Makes base and base/name (mode 0700) where they are missing, and locks base/name for this
 * process. 0, -EBUSY when another process has locked it, or -errno, with err; on failure *out is
 * untouched. Free with fffa_store_close.
 */
int fffa_store_open(const char *base, const char *name, struct fffa_store **out,
		    struct fffa_err *err);
/* Makes a directory (mode 0700) where it is missing, and syncs its parent. 0 or -errno. */
int fffa_store_make_dir(const char *path);
/* To read only: makes and locks nothing. */
int fffa_store_open_read(const char *dir, struct fffa_store **out, struct fffa_err *err);
/* NULL is allowed. */
void fffa_store_close(struct fffa_store *s);

/*
 * The ids of all segments in rising order (the caller frees *ids), and the last account; where
 * there is none it is zero. 0 or -errno.
 */
int fffa_store_list(struct fffa_store *s, uint64_t **ids, size_t *n,
		    struct fffa_spool_account *account);

/*
 * Opens a segment to be read. *src is valid until the next call with another id, or until the store
 * is closed. 0 or -errno.
 */
int fffa_store_source(struct fffa_store *s, uint64_t id, struct fffa_spool_source *src);
/* Cuts a segment, which is not being written, to size bytes. 0 or -errno. */
int fffa_store_cut(struct fffa_store *s, uint64_t id, uint64_t size);
/* Removes the segment; one that is missing is no error. 0 or -errno. */
int fffa_store_remove(struct fffa_store *s, uint64_t id);
/* Gives a segment a name under which it is never read again. 0 or -errno. */
int fffa_store_set_aside(struct fffa_store *s, uint64_t id);

/* Ends the segment that is being written and begins the next. 0, or -errno: none is begun then. */
int fffa_store_write_begin(struct fffa_store *s, const struct fffa_spool_segment *head);
/*
 * Appends b at offset at of the segment that is being written. f was filled by
 * fffa_spool_frame_describe and the caller. 0 or -errno: then the segment is cut back to at, where
 * that is possible; sync and end it.
 */
int fffa_store_write_append(struct fffa_store *s, uint64_t at, struct fffa_spool_frame *f,
			    const struct fffa_batch *b);
/*
 * Returns when all that was appended is on the medium. 0 or -errno: then nothing since the last
 * sync is sure; end the segment.
 */
int fffa_store_write_sync(struct fffa_store *s);
/* Ends the segment that is being written, if there is one. */
void fffa_store_write_end(struct fffa_store *s);
/* Removes the account: nobody needs it any more. One that is missing is no error. 0 or -errno. */
int fffa_store_ack_remove(struct fffa_store *s);
/*
 * Writes the account. Without sync an older one may be found after a power cut. 0 or -errno.
 */
int fffa_store_ack_write(struct fffa_store *s, const struct fffa_spool_account *account, bool sync);

#endif
