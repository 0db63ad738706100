/* SPDX-License-Identifier: MIT */
/* One scalar: text to number and back, by the option's row. Pure. */
#ifndef FFFA_CONFIG_VALUE_H
#define FFFA_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/option.h"

/* BOOL, INT, INTS (one item), DURATION, SIZE, ENUM: kept as a number. */
bool fffa_value_is_number(enum fffa_option_type type);
/*
 * Reads text as the row says. -EINVAL: another type; -ERANGE: outside min..max; *out is
 * then unchanged.
 */
int fffa_value_parse(const struct fffa_option *o, const char *text, int64_t *out);
/*
 * Writes the number as text: "1m", "4MiB", "auto", "true". 32 bytes are always enough; less
 * cuts it.
 */
void fffa_value_format(const struct fffa_option *o, int64_t value, char *dst, size_t cap);

/* "a duration", "a whole number", "one of the words" ... */
const char *fffa_value_type_name(enum fffa_option_type type);
/* What is allowed: "100ms to 10s (units ms, s, m, h)", "auto, xdp, tc". Cut to cap. */
void fffa_value_allowed(const struct fffa_option *o, char *dst, size_t cap);

/* The number as it lies in the option's field. */
int64_t fffa_value_load(const struct fffa_option *o, const void *at);
void fffa_value_store(const struct fffa_option *o, void *at, int64_t value);

/* Index of word in the NULL-terminated words, or -1. */
int fffa_value_find_word(const char *const *words, const char *word);

/* Writes "did you mean ...? " if text is near to one of words (NULL: none), else nothing. */
void fffa_value_hint(const char *const *words, const char *text, char *dst, size_t cap);

#endif
