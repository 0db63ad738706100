/* SPDX-License-Identifier: MIT */
/* Names of rotated files: BASE.20260511T101500Z, -N when one is as new, .zst or .gz, .tmp while made. */
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
	uint32_t number; /* 0: none */
	uint8_t kind;	 /* enum fffa_file_compression */
	bool unfinished; /* .tmp */
};

/* The name without its directory. -ENAMETOOLONG when it does not fit. */
int fffa_rotated_name_format(const char *base, const struct fffa_rotated_name *r, char *dst,
			     size_t cap);
/* Whether name is a rotated form of base; nothing else is ever touched. */
bool fffa_rotated_name_parse(const char *base, const char *name, struct fffa_rotated_name *out);
/* Below 0: a is older. Only stamp and number count. */
int fffa_rotated_name_compare(const struct fffa_rotated_name *a, const struct fffa_rotated_name *b);

#endif
