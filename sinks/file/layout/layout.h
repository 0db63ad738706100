/* SPDX-License-Identifier: MIT */
/*
 * What differs between the layouts of the file sink: one constant table of functions each. The sink
 * (sinks/file/file.c) knows deliveries, threads and timers; a layout knows files.
 *
 * A write has three steps: begin (loop thread), work (the sink's thread), end (loop thread). One
 * write is under way at most. reopen and free run on the sink's thread, too; maintain runs on
 * another one, and a write may be under way meanwhile. The other functions are called on the loop
 * thread and touch no file; those marked "between writes" are not called between begin and end, or
 * during a reopen.
 */
#ifndef FFFA_SINKS_FILE_LAYOUT_LAYOUT_H
#define FFFA_SINKS_FILE_LAYOUT_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sinks/file/layout/conf.h"
#include "sinks/file/layout/file_access.h"
#include "sinks/sink.h"

/* A layout's own; each layout defines it. */
struct fffa_file_layout;

/* What a layout is made from; all of it outlives the layout. */
struct fffa_file_layout_env {
	const struct fffa_sink_env *sink; /* for tag, preamble and format */
	const struct fffa_sink_file_conf *conf;
	struct fffa_file_access access;
};

/* What the sink knows of a layout's files; it keeps a copy for reports during a write. */
struct fffa_file_layout_status {
	int64_t file_bytes;   /* of the files that still grow; -1: no regular file with a name */
	int64_t rotated_at_s; /* Unix time when a file was finished last; 0: never */
	int rotation_error;   /* 0, or -errno: a file that is due cannot be finished and goes on */
	bool preamble_due;    /* the header line of a new file waits for a write */
	bool maintenance_due; /* open or the last write left finished files to maintain */
};

struct fffa_file_layout_ops {
	/* Begins the log line of a rotation_error: "TEXT: PATH: ERROR". */
	const char *rotation_error_text;
	/* NULL: any format is allowed. 0, or -EINVAL with err. */
	int (*check_format)(unsigned int format, struct fffa_err *err);
	/*
	 * Makes and opens what conf names, at start-up; may block. On success the caller ends *out
	 * with free. On failure -errno with err, and *out is untouched.
	 */
	int (*open)(const struct fffa_file_layout_env *env, struct fffa_file_layout **out,
		    struct fffa_err *err);
	/* On the sink's thread, between writes, not while maintain runs: closes all files. */
	void (*free)(struct fffa_file_layout *l);
	/* Prepares a write of b, which is borrowed until end. NULL: only of what is due. */
	void (*begin)(struct fffa_file_layout *l, const struct fffa_batch *b);
	/* Prepares the last write, which finishes all files. NULL: this layout has none. */
	void (*begin_last)(struct fffa_file_layout *l);
	/*
	 * Writes, on the sink's thread. 0, or -errno. -EAGAIN of a layout with wait_fd: a reader is
	 * slow; the same write is continued by a further work once wait_fd is writable.
	 */
	int (*work)(struct fffa_file_layout *l);
	/*
	 * The descriptor that work waits for. NULL: work never waits. When the sink closes during
	 * the wait, free follows without end; so a layout with wait_fd has no begin_last.
	 */
	int (*wait_fd)(const struct fffa_file_layout *l);
	/*
	 * Ends the write. o->cause is the result of work and o->verdict what follows from it; the
	 * layout may change the verdict or judge the records one by one (until the next begin).
	 */
	void (*end)(struct fffa_file_layout *l, struct fffa_outcome *o);
	/*
	 * On the sink's thread, between writes: opens the path again (HUP). On failure -errno with
	 * err, and the old file stays in use. NULL: there is nothing to reopen.
	 */
	int (*reopen)(struct fffa_file_layout *l, struct fffa_err *err);
	/* Between writes: whether a file must be finished although no batch comes. */
	bool (*is_due)(const struct fffa_file_layout *l);
	/* Seconds until the next is_due should be asked; 0: never. At any time. */
	int64_t (*check_in_s)(const struct fffa_file_layout *l);
	/*
	 * Looks after finished files, on a thread of its own: deletes, compresses or completes what an
	 * earlier process left. Ends soon after *cancel is set. 0, or the first -errno; the rest
	 * is done all the same.
	 */
	int (*maintain)(const struct fffa_file_layout *l, const atomic_bool *cancel);
	/* Between writes. */
	void (*status)(const struct fffa_file_layout *l, struct fffa_file_layout_status *out);
};

#endif
