/* SPDX-License-Identifier: MIT */
/*
 * One write of layout plain: rotate the file if that is due, write what goes before the batch, then
 * the batch, then sync.
 */
#ifndef FFFA_SINKS_FILE_PLAIN_WRITE_H
#define FFFA_SINKS_FILE_PLAIN_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "sinks/batch.h"
#include "sinks/file/layout/layout.h"
#include "sinks/file/plain/rotate.h"

struct fffa_plain_output {
	struct fffa_span bytes; /* borrowed; may be empty */
	size_t done;		/* how many of them are written */
};

/* The loop thread and the worker thread take turns: fffa_plain_write has it all to itself. */
struct fffa_plain_job {
	const struct fffa_file_layout_env *env;
	struct fffa_plain_target to;
	struct fffa_plain_output prefix; /* to.before, or the rest of a torn record */
	struct fffa_plain_output body;	 /* the batch */
	bool may_rotate; /* to is a regular file opened by name, and ends between two batches */
	struct fffa_plain_rotation rotation;
	int64_t file_bytes; /* of a regular file opened by name */
	int remake_error;   /* of the last try to make a removed file anew: 0 or -errno */
};

/* Makes what belongs before the first batch of a file that was just opened the prefix. */
void fffa_plain_write_preamble(struct fffa_plain_job *j);

/*
 * Runs the job on a worker thread; never waits for a reader. 0: all is written. -EAGAIN: a pipe has
 * no room now. Another -errno: failed.
 *
 * A regular file opened by name that was removed is made anew first, and one that is empty (again)
 * gets the preamble. After a failure on a regular file opened by name the file is cut back to where the job began, so
 * nothing of it is left half written. Elsewhere the outputs say how far it came, and a further call
 * goes on from there.
 */
int fffa_plain_write(struct fffa_plain_job *j);

#endif
