// SPDX-License-Identifier: MIT
#include "config/change.h"

#include <string.h>

#include "config/rows.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_strings(const struct fffa_strings *a, const struct fffa_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!same_text(a->v[i], b->v[i]))
			return false;
	}
	return true;
}

static bool same_pairs(const struct fffa_pairs *a, const struct fffa_pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!same_text(a->v[i].key, b->v[i].key) ||
		    !same_text(a->v[i].value, b->v[i].value))
			return false;
	}
	return true;
}

static bool same_ints(const struct fffa_ints *a, const struct fffa_ints *b)
{
	return a->n == b->n && !memcmp(a->v, b->v, a->n * sizeof(a->v[0]));
}

static size_t field_bytes(enum fffa_option_type type)
{
	switch (type) {
	case FFFA_OT_BOOL:
		return sizeof(bool);
	case FFFA_OT_INT:
	case FFFA_OT_DURATION:
	case FFFA_OT_SIZE:
		return sizeof(int64_t);
	case FFFA_OT_STRING:
	case FFFA_OT_SECRET:
		return sizeof(char *);
	case FFFA_OT_ENUM:
		return sizeof(int);
	case FFFA_OT_STRINGS:
		return sizeof(struct fffa_strings);
	case FFFA_OT_INTS:
		return sizeof(struct fffa_ints);
	case FFFA_OT_MAP:
		return sizeof(struct fffa_pairs);
	}
	return 0;
}

static bool same_value(enum fffa_option_type type, const void *a, const void *b)
{
	switch (type) {
	case FFFA_OT_STRING:
	case FFFA_OT_SECRET:
		return same_text(*(char *const *)a, *(char *const *)b);
	case FFFA_OT_STRINGS:
		return same_strings(a, b);
	case FFFA_OT_INTS:
		return same_ints(a, b);
	case FFFA_OT_MAP:
		return same_pairs(a, b);
	default:
		return !memcmp(a, b, field_bytes(type));
	}
}

/* Calls differs for each row whose values differ. */
static void compare_rows(const struct fffa_option *rows, const void *a, const void *b,
			 void (*differs)(void *arg, const struct fffa_option *row), void *arg)
{
	for (; rows && rows->key; rows++) {
		const char *pa = (const char *)a + rows->offset,
			   *pb = (const char *)b + rows->offset;

		if (!same_value(rows->type, pa, pb))
			differs(arg, rows);
	}
}

struct sink_difference {
	bool changes;
	void (*changed)(void *arg, const char *key);
	void *arg;
};

static void on_difference(void *arg, const struct fffa_option *row)
{
	struct sink_difference *d = arg;

	d->changes = true;
	if (d->changed)
		d->changed(d->arg, row->key);
}

bool fffa_change_sink(const struct fffa_sink_conf *now, const struct fffa_sink_conf *next,
		      void (*changed)(void *arg, const char *key), void *arg)
{
	struct sink_difference d = {.changed = changed, .arg = arg};

	compare_rows(fffa_sink_common_rows, &now->common, &next->common, on_difference, &d);
	if (now->opts == next->opts) /* else type differs */
		compare_rows(next->opts, now->own, next->own, on_difference, &d);
	return d.changes;
}

static bool may_be_secret(const struct fffa_option *row)
{
	return row->type == FFFA_OT_SECRET || (row->flags & FFFA_OPTION_SECRETS);
}

struct secret_difference {
	bool secrets, others;
};

static void on_secret_difference(void *arg, const struct fffa_option *row)
{
	struct secret_difference *d = arg;

	if (may_be_secret(row))
		d->secrets = true;
	else
		d->others = true;
}

bool fffa_change_is_secret(const struct fffa_sink_conf *now, const struct fffa_sink_conf *next)
{
	struct secret_difference d = {false, false};

	if (now->opts != next->opts)
		return false;
	compare_rows(fffa_sink_common_rows, &now->common, &next->common, on_secret_difference, &d);
	compare_rows(next->opts, now->own, next->own, on_secret_difference, &d);
	return d.secrets && !d.others;
}

bool fffa_change_has_secret(const struct fffa_sink_conf *c)
{
	for (const struct fffa_option *row = c->opts; row && row->key; row++) {
		const void *at = (const char *)c->own + row->offset;

		if (row->type == FFFA_OT_SECRET && *(char *const *)at)
			return true;
		if ((row->flags & FFFA_OPTION_SECRETS) && ((const struct fffa_pairs *)at)->n)
			return true;
	}
	return false;
}

static void swap_fields(void *a, void *b, size_t size)
{
	char saved[sizeof(struct fffa_ints)];

	memcpy(saved, a, size);
	memcpy(a, b, size);
	memcpy(b, saved, size);
}

void fffa_change_apply(struct fffa_config *now, struct fffa_config *next, const char *except,
		       fffa_change_fn changed, void *arg)
{
	for (const struct fffa_option *row = fffa_config_rows; row->key; row++) {
		void *a = (char *)now + row->offset, *b = (char *)next + row->offset;
		bool taken = row->flags & FFFA_OPTION_RELOAD &&
			     (!except || strncmp(row->key, except, strlen(except)) != 0);

		if (same_value(row->type, a, b))
			continue;
		if (taken)
			swap_fields(a, b, field_bytes(row->type));
		changed(arg, row->key, taken);
	}
}
