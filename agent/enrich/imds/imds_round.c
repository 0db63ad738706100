// SPDX-License-Identifier: MIT
#include "agent/enrich/imds/imds_round.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/imds/imds_parse.h"

#define MACS "/latest/meta-data/network/interfaces/macs/"
#define TAGS "/latest/meta-data/tags/instance/"

enum kind {
	DOCUMENT,
	OUTPOST,
	TAG_KEYS,
	TAG,
	MACS_LIST,
	HOST_TEXT,
	/* From here on of an interface. */
	IFACE_TEXT,
	IFACE_LIST,
};

struct question {
	const char *path; /* of an interface: what follows the MAC */
	uint8_t kind;	  /* enum kind */
	uint8_t list;	  /* enum fffa_imds_list_kind */
	uint8_t tag;
	size_t offset; /* in the host or the interface */
	size_t cap;
};

#define HOST(p, field)                                                                             \
	{                                                                                          \
		.path = "/latest/meta-data/" p, .kind = HOST_TEXT,                                 \
		.offset = offsetof(struct fffa_imds_host, field),                                  \
		.cap = sizeof(((struct fffa_imds_host *)0)->field),                                \
	}
#define IFACE(p, field)                                                                            \
	{                                                                                          \
		.path = (p), .kind = IFACE_TEXT,                                                   \
		.offset = offsetof(struct fffa_imds_iface, field),                                 \
		.cap = sizeof(((struct fffa_imds_iface *)0)->field),                               \
	}
#define LIST(p, field, l)                                                                          \
	{                                                                                          \
		.path = (p), .kind = IFACE_LIST, .list = (l),                                      \
		.offset = offsetof(struct fffa_imds_iface, field),                                 \
	}

/* The answers that matter most come first: a round takes long when IMDS throttles. */
static const struct question questions[] = {
	{.path = "/latest/dynamic/instance-identity/document", .kind = DOCUMENT},
	HOST("placement/availability-zone", az),
	HOST("placement/availability-zone-id", az_id),
	HOST("placement/region", region),
	{.path = "/latest/meta-data/outpost-arn", .kind = OUTPOST},
	{.path = TAGS, .kind = TAG_KEYS},
	{.path = TAGS, .kind = TAG, .tag = 0},
	{.path = TAGS, .kind = TAG, .tag = 1},
	{.path = MACS, .kind = MACS_LIST},
	IFACE("interface-id", interface_id),
	IFACE("subnet-id", subnet_id),
	IFACE("vpc-id", vpc_id),
	IFACE("owner-id", owner_id),
	LIST("local-ipv4s", ipv4s, FFFA_IL_IPV4),
	LIST("ipv6s", ipv6s, FFFA_IL_IPV6),
	LIST("vpc-ipv4-cidr-blocks", vpc_ipv4, FFFA_IL_IPV4_PREFIX),
	LIST("vpc-ipv6-cidr-blocks", vpc_ipv6, FFFA_IL_IPV6_PREFIX),
	LIST("subnet-ipv4-cidr-block", subnet_ipv4, FFFA_IL_IPV4_PREFIX),
	LIST("subnet-ipv6-cidr-blocks", subnet_ipv6, FFFA_IL_IPV6_PREFIX),
	LIST("ipv4-prefix", ipv4_prefixes, FFFA_IL_IPV4_PREFIX),
	LIST("ipv6-prefix", ipv6_prefixes, FFFA_IL_IPV6_PREFIX),
};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static bool is_of_iface(const struct question *q)
{
	return q->kind >= IFACE_TEXT;
}

static size_t first_of_iface(void)
{
	size_t i = 0;

	while (!is_of_iface(&questions[i]))
		i++;
	return i;
}

static bool is_asked(const struct fffa_imds_round *r, const struct question *q)
{
	if (q->kind == TAG_KEYS)
		return r->tag_keys[0] || r->tag_keys[1];
	if (q->kind == TAG)
		return r->tag_there[q->tag];
	return !is_of_iface(q) || r->iface < r->data->n;
}

static void skip_unasked(struct fffa_imds_round *r)
{
	while (r->question < QUESTIONS && !is_asked(r, &questions[r->question]))
		r->question++;
}

void fffa_imds_round_begin(struct fffa_imds_round *r)
{
	memset(&r->data->host, 0, sizeof(r->data->host));
	r->data->n = 0; /* naming an interface empties it */
	memset(r->tag_there, 0, sizeof(r->tag_there));
	r->question = 0;
	r->iface = 0;
	skip_unasked(r);
}

bool fffa_imds_round_over(const struct fffa_imds_round *r)
{
	return r->question >= QUESTIONS;
}

int fffa_imds_round_path(const struct fffa_imds_round *r, char dst[FFFA_IMDS_PATH_BYTES])
{
	const struct question *q = &questions[r->question];
	const uint8_t *mac;
	int n;

	if (q->kind == TAG) {
		n = snprintf(dst, FFFA_IMDS_PATH_BYTES, "%s%s", q->path, r->tag_keys[q->tag]);
	} else if (is_of_iface(q)) {
		mac = r->data->ifaces[r->iface].mac;
		n = snprintf(dst, FFFA_IMDS_PATH_BYTES, MACS "%02x:%02x:%02x:%02x:%02x:%02x/%s",
			     mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], q->path);
	} else {
		n = snprintf(dst, FFFA_IMDS_PATH_BYTES, "%s", q->path);
	}
	return n < 0 || n >= FFFA_IMDS_PATH_BYTES ? -ENAMETOOLONG : 0;
}

/* A value that is refused leaves what the document may have set. */
static int take_text(char *dst, size_t cap, const char *body, size_t len)
{
	char text[64];
	int rc = fffa_imds_parse_value(body, len, text, cap < sizeof(text) ? cap : sizeof(text));

	if (!rc && text[0])
		memcpy(dst, text, strlen(text) + 1);
	return rc;
}

static void take_tag_keys(struct fffa_imds_round *r, const char *body, size_t len)
{
	for (size_t i = 0; i < FFFA_IMDS_TAG_KEYS_MAX; i++)
		r->tag_there[i] =
			r->tag_keys[i] && fffa_imds_parse_has_line(body, len, r->tag_keys[i]);
}

static int take_value(struct fffa_imds_round *r, const struct question *q, const char *body,
		      size_t len)
{
	struct fffa_imds_host *h = &r->data->host;
	void *base = is_of_iface(q) ? (void *)&r->data->ifaces[r->iface] : h;

	if (q->kind == OUTPOST)
		return fffa_imds_parse_outpost(body, len, h->outpost_id, sizeof(h->outpost_id));
	if (q->kind == TAG)
		return fffa_imds_parse_tag(body, len, h->instance_tags.v[q->tag]);
	return take_text((char *)base + q->offset, q->cap, body, len);
}

int fffa_imds_round_take(struct fffa_imds_round *r, const char *body, size_t len,
			 uint32_t *rejected)
{
	const struct question *q = &questions[r->question];
	void *iface = &r->data->ifaces[r->iface];

	switch (q->kind) {
	case DOCUMENT:
		return fffa_imds_parse_document(body, len, &r->data->host, rejected);
	case MACS_LIST:
		return fffa_imds_parse_macs(body, len, r->data->ifaces, FFFA_IMDS_IFACES_MAX,
					    &r->data->n, rejected);
	case IFACE_LIST:
		return fffa_imds_parse_list(
			body, len, (enum fffa_imds_list_kind)q->list,
			(struct fffa_imds_list *)(void *)((char *)iface + q->offset), rejected);
	case TAG_KEYS:
		take_tag_keys(r, body, len);
		return 0;
	default:
		if (take_value(r, q, body, len) != 0)
			(*rejected)++;
		return 0;
	}
}

void fffa_imds_round_next(struct fffa_imds_round *r)
{
	r->question++;
	skip_unasked(r);
	if (!fffa_imds_round_over(r) || r->iface + 1 >= r->data->n)
		return;
	r->iface++;
	r->question = first_of_iface();
}
