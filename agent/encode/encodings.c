// SPDX-License-Identifier: MIT
#include "agent/encode/encodings.h"

#include "agent/base/assert.h"

static size_t find_index(const struct fffa_encodings *e, uint64_t identity)
{
	size_t i = 0;

	while (i < e->n && e->v[i].identity != identity)
		i++;
	return i;
}

bool fffa_encodings_has_room(const struct fffa_encodings *e, uint64_t identity)
{
	return find_index(e, identity) < FFFA_ENCODINGS_MAX;
}

void fffa_encodings_set(struct fffa_encodings *e, const struct fffa_encoding *encoding)
{
	size_t i = find_index(e, encoding->identity);
	struct fffa_encoder *before = i < e->n ? e->v[i].encoder : NULL;

	FFFA_ASSERT(i < FFFA_ENCODINGS_MAX);
	e->v[i] = *encoding;
	e->v[i].encoder = fffa_encoder_ref(encoding->encoder);
	fffa_encoder_free(before);
	e->n += i == e->n;
	e->current = i;
}

const struct fffa_encoding *fffa_encodings_current(const struct fffa_encodings *e)
{
	return e->n ? &e->v[e->current] : NULL;
}

const struct fffa_encoding *fffa_encodings_find(const struct fffa_encodings *e, uint64_t identity)
{
	size_t i = find_index(e, identity);

	return i < e->n ? &e->v[i] : fffa_encodings_current(e);
}

void fffa_encodings_forget(struct fffa_encodings *e)
{
	struct fffa_encoding kept;

	if (!e->n)
		return;
	kept = e->v[e->current];
	for (size_t i = 0; i < e->n; i++) {
		if (i != e->current)
			fffa_encoder_free(e->v[i].encoder);
	}
	e->v[0] = kept;
	e->current = 0;
	e->n = 1;
}

void fffa_encodings_free(struct fffa_encodings *e)
{
	for (size_t i = 0; i < e->n; i++)
		fffa_encoder_free(e->v[i].encoder);
	e->n = 0;
}
