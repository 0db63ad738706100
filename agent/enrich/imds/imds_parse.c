// SPDX-License-Identifier: MIT
#include "agent/enrich/imds/imds_parse.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "agent/base/percent.h"
#include "agent/enrich/input/ident_text.h"
#include "agent/enrich/input/json_text.h"

int fffa_imds_parse_document(const char *body, size_t len, struct fffa_imds_host *out,
			     uint32_t *rejected)
{
	json_error_t why;
	json_t *doc;

	memset(out, 0, sizeof(*out));
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EFBIG;
	doc = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return -EINVAL;
	}
	fffa_json_text_take(doc, "accountId", out->account_id, sizeof(out->account_id), rejected);
	fffa_json_text_take(doc, "instanceId", out->instance_id, sizeof(out->instance_id),
			    rejected);
	fffa_json_text_take(doc, "region", out->region, sizeof(out->region), rejected);
	fffa_json_text_take(doc, "availabilityZone", out->az, sizeof(out->az), rejected);
	json_decref(doc);
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim_space(const char **p, size_t *len)
{
	while (*len && is_space((*p)[0])) {
		(*p)++;
		(*len)--;
	}
	while (*len && is_space((*p)[*len - 1]))
		(*len)--;
}

int fffa_imds_parse_value(const char *body, size_t len, char *dst, size_t cap)
{
	dst[0] = '\0';
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EFBIG;
	trim_space(&body, &len);
	return fffa_ident_text_set(dst, cap, body, len);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool parse_mac(const char *p, size_t len, uint8_t mac[6])
{
	if (len == 18 && p[17] == '/')
		len--;
	if (len != 17)
		return false;
	for (int i = 0; i < 6; i++, p += 3) {
		int high = hex_digit(p[0]), low = hex_digit(p[1]);

		if (high < 0 || low < 0 || (i < 5 && p[2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool has_mac(const struct fffa_imds_iface *ifaces, size_t n, const uint8_t mac[6])
{
	for (size_t i = 0; i < n; i++) {
		if (memcmp(ifaces[i].mac, mac, 6) == 0)
			return true;
	}
	return false;
}

/* Takes the next line that is not blank off the body, trimmed. False: none is left. */
static bool next_line(const char **body, size_t *len, const char **line, size_t *line_len)
{
	while (*len) {
		const char *end = memchr(*body, '\n', *len);
		size_t whole = end ? (size_t)(end - *body) + 1 : *len;

		*line = *body;
		*line_len = whole;
		*body += whole;
		*len -= whole;
		trim_space(line, line_len);
		if (*line_len)
			return true;
	}
	return false;
}

int fffa_imds_parse_macs(const char *body, size_t len, struct fffa_imds_iface *ifaces, size_t cap,
			 size_t *n, uint32_t *rejected)
{
	const char *line;
	size_t line_len;

	*n = 0;
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EFBIG;
	while (next_line(&body, &len, &line, &line_len)) {
		uint8_t mac[6];

		if (*n < cap && parse_mac(line, line_len, mac) && !has_mac(ifaces, *n, mac)) {
			memset(&ifaces[*n], 0, sizeof(ifaces[*n]));
			memcpy(ifaces[(*n)++].mac, mac, 6);
		} else {
			(*rejected)++;
		}
	}
	return 0;
}

static bool parse_member(const char *line, size_t len, enum fffa_imds_list_kind kind,
			 struct fffa_cidr *out)
{
	bool want_prefix = kind == FFFA_IL_IPV4_PREFIX || kind == FFFA_IL_IPV6_PREFIX;
	bool want_ipv4 = kind == FFFA_IL_IPV4 || kind == FFFA_IL_IPV4_PREFIX;
	char text[64];

	if (len >= sizeof(text) || memchr(line, '\0', len) ||
	    !memchr(line, '/', len) == want_prefix)
		return false;
	memcpy(text, line, len);
	text[len] = '\0';
	return fffa_cidr_parse(text, out, NULL) == 0 && fffa_addr_is_ipv4(out->addr) == want_ipv4;
}

static bool has_member(const struct fffa_imds_list *l, const struct fffa_cidr *c)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].bits == c->bits && memcmp(l->v[i].addr, c->addr, 16) == 0)
			return true;
	}
	return false;
}

int fffa_imds_parse_list(const char *body, size_t len, enum fffa_imds_list_kind kind,
			 struct fffa_imds_list *out, uint32_t *rejected)
{
	const char *line;
	size_t line_len;

	out->n = 0;
	out->unusable = false;
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EFBIG;
	while (next_line(&body, &len, &line, &line_len)) {
		struct fffa_cidr c;

		if (out->n < FFFA_IMDS_LIST_MAX && parse_member(line, line_len, kind, &c) &&
		    !has_member(out, &c)) {
			out->v[out->n++] = c;
		} else {
			(*rejected)++;
			out->unusable = true;
		}
	}
	out->unusable = out->unusable && !out->n;
	return 0;
}

bool fffa_imds_parse_has_line(const char *body, size_t len, const char *key)
{
	size_t want = strlen(key), line_len;
	const char *line;

	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return false;
	while (next_line(&body, &len, &line, &line_len)) {
		if (line_len == want && memcmp(line, key, want) == 0)
			return true;
	}
	return false;
}

int fffa_imds_parse_tag(const char *body, size_t len, char dst[FFFA_IDENT_TAG_BYTES])
{
	dst[0] = '\0';
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EFBIG;
	while (len && (body[len - 1] == '\n' || body[len - 1] == '\r'))
		len--;
	return fffa_percent_encode(dst, FFFA_IDENT_TAG_BYTES, body, len);
}

int fffa_imds_parse_outpost(const char *body, size_t len, char *dst, size_t cap)
{
	static const char last[] = ":outpost/op-";
	char arn[256], *id;
	int rc = fffa_imds_parse_value(body, len, arn, sizeof(arn));

	dst[0] = '\0';
	if (rc || !arn[0])
		return rc;
	id = strstr(arn, last);
	if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":outposts:") || !id)
		return -EINVAL;
	id += strlen(":outpost/");
	return strpbrk(id, ":/") ? -EINVAL : fffa_ident_text_set(dst, cap, id, strlen(id));
}

int fffa_imds_parse_token(const char *body, size_t len, char dst[FFFA_IMDS_TOKEN_MAX_BYTES + 1])
{
	dst[0] = '\0';
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EINVAL;
	trim_space(&body, &len);
	if (!len || len > FFFA_IMDS_TOKEN_MAX_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		/* Another byte could end the header line in which the token is sent. */
		if ((unsigned char)body[i] <= 0x20 || (unsigned char)body[i] >= 0x7f)
			return -EINVAL;
	}
	memcpy(dst, body, len);
	dst[len] = '\0';
	return 0;
}
