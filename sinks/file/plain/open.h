/* SPDX-License-Identifier: MIT */
/* Opens what the option `path` names. */
#ifndef FFFA_SINKS_FILE_PLAIN_OPEN_H
#define FFFA_SINKS_FILE_PLAIN_OPEN_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "sinks/file/layout/file_access.h"

struct fffa_plain_target {
	int fd;
	bool regular;
	bool stream;	   /* a pipe, a socket or a terminal: may have no room for a while */
	bool named;	   /* opened by name; standard output is shared with others */
	bool starts_empty; /* gets the preamble */
	bool anonymous;	   /* a pipe or socket without a name: no further reader can come */
	int64_t mtime_s;   /* Unix time of the last change before */
	int64_t size;	   /* bytes that were there before */
};

/*
 * Opens path for appending; "-" duplicates standard output. A missing file is made with access, and
 * with sync its name is on the disk then. 0: the caller closes out->fd. -errno: err (may be NULL)
 * says what to do about it, and *out is untouched. Blocks.
 */
int fffa_plain_open(const char *path, const struct fffa_file_access *access, bool sync,
		    struct fffa_plain_target *out, struct fffa_err *err);

#endif
