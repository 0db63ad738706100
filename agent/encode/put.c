// SPDX-License-Identifier: MIT
/* The loops that run the steps, one for each kind of format. */
#include <string.h>

#include "agent/encode/field/pack.h"
#include "agent/encode/encoder_internal.h"

/* A space follows each value; the last one becomes the newline. */
void fffa_put_vpc(const struct fffa_step *s, const struct fffa_step *end, unsigned int have,
		  const struct fffa_record *r, const struct fffa_consts *c, struct fffa_out *o)
{
	uint8_t *p = o->p, *q;

	for (; s < end; s++) {
		q = s->when & have ? s->write(p, r, c) : p;
		if (q == p)
			*q++ = '-';
		*q = ' ';
		p = q + 1;
	}
	o->p = p;
}

static uint8_t *put_bracket(const struct fffa_step *s, uint8_t *p, struct fffa_out *o)
{
	if (s->kind == FFFA_STEP_OPEN)
		o->open[o->depth++] = p;
	if (s->kind != FFFA_STEP_CLOSE) {
		memcpy(p, s->text, s->key_len);
		return p + s->key_len;
	}
	o->depth--;
	if (p[-1] != ',') /* nothing follows the opening bracket */
		return o->open[o->depth];
	p[-1] = (uint8_t)s->text[0];
	*p++ = ',';
	return p;
}

/* A comma follows each member; the last one becomes the closing bracket. */
void fffa_put_json(const struct fffa_step *s, const struct fffa_step *end, unsigned int have,
		   const struct fffa_record *r, const struct fffa_consts *c, struct fffa_out *o)
{
	uint8_t *p = o->p, *value, *q;

	for (; s < end; s++) {
		if (!(s->when & have))
			continue;
		if (s->kind != FFFA_STEP_VALUE) {
			p = put_bracket(s, p, o);
			continue;
		}
		memcpy(p, s->key, sizeof(s->key));
		value = p + s->key_len;
		q = s->write(value, r, c);
		if (q == value) /* not known: the next step overwrites the key */
			continue;
		*q = '"';
		q += s->quoted;
		*q = ',';
		p = q + 1;
	}
	o->p = p;
}

void fffa_put_msgpack(const struct fffa_step *s, const struct fffa_step *end, unsigned int have,
		      const struct fffa_record *r, const struct fffa_consts *c, struct fffa_out *o)
{
	uint8_t *p = o->p, *value, *q;

	for (; s < end; s++) {
		if (!(s->when & have))
			continue;
		memcpy(p, s->key, sizeof(s->key));
		value = p + s->key_len;
		if (s->pack) {
			q = s->pack(value, r, c);
			if (q == value)
				continue;
		} else {
			q = s->write(value + 1, r, c);
			if (q == value + 1)
				continue;
			q = fffa_pack_text(value, q);
		}
		p = q;
		o->count++;
	}
	o->p = p;
}
