/* SPDX-License-Identifier: MIT */
/*
 * What is done for rotated files in the background: the oldest go, the others are compressed.
 * A crash at any point loses nothing: the next run takes up what this one left.
 */
#ifndef FFFA_SINKS_FILE_PLAIN_RETENTION_H
#define FFFA_SINKS_FILE_PLAIN_RETENTION_H

#include <stdatomic.h>

#include "sinks/file/layout/conf.h"

/*
 * Deletes the oldest rotated files of path beyond max_files (0: none), then compresses the others to
 * kind. Ends soon after *cancel is set. 0, or the first -errno; the rest is done all the same.
 * Blocks: on a worker thread, one at a time for a path.
 */
int fffa_plain_retention_apply(const char *path, int64_t max_files, enum fffa_file_compression kind,
			       const atomic_bool *cancel);

#endif
