/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/encode/encoder.h"
#include "agent/encode/program.h"
#include "agent/encode/text.h"

static const struct {
	const char *name;
	const char *content_type;
} formats[FFFA_FORMAT_MAX] = {
	[FFFA_FORMAT_VPC] = {"vpc", "text/plain"},
	[FFFA_FORMAT_FLOWLOG] = {"flowlog", "text/plain"},
	[FFFA_FORMAT_JSON] = {"json", "application/x-ndjson"},
};

int fffa_format_parse(const char *name, enum fffa_format *out)
{
	for (int i = 0; i < FFFA_FORMAT_MAX; i++) {
		if (!strcmp(name, formats[i].name)) {
			*out = (enum fffa_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *fffa_format_name(enum fffa_format format)
{
	return formats[format].name;
}

const char *fffa_format_content_type(enum fffa_format format)
{
	return formats[format].content_type;
}

static void add_step(struct fffa_encoder *e, uint8_t id)
{
	const struct fffa_field *f = &fffa_fields[id];
	struct fffa_step *s = &e->steps[e->n++];
	int len;

	s->write = f->write;
	s->always = f->always;
	s->id = id;
	if (e->format == FFFA_FORMAT_JSON) {
		s->quoted = f->quoted;
		len = snprintf(s->key, sizeof(s->key), ",\"%s\":%s",
			       fffa_field_name(FFFA_FORMAT_JSON, id), f->quoted ? "\"" : "");
		s->key_len = (uint8_t)len;
	}
	/* Behind the value: '-' or a quote, and the separator. */
	e->bound_bytes += s->key_len + f->max_bytes + 2U;
}

static void fill_consts(struct fffa_consts *c, const struct fffa_field_list *list)
{
	const struct fffa_field_info *infos;
	size_t count;

	infos = fffa_field_table(&count);
	c->version = 2;
	for (size_t i = 0; i < list->n; i++) {
		if (infos[list->id[i]].vpc_version > c->version)
			c->version = infos[list->id[i]].vpc_version;
	}
	for (int i = FFFA_END_IDLE; i < FFFA_END_MAX; i++)
		snprintf(c->end_reason[i].text, sizeof(c->end_reason[i].text), "%s",
			 fffa_end_reason_name((enum fffa_end_reason)i));
}

int fffa_encoder_new(enum fffa_format format, const char *fields, struct fffa_encoder **out,
		     struct fffa_err *err)
{
	struct fffa_field_list list = {.n = 0};
	struct fffa_encoder *e;
	int rc = 0;

	if (format != FFFA_FORMAT_FLOWLOG)
		rc = fffa_field_list_parse(format, fields, &list, err);
	if (rc)
		return rc;
	e = calloc(1, sizeof(*e));
	if (!e)
		return fffa_fail(err, ENOMEM, "no memory for the encoder");
	e->format = format;
	e->bound_bytes = 2 + FFFA_TEXT_SLACK_BYTES; /* the end of the line */
	if (format == FFFA_FORMAT_FLOWLOG)
		e->bound_bytes += fffa_flowlog_bound();
	fill_consts(&e->consts, &list);
	for (size_t i = 0; i < list.n; i++)
		add_step(e, list.id[i]);
	if (e->bound_bytes > FFFA_RECORD_BYTES_MAX) {
		rc = fffa_fail(err, EINVAL, "a record could be %zu bytes long, %d are allowed",
			       e->bound_bytes, FFFA_RECORD_BYTES_MAX);
		free(e);
		return rc;
	}
	*out = e;
	return 0;
}

void fffa_encoder_free(struct fffa_encoder *e)
{
	free(e);
}

size_t fffa_encode_header(const struct fffa_encoder *e, uint8_t *dst, size_t cap)
{
	size_t len = 0, name_len;
	const char *name;

	if (e->format != FFFA_FORMAT_VPC)
		return 0;
	for (size_t i = 0; i < e->n; i++) {
		name = fffa_field_name(FFFA_FORMAT_VPC, e->steps[i].id);
		name_len = strlen(name);
		if (name_len + 1 > cap - len)
			return 0;
		memcpy(dst + len, name, name_len);
		len += name_len;
		dst[len++] = ' ';
	}
	dst[len - 1] = '\n';
	return len;
}

static uint8_t *write_vpc(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *p)
{
	const struct fffa_step *s = e->steps, *end = s + e->n;
	bool flow = r->status == FFFA_STATUS_OK;
	uint8_t *q;

	for (; s < end; s++) {
		q = flow || s->always ? s->write(p, r, &e->consts) : p;
		if (q == p)
			*q++ = '-';
		*q = ' ';
		p = q + 1;
	}
	p[-1] = '\n';
	return p;
}

/* Every member is written with a comma in front; the first comma then becomes the brace. */
static uint8_t *write_json(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst)
{
	const struct fffa_step *s = e->steps, *end = s + e->n;
	bool flow = r->status == FFFA_STATUS_OK;
	uint8_t *p = dst, *value, *q;

	for (; s < end; s++) {
		if (!flow && !s->always)
			continue;
		memcpy(p, s->key, sizeof(s->key));
		value = p + s->key_len;
		q = s->write(value, r, &e->consts);
		if (q == value) /* not known: the key is overwritten by what follows */
			continue;
		*q = '"';
		p = q + s->quoted;
	}
	*dst = '{';
	p += p == dst;
	*p++ = '}';
	*p++ = '\n';
	return p;
}

size_t fffa_encode(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
		   size_t cap)
{
	uint8_t *end;

	if (cap < e->bound_bytes) /* the caller's mistake; better no record than a broken heap */
		return 0;
	if (e->format == FFFA_FORMAT_VPC)
		end = write_vpc(e, r, dst);
	else if (e->format == FFFA_FORMAT_JSON)
		end = write_json(e, r, dst);
	else
		end = fffa_flowlog_write(dst, r, &e->consts);
	return (size_t)(end - dst);
}
