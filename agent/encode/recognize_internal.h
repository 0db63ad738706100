/* SPDX-License-Identifier: MIT */
/* Inside fffa_recognize: one judge for each kind of format, all with its arguments. */
#ifndef FFFA_AGENT_ENCODE_RECOGNIZE_INTERNAL_H
#define FFFA_AGENT_ENCODE_RECOGNIZE_INTERNAL_H

#include <string.h>

#include "agent/encode/encoder_internal.h"
#include "agent/encode/recognize.h"

/* Bytes that are still to be judged. */
struct fffa_unread {
	const uint8_t *p, *end;
};

static inline size_t fffa_unread_bytes(const struct fffa_unread *in)
{
	return (size_t)(in->end - in->p);
}

enum fffa_match { FFFA_MATCH_NO, FFFA_MATCH_ALL, FFFA_MATCH_TORN };

/* ALL: in begins with the text and now stands behind it. TORN: in ends within the text. */
static inline enum fffa_match fffa_recognize_text(struct fffa_unread *in, const void *text,
						  size_t len)
{
	size_t left = fffa_unread_bytes(in);

	if (memcmp(in->p, text, left < len ? left : len))
		return FFFA_MATCH_NO;
	if (left < len)
		return FFFA_MATCH_TORN;
	in->p += len;
	return FFFA_MATCH_ALL;
}

/* Whether a record with the steps of e always has step i: its value is known at any time. */
static inline bool fffa_recognize_must_have(const struct fffa_encoder *e, size_t i)
{
	if (e->steps[i].kind != FFFA_STEP_VALUE)
		return false;
	switch (e->steps[i].id) {
	case FFFA_FIELD_schema:
	case FFFA_FIELD_epoch:
	case FFFA_FIELD_seq:
	case FFFA_FIELD_start_ms:
	case FFFA_FIELD_end_ms:
	case FFFA_FIELD_log_status:
		return e->format == FFFA_FORMAT_JSON || e->format == FFFA_FORMAT_MSGPACK;
	default:
		return false;
	}
}

/* Takes a word of printable characters; what ends it stays. Returns its length. */
static inline size_t fffa_recognize_take_word(struct fffa_unread *in)
{
	size_t n = 0, most = fffa_unread_bytes(in);

	while (n < most && in->p[n] > ' ' && in->p[n] < 0x7f)
		n++;
	in->p += n;
	return n;
}

static inline bool fffa_recognize_is_one_of(const uint8_t *word, size_t n, const char *const *list,
					    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == n && !memcmp(word, list[i], n))
			return true;
	return false;
}

/* Words that only a vpc record has, and that nothing can be cut off of. */
static inline bool fffa_recognize_is_status(const uint8_t *word, size_t n)
{
	static const char *const words[] = {"ACCEPT", "REJECT", "OK", "NODATA", "SKIPDATA"};

	return fffa_recognize_is_one_of(word, n, words, sizeof(words) / sizeof(words[0]));
}

/* Each takes the record that in begins with; behind it stands in when the answer is RECORD. */
enum fffa_found fffa_recognize_vpc(const struct fffa_encoder *e, struct fffa_unread *in);
enum fffa_found fffa_recognize_flowlog(struct fffa_unread *in);
enum fffa_found fffa_recognize_json(const struct fffa_encoder *e, struct fffa_unread *in);
enum fffa_found fffa_recognize_msgpack(const struct fffa_encoder *e, struct fffa_unread *in);

#endif
