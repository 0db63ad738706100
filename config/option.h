/* SPDX-License-Identifier: MIT */
/*
 * Options are rows: key, type, place, default, range, unit, reload or restart, help. The same rows
 * parse, check, print the effective configuration and write the commented default file. All text;
 * the row says how it is read.
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
	FFFA_OT_DURATION, /* int64_t ns: 500ms 10s 5m 1h; words[0], if set, is the text of 0 */
	FFFA_OT_SIZE,	  /* int64_t bytes: 64KiB 10MiB */
	FFFA_OT_STRING,	  /* char * (owned by the configuration) */
	FFFA_OT_ENUM,	  /* int: index of the word in words */
	FFFA_OT_STRINGS,  /* struct fffa_strings */
	FFFA_OT_INTS,	  /* struct fffa_ints, each in min..max */
	FFFA_OT_SECRET,	  /* char *; printed as ***; KEY_file beside it reads a file */
	FFFA_OT_MAP, /* struct fffa_pairs: text to text; words, when set, are the allowed keys */
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
	} * v;
	size_t n;
};

#define FFFA_OPTION_RELOAD                                                                         \
	0x1 /* HUP takes a change over. Without it a key outside sinks needs a restart */
#define FFFA_OPTION_JOIN 0x2 /* STRING: may be a YAML list, joined with single spaces */
#define FFFA_OPTION_TEMPLATE                                                                       \
	0x4 /* STRING: "${name}" is the value's own syntax in a vpc sink, not the environment */

#define FFFA_OPTION_SECRETS 0x8 /* MAP: a value may be a secret, so KEY_file in it reads a file */
#define FFFA_OPTION_PRIVATE                                                                        \
	0x10 /* MAP: values are printed as *** unless the key is known to hold no secret */
#define FFFA_OPTION_URL 0x20 /* STRING: a URL, whose query is printed as *** */
#define FFFA_OPTION_PLAIN                                                                          \
	0x100 /* STRING "GROUP.KEY": GROUP may also have the value itself instead of a map */
/* MAP: of names to maps; words ending in [] hold lists. Pairs are "NAME.WORD", lists joined by " ". */
#define FFFA_OPTION_NESTED 0x400
#define FFFA_OPTION_WORD   0x200 /* STRINGS: words[0], such as auto, stands in place of the list */

struct fffa_option {
	const char *key; /* dotted path inside its section, "batch.records"; NULL ends a table */
	enum fffa_option_type type;
	size_t offset; /* of the value in the section's struct */
	/*
	 * Default: lists and maps in YAML flow style ("[auto]", "{}"), everything else the bare
	 * text without quotes. NULL: a STRING or SECRET stays NULL, the rest is empty, 0 or false.
	 */
	const char *def;
	/* INT, INTS (each), DURATION (ns), SIZE (bytes); STRINGS: number of items. max 0: no range.
	 */
	int64_t min, max;
	const char *const *words; /* NULL-terminated. ENUM; STRINGS: allowed items; MAP: allowed
				     keys; DURATION */
	unsigned int flags;
	const char *help; /* one line, mandatory */
};

/* The row type decides the C type of the field: a wrong one does not compile. */
#define FFFA_FIELD_IS(s, f, t)                                                                     \
	(sizeof(char[_Generic(&((s *)0)->f, t * : 1, default : -1)]) * 0 + offsetof(s, f))

/*
 * Row makers: KEY and HELP are literals, S and F name the struct and the field (nested fields with
 * dots). FLAGS is 0 or FFFA_OPTION_*. A table ends with FFFA_OPT_END.
 */
#define FFFA_OPT_ROW_(KEY, TYPE, S, F, T, DEF, MIN, MAX, WORDS, FLAGS, HELP)                       \
	{                                                                                          \
		.key = "" KEY, .type = (TYPE), .offset = FFFA_FIELD_IS(S, F, T), .def = (DEF),     \
		.min = (MIN), .max = (MAX), .words = (WORDS), .flags = (FLAGS), .help = "" HELP    \
	}
#define FFFA_OPT_BOOL(KEY, S, F, DEF, FLAGS, HELP)                                                 \
	FFFA_OPT_ROW_(KEY, FFFA_OT_BOOL, S, F, bool, DEF, 0, 0, NULL, FLAGS, HELP)
#define FFFA_OPT_INT(KEY, S, F, DEF, MIN, MAX, FLAGS, HELP)                                        \
	FFFA_OPT_ROW_(KEY, FFFA_OT_INT, S, F, int64_t, DEF, MIN, MAX, NULL, FLAGS, HELP)
/* MIN and MAX in nanoseconds. */
#define FFFA_OPT_DURATION(KEY, S, F, DEF, MIN, MAX, FLAGS, HELP)                                   \
	FFFA_OPT_ROW_(KEY, FFFA_OT_DURATION, S, F, int64_t, DEF, MIN, MAX, NULL, FLAGS, HELP)
/* WORDS: { "never", NULL }; the word stands for 0 and is allowed whatever the range. */
#define FFFA_OPT_DURATION_OR(KEY, S, F, DEF, MIN, MAX, WORDS, FLAGS, HELP)                         \
	FFFA_OPT_ROW_(KEY, FFFA_OT_DURATION, S, F, int64_t, DEF, MIN, MAX, WORDS, FLAGS, HELP)
/* MIN and MAX in bytes. */
#define FFFA_OPT_SIZE(KEY, S, F, DEF, MIN, MAX, FLAGS, HELP)                                       \
	FFFA_OPT_ROW_(KEY, FFFA_OT_SIZE, S, F, int64_t, DEF, MIN, MAX, NULL, FLAGS, HELP)
#define FFFA_OPT_STRING(KEY, S, F, DEF, FLAGS, HELP)                                               \
	FFFA_OPT_ROW_(KEY, FFFA_OT_STRING, S, F, char *, DEF, 0, 0, NULL, FLAGS, HELP)
#define FFFA_OPT_ENUM(KEY, S, F, DEF, WORDS, FLAGS, HELP)                                          \
	FFFA_OPT_ROW_(KEY, FFFA_OT_ENUM, S, F, int, DEF, 0, 0, WORDS, FLAGS, HELP)
/* MIN and MAX: number of items (0, 0: up to the reader's own cap); WORDS: allowed items or NULL. */
#define FFFA_OPT_STRINGS(KEY, S, F, DEF, MIN, MAX, WORDS, FLAGS, HELP)                             \
	FFFA_OPT_ROW_(KEY, FFFA_OT_STRINGS, S, F, struct fffa_strings, DEF, MIN, MAX, WORDS,       \
		      FLAGS, HELP)
#define FFFA_OPT_INTS(KEY, S, F, DEF, MIN, MAX, FLAGS, HELP)                                       \
	FFFA_OPT_ROW_(KEY, FFFA_OT_INTS, S, F, struct fffa_ints, DEF, MIN, MAX, NULL, FLAGS, HELP)
#define FFFA_OPT_SECRET(KEY, S, F, FLAGS, HELP)                                                    \
	FFFA_OPT_ROW_(KEY, FFFA_OT_SECRET, S, F, char *, NULL, 0, 0, NULL, FLAGS, HELP)
/* WORDS: allowed keys or NULL. */
#define FFFA_OPT_MAP(KEY, S, F, DEF, WORDS, FLAGS, HELP)                                           \
	FFFA_OPT_ROW_(KEY, FFFA_OT_MAP, S, F, struct fffa_pairs, DEF, 0, 0, WORDS, FLAGS, HELP)
#define FFFA_OPT_END                                                                               \
	{                                                                                          \
		.key = NULL                                                                        \
	}

#endif
