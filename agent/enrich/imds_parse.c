// SPDX-License-Identifier: MIT
#include "agent/enrich/imds_parse.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "agent/enrich/ident_text.h"

static void take_member(const json_t *doc, const char *key, char *dst, size_t cap,
			uint32_t *rejected)
{
	const json_t *v = json_object_get(doc, key);

	dst[0] = '\0';
	if (!v || json_is_null(v))
		return;
	if (!json_is_string(v) ||
	    fffa_ident_text_set(dst, cap, json_string_value(v), json_string_length(v)) != 0)
		(*rejected)++;
}

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
	take_member(doc, "accountId", out->account_id, sizeof(out->account_id), rejected);
	take_member(doc, "instanceId", out->instance_id, sizeof(out->instance_id), rejected);
	take_member(doc, "region", out->region, sizeof(out->region), rejected);
	take_member(doc, "availabilityZone", out->az, sizeof(out->az), rejected);
	json_decref(doc);
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **p, size_t *len)
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
	trim(&body, &len);
	return fffa_ident_text_set(dst, cap, body, len);
}

static int hex(char c)
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
		int high = hex(p[0]), low = hex(p[1]);

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

int fffa_imds_parse_macs(const char *body, size_t len, struct fffa_imds_iface *ifaces, size_t cap,
			 size_t *n, uint32_t *rejected)
{
	*n = 0;
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EFBIG;
	while (len) {
		const char *end = memchr(body, '\n', len), *line = body;
		size_t whole = end ? (size_t)(end - body) : len, line_len = whole;
		uint8_t mac[6];

		trim(&line, &line_len);
		if (line_len) {
			if (*n < cap && parse_mac(line, line_len, mac) &&
			    !has_mac(ifaces, *n, mac)) {
				memset(&ifaces[*n], 0, sizeof(ifaces[*n]));
				memcpy(ifaces[(*n)++].mac, mac, 6);
			} else {
				(*rejected)++;
			}
		}
		whole += end ? 1 : 0;
		body += whole;
		len -= whole;
	}
	return 0;
}

int fffa_imds_parse_token(const char *body, size_t len, char dst[FFFA_IMDS_TOKEN_MAX_BYTES + 1])
{
	dst[0] = '\0';
	if (len > FFFA_IMDS_BODY_MAX_BYTES)
		return -EINVAL;
	trim(&body, &len);
	if (!len || len > FFFA_IMDS_TOKEN_MAX_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		/* Anything else could end the header line it is sent in. */
		if ((unsigned char)body[i] <= 0x20 || (unsigned char)body[i] >= 0x7f)
			return -EINVAL;
	}
	memcpy(dst, body, len);
	dst[len] = '\0';
	return 0;
}
