// SPDX-License-Identifier: MIT
#include "agent/capture/replay/frame.h"

#include <string.h>

#include "agent/capture/replay/link_types.h"
#include "config/ports.h"
#include "bpf/tunnel.h"

void fffa_frame_conf_init(struct fffa_frame_conf *f, const struct fffa_capture_conf *capture,
			  const struct fffa_cidr *local, size_t local_count)
{
	fffa_ports_of_tunnels(capture, f->geneve_ports, f->vxlan_ports);
	if (capture->tunnel_view == FFFA_TUNNEL_VIEW_OUTER) {
		memset(f->geneve_ports, 0, sizeof(f->geneve_ports));
		memset(f->vxlan_ports, 0, sizeof(f->vxlan_ports));
	}
	f->linktype = 1; /* Ethernet */
	f->swapped = false;
	f->way = FFFA_WAY_UNKNOWN;
	f->local = local;
	f->local_count = local_count;
}

static bool is_local(const struct fffa_frame_conf *f, const uint8_t *addr)
{
	for (size_t i = 0; i < f->local_count; i++) {
		if (fffa_cidr_has(&f->local[i], addr))
			return true;
	}
	return false;
}

/*
 * Opens the tunnel that p is, when it is one that can be opened: then p is the packet inside, *t
 * its tunnel.
 */
static bool enter(const struct fffa_frame_conf *f, const void *bytes, const void *end,
		  const struct fffa_frame *frame, struct fffa_packet *p, struct fffa_tunnel *t)
{
	struct fffa_frame within = *frame; /* the inner packet ends where the outer one does */
	struct fffa_packet inner = {0};
	struct fffa_tunnel next = {0};
	struct fffa_inside in;
	uint8_t type;

	/* The other fragments of a datagram could not be opened. */
	if (p->key.proto != FFFA_IPPROTO_UDP || !p->l4_offset || p->fragment)
		return false;
	type = fffa_tunnel_of_port(f->geneve_ports, f->vxlan_ports, FFFA_BE16(p->key.dport));
	if (type == FFFA_TUNNEL_NONE ||
	    fffa_parse_tunnel_header(bytes, end, type, p->l4_offset, &next, &in) ||
	    fffa_parse_tunnel_link(bytes, end, &in))
		return false; /* the outer packet is what can be recorded */
	within.wire_bytes = p->l3_end;
	in.step = fffa_link_walk(bytes, end, FFFA_LINK_OFFSET(in.step), FFFA_LINK_TYPE(in.step));
	if (fffa_parse_tunnel_inside(bytes, end, &within, &in, &inner))
		return false;
	memcpy(next.src, p->key.src, sizeof(next.src));
	memcpy(next.dst, p->key.dst, sizeof(next.dst));
	next.view = p->key.view & FFFA_VIEW_IPV6;
	if (t->type != FFFA_TUNNEL_NONE && !next.has) { /* VXLAN in GENEVE keeps what GENEVE said */
		next.has = t->has;
		next.gwlbe_id = t->gwlbe_id;
		next.attachment_id = t->attachment_id;
		inner.cookie = p->cookie;
	}
	*t = next;
	*p = inner;
	return true;
}

enum fffa_parse fffa_frame_parse(const struct fffa_frame_conf *f, const void *bytes,
				 size_t captured, size_t wire_bytes, struct fffa_packet *p,
				 struct fffa_tunnel *t, bool *tunnelled)
{
	const void *end = (const uint8_t *)bytes + captured;
	struct fffa_frame frame = {.wire_bytes = (uint32_t)wire_bytes};
	enum fffa_capture_way way = f->way;
	uint32_t step = fffa_link_types_walk(f->linktype, f->swapped, bytes, end, &way);
	int rc = fffa_parse_linked(bytes, end, step, &frame, p);
	uint8_t view;

	*tunnelled = false;
	if (rc)
		return (enum fffa_parse)rc;
	/* Of the packet on the wire: the outer one. */
	view = (f->local_count ? is_local(f, p->key.src) : way == FFFA_WAY_OUT) ? FFFA_VIEW_EGRESS
										: 0;
	p->key.view |= view;
	p->key.ifindex = 0;
	memset(t, 0, sizeof(*t));
	for (int depth = 0; depth < FFFA_TUNNEL_DEPTH && enter(f, bytes, end, &frame, p, t);
	     depth++) {
		*tunnelled = true;
		p->key.view |= view;
		p->key.ifindex = 0;
	}
	return FFFA_PARSE_OK;
}

#define MTU_MAX 9216 /* of Ethernet with jumbo frames */

bool fffa_frame_is_super(const void *bytes, size_t captured, const struct fffa_packet *p)
{
	uint32_t at = p->l3_end - p->l3_bytes;
	const uint8_t *b = bytes;

	if (p->l3_bytes > MTU_MAX)
		return true;
	if (at + 6 > captured || p->l3_bytes <= 40)
		return false;
	/* Length 0: the kernel leaves it to the network card. */
	return b[at] >> 4 == 4 ? !(b[at + 2] | b[at + 3]) : !(b[at + 4] | b[at + 5]);
}
