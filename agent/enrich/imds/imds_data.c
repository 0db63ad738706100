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

/* Both are arrays of the same type and size. */
#define KEEP(now, before)                                                                          \
	do {                                                                                       \
		_Static_assert(sizeof(now) == sizeof(before), "one type");                         \
		if (!(now)[0])                                                                     \
			memcpy((now), (before), sizeof(now));                                      \
	} while (0)

static void keep_list(struct fffa_imds_list *now, const struct fffa_imds_list *before)
{
	if (now->unread && before->n)
		*now = *before;
}

static void keep_iface(struct fffa_imds_iface *now, const struct fffa_imds_iface *before)
{
	KEEP(now->interface_id, before->interface_id);
	KEEP(now->subnet_id, before->subnet_id);
	KEEP(now->vpc_id, before->vpc_id);
	KEEP(now->owner_id, before->owner_id);
	keep_list(&now->ipv4s, &before->ipv4s);
	keep_list(&now->ipv6s, &before->ipv6s);
	keep_list(&now->ipv4_prefixes, &before->ipv4_prefixes);
	keep_list(&now->ipv6_prefixes, &before->ipv6_prefixes);
	keep_list(&now->subnet_ipv4, &before->subnet_ipv4);
	keep_list(&now->subnet_ipv6, &before->subnet_ipv6);
	keep_list(&now->vpc_ipv4, &before->vpc_ipv4);
	keep_list(&now->vpc_ipv6, &before->vpc_ipv6);
}

void fffa_imds_data_keep(struct fffa_imds_data *d, const struct fffa_imds_data *old)
{
	KEEP(d->host.account_id, old->host.account_id);
	KEEP(d->host.instance_id, old->host.instance_id);
	KEEP(d->host.region, old->host.region);
	KEEP(d->host.az, old->host.az);
	KEEP(d->host.az_id, old->host.az_id);
	KEEP(d->host.outpost_id, old->host.outpost_id);
	for (size_t i = 0; i < d->n; i++) {
		const struct fffa_imds_iface *before = fffa_imds_data_find(old, d->ifaces[i].mac);

		if (before)
			keep_iface(&d->ifaces[i], before);
	}
}

void fffa_imds_data_copy(struct fffa_imds_data *to, const struct fffa_imds_data *from)
{
	to->host = from->host;
	to->n = from->n;
	memcpy(to->ifaces, from->ifaces, from->n * sizeof(from->ifaces[0]));
}
