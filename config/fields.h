/* SPDX-License-Identifier: MIT */
/* The options of one section bound to the structs that they fill: rows of one or more tables. */
#ifndef FFFA_CONFIG_FIELDS_H
#define FFFA_CONFIG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/option.h"

#define FFFA_FIELDS_MAX 128

struct fffa_field {
	const struct fffa_option *opt;
	void *at;	/* the field in its struct */
	bool given;	/* by KEY */
	bool from_file; /* by KEY_file */
};

struct fffa_fields {
	struct fffa_field v[FFFA_FIELDS_MAX];
	size_t n;
};

/* Adds the rows of opts (NULL: none) over the struct at base. -E2BIG when they are too many. */
int fffa_fields_add(struct fffa_fields *f, const struct fffa_option *opts, void *base);
/* The field with this dotted key, or NULL. */
struct fffa_field *fffa_fields_find(struct fffa_fields *f, const char *key);
/* True when keys lie under path ("batch"). */
bool fffa_fields_is_group(const struct fffa_fields *f, const char *path);

/*
 * Writes what to do about an unknown key: 'did you mean "X"?' when one of the keys directly under
 * prefix ("" or "batch") or extra (may be NULL) is close, else "allowed: A, B". Cut to cap.
 */
void fffa_fields_hint(const struct fffa_fields *f, const char *prefix, const char *extra,
		      const char *key, char *dst, size_t cap);

/* Frees what the field holds (a secret is wiped) and empties it. */
void fffa_fields_clear(const struct fffa_option *o, void *at);
/* The same for a whole struct. */
void fffa_fields_clear_all(const struct fffa_option *opts, void *base);

#endif
