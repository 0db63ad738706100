/* SPDX-License-Identifier: MIT */
/* Names of rotated files: BASE.20260511T101500Z, -N when one is as new, .zst or .gz, .tmp while made. */
#ifndef FFFA_SINKS_FILE_NAMES_H
#define FFFA_SINKS_FILE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/file/layout/conf.h"
#include "sinks/file/layout/stamp.h"

#define FFFA_FILE_NUMBER_MAX 99999u

struct fffa_file_rotated {
	char stamp[FFFA_STAMP_BYTES];
	uint32_t number; /* 0: none */
	uint8_t kind;	 /* enum fffa_file_kind */
	bool unfinished; /* .tmp */
};

/* The name without its directory. -ENAMETOOLONG when it does not fit. */
int fffa_file__rotated_name(const char *base, const struct fffa_file_rotated *r, char *dst,
			    size_t cap);
/* Whether name is a rotated form of base; nothing else is ever touched. */
bool fffa_file__rotated_parse(const char *base, const char *name, struct fffa_file_rotated *out);
/* Below 0: a is older. Only stamp and number count. */
int fffa_file__rotated_compare(const struct fffa_file_rotated *a,
			       const struct fffa_file_rotated *b);

#endif
