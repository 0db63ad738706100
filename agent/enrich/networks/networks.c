// SPDX-License-Identifier: MIT
#include "agent/enrich/networks/networks.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/enrich/networks/networks_parse.h"
#include "agent/enrich/services/ip_table.h"

#define TAG "metadata"

static int parse_networks(const char *text, size_t len, void **out, struct fffa_err *err)
{
	struct fffa_networks *n = NULL;
	int rc = fffa_networks_parse(text, len, &n, err);

	*out = n;
	return rc;
}

static void destroy_networks(void *made)
{
	fffa_networks_parse_free(made);
}

static void log_use(const void *made, const char *path)
{
	const struct fffa_networks *n = made;

	fffa_info(TAG, "read the names of networks: networks=%zu path=%s", n->n, path);
}

const struct fffa_watched_kind fffa_networks_file_kind = {
	.key = "metadata.networks",
	.thread = "networks",
	.missing = "networks stay unknown",
	.bytes_max = FFFA_NETWORKS_BYTES_MAX,
	.parse = parse_networks,
	.destroy = destroy_networks,
	.log_use = log_use,
};

int fffa_networks_check(const char *path, size_t *count, struct fffa_err *err)
{
	void *made = NULL;
	int rc = fffa_watched_file_read(&fffa_networks_file_kind, path, &made, err);
	const struct fffa_networks *n = made;

	*count = n ? n->n : 0;
	destroy_networks(made);
	return rc;
}

static const struct fffa_network *find_network(const struct fffa_networks *n,
					       const uint8_t addr[16])
{
	uint16_t i = fffa_ip_table_find(n->table, addr);

	return i ? &n->v[i - 1] : NULL;
}

/* Whether a network is in the VPC of the interface, as far as both are known. */
static bool is_same_vpc(const struct fffa_record *r, const struct fffa_network *own,
			const struct fffa_network *other)
{
	const char *vpc = r->ident->vpc_id;

	if (!*vpc && own)
		vpc = own->vpc_id;
	return !*vpc || !other->vpc_id[0] || strcmp(vpc, other->vpc_id) == 0;
}

/* The inner addresses of a tunnelled packet do not say which way the outer packet took. */
static void apply_way(struct fffa_record *r)
{
	bool egress = r->key.view & FFFA_VIEW_EGRESS;
	const struct fffa_network *own = egress ? r->src_network : r->dst_network;
	const struct fffa_network *other = egress ? r->dst_network : r->src_network;

	if (r->tunnel || !other || (other->local && !is_same_vpc(r, own, other)))
		return;
	if (egress && other->traffic_path)
		r->traffic_path = other->traffic_path;
	r->next_hop_type = other->next_hop_type;
	r->next_hop = other->local ? other : NULL;
}

void fffa_networks_apply(const struct fffa_watched_file *file, struct fffa_record *r)
{
	const struct fffa_networks *n = fffa_watched_file_made(file);

	if (!n)
		return;
	r->src_network = find_network(n, r->key.src);
	r->dst_network = find_network(n, r->key.dst);
	apply_way(r);
}
