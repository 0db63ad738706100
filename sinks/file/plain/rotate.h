/* SPDX-License-Identifier: MIT */
/* When a file is rotated, the rotation itself, and what follows when a file was removed. */
#ifndef FFFA_SINKS_FILE_PLAIN_ROTATE_H
#define FFFA_SINKS_FILE_PLAIN_ROTATE_H

#include "sinks/file/layout/layout.h"
#include "sinks/file/plain/open.h"

struct fffa_plain_rotation {
	int64_t size_bytes; /* 0: never by size */
	int64_t interval_s; /* 0: never by time */
	/* The interval since 1970 of the file's first record; after a start: of its last. */
	int64_t interval_number;
	int64_t not_before_s; /* after a failure; Unix time */
	int error;	      /* of the last try: 0 or -errno */
	bool done;	      /* by the last write */
	int64_t done_at_s;    /* the last one; Unix time, 0: never */
};

/*
 * Whether a file of size bytes, of which head are the header line, is rotated before more bytes are
 * written at now_s (Unix time). A file without records never is. One that is empty, perhaps again
 * (copytruncate), begins its interval now.
 */
bool fffa_plain_rotate_is_due(struct fffa_plain_rotation *r, int64_t size, size_t head, size_t more,
			      int64_t now_s);

/*
 * Renames the file that the path of env names (through symbolic links) to a rotated name, and opens a new one.
 * If path is another file by now, somebody else has rotated: only the new one is opened. 0: *to is
 * the new file, the old descriptor is closed, and with sync the new name is on the disk. -errno:
 * *to stays in use under its old name. Blocks.
 */
int fffa_plain_rotate(const struct fffa_file_layout_env *env, int64_t now_s,
		      struct fffa_plain_target *to);

/*
 * The file behind *to was removed: makes it anew, and the folders on the way to it. 0: *to is the
 * new file. -errno with err: *to is as it was. Blocks.
 */
int fffa_plain_rotate_remake(const struct fffa_file_layout_env *env, struct fffa_plain_target *to,
			     struct fffa_err *err);

#endif
