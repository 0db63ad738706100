// SPDX-License-Identifier: MIT
#include "sinks/file/plain/rotated_name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const endings[] = {[FFFA_FILE_COMPRESS_NONE] = "",
				      [FFFA_FILE_COMPRESS_GZIP] = ".gz",
				      [FFFA_FILE_COMPRESS_ZSTD] = ".zst"};
#define KINDS (sizeof(endings) / sizeof(endings[0]))

int fffa_rotated_name_format(const char *base, const struct fffa_rotated_name *r, char *dst,
			     size_t cap)
{
	char number[16] = "";
	int n;

	if (r->number)
		(void)snprintf(number, sizeof(number), "-%u", r->number);
	n = snprintf(dst, cap, "%s.%s%s%s%s", base, r->stamp, number, endings[r->compression],
		     r->unfinished ? ".tmp" : "");
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

bool fffa_rotated_name_parse(const char *base, const char *name, struct fffa_rotated_name *out)
{
	size_t n = strlen(base);
	char *end;

	if (strncmp(name, base, n) || name[n] != '.' ||
	    !fffa_stamp_matches(name + n + 1, "ddddddddTddddddZ"))
		return false;
	memset(out, 0, sizeof(*out));
	name += n + 1;
	memcpy(out->stamp, name, FFFA_STAMP_BYTES - 1);
	name += FFFA_STAMP_BYTES - 1;
	if (*name == '-') {
		unsigned long v;

		if (name[1] < '1' || name[1] > '9')
			return false;
		v = strtoul(name + 1, &end, 10);
		if (v > FFFA_ROTATED_NUMBER_MAX)
			return false;
		out->number = (uint32_t)v;
		name = end;
	}
	n = strlen(name);
	if (n >= 4 && !strcmp(name + n - 4, ".tmp")) {
		out->unfinished = true;
		n -= 4;
	}
	for (size_t k = 0; k < KINDS; k++) {
		if (strlen(endings[k]) == n && !strncmp(name, endings[k], n)) {
			out->compression = (uint8_t)k;
			return true;
		}
	}
	return false;
}

int fffa_rotated_name_compare(const struct fffa_rotated_name *a, const struct fffa_rotated_name *b)
{
	int c = strcmp(a->stamp, b->stamp);

	return c ? c : (a->number > b->number) - (a->number < b->number);
}
