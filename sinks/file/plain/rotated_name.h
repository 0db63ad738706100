/* SPDX-License-Identifier: MIT */
/*
 * Names of rotated files: BASE.STAMP, then
 *
 *   -N           if another was rotated in the same second, or the clock was set back
 *   .gz, .zst    once compressed
 *   .tmp         while it is being compressed
 */
#ifndef FFFA_SINKS_FILE_PLAIN_ROTATED_NAME_H
#define FFFA_SINKS_FILE_PLAIN_ROTATED_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/file/layout/conf.h"
#include "sinks/file/layout/stamp.h"

#define FFFA_ROTATED_NUMBER_MAX 99999u

struct fffa_rotated_name {
	char stamp[FFFA_STAMP_BYTES];
	uint32_t number;     /* 0: none */
	uint8_t compression; /* enum fffa_file_compression */
	bool unfinished;     /* .tmp */
};

/* Writes the name to dst. base: the file, with or without its folder. 0, or -ENAMETOOLONG. */
int fffa_rotated_name_format(const char *base, const struct fffa_rotated_name *r, char *dst,
			     size_t cap);
/* Whether name is a rotated name of base, without a folder. No other file is ever touched. */
bool fffa_rotated_name_parse(const char *base, const char *name, struct fffa_rotated_name *out);
/* Below 0: a is older than b; 0: the same rotation, whatever the compression. */
int fffa_rotated_name_compare(const struct fffa_rotated_name *a, const struct fffa_rotated_name *b);

#endif
