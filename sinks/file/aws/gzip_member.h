/* SPDX-License-Identifier: MIT */
/*
 * One gzip file while it grows. What is committed survives a crash: each commit ends at a byte
 * border of the stream (the empty stored block of a sync flush, RFC 1951), where the file can be
 * completed without knowing what came before. All functions block, so they belong on a worker
 * thread; one at a time for a file.
 */
#ifndef FFFA_SINKS_FILE_AWS_GZIP_MEMBER_H
#define FFFA_SINKS_FILE_AWS_GZIP_MEMBER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <zlib.h>

#include "sinks/batch.h"
#include "sinks/file/layout/file_access.h"

struct fffa_gzip_member_state {
	int64_t bytes; /* of the file; 0: nothing is written yet */
	uint32_t crc;  /* of the content, uncompressed */
	uint32_t size; /* of the content, uncompressed, modulo 2^32 */
};

struct fffa_gzip_member {
	int fd; /* with an exclusive flock: a file without one was left behind */
	z_stream z;
	struct fffa_gzip_member_state committed;
	struct fffa_gzip_member_state current;
	bool begun; /* something was added since the last commit */
	bool dirty; /* the file may hold more than is committed */
	bool sync;
	uint8_t out[32768];
};

/*
 * Makes the file name in dir_fd, which must not exist yet. 0: the caller ends *out with close.
 * -errno: no file is left, and *out is untouched.
 */
int fffa_gzip_member_open(int dir_fd, const char *name, const struct fffa_file_access *access,
			  bool sync, struct fffa_gzip_member **out);
/* Adds content; it counts with the next commit. 0 or -errno. */
int fffa_gzip_member_add(struct fffa_gzip_member *p, struct fffa_span s);
/* Makes what was added count: flushes, and with sync brings it to the disk. 0 or -errno. */
int fffa_gzip_member_commit(struct fffa_gzip_member *p);
/*
 * Must follow a failure of add or commit: forgets what was added since the last commit. The file is
 * cut back now, or if that fails before it is used again.
 */
void fffa_gzip_member_rollback(struct fffa_gzip_member *p);
/* Writes the end of the stream: the file is complete. On failure -errno; it may be tried again. */
int fffa_gzip_member_finish(struct fffa_gzip_member *p);
/* Closes the file, complete or not. NULL is allowed. */
void fffa_gzip_member_close(struct fffa_gzip_member *p);

/*
 * Completes what a crash has left: cuts fd (open to read and write) behind the last line that a
 * byte border follows, and writes the end of the stream. 1: the file is complete now. 0: it holds
 * no record. -errno; -ECANCELED soon after *cancel is set, with the file as it was.
 */
int fffa_gzip_member_recover(int fd, bool sync, const atomic_bool *cancel);

#endif
