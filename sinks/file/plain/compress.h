/* SPDX-License-Identifier: MIT */
/* Compresses a file that nobody writes any more. */
#ifndef FFFA_SINKS_FILE_PLAIN_COMPRESS_H
#define FFFA_SINKS_FILE_PLAIN_COMPRESS_H

#include <stdatomic.h>

#include "sinks/file/layout/conf.h"

/*
 * Writes the compressed form of from to the new file tmp, both in dir_fd, gives it the mode, owner
 * and times of from, and syncs it. 0 or -errno; -ECANCELED soon after *cancel is set. On failure
 * tmp is removed. Blocks, so it belongs on a worker thread.
 */
int fffa_plain_compress(int dir_fd, const char *from, const char *tmp,
			enum fffa_file_compression compression, const atomic_bool *cancel);

#endif
