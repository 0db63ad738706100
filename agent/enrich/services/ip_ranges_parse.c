// SPDX-License-Identifier: MIT
#include "agent/enrich/services/ip_ranges_parse.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/services/aws_service.h"
#include "agent/enrich/input/ident_text.h"

static bool has_bits_behind(const struct fffa_cidr *c)
{
	uint8_t whole = c->bits / 8, rest = c->bits % 8;

	if (rest && (uint8_t)(c->addr[whole] << rest))
		return true;
	for (unsigned int i = whole + (rest ? 1U : 0U); i < sizeof(c->addr); i++) {
		if (c->addr[i])
			return true;
	}
	return false;
}

static bool read_entry(const json_t *e, const char *key, bool ipv4, struct fffa_ip_prefix *out)
{
	const char *prefix = json_string_value(json_object_get(e, key));
	const char *service = json_string_value(json_object_get(e, "service"));

	if (!prefix || !service || !strchr(prefix, '/') ||
	    fffa_cidr_parse(prefix, &out->cidr, NULL) != 0 ||
	    fffa_addr_is_ipv4(out->cidr.addr) != ipv4 || has_bits_behind(&out->cidr))
		return false;
	out->value = fffa_aws_service_by_name(service);
	return true;
}

static void read_list(const json_t *list, const char *key, bool ipv4, struct fffa_ip_prefix *v,
		      struct fffa_ip_ranges_facts *facts)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		if (read_entry(json_array_get(list, i), key, ipv4, &v[facts->prefixes]))
			facts->prefixes++;
		else
			facts->rejected++;
	}
}

static int read_lists(const json_t *doc, struct fffa_ip_table **out,
		      struct fffa_ip_ranges_facts *facts, struct fffa_err *err)
{
	const json_t *v4 = json_object_get(doc, "prefixes");
	const json_t *v6 = json_object_get(doc, "ipv6_prefixes");
	size_t n = json_array_size(v4) + json_array_size(v6);
	const char *created = json_string_value(json_object_get(doc, "createDate"));
	struct fffa_ip_prefix *v;
	int rc;

	if (!json_is_array(v4) || (v6 && !json_is_array(v6)))
		return fffa_fail(err, EINVAL, "not an ip-ranges file: no list of prefixes");
	if (n > FFFA_IP_PREFIXES_MAX)
		return fffa_fail(err, E2BIG, "more than %d prefixes", FFFA_IP_PREFIXES_MAX);
	v = malloc((n ? n : 1) * sizeof(*v));
	if (!v)
		return fffa_fail(err, ENOMEM, "no memory");
	read_list(v4, "ip_prefix", true, v, facts);
	read_list(v6, "ipv6_prefix", false, v, facts);
	if (created) /* empty when it cannot be used */
		(void)fffa_ident_text_set(facts->created, sizeof(facts->created), created,
					  strlen(created));
	if (!facts->prefixes) {
		rc = fffa_fail(err, EINVAL, "none of %zu entries is a prefix of a service", n);
	} else {
		rc = fffa_ip_table_new(v, facts->prefixes, out);
		if (rc)
			(void)fffa_fail(err, -rc, "%s", strerror(-rc));
	}
	free(v);
	return rc;
}

int fffa_ip_ranges_parse(const char *text, size_t len, struct fffa_ip_table **out,
			 struct fffa_ip_ranges_facts *facts, struct fffa_err *err)
{
	json_error_t why;
	json_t *doc;
	int rc;

	memset(facts, 0, sizeof(*facts));
	if (len > FFFA_IP_RANGES_BYTES_MAX)
		return fffa_fail(err, EFBIG, "larger than %d bytes", FFFA_IP_RANGES_BYTES_MAX);
	doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(doc))
		rc = read_lists(doc, out, facts, err);
	else if (doc)
		rc = fffa_fail(err, EINVAL, "not an ip-ranges file: no JSON object");
	else /* the parser's own message might quote the file */
		rc = fffa_fail(err, EINVAL, "no JSON at line %d, column %d", why.line, why.column);
	json_decref(doc);
	return rc;
}
