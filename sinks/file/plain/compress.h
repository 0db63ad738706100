/* SPDX-License-Identifier: MIT */
/* Compressing a file that nobody writes any more. Blocks: pool threads only. */
#ifndef FFFA_SINKS_FILE_PLAIN_COMPRESS_H
#define FFFA_SINKS_FILE_PLAIN_COMPRESS_H

#include <stdatomic.h>

#include "sinks/file/layout/conf.h"

/*
 * Writes the compressed form of from to tmp (both in dir_fd) with the mode, owner and times of
 * from, and syncs it. Ends with -ECANCELED soon after *cancel is set. On failure -errno, and tmp
 * is gone.
 */
int fffa_plain_compress(int dir_fd, const char *from, const char *tmp,
			enum fffa_file_compression kind, const atomic_bool *cancel);

#endif
