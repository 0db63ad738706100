// SPDX-License-Identifier: MIT
#include "agent/encode/encoder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/encode/encoder_internal.h"
#include "agent/encode/field/field_list.h"
#include "agent/encode/field/pack.h"
#include "agent/encode/field/text.h"

/*
 * What stands before a line, and in place of its newline. A line has no character that JSON must
 * escape: identities have none, and vpc and flowlog write nothing else from outside.
 */
#define FIREHOSE_BEGIN "{\"message\":\""
#define FIREHOSE_END   "\"}\n"

const char *fffa_encoder_content_type(const struct fffa_encoder *e)
{
	return fffa_format_content_type(e->envelope ? FFFA_FORMAT_JSON : e->format);
}

size_t fffa_encoder_bound(const struct fffa_encoder *e)
{
	return e->bound_bytes;
}

/* Sets what stands before the value. name NULL: an element of a list. */
static void set_key(struct fffa_step *s, enum fffa_format format, const char *name)
{
	if (format == FFFA_FORMAT_MSGPACK) {
		uint8_t *end;

		FFFA_ASSERT(strlen(name) + FFFA_PACK_HEAD_BYTES_MAX <= sizeof(s->key));
		end = fffa_pack_str((uint8_t *)s->key, name, strlen(name));
		s->key_len = (uint16_t)(end - (uint8_t *)s->key);
	} else if (!name) {
		s->key_len = s->quoted;
		s->key[0] = '"';
	} else if (format != FFFA_FORMAT_VPC) {
		s->key_len = (uint16_t)snprintf(s->key, sizeof(s->key), "\"%s\":%s", name,
						s->quoted ? "\"" : "");
		FFFA_ASSERT(s->key_len < sizeof(s->key));
	}
}

static struct fffa_step *next_step(struct fffa_encoder *e)
{
	FFFA_ASSERT(e->n < FFFA_STEPS_MAX);
	return &e->steps[e->n++];
}

static uint8_t *write_nothing(FFFA_VALUE_ARGS)
{
	return p;
}

/* A column of vpc that these records never have. */
static void add_unknown(struct fffa_encoder *e, uint8_t id)
{
	*next_step(e) = (struct fffa_step){
		.write = write_nothing,
		.kind = FFFA_STEP_VALUE,
		.when = FFFA_WHEN_ALWAYS | FFFA_WHEN_CONST,
		.id = id,
	};
}

static void add_field(struct fffa_encoder *e, uint8_t id, bool networks)
{
	const struct fffa_field *f = &fffa_fields[id];
	bool known = f->max_bytes && (networks || !(f->when & FFFA_WHEN_NETWORKS));
	struct fffa_step *s;

	if (!known) {
		if (e->format == FFFA_FORMAT_VPC)
			add_unknown(e, id);
		return;
	}
	s = next_step(e);
	*s = (struct fffa_step){
		.write = f->write,
		.pack = f->pack,
		.max_bytes = f->max_bytes,
		.kind = FFFA_STEP_VALUE,
		.when = f->when,
		.id = id,
		.quoted = f->quoted,
	};
	set_key(s, e->format, fffa_field_name(e->format, id));
}

static void add_row(struct fffa_encoder *e, const struct fffa_shape_row *row)
{
	const struct fffa_field *f = &fffa_fields[row->id];
	struct fffa_step *s = next_step(e);

	*s = (struct fffa_step){.kind = row->kind, .when = row->when};
	if (row->kind != FFFA_STEP_VALUE) {
		s->text = row->text;
		s->key_len = (uint16_t)strlen(row->text);
		return;
	}
	s->id = row->id;
	s->when = row->when ? row->when : f->when;
	s->write = row->write ? row->write : f->write;
	s->max_bytes = row->write ? row->max_bytes : f->max_bytes;
	s->quoted = row->write ? row->quoted : f->quoted;
	set_key(s, e->format, row->text);
}

static bool has_row(const struct fffa_shape_row *row, const struct fffa_field_list *list,
		    bool networks)
{
	if (row->kind != FFFA_STEP_VALUE || row->write)
		return true;
	if (row->id == FFFA_FIELD_community_id)
		return list->n; /* the only one that these formats take */
	return networks || !(fffa_fields[row->id].when & FFFA_WHEN_NETWORKS);
}

static void add_shape(struct fffa_encoder *e, const struct fffa_shape *shape,
		      const struct fffa_field_list *list, bool networks)
{
	unsigned int depth = 0;

	for (size_t i = 0; i < shape->n; i++) {
		if (!has_row(&shape->rows[i], list, networks))
			continue;
		/* The loop that writes a record relies on this nesting. */
		FFFA_ASSERT(shape->rows[i].kind != FFFA_STEP_OPEN || depth < FFFA_OPEN_MAX);
		FFFA_ASSERT(shape->rows[i].kind != FFFA_STEP_CLOSE || depth > 0);
		depth += shape->rows[i].kind == FFFA_STEP_OPEN;
		depth -= shape->rows[i].kind == FFFA_STEP_CLOSE;
		add_row(e, &shape->rows[i]);
	}
	FFFA_ASSERT(!depth);
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
			 fffa_record_end_reason_name((enum fffa_end_reason)i));
}

/* The sum of all steps, the end of the record, the longest head of a map, and the envelope. */
static size_t record_bound(const struct fffa_encoder *e)
{
	size_t bytes = FFFA_TEXT_SLACK_BYTES + 4;

	if (e->envelope)
		bytes += sizeof(FIREHOSE_BEGIN FIREHOSE_END);
	if (e->format == FFFA_FORMAT_FLOWLOG)
		bytes += fffa_flowlog_bound();
	for (size_t i = 0; i < e->n; i++)
		bytes += fffa_step_bound(&e->steps[i]);
	return bytes;
}

static int parse_fields(enum fffa_format format, const char *fields, struct fffa_field_list *list,
			struct fffa_err *err)
{
	if (format != FFFA_FORMAT_FLOWLOG)
		return fffa_field_list_parse(format, fields, list, err);
	if (fields)
		return fffa_fail(err, EINVAL, "%s takes no list of fields",
				 fffa_format_name(format));
	return 0;
}

/* networks: with the steps of fields that only records with a network have. */
static int build_steps(struct fffa_encoder *e, const struct fffa_field_list *list, bool networks,
		       struct fffa_err *err)
{
	static fffa_put_fn *const puts[FFFA_FORMAT_MAX] = {
		[FFFA_FORMAT_VPC] = fffa_put_vpc,	  [FFFA_FORMAT_JSON] = fffa_put_json,
		[FFFA_FORMAT_MSGPACK] = fffa_put_msgpack, [FFFA_FORMAT_OCSF] = fffa_put_json,
		[FFFA_FORMAT_ECS] = fffa_put_json,
	};
	static const struct fffa_shape *const shapes[FFFA_FORMAT_MAX] = {
		[FFFA_FORMAT_OCSF] = &fffa_ocsf_shape,
		[FFFA_FORMAT_ECS] = &fffa_elastic_shape,
	};

	e->put = puts[e->format];
	fill_consts(&e->consts, list);
	if (shapes[e->format])
		add_shape(e, shapes[e->format], list, networks);
	for (size_t i = 0; i < list->n && !shapes[e->format]; i++)
		add_field(e, list->id[i], networks);
	e->bound_bytes = record_bound(e);
	if (fffa_identity_cache_new(e))
		return fffa_fail(err, ENOMEM, "no memory for the encoder");
	return 0;
}

static int new_encoder(enum fffa_format format, const struct fffa_field_list *list, bool networks,
		       struct fffa_encoder **out, struct fffa_err *err)
{
	struct fffa_encoder *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return fffa_fail(err, ENOMEM, "no memory for the encoder");
	e->format = format;
	rc = build_steps(e, list, networks, err);
	if (rc) {
		free(e);
		return rc;
	}
	*out = e;
	return 0;
}

static bool is_about_networks(enum fffa_format format, const struct fffa_field_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (fffa_fields[list->id[i]].when & FFFA_WHEN_NETWORKS)
			return true;
	return format == FFFA_FORMAT_OCSF || format == FFFA_FORMAT_ECS;
}

int fffa_encoder_new(enum fffa_format format, const char *fields, struct fffa_encoder **out,
		     struct fffa_err *err)
{
	struct fffa_field_list list = {.n = 0};
	struct fffa_encoder *e = NULL;
	int rc;

	rc = parse_fields(format, fields, &list, err);
	if (!rc)
		rc = new_encoder(format, &list, false, &e, err);
	if (rc)
		return rc;
	if (is_about_networks(format, &list)) {
		rc = new_encoder(format, &list, true, &e->with_networks, err);
		if (rc) {
			fffa_encoder_free(e);
			return rc;
		}
		e->bound_bytes = e->with_networks->bound_bytes;
	}
	*out = e;
	return 0;
}

struct fffa_encoder *fffa_encoder_ref(struct fffa_encoder *e)
{
	e->refs++;
	return e;
}

void fffa_encoder_free(struct fffa_encoder *e)
{
	if (!e || e->refs) {
		if (e)
			e->refs--;
		return;
	}
	if (e->with_networks)
		fffa_identity_cache_free(e->with_networks->cache);
	free(e->with_networks);
	fffa_identity_cache_free(e->cache);
	free(e);
}

int fffa_encoder_wrap(struct fffa_encoder *e, enum fffa_envelope envelope, struct fffa_err *err)
{
	if (envelope && e->format != FFFA_FORMAT_VPC && e->format != FFFA_FORMAT_FLOWLOG)
		return fffa_fail(err, EINVAL, "an envelope needs the format vpc or flowlog, not %s",
				 fffa_format_name(e->format));
	e->envelope = envelope;
	e->bound_bytes = record_bound(e);
	if (e->with_networks) {
		e->with_networks->envelope = envelope;
		e->with_networks->bound_bytes = record_bound(e->with_networks);
		e->bound_bytes = e->with_networks->bound_bytes;
	}
	return 0;
}

void fffa_encoder_set_stream(struct fffa_encoder *e, const char *name)
{
	(void)snprintf(e->consts.stream, sizeof(e->consts.stream), "%s", name);
	if (e->with_networks)
		e->with_networks->consts = e->consts;
}

const char *fffa_encoder_stream(const struct fffa_encoder *e)
{
	return e->consts.stream;
}

size_t fffa_encoder_write_header(const struct fffa_encoder *e, uint8_t *dst, size_t cap)
{
	size_t len = 0, name_len;
	const char *name;

	if (e->format != FFFA_FORMAT_VPC || e->envelope)
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

static uint8_t *write_line(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *p)
{
	struct fffa_out o = {.p = p};

	if (e->format == FFFA_FORMAT_FLOWLOG)
		return fffa_flowlog_write(p, r, &e->consts);
	fffa_identity_cache_write(e, r, &o);
	o.p[-1] = '\n';
	return o.p;
}

static uint8_t *write_wrapped(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *p)
{
	if (!e->envelope)
		return write_line(e, r, p);
	p = write_line(e, r, fffa_text_lit(p, FIREHOSE_BEGIN));
	return fffa_text_lit(p - 1, FIREHOSE_END);
}

static uint8_t *write_json(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *p)
{
	struct fffa_out o = {.p = p + 1};

	*p = '{';
	fffa_identity_cache_write(e, r, &o);
	o.p -= o.p[-1] == ',';
	return fffa_text_lit(o.p, "}\n");
}

static uint8_t *write_msgpack(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *p)
{
	struct fffa_out o = {.p = p + fffa_pack_map_bytes(e->n)};

	fffa_identity_cache_write(e, r, &o);
	fffa_pack_map(p, e->n, o.count);
	return o.p;
}

size_t fffa_encoder_write(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
			  size_t cap)
{
	uint8_t *end;

	if (cap < e->bound_bytes) /* a mistake of the caller must not break the heap */
		return 0;
	if ((r->src_network || r->dst_network) && e->with_networks)
		e = e->with_networks;
	if (e->put == fffa_put_json)
		end = write_json(e, r, dst);
	else if (e->put == fffa_put_msgpack)
		end = write_msgpack(e, r, dst);
	else
		end = write_wrapped(e, r, dst);
	FFFA_ASSERT((size_t)(end - dst) <= e->bound_bytes);
	return (size_t)(end - dst);
}
