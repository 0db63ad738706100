/* SPDX-License-Identifier: MIT */
/*
 * What the pool thread does: put the file aside when that is due, write what is prefix, then a batch
 * from where it stands, then sync.
 */
#ifndef FFFA_SINKS_FILE_PLAIN_WRITE_H
#define FFFA_SINKS_FILE_PLAIN_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "sinks/batch.h"
#include "sinks/file/plain/rotate.h"

/* Filled by the loop thread, worked on by one pool thread, then read by the loop thread. */
struct fffa_plain_job {
	struct fffa_plain_target to;
	bool sync;
	struct fffa_span
		prefix;	       /* goes before the body: the preamble, or the end of a torn record */
	struct fffa_span body; /* may be empty */
	size_t prefix_done;    /* bytes already written, in and out */
	size_t body_done;
	/* out: 0 all written; -EAGAIN no room now, nothing is wrong; else -errno */
	int result;
	/* For rotation; only read when may_rotate: a regular file that stands at a batch border. */
	bool may_rotate;
	const char *path;
	const struct fffa_file_access *access;
	struct fffa_span preamble;
	struct fffa_plain_rotation rotation;
	bool rotated;	      /* out */
	int rotation_error;   /* out: 0, or why the file that was due goes on */
	int64_t file_bytes;   /* out, of a regular file opened by name */
	int64_t rotated_at_s; /* out: Unix, 0: never */
};

/*
 * Runs the job; never waits for a reader. When it fails on a regular file opened by name, the file
 * is cut back to where the job began, so that nothing of it is left half written; elsewhere
 * prefix_done and body_done tell exactly how far it came.
 */
void fffa_plain_write(struct fffa_plain_job *j);

#endif
