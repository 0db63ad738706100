/* SPDX-License-Identifier: MIT */
/*
 * The file sink: appends batches to a file, a FIFO or standard output, in order, one at a time, in
 * libuv's thread pool. "Delivered" means written, or written and synced. A regular file is rotated
 * by size and time. The process must ignore SIGPIPE and SIGXFSZ.
 */
#ifndef FFFA_SINKS_FILE_FILE_H
#define FFFA_SINKS_FILE_FILE_H

#include "sinks/sink.h"

enum fffa_file_sync { FFFA_FILE_SYNC_NONE, FFFA_FILE_SYNC_BATCH };
enum fffa_file_layout { FFFA_FILE_LAYOUT_PLAIN, FFFA_FILE_LAYOUT_AWS, FFFA_FILE_LAYOUT_AWS_HIVE };
enum fffa_file_kind { FFFA_FILE_PLAIN, FFFA_FILE_GZIP, FFFA_FILE_ZSTD };

/* All zero, with a path, is allowed: no rotation, mode 0640. */
struct fffa_sink_file_conf {
	char *path;	   /* "-": standard output; with an AWS layout a folder */
	int layout;	   /* enum fffa_file_layout */
	char *flow_log_id; /* AWS layouts; NULL: from the agent's id */
	int sync;	   /* enum fffa_file_sync */
	char *mode;	   /* octal; NULL: 0640 */
	char *owner;
	struct {
		int64_t size_bytes;  /* 0: never */
		int64_t interval_ns; /* 0: never */
		int64_t keep;	     /* rotated files; 0: all */
		int compress;	     /* enum fffa_file_kind */
	} rotate;
};

extern const struct fffa_sink_ops fffa_sink_file_ops;

#endif
