/* SPDX-License-Identifier: MIT */
/* Opening what `path` names. */
#ifndef FFFA_SINKS_FILE_PLAIN_OPEN_H
#define FFFA_SINKS_FILE_PLAIN_OPEN_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "sinks/file/layout/file_access.h"

struct fffa_plain_target {
	int fd;
	bool regular;
	bool stream;	   /* pipe, socket or terminal: may have no room for a while */
	bool named;	   /* opened by name; standard output is shared with others */
	bool starts_empty; /* begins here: gets the preamble */
	bool anonymous; /* a pipe or socket without a name: a reader that has gone never comes back */
	int64_t mtime_s; /* Unix, of what was there before */
	int64_t size;	 /* bytes that were there */
};

/*
 * Opens path for appending; "-" duplicates standard output. A file that is not there yet is made as
 * access says; with sync its name is on the disk then. The caller closes out->fd. On failure
 * -errno, err (may be NULL) says what to do, *out is untouched.
 */
int fffa_plain_open(const char *path, const struct fffa_file_access *access, bool sync,
		    struct fffa_plain_target *out, struct fffa_err *err);

#endif
