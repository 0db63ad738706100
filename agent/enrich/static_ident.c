// SPDX-License-Identifier: MIT
#include "agent/enrich/static_ident.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "agent/base/percent.h"
#include "agent/enrich/input/ident_text.h"

struct row {
	const char *key;
	size_t offset;
	size_t cap;
	bool tag;
};

#define ROW(key, field)                                                                            \
	{                                                                                          \
		key, offsetof(struct fffa_static_ident, field),                                    \
			sizeof(((struct fffa_static_ident *)0)->field), false                      \
	}
#define TAG(key, field)                                                                            \
	{                                                                                          \
		key, offsetof(struct fffa_static_ident, field), FFFA_IDENT_TAG_BYTES, true         \
	}

static const struct row rows[] = {
	ROW("account_id", host.account_id),
	ROW("instance_id", host.instance_id),
	ROW("region", host.region),
	ROW("az", host.az),
	ROW("az_id", host.az_id),
	ROW("sublocation_type", host.sublocation_type),
	ROW("sublocation_id", host.sublocation_id),
	ROW("vpc_id", iface.vpc_id),
	ROW("subnet_id", iface.subnet_id),
	ROW("interface_id", iface.interface_id),
	TAG("instance_tag", host.instance_tags.v[0]),
	TAG("instance_tag_2", host.instance_tags.v[1]),
	TAG("interface_tag", iface.interface_tags.v[0]),
	TAG("interface_tag_2", iface.interface_tags.v[1]),
	TAG("asg_tag", host.asg_tags.v[0]),
	TAG("asg_tag_2", host.asg_tags.v[1]),
};

static const struct row *find_row(const char *key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	}
	return NULL;
}

static int read_value(const struct row *r, const char *value, char *dst, struct fffa_err *err)
{
	size_t len = strlen(value);

	if (r->tag && fffa_percent_encode(dst, r->cap, value, len) != 0)
		return fffa_fail(err, EINVAL,
				 "metadata.static.%s: must be UTF-8 of at most %zu bytes when "
				 "percent-encoded",
				 r->key, r->cap - 1);
	if (!r->tag && fffa_ident_text_set(dst, r->cap, value, len) != 0)
		return fffa_fail(
			err, EINVAL,
			"metadata.static.%s: must be at most %zu printable ASCII characters "
			"without space, quotes and backslash",
			r->key, r->cap - 1);
	return 0;
}

int fffa_static_ident_read(const struct fffa_pairs *pairs, struct fffa_static_ident *out,
			   struct fffa_err *err)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < pairs->n; i++) {
		const char *value = pairs->v[i].value ? pairs->v[i].value : "";
		const struct row *r = find_row(pairs->v[i].key);
		int rc;

		if (!r) /* the configuration has the same list and says what is allowed */
			return fffa_fail(err, EINVAL, "metadata.static.%s: unknown",
					 pairs->v[i].key);
		rc = read_value(r, value, (char *)out + r->offset, err);
		if (rc)
			return rc;
	}
	return 0;
}
