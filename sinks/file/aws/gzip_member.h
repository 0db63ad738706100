/* SPDX-License-Identifier: MIT */
/*
 * One gzip file while it grows. What was committed survives a crash: each batch ends at a byte
 * border of the stream (RFC 1951, the empty stored block of a sync flush), from where the file can
 * be completed without what came before. Pool threads only.
 */
#ifndef FFFA_SINKS_FILE_AWS_GZIP_MEMBER_H
#define FFFA_SINKS_FILE_AWS_GZIP_MEMBER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <zlib.h>

#include "sinks/batch.h"
#include "sinks/file/layout/file_access.h"

struct fffa_gzip_member_state {
	int64_t bytes; /* of the file */
	uint32_t crc;  /* of what the stream holds */
	uint32_t size; /* modulo 2^32 */
};

struct fffa_gzip_member {
	int fd; /* holds an exclusive flock: what nobody holds was left behind */
	z_stream z;
	struct fffa_gzip_member_state committed; /* committed */
	struct fffa_gzip_member_state current;
	bool begun; /* something was added since */
	bool dirty; /* the file may hold more than was kept */
	bool sync;
	uint8_t out[32768];
};

/* Makes the file, which must not be there. The caller closes. On failure -errno, nothing is left. */
int fffa_gzip_member_open(int dir_fd, const char *name, const struct fffa_file_access *access,
			  bool sync, struct fffa_gzip_member **out);
/* Appends; nothing counts before commit. */
int fffa_gzip_member_add(struct fffa_gzip_member *p, struct fffa_span s);
/* Flushes, with sync to the disk. */
int fffa_gzip_member_commit(struct fffa_gzip_member *p);
/* Due after a failure of add or commit: nothing since the last commit counts, and the file is cut
 * back, now or before it is used again. */
void fffa_gzip_member_rollback(struct fffa_gzip_member *p);
/* Writes the end of the stream. On failure it may be tried again. */
int fffa_gzip_member_finish(struct fffa_gzip_member *p);
/* NULL is allowed. */
void fffa_gzip_member_close(struct fffa_gzip_member *p);

/*
 * Completes what a crash left: cuts fd (read and write) behind the last line that a byte border
 * follows and writes the end of the stream. 1: completed, or it was complete; 0: it holds no
 * record; -errno; -ECANCELED soon after *cancel is set, with the file as it was.
 */
int fffa_gzip_member_recover(int fd, bool sync, const atomic_bool *cancel);

#endif
