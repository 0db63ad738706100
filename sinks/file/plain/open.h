/* SPDX-License-Identifier: MIT */
/* Opens what the option `path` names. */
#ifndef FFFA_SINKS_FILE_PLAIN_OPEN_H
#define FFFA_SINKS_FILE_PLAIN_OPEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/base/err.h"
#include "sinks/batch.h"
#include "sinks/file/layout/file_access.h"

struct fffa_plain_target {
	int fd;
	bool regular;
	bool stream;	 /* a pipe, a socket or a terminal: may have no room for a while */
	bool named;	 /* opened by name; standard output is shared with others */
	bool anonymous;	 /* a pipe or socket without a name: no further reader can come */
	int64_t mtime_s; /* Unix time of the last change before */
	int64_t size;	 /* bytes that were there before */
	/* What is written before the first batch (inspect.h sets it); borrowed. */
	struct fffa_span before;
	struct {
		mode_t mode;
		uid_t uid;
		gid_t gid;
	} folder; /* of a regular file opened by name: what its folder is made anew with */
};

/*
 * Opens path for appending; "-" duplicates standard output. A missing file is made with access, and
 * with sync its name is on the disk then. A regular file is locked (flock) until the descriptor is
 * closed, so that no two writers share it; without locks in the file system it is not. Devices are
 * refused, except terminals, /dev/null and standard output. 0: the caller closes out->fd. -errno:
 * err (may be NULL) says what to do, and *out is untouched; -EBUSY: another has the lock. Blocks.
 */
int fffa_plain_open(const char *path, const struct fffa_file_access *access, bool sync,
		    struct fffa_plain_target *out, struct fffa_err *err);

/* Whether path leads to the file behind fd. */
bool fffa_plain_open_is_same(const char *path, int fd);

/*
 * Makes the folders on the way to path that are missing; the last one gets the mode and the owner
 * that it had when t was opened. 0 or -errno. Blocks.
 */
int fffa_plain_open_make_folders(const char *path, const struct fffa_plain_target *t);

/*
 * Whether fffa_plain_open would find what it needs, without opening or making anything. 0, or
 * -errno with err.
 */
int fffa_plain_open_probe(const char *path, struct fffa_err *err);

#endif
