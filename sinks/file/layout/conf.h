/* SPDX-License-Identifier: MIT */
/* The configuration of a file sink, as its option rows (sinks/file/options.c) fill it. */
#ifndef FFFA_SINKS_FILE_LAYOUT_CONF_H
#define FFFA_SINKS_FILE_LAYOUT_CONF_H

#include <stdint.h>

enum fffa_file_sync { FFFA_FILE_SYNC_NONE, FFFA_FILE_SYNC_BATCH };
enum fffa_file_layout_id {
	FFFA_FILE_LAYOUT_PLAIN,
	FFFA_FILE_LAYOUT_AWS,
	FFFA_FILE_LAYOUT_AWS_HIVE
};
enum fffa_file_compression {
	FFFA_FILE_COMPRESS_NONE,
	FFFA_FILE_COMPRESS_GZIP,
	FFFA_FILE_COMPRESS_ZSTD
};

/* All zero with a path is valid: plain layout, no rotation, mode 0640. */
struct fffa_sink_file_conf {
	char *path;	   /* "-": standard output; with an AWS layout a folder */
	int layout;	   /* enum fffa_file_layout_id */
	char *flow_log_id; /* AWS layouts; NULL: made from the agent's id */
	int sync;	   /* enum fffa_file_sync */
	char *mode;	   /* octal; NULL: 0640 */
	char *owner;	   /* "user" or "user:group"; NULL: the process's own */
	struct {
		int64_t size_bytes;  /* 0: never */
		int64_t interval_ns; /* 0: never */
		int64_t max_files;   /* rotated files; 0: all */
		int compress;	     /* enum fffa_file_compression */
	} rotate;
};

#endif
