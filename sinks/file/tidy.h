/* SPDX-License-Identifier: MIT */
/*
 * What is done for rotated files in the background: the oldest go, the others are compressed.
 * A crash at any point loses nothing: the next run takes up what this one left.
 */
#ifndef FFFA_SINKS_FILE_TIDY_H
#define FFFA_SINKS_FILE_TIDY_H

#include <stdatomic.h>

#include "sinks/file/file.h"

struct fffa_file_tidy {
	const char *path;
	int64_t keep; /* 0: all */
	enum fffa_file_kind kind;
	atomic_bool cancel; /* set by the loop to end it soon */
	int result;	    /* out: 0, or the first failure; the rest was tried all the same */
};

/* Blocks: on a pool thread, one at a time for a path. */
void fffa_file__tidy(struct fffa_file_tidy *t);

#endif
