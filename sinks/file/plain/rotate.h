/* SPDX-License-Identifier: MIT */
/* When a file is put aside, and putting it aside. */
#ifndef FFFA_SINKS_FILE_PLAIN_ROTATE_H
#define FFFA_SINKS_FILE_PLAIN_ROTATE_H

#include "sinks/file/plain/open.h"

struct fffa_plain_rotation {
	int64_t size_bytes; /* 0: never by size */
	int64_t interval_s; /* 0: never by time */
	int64_t slot; /* interval since 1970 in which the file's first record came, or its last
			 before the start */
	int64_t not_before_s; /* after a failure */
};

/*
 * Whether a file of size bytes, of which head are the header line, is put aside before more bytes
 * are written. A file without records never is; one that is empty (again: copytruncate) moves its
 * slot to now.
 */
bool fffa_plain_rotate_is_due(struct fffa_plain_rotation *r, int64_t size, size_t head, size_t more,
			      int64_t now_s);

/*
 * Renames the file that path names (through symbolic links) to a rotated name and opens a new one:
 * *to is replaced, the old descriptor closed. When path is not that file any more, somebody else
 * has put it aside: only a new one is opened. On failure -errno, and *to stays in use under its old
 * name. Durable when sync.
 */
int fffa_plain_rotate(const char *path, const struct fffa_file_access *access, bool sync,
		      int64_t now_s, struct fffa_plain_target *to);

#endif
