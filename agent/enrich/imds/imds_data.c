// SPDX-License-Identifier: MIT
#include "agent/enrich/imds/imds_data.h"

#include <string.h>

const struct fffa_imds_iface *fffa_imds_data_find(const struct fffa_imds_data *d,
						  const uint8_t mac[6])
{
	for (size_t i = 0; i < d->n; i++) {
		if (memcmp(d->ifaces[i].mac, mac, 6) == 0)
			return &d->ifaces[i];
	}
	return NULL;
}

/* Copies the text before where now is empty. */
#define FILL_TEXT(now, before)                                                                     \
	do {                                                                                       \
		_Static_assert(sizeof(now) == sizeof(before), "one type");                         \
		if (!(now)[0])                                                                     \
			memcpy((now), (before), sizeof(now));                                      \
	} while (0)

static void fill_list(struct fffa_imds_list *now, const struct fffa_imds_list *before)
{
	if (now->unusable && before->n)
		*now = *before;
}

static void fill_iface(struct fffa_imds_iface *now, const struct fffa_imds_iface *before)
{
	FILL_TEXT(now->interface_id, before->interface_id);
	FILL_TEXT(now->subnet_id, before->subnet_id);
	FILL_TEXT(now->vpc_id, before->vpc_id);
	FILL_TEXT(now->owner_id, before->owner_id);
	fill_list(&now->ipv4s, &before->ipv4s);
	fill_list(&now->ipv6s, &before->ipv6s);
	fill_list(&now->ipv4_prefixes, &before->ipv4_prefixes);
	fill_list(&now->ipv6_prefixes, &before->ipv6_prefixes);
	fill_list(&now->subnet_ipv4, &before->subnet_ipv4);
	fill_list(&now->subnet_ipv6, &before->subnet_ipv6);
	fill_list(&now->vpc_ipv4, &before->vpc_ipv4);
	fill_list(&now->vpc_ipv6, &before->vpc_ipv6);
}

void fffa_imds_data_fill(struct fffa_imds_data *d, const struct fffa_imds_data *old)
{
	FILL_TEXT(d->host.account_id, old->host.account_id);
	FILL_TEXT(d->host.instance_id, old->host.instance_id);
	FILL_TEXT(d->host.region, old->host.region);
	FILL_TEXT(d->host.az, old->host.az);
	FILL_TEXT(d->host.az_id, old->host.az_id);
	FILL_TEXT(d->host.outpost_id, old->host.outpost_id);
	for (size_t i = 0; i < d->n; i++) {
		const struct fffa_imds_iface *before = fffa_imds_data_find(old, d->ifaces[i].mac);

		if (before)
			fill_iface(&d->ifaces[i], before);
	}
}

void fffa_imds_data_copy(struct fffa_imds_data *to, const struct fffa_imds_data *from)
{
	to->host = from->host;
	to->n = from->n;
	memcpy(to->ifaces, from->ifaces, from->n * sizeof(from->ifaces[0]));
}
