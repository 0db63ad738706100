/* SPDX-License-Identifier: MIT */
/*
 * The file sink: appends batches to a file, a FIFO or standard output, in order, one at a time, in
 * libuv's thread pool. "Delivered" means written, or written and synced. The process must ignore
 * SIGPIPE and SIGXFSZ.
 */
#ifndef FFFA_SINKS_FILE_FILE_H
#define FFFA_SINKS_FILE_FILE_H

#include "sinks/sink.h"

enum fffa_file_sync { FFFA_FILE_SYNC_NONE, FFFA_FILE_SYNC_BATCH };

struct fffa_sink_file_conf {
	char *path; /* "-": standard output */
	int sync;   /* enum fffa_file_sync */
};

extern const struct fffa_sink_ops fffa_sink_file_ops;

#endif
