/* SPDX-License-Identifier: MIT */
/* The sink's option rows, and what follows from them once. */
#ifndef FFFA_SINKS_FILE_OPTIONS_H
#define FFFA_SINKS_FILE_OPTIONS_H

#include <sys/types.h>

#include "sinks/file/file.h"

/* What a file that the sink makes is like. (uid_t)-1, (gid_t)-1: as the process makes it. */
struct fffa_file_access {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

extern const struct fffa_option fffa_file__options[];
int fffa_file__check(const void *conf, struct fffa_err *err);

/*
 * Reads mode and owner; asks the user database for names, so it may block: start-up only. 0, or
 * -EINVAL with err; *out is then undefined.
 */
int fffa_file__access(const struct fffa_sink_file_conf *conf, struct fffa_file_access *out,
		      struct fffa_err *err);

#endif
