// SPDX-License-Identifier: MIT
#include "agent/enrich/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "agent/enrich/vpc.h"
#include "agent/enrich/zone.h"

/* Copies the first text that is not empty. All fit: sources and identity have the same sizes. */
static void pick_text(char *dst, size_t cap, const char *a, const char *b, const char *c)
{
	const char *from = *a ? a : *b ? b : c;
	size_t len = strnlen(from, cap - 1);

	memcpy(dst, from, len);
	dst[len] = '\0';
}

#define PICK(dst, a, b, c) pick_text((dst), sizeof(dst), (a), (b), (c))

static void pick_tags(struct fffa_ident_tags *dst, const struct fffa_ident_tags *a,
		      const struct fffa_ident_tags *b)
{
	for (size_t i = 0; i < 2; i++)
		PICK(dst->v[i], a->v[i], b ? b->v[i] : "", "");
}

/*
 * AWS names the sublocation instead of the zone's id. The id of a Local Zone or Wavelength Zone
 * is the zone's own.
 */
static void fill_sublocation(struct fffa_ident_host *h, const struct fffa_ident_host *fixed,
			     const struct fffa_imds_host *learned)
{
	const char *outpost = learned ? learned->outpost_id : "";
	const char *az_id = learned ? learned->az_id : "";
	const char *zone = fffa_zone_sublocation(h->region, h->az);

	PICK(h->sublocation_type, fixed->sublocation_type, *outpost ? "outpost" : zone, "");
	PICK(h->sublocation_id, fixed->sublocation_id, outpost, *zone ? az_id : "");
	PICK(h->az_id, fixed->az_id, h->sublocation_type[0] ? "" : az_id, "");
}

/* Two agents on one instance, each in its task or container, differ by this. */
static void append_container(struct fffa_ident_host *h, const char *id)
{
	size_t at = strlen(h->agent_id), room = sizeof(h->agent_id) - at - 1;
	size_t n = id ? strlen(id) : 0;

	if (!n || room < 2)
		return;
	n = n < room - 1 ? n : room - 1;
	h->agent_id[at] = '/';
	memcpy(h->agent_id + at + 1, id, n);
	h->agent_id[at + 1 + n] = '\0';
}

/* Flows of a network that the task shares with the host are not the task's. The rest is the host's. */
static void fill_task(struct fffa_ident_ecs *ecs, const struct fffa_ecs_data *t)
{
	*ecs = t->ids;
	if (t->own_network)
		return;
	ecs->task_arn[0] = ecs->task_id[0] = ecs->task_definition_arn[0] = '\0';
	ecs->service_name[0] = ecs->container_id[0] = ecs->second_container_id[0] = '\0';
}

static void fill_host(struct fffa_ident_host *h, const struct fffa_snapshot_inputs *p,
		      const struct fffa_imds_host *learned)
{
	const struct fffa_ident_host *fixed = &p->fixed->host;
	const struct fffa_ecs_data *t = p->task; /* on Fargate the only source */

	PICK(h->account_id, fixed->account_id, learned ? learned->account_id : "",
	     t ? t->account_id : "");
	PICK(h->instance_id, fixed->instance_id, learned ? learned->instance_id : "",
	     p->dmi_instance_id);
	PICK(h->region, fixed->region, learned ? learned->region : "", t ? t->region : "");
	PICK(h->az, fixed->az, learned ? learned->az : "", t ? t->az : "");
	PICK(h->agent_id, h->instance_id, p->machine_id, "unknown");
	PICK(h->host_name, p->host_name ? p->host_name : "", "", "");
	append_container(h, t && t->ids.task_id[0] ? t->ids.task_id : p->container_id);
	fill_sublocation(h, fixed, learned);
	if (t)
		fill_task(&h->ecs, t);
	pick_tags(&h->instance_tags, &fixed->instance_tags,
		  learned ? &learned->instance_tags : NULL);
	pick_tags(&h->asg_tags, &fixed->asg_tags, NULL);
}

static void fill_addresses(struct fffa_ident *id, const struct fffa_imds_iface *learned)
{
	id->has_primary_ipv4 = learned->ipv4s.n > 0;
	if (id->has_primary_ipv4)
		memcpy(id->primary_ipv4, learned->ipv4s.v[0].addr, sizeof(id->primary_ipv4));
	id->has_primary_ipv6 = learned->ipv6s.n > 0;
	if (id->has_primary_ipv6)
		memcpy(id->primary_ipv6, learned->ipv6s.v[0].addr, sizeof(id->primary_ipv6));
}

static void fill_iface(struct fffa_ident *id, const struct fffa_snapshot_inputs *p,
		       const struct fffa_imds_iface *learned)
{
	const struct fffa_ident *fixed = &p->fixed->iface;
	bool named = !p->fixed_ifindex || !id->ifindex || id->ifindex == p->fixed_ifindex;

	PICK(id->interface_id, named ? fixed->interface_id : "",
	     learned ? learned->interface_id : "", "");
	PICK(id->subnet_id, fixed->subnet_id, learned ? learned->subnet_id : "", "");
	PICK(id->vpc_id, fixed->vpc_id, learned ? learned->vpc_id : "",
	     p->task ? p->task->vpc_id : "");
	/* A fixed account counts for owners, too. Empty means the host's account. */
	if (learned && !p->fixed->host.account_id[0])
		PICK(id->owner_id, learned->owner_id, "", "");
	pick_tags(&id->interface_tags, &fixed->interface_tags, NULL);
	if (learned)
		fill_addresses(id, learned);
}

static int by_ifindex(const void *a, const void *b)
{
	const struct fffa_snapshot_device *x = a, *y = b;

	return (x->ident.ifindex > y->ident.ifindex) - (x->ident.ifindex < y->ident.ifindex);
}

/* Copies the interfaces behind the devices. */
static void fill_ifaces(struct fffa_snapshot *s, const struct fffa_imds_data *imds)
{
	s->ifaces = (void *)&s->devices[s->n];
	for (size_t i = 0; i < s->iface_count; i++)
		s->ifaces[i] = imds->ifaces[i];
}

/* What AWS leaves out of its own logs: the resolvers and routers of the VPC. */
static void add_unlogged(struct fffa_snapshot *s, const struct fffa_imds_iface *i)
{
	s->resolver_count = fffa_vpc_add_resolvers(i, s->resolvers, s->resolver_count,
						   FFFA_SNAPSHOT_RESOLVERS_MAX);
	s->resolver_count = fffa_vpc_add_routers(i, s->resolvers, s->resolver_count,
						 FFFA_SNAPSHOT_RESOLVERS_MAX);
}

/* Sets the i-th device's facts: those of IMDS, then those of its entry in the configuration. */
static void fill_facts(struct fffa_snapshot *s, size_t i, const struct fffa_imds_iface *found,
		       const struct fffa_fixed_iface *entry)
{
	struct fffa_imds_iface *merged = &s->ifaces[s->iface_count + i];

	if (entry) {
		if (found)
			*merged = *found;
		fffa_fixed_ifaces_overlay(entry, merged);
		found = merged;
	}
	s->devices[i].iface = found;
	if (entry)
		add_unlogged(s, merged);
}

static void fill_device(struct fffa_snapshot *s, const struct fffa_snapshot_inputs *p, size_t i)
{
	const struct fffa_device *d = &p->devices[i];
	const struct fffa_imds_iface *found = p->imds ? fffa_imds_data_find(p->imds, d->mac) : NULL;
	struct fffa_ident *id = &s->devices[i].ident;

	id->host = &s->host;
	id->ifindex = d->ifindex;
	memcpy(id->ifname, d->name, sizeof(id->ifname) - 1);
	memcpy(id->mac, d->mac, sizeof(id->mac));
	fill_facts(s, i, found ? &s->ifaces[found - p->imds->ifaces] : NULL,
		   p->fixed_ifaces ? fffa_fixed_ifaces_find(p->fixed_ifaces, d->name) : NULL);
	fill_iface(id, p, s->devices[i].iface);
}

/* A replay: an entry of the configuration stands for a device. */
static void fill_entry(struct fffa_snapshot *s, const struct fffa_snapshot_inputs *p, size_t i)
{
	struct fffa_ident *id = &s->devices[i].ident;

	id->host = &s->host;
	fill_facts(s, i, NULL, &p->fixed_ifaces->v[i]);
	fill_iface(id, p, s->devices[i].iface);
}

static void fill_devices(struct fffa_snapshot *s, const struct fffa_snapshot_inputs *p)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->of_capture)
			fill_entry(s, p, i);
		else
			fill_device(s, p, i);
	}
	if (s->n && !s->of_capture)
		qsort(s->devices, s->n, sizeof(s->devices[0]), by_ifindex);
}

struct fffa_snapshot *fffa_snapshot_new(const struct fffa_snapshot_inputs *p)
{
	bool of_capture = p->of_capture && p->fixed_ifaces && p->fixed_ifaces->n;
	size_t ifaces = p->imds ? p->imds->n : 0, n = of_capture ? p->fixed_ifaces->n : p->n;
	size_t entries = p->fixed_ifaces && p->fixed_ifaces->n ? n : 0;
	struct fffa_snapshot *s = calloc(1, sizeof(*s) + n * sizeof(s->devices[0]) +
						    (ifaces + entries) * sizeof(s->ifaces[0]));

	if (!s)
		return NULL;
	s->n = n;
	s->iface_count = ifaces;
	s->of_capture = of_capture ? p->fixed_ifaces : NULL;
	fill_host(&s->host, p, p->imds ? &p->imds->host : NULL);
	s->other.host = &s->host;
	fill_iface(&s->other, p, NULL);
	fill_ifaces(s, p->imds);
	for (size_t i = 0; i < ifaces; i++)
		add_unlogged(s, &s->ifaces[i]);
	fill_devices(s, p);
	fffa_ident_stamp(&s->other);
	for (size_t i = 0; i < s->n; i++)
		fffa_ident_stamp(&s->devices[i].ident);
	return s;
}

static const struct fffa_snapshot_device *find_device(const struct fffa_snapshot *s,
						      uint32_t ifindex)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct fffa_snapshot_device *d = &s->devices[mid];

		if (d->ident.ifindex == ifindex)
			return d;
		if (d->ident.ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct fffa_ident *fffa_snapshot_find(const struct fffa_snapshot *s, uint32_t ifindex)
{
	const struct fffa_snapshot_device *d = s->of_capture ? NULL : find_device(s, ifindex);

	return d ? &d->ident : &s->other;
}

/* The inner addresses of a tunnelled packet do not say which way the outer packet took. */
static bool leads_into_vpc(const struct fffa_snapshot_device *d, const struct fffa_record *r)
{
	return d && d->iface && (r->key.view & FFFA_VIEW_EGRESS) && r->status == FFFA_STATUS_OK &&
	       !r->tunnel && fffa_vpc_holds(d->iface, r->key.dst);
}

/* A packet of a capture: by its address at the interface's end. */
static const struct fffa_snapshot_device *find_entry(const struct fffa_snapshot *s,
						     const struct fffa_record *r)
{
	bool out = r->key.view & FFFA_VIEW_EGRESS;
	const uint8_t *src = r->tunnel ? r->tunnel->src : r->key.src;
	const uint8_t *dst = r->tunnel ? r->tunnel->dst : r->key.dst;
	int i = fffa_fixed_ifaces_of_address(s->of_capture, out ? src : dst);

	return i < 0 ? NULL : &s->devices[i];
}

void fffa_snapshot_enrich(const struct fffa_snapshot *s, struct fffa_record *r)
{
	const struct fffa_snapshot_device *d =
		s->of_capture ? find_entry(s, r) : find_device(s, r->key.ifindex);

	r->ident = d ? &d->ident : &s->other;
	r->traffic_path = leads_into_vpc(d, r) ? 1 : 0;
}
