// SPDX-License-Identifier: MIT
#include "agent/enrich/services/ip_ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/log.h"
#include "agent/enrich/services/aws_service.h"

#define TAG "metadata"

/* What is made of a file. */
struct ranges {
	struct fffa_ip_table *table;
	struct fffa_ip_ranges_facts facts;
};

static void destroy_ranges(void *made)
{
	struct ranges *r = made;

	if (r)
		fffa_ip_table_free(r->table);
	free(r);
}

static int parse_ranges(const char *text, size_t len, void **out, struct fffa_err *err)
{
	struct ranges *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return fffa_fail(err, ENOMEM, "no memory");
	rc = fffa_ip_ranges_parse(text, len, &r->table, &r->facts, err);
	if (rc) {
		free(r);
		return rc;
	}
	*out = r;
	return 0;
}

static void log_use(const void *made, const char *path)
{
	const struct ranges *r = made;

	fffa_info(TAG, "read the AWS services of addresses: prefixes=%zu created=%s path=%s",
		  r->facts.prefixes, r->facts.created, path);
	if (r->facts.rejected)
		fffa_warn(TAG,
			  "metadata.ip_ranges: %s: ignored entries that are no prefixes: count=%zu",
			  path, r->facts.rejected);
}

const struct fffa_watched_kind fffa_ip_ranges_kind = {
	.key = "metadata.ip_ranges",
	.thread = "ip_ranges",
	.missing = "AWS services of addresses stay unknown",
	.bytes_max = FFFA_IP_RANGES_BYTES_MAX,
	.parse = parse_ranges,
	.destroy = destroy_ranges,
	.log_use = log_use,
};

int fffa_ip_ranges_check(const char *path, struct fffa_ip_ranges_facts *facts, struct fffa_err *err)
{
	void *made = NULL;
	int rc = fffa_watched_file_read(&fffa_ip_ranges_kind, path, &made, err);
	const struct ranges *r = made;

	if (r)
		*facts = r->facts;
	destroy_ranges(made);
	return rc;
}

void fffa_ip_ranges_apply(const struct fffa_watched_file *file, struct fffa_record *rec)
{
	const struct ranges *r = fffa_watched_file_made(file);

	if (!r)
		return;
	rec->src_service =
		fffa_aws_service_name((uint8_t)fffa_ip_table_find(r->table, rec->key.src));
	rec->dst_service =
		fffa_aws_service_name((uint8_t)fffa_ip_table_find(r->table, rec->key.dst));
}
