// SPDX-License-Identifier: MIT
#include "config/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/base/edit_distance.h"

struct unit {
	const char *name;
	int64_t scale;
};

/* Largest first: the first that divides a value writes it shortest. */
static const struct unit durations[] = {
	{"h", INT64_C(3600000000000)},
	{"m", INT64_C(60000000000)},
	{"s", INT64_C(1000000000)},
	{"ms", INT64_C(1000000)},
	{NULL, 0},
};
static const struct unit sizes[] = {
	{"GiB", INT64_C(1) << 30},
	{"MiB", INT64_C(1) << 20},
	{"KiB", INT64_C(1) << 10},
	{"", 1},
	{NULL, 0},
};
static const struct unit ones[] = {{"", 1}, {NULL, 0}};

bool fffa_value_is_number(enum fffa_option_type type)
{
	return type == FFFA_OT_BOOL || type == FFFA_OT_INT || type == FFFA_OT_DURATION ||
	       type == FFFA_OT_SIZE || type == FFFA_OT_ENUM || type == FFFA_OT_INTS;
}

int fffa_value_find_word(const char *const *words, const char *word)
{
	int i;

	for (i = 0; words && words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

/* On and off, true and false, yes and no mean the same. 1, 0; -1: another word. */
static int parse_switch(const char *text)
{
	static const char *const words[] = {"off", "on", "false", "true", "no", "yes", NULL};
	int i = fffa_value_find_word(words, text);

	return i < 0 ? -1 : i % 2;
}

/* A word out of words; where they have on and off, also one that means the same. -1: none. */
static int parse_word(const char *const *words, const char *text)
{
	int i = fffa_value_find_word(words, text), on = parse_switch(text);

	if (i >= 0 || on < 0)
		return i;
	return fffa_value_find_word(words, on ? "on" : "off");
}

/* Decimal digits and a unit. A leading zero is refused: YAML 1.1 reads it as octal. */
static int parse_with_unit(const char *p, const struct unit *units, int64_t *out)
{
	bool minus = *p == '-', range = false;
	const char *digits = p += minus;
	int64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			range = true;
	if (p == digits || (*digits == '0' && p - digits > 1))
		return -EINVAL;
	for (; units->name; units++)
		if (!strcmp(units->name, p))
			break;
	if (!units->name)
		return -EINVAL;
	if (range || __builtin_mul_overflow(v, units->scale, &v))
		return -ERANGE;
	*out = minus ? -v : v;
	return 0;
}

static int parse_ranged(const struct fffa_option *o, const struct unit *units, const char *text,
			int64_t *out)
{
	int64_t v;
	int rc = parse_with_unit(text, units, &v);

	if (rc)
		return rc;
	if (o->max ? v < o->min || v > o->max : o->type != FFFA_OT_INT && v < 0)
		return -ERANGE;
	*out = v;
	return 0;
}

int fffa_value_parse(const struct fffa_option *o, const char *text, int64_t *out)
{
	int word;

	switch (o->type) {
	case FFFA_OT_BOOL:
		word = parse_switch(text);
		if (word < 0)
			return -EINVAL;
		*out = word;
		return 0;
	case FFFA_OT_ENUM:
		word = parse_word(o->words, text);
		if (word < 0)
			return -EINVAL;
		*out = word;
		return 0;
	case FFFA_OT_DURATION:
		if (o->words && !strcmp(o->words[0], text)) {
			*out = 0;
			return 0;
		}
		return parse_ranged(o, durations, text, out);
	case FFFA_OT_SIZE:
		return parse_ranged(o, sizes, text, out);
	case FFFA_OT_INT:
	case FFFA_OT_INTS:
		return parse_ranged(o, ones, text, out);
	default:
		return -EINVAL;
	}
}

static void format_with_unit(const struct unit *units, int64_t v, char *dst, size_t cap)
{
	/* Nothing: "0s", "0"; and what no unit divides is written in the smallest. */
	for (; units[1].name; units++)
		if (v ? v % units->scale == 0 : units->scale == INT64_C(1000000000))
			break;
	snprintf(dst, cap, "%" PRId64 "%s", v / units->scale, units->name);
}

void fffa_value_format(const struct fffa_option *o, int64_t value, char *dst, size_t cap)
{
	switch (o->type) {
	case FFFA_OT_BOOL:
		snprintf(dst, cap, "%s", value ? "true" : "false");
		return;
	case FFFA_OT_ENUM:
		snprintf(dst, cap, "%s", o->words[value]);
		return;
	case FFFA_OT_DURATION:
		if (!value && o->words)
			snprintf(dst, cap, "%s", o->words[0]);
		else
			format_with_unit(durations, value, dst, cap);
		return;
	case FFFA_OT_SIZE:
		format_with_unit(sizes, value, dst, cap);
		return;
	default:
		format_with_unit(ones, value, dst, cap);
		return;
	}
}

const char *fffa_value_type_name(enum fffa_option_type type)
{
	static const char *const names[] = {
		[FFFA_OT_BOOL] = "true or false",
		[FFFA_OT_INT] = "a whole number",
		[FFFA_OT_DURATION] = "a duration",
		[FFFA_OT_SIZE] = "a size",
		[FFFA_OT_STRING] = "text",
		[FFFA_OT_ENUM] = "one of the allowed words",
		[FFFA_OT_STRINGS] = "a list of text",
		[FFFA_OT_INTS] = "a list of whole numbers",
		[FFFA_OT_SECRET] = "text",
		[FFFA_OT_MAP] = "a map of text to text",
	};

	return names[type];
}

/* The word that was meant: one that text begins with or that begins with text, or a near one. */
static const char *find_near(const char *const *words, const char *text)
{
	size_t n = strlen(text), best = n > 3 ? 3 : 2, d;
	const char *near = NULL;

	for (size_t i = 0; words[i]; i++) {
		size_t len = strlen(words[i]);

		d = fffa_edit_distance(text, n, words[i], len);
		if (d < best && d < len) {
			best = d;
			near = words[i];
		} else if (!near && n >= 3 && len >= 3 &&
			   !strncasecmp(words[i], text, len < n ? len : n)) {
			near = words[i];
		}
	}
	return near;
}

void fffa_value_hint(const char *const *words, const char *text, char *dst, size_t cap)
{
	const char *near = words ? find_near(words, text) : NULL;

	*dst = '\0';
	if (near)
		(void)snprintf(dst, cap, "did you mean \"%s\"? ", near);
}

static void add_text(char *dst, size_t cap, const char *text)
{
	size_t n = strlen(dst);

	snprintf(dst + n, cap - n, "%s", text);
}

static void add_words(char *dst, size_t cap, const char *const *words)
{
	size_t i;

	for (i = 0; words[i]; i++) {
		add_text(dst, cap, i ? ", " : "");
		add_text(dst, cap, words[i]);
	}
}

static void add_range(const struct fffa_option *o, char *dst, size_t cap)
{
	char low[32], high[32];
	struct fffa_option bare = *o;

	bare.words = NULL;
	fffa_value_format(&bare, o->min, low, sizeof(low));
	fffa_value_format(&bare, o->max, high, sizeof(high));
	add_text(dst, cap, low);
	add_text(dst, cap, " to ");
	add_text(dst, cap, high);
}

void fffa_value_allowed(const struct fffa_option *o, char *dst, size_t cap)
{
	bool range = o->max && fffa_value_is_number(o->type);

	*dst = '\0';
	if (o->type == FFFA_OT_ENUM) {
		add_words(dst, cap, o->words);
		return;
	}
	if (o->type == FFFA_OT_DURATION && o->words) {
		add_text(dst, cap, o->words[0]);
		add_text(dst, cap, " or ");
	}
	if (o->flags & FFFA_OPTION_WORD) {
		add_text(dst, cap, o->words[0]);
		add_text(dst, cap, " or ");
	}
	if (o->flags & FFFA_OPTION_NESTED)
		add_text(dst, cap, "a map of names to maps");
	else if (!range || o->type == FFFA_OT_INTS)
		add_text(dst, cap, fffa_value_type_name(o->type));
	if (o->type == FFFA_OT_INTS && range)
		add_text(dst, cap, ", each ");
	if (range)
		add_range(o, dst, cap);
	if (o->type == FFFA_OT_DURATION)
		add_text(dst, cap, " (units ms, s, m, h)");
	else if (o->type == FFFA_OT_SIZE)
		add_text(dst, cap, " (bytes, or units KiB, MiB, GiB)");
	else if (o->words && o->type == FFFA_OT_STRINGS)
		add_text(dst, cap, " out of ");
	else if (o->words && o->type == FFFA_OT_MAP)
		add_text(dst, cap, " with the keys ");
	if (o->words && (o->type == FFFA_OT_STRINGS || o->type == FFFA_OT_MAP))
		add_words(dst, cap, o->words + (o->flags & FFFA_OPTION_WORD ? 1 : 0));
}

int64_t fffa_value_load(const struct fffa_option *o, const void *at)
{
	if (o->type == FFFA_OT_BOOL)
		return *(const bool *)at;
	if (o->type == FFFA_OT_ENUM)
		return *(const int *)at;
	return *(const int64_t *)at;
}

void fffa_value_store(const struct fffa_option *o, void *at, int64_t value)
{
	if (o->type == FFFA_OT_BOOL)
		*(bool *)at = value;
	else if (o->type == FFFA_OT_ENUM)
		*(int *)at = (int)value;
	else
		*(int64_t *)at = value;
}
