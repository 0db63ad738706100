/* SPDX-License-Identifier: MIT */
/* The mode and owner of the files that the sink makes. */
#ifndef FFFA_SINKS_FILE_LAYOUT_FILE_ACCESS_H
#define FFFA_SINKS_FILE_LAYOUT_FILE_ACCESS_H

#include <sys/types.h>

#include "agent/base/err.h"
#include "sinks/file/layout/conf.h"

struct fffa_file_access {
	mode_t mode;
	uid_t uid; /* (uid_t)-1: the process's own */
	gid_t gid; /* (gid_t)-1: the process's own */
};

/*
 * Reads `mode` and `owner` of conf into *out. Asks the user database for names, so it may block:
 * call it at start-up only. Returns 0, or -EINVAL with err (may be NULL); *out is then undefined.
 */
int fffa_file_access_read(const struct fffa_sink_file_conf *conf, struct fffa_file_access *out,
			  struct fffa_err *err);

#endif
