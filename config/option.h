/* SPDX-License-Identifier: MIT */
/*
 * Options are rows: key, type, place, default, range, unit, reload or restart, help. The same rows parse,
 * check, print the effective configuration and write the commented default file. All text; the row says how it is read.
 */
#ifndef FFFA_CONFIG_OPTION_H
#define FFFA_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

enum fffa_option_type {
	FFFA_OT_BOOL,	  /* bool */
	FFFA_OT_INT,	  /* int64_t */
	FFFA_OT_DURATION, /* int64_t nanoseconds: 500ms 10s 5m 1h */
	FFFA_OT_SIZE,	  /* int64_t bytes: 64KiB 10MiB */
	FFFA_OT_STRING,	  /* char * (owned by the configuration) */
	FFFA_OT_ENUM,	  /* int: index of the word in words */
	FFFA_OT_STRINGS,  /* struct fffa_strings */
	FFFA_OT_INTS,	  /* struct fffa_ints, each in min..max */
	FFFA_OT_SECRET,	  /* char *; printed as ***; KEY_file beside it reads a file */
	FFFA_OT_MAP,	  /* struct fffa_pairs: string to string; words, when set, lists the allowed keys */
};

struct fffa_strings {
	char **v;
	size_t n;
};

struct fffa_ints {
	int64_t v[16];
	size_t n;
};

struct fffa_pairs {
	struct fffa_pair {
		char *key;
		char *value;
	} *v;
	size_t n;
};

#define FFFA_OPTION_RESTART 0x1 /* a change needs a restart; else HUP is enough */

struct fffa_option {
	const char *key; /* dotted path inside its section, "batch.records"; NULL ends a table */
	enum fffa_option_type type;
	size_t offset;	    /* of the value in the section's struct */
	const char *def;    /* default as it would be written in YAML */
	int64_t min, max;   /* INT, INTS, DURATION (ns), SIZE; max 0: no range */
	const char *const *words; /* ENUM: NULL-terminated; MAP: allowed keys */
	unsigned int flags;
	const char *help; /* one line, mandatory */
};

/* The row type decides the C type of the field: a wrong one does not compile. */
#define FFFA_FIELD_IS(s, f, t) \
	(sizeof(char[_Generic(&((s *)0)->f, t *: 1, default: -1)]) * 0 + offsetof(s, f))

#endif
