/* SPDX-License-Identifier: MIT */
/*
 * What happens to rotated files in the background: the oldest are deleted, the others compressed.
 * A crash at any point loses nothing, and the next run goes on from there.
 */
#ifndef FFFA_SINKS_FILE_PLAIN_RETENTION_H
#define FFFA_SINKS_FILE_PLAIN_RETENTION_H

#include <stdatomic.h>

#include "sinks/file/layout/conf.h"

/*
 * Deletes the oldest rotated files of path beyond max_files (0: keeps all), then compresses the
 * others. Ends soon after *cancel is set. 0, or the first -errno; the rest is done all the same.
 * Blocks, so it belongs on a worker thread; one call at a time for a path.
 */
int fffa_plain_retention_apply(const char *path, int64_t max_files,
			       enum fffa_file_compression compression, const atomic_bool *cancel);

#endif
