// SPDX-License-Identifier: MIT
#include "agent/enrich/static_ident.h"

#include <errno.h>
#include <string.h>

#include "agent/enrich/ident_text.h"

struct row {
	const char *key;
	size_t offset;
	size_t cap;
};

#define ROW(key, field)                                                                            \
	{                                                                                          \
		key, offsetof(struct fffa_static_ident, field),                                    \
			sizeof(((struct fffa_static_ident *)0)->field)                             \
	}

static const struct row rows[] = {
	ROW("account_id", host.account_id), ROW("instance_id", host.instance_id),
	ROW("region", host.region),	    ROW("az", host.az),
	ROW("az_id", host.az_id),	    ROW("vpc_id", iface.vpc_id),
	ROW("subnet_id", iface.subnet_id),  ROW("interface_id", iface.interface_id),
};

static const struct row *find(const char *key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	}
	return NULL;
}

int fffa_static_ident_read(const struct fffa_pairs *pairs, struct fffa_static_ident *out,
			   struct fffa_err *err)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < pairs->n; i++) {
		const char *value = pairs->v[i].value ? pairs->v[i].value : "";
		const struct row *r = find(pairs->v[i].key);

		if (!r)
			return fffa_fail(err, EINVAL,
					 "metadata.static.%s: unknown; allowed are account_id, "
					 "instance_id, region, az, az_id, vpc_id, subnet_id, "
					 "interface_id",
					 pairs->v[i].key);
		if (fffa_ident_text_set((char *)out + r->offset, r->cap, value, strlen(value)) != 0)
			return fffa_fail(err, EINVAL,
					 "metadata.static.%s: at most %zu printable ASCII "
					 "characters without space, quotes and backslash",
					 r->key, r->cap - 1);
	}
	return 0;
}
