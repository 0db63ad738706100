/* SPDX-License-Identifier: MIT */
/* Opening what `path` names. */
#ifndef FFFA_SINKS_FILE_OPEN_H
#define FFFA_SINKS_FILE_OPEN_H

#include <stdbool.h>

#include "agent/base/err.h"

struct fffa_file_target {
	int fd;
	bool regular;
	bool stream;   /* pipe, socket or terminal: may have no room for a while */
	bool owned;    /* opened by name; standard output is shared with others */
	bool fresh;    /* begins here: gets the preamble */
	bool nameless; /* a pipe or socket without a name: a reader that has gone never comes back */
};

/*
 * Opens path for appending (mode 0640 when it is new); "-" duplicates standard output. The caller
 * closes out->fd. On failure -errno, err says what to do, *out is untouched.
 */
int fffa_file__open(const char *path, struct fffa_file_target *out, struct fffa_err *err);

#endif
