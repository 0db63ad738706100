// SPDX-License-Identifier: MIT
#include "agent/enrich/snapshot.h"

#include <stdlib.h>
#include <string.h>

static const struct fffa_imds_data nothing;

/* The first that is not empty. All three fit: the sources have the sizes of the identity's fields.
 */
static void pick(char *dst, size_t cap, const char *a, const char *b, const char *c)
{
	const char *from = *a ? a : *b ? b : c;
	size_t len = strnlen(from, cap - 1);

	memcpy(dst, from, len);
	dst[len] = '\0';
}

#define PICK(dst, a, b, c) pick((dst), sizeof(dst), (a), (b), (c))

static void fill_host(struct fffa_ident_host *h, const struct fffa_snapshot_parts *p,
		      const struct fffa_imds_host *learned)
{
	const struct fffa_imds_host *fixed = &p->fixed->host;

	PICK(h->account_id, fixed->account_id, learned->account_id, "");
	PICK(h->instance_id, fixed->instance_id, learned->instance_id, p->dmi_instance_id);
	PICK(h->region, fixed->region, learned->region, "");
	PICK(h->az, fixed->az, learned->az, "");
	PICK(h->az_id, fixed->az_id, learned->az_id, "");
	PICK(h->agent_id, h->instance_id, p->machine_id, "unknown");
}

static void fill_iface(struct fffa_ident *id, const struct fffa_snapshot_parts *p,
		       const struct fffa_imds_iface *learned)
{
	const struct fffa_imds_iface *fixed = &p->fixed->iface;

	PICK(id->interface_id, fixed->interface_id, learned->interface_id, "");
	PICK(id->subnet_id, fixed->subnet_id, learned->subnet_id, "");
	PICK(id->vpc_id, fixed->vpc_id, learned->vpc_id, "");
	/* A fixed account stands for owners too: empty here means the host's account. */
	PICK(id->owner_id, "", p->fixed->host.account_id[0] ? "" : learned->owner_id, "");
}

static int by_ifindex(const void *a, const void *b)
{
	const struct fffa_ident *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

struct fffa_snapshot *fffa_snapshot_new(const struct fffa_snapshot_parts *p)
{
	const struct fffa_imds_data *imds = p->imds ? p->imds : &nothing;
	struct fffa_snapshot *s = calloc(1, sizeof(*s) + p->n * sizeof(s->idents[0]));

	if (!s)
		return NULL;
	fill_host(&s->host, p, &imds->host);
	s->other.host = &s->host;
	fill_iface(&s->other, p, &nothing.ifaces[0]);
	s->n = p->n;
	for (size_t i = 0; i < p->n; i++) {
		const struct fffa_device *d = &p->devices[i];
		const struct fffa_imds_iface *iface = fffa_imds_data_find(imds, d->mac);
		struct fffa_ident *id = &s->idents[i];

		id->host = &s->host;
		id->ifindex = d->ifindex;
		memcpy(id->ifname, d->name, sizeof(id->ifname) - 1);
		memcpy(id->mac, d->mac, sizeof(id->mac));
		fill_iface(id, p, iface ? iface : &nothing.ifaces[0]);
	}
	if (s->n)
		qsort(s->idents, s->n, sizeof(s->idents[0]), by_ifindex);
	return s;
}

const struct fffa_ident *fffa_snapshot_find(const struct fffa_snapshot *s, uint32_t ifindex)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->idents[mid].ifindex == ifindex)
			return &s->idents[mid];
		if (s->idents[mid].ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return &s->other;
}
