// SPDX-License-Identifier: MIT
/* MessagePack: one map for each record, with the keys in the order of the steps. */
#include <string.h>

#include "agent/encode/field/pack.h"
#include "agent/encode/recognize_internal.h"

/* Takes n bytes. False: there are not so many. */
static bool take(struct fffa_unread *in, size_t n)
{
	if (fffa_unread_bytes(in) < n) {
		in->p = in->end;
		return false;
	}
	in->p += n;
	return true;
}

/* Takes a string whose length has bytes bytes. */
static enum fffa_match take_sized(struct fffa_unread *in, size_t bytes)
{
	size_t n = 0;

	if (fffa_unread_bytes(in) < bytes)
		return FFFA_MATCH_TORN;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | in->p[i];
	in->p += bytes;
	return take(in, n) ? FFFA_MATCH_ALL : FFFA_MATCH_TORN;
}

/* Takes one of the values that a record has: a number, a truth value or a string. */
static enum fffa_match take_value(struct fffa_unread *in)
{
	uint8_t head;

	if (in->p == in->end)
		return FFFA_MATCH_TORN;
	head = *in->p++;
	if (head < 0x80 || head >= 0xe0 || head == 0xc2 || head == 0xc3)
		return FFFA_MATCH_ALL;
	if ((head & 0xe0) == 0xa0)
		return take(in, head & 0x1fu) ? FFFA_MATCH_ALL : FFFA_MATCH_TORN;
	if (head >= 0xcc &&
	    head <= 0xd3) /* integers of 1, 2, 4 and 8 bytes, without and with sign */
		return take(in, (size_t)1 << (head & 3)) ? FFFA_MATCH_ALL : FFFA_MATCH_TORN;
	if (head == 0xd9 || head == 0xda)
		return take_sized(in, head - 0xd8u);
	return FFFA_MATCH_NO;
}

static enum fffa_match take_pair(const struct fffa_encoder *e, size_t *i, struct fffa_unread *in)
{
	enum fffa_match m = FFFA_MATCH_NO;

	if (in->p == in->end)
		return FFFA_MATCH_TORN;
	for (; *i < e->n; ++*i) {
		m = fffa_recognize_text(in, e->steps[*i].key, e->steps[*i].key_len);
		if (m != FFFA_MATCH_NO)
			break;
		if (fffa_recognize_must_have(e, *i))
			return m;
	}
	++*i;
	return m == FFFA_MATCH_ALL ? take_value(in) : m;
}

/* Takes the head of a map: its number of pairs. */
static enum fffa_match take_head(const struct fffa_encoder *e, struct fffa_unread *in, size_t *n)
{
	size_t head_bytes = fffa_pack_map_bytes(e->n);

	if (head_bytes == 1) {
		*n = *in->p & 0x0f;
		return (*in->p++ & 0xf0) == 0x80 ? FFFA_MATCH_ALL : FFFA_MATCH_NO;
	}
	if (*in->p != 0xde)
		return FFFA_MATCH_NO;
	if (fffa_unread_bytes(in) < head_bytes)
		return FFFA_MATCH_TORN;
	*n = (size_t)(in->p[1] << 8 | in->p[2]);
	in->p += head_bytes;
	return FFFA_MATCH_ALL;
}

enum fffa_found fffa_recognize_msgpack(const struct fffa_encoder *e, struct fffa_unread *in)
{
	size_t pairs = 0, i = 0;
	enum fffa_match m = take_head(e, in, &pairs);

	for (size_t k = 0; m == FFFA_MATCH_ALL && k < pairs; k++)
		m = take_pair(e, &i, in);
	if (m == FFFA_MATCH_TORN)
		return FFFA_FOUND_TORN;
	if (m == FFFA_MATCH_NO || !pairs)
		return FFFA_FOUND_FOREIGN;
	for (; i < e->n; i++)
		if (fffa_recognize_must_have(e, i))
			return FFFA_FOUND_FOREIGN;
	return FFFA_FOUND_RECORD;
}
