// SPDX-License-Identifier: MIT
/* The formats that consist of JSON objects: the members come in the order of the steps. */
#include <string.h>

#include "agent/encode/recognize_internal.h"

/* Takes the text up to the quote that ends it. */
static enum fffa_match take_string(struct fffa_unread *in)
{
	while (in->p < in->end && *in->p != '"') {
		if (*in->p < ' ')
			return FFFA_MATCH_NO;
		in->p += *in->p == '\\' && in->p + 1 < in->end ? 2 : 1;
	}
	if (in->p == in->end)
		return FFFA_MATCH_TORN;
	in->p++;
	return FFFA_MATCH_ALL;
}

/* Takes a number, true, false, or an array of strings. TORN also where it may go on. */
static enum fffa_match take_bare(struct fffa_unread *in)
{
	bool list = in->p < in->end && *in->p == '[';

	while (in->p < in->end && *in->p != '}') {
		if (list ? *in->p == ']' : *in->p == ',' || *in->p == ']')
			break;
		if (*in->p <= ' ' || *in->p >= 0x7f)
			return FFFA_MATCH_NO;
		in->p++;
	}
	in->p += list && in->p < in->end && *in->p == ']';
	return in->p < in->end ? FFFA_MATCH_ALL : FFFA_MATCH_TORN;
}

/* Behind the step that closes what step i opens. */
static size_t skip_group(const struct fffa_encoder *e, size_t i)
{
	unsigned int depth = 0;

	do {
		depth += e->steps[i].kind == FFFA_STEP_OPEN;
		depth -= e->steps[i].kind == FFFA_STEP_CLOSE;
		i++;
	} while (depth && i < e->n);
	return i;
}

/* The step from i on that closes the group that is open there; e->n: none is. */
static size_t find_close(const struct fffa_encoder *e, size_t i)
{
	while (i < e->n && e->steps[i].kind != FFFA_STEP_CLOSE)
		i = skip_group(e, i);
	return i;
}

static enum fffa_match match_step(const struct fffa_step *s, struct fffa_unread *in)
{
	enum fffa_match m;

	switch (s->kind) {
	case FFFA_STEP_VALUE:
		m = fffa_recognize_text(in, s->key, s->key_len);
		if (m != FFFA_MATCH_ALL)
			return m;
		return s->quoted ? take_string(in) : take_bare(in);
	case FFFA_STEP_TEXT: /* without the comma, which the end of an object replaces */
		return fffa_recognize_text(in, s->text, s->key_len - 1u);
	case FFFA_STEP_OPEN:
		return fffa_recognize_text(in, s->text, s->key_len);
	default:
		return FFFA_MATCH_NO;
	}
}

/*
 * Finds the next member among the steps from *i on; *i is behind its step then. Steps that are not
 * there are passed over: their values are not known.
 */
static enum fffa_match match_member(const struct fffa_encoder *e, size_t *i, struct fffa_unread *in,
				    bool *opened)
{
	if (in->p == in->end)
		return FFFA_MATCH_TORN;
	while (*i < e->n && e->steps[*i].kind != FFFA_STEP_CLOSE) {
		const struct fffa_step *s = &e->steps[*i];
		enum fffa_match m = match_step(s, in);

		*opened = s->kind == FFFA_STEP_OPEN;
		if (m == FFFA_MATCH_NO && fffa_recognize_must_have(e, *i))
			return m;
		*i = m == FFFA_MATCH_NO ? skip_group(e, *i) : *i + 1;
		if (m != FFFA_MATCH_NO)
			return m;
	}
	return FFFA_MATCH_NO;
}

static bool misses_none(const struct fffa_encoder *e, size_t i)
{
	for (; i < e->n; i++)
		if (fffa_recognize_must_have(e, i))
			return false;
	return true;
}

/* After a member: takes a comma, or the ends of objects. RECORD: that was the last one. */
static enum fffa_found take_separator(const struct fffa_encoder *e, size_t *i,
				      struct fffa_unread *in)
{
	while (in->p < in->end && *in->p != ',') {
		uint8_t c = *in->p++;

		*i = find_close(e, *i);
		if (*i == e->n)
			return c == '}' ? FFFA_FOUND_RECORD : FFFA_FOUND_FOREIGN;
		if (c != (uint8_t)e->steps[*i].text[0])
			return FFFA_FOUND_FOREIGN;
		++*i;
	}
	if (in->p < in->end)
		in->p++;
	return FFFA_FOUND_TORN;
}

static enum fffa_found take_newline(struct fffa_unread *in)
{
	if (in->p == in->end)
		return FFFA_FOUND_UNTERMINATED;
	return *in->p++ == '\n' ? FFFA_FOUND_RECORD : FFFA_FOUND_FOREIGN;
}

enum fffa_found fffa_recognize_json(const struct fffa_encoder *e, struct fffa_unread *in)
{
	enum fffa_found found;
	size_t i = 0;
	bool opened;

	if (*in->p++ != '{')
		return FFFA_FOUND_FOREIGN;
	for (;;) {
		size_t last;

		switch (match_member(e, &i, in, &opened)) {
		case FFFA_MATCH_NO:
			return FFFA_FOUND_FOREIGN;
		case FFFA_MATCH_TORN:
			return FFFA_FOUND_TORN;
		case FFFA_MATCH_ALL:
			break;
		}
		if (opened)
			continue;
		last = i;
		found = take_separator(e, &i, in);
		if (found == FFFA_FOUND_RECORD)
			return misses_none(e, last) ? take_newline(in) : FFFA_FOUND_FOREIGN;
		if (found != FFFA_FOUND_TORN || in->p == in->end)
			return found;
	}
}
