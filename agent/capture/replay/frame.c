// SPDX-License-Identifier: MIT
#include "agent/capture/replay/frame.h"

#include <pcap/dlt.h>
#include <string.h>

#include "agent/capture/replay/fragments.h"
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
	f->linktype = DLT_EN10MB;
	f->fragments = NULL;
	f->now_ns = 0;
	f->local = local;
	f->local_count = local_count;
}

bool fffa_frame_supports(int linktype)
{
	switch (linktype) {
	case DLT_EN10MB:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
		return true;
	default:
		return false;
	}
}

static int parse_version(const uint8_t *b, const void *end, uint32_t off,
			 const struct fffa_frame *f, struct fffa_packet *p)
{
	uint16_t proto;

	if ((const void *)(b + off + 1) > end)
		return FFFA_PARSE_TRUNCATED;
	proto = b[off] >> 4 == 4 ? FFFA_ETH_P_IP : b[off] >> 4 == 6 ? FFFA_ETH_P_IPV6 : 0;
	return fffa_parse_l3(b, end, off, proto, f, p);
}

/* "Cooked" captures: the ether type stands at type_at, the packet at off. */
static int parse_cooked(const uint8_t *b, const void *end, uint32_t type_at, uint32_t off,
			const struct fffa_frame *f, struct fffa_packet *p)
{
	if ((const void *)(b + off) > end)
		return FFFA_PARSE_TRUNCATED;
	return fffa_parse_l3(b, end, off, FFFA_BE16(FFFA_LD16(b + type_at)), f, p);
}

static int parse_link(const struct fffa_frame_conf *c, const void *b, const void *end,
		      const struct fffa_frame *f, struct fffa_packet *p)
{
	switch (c->linktype) {
	case DLT_EN10MB:
		return fffa_parse_frame(b, end, f, p);
	case DLT_LINUX_SLL:
		return parse_cooked(b, end, 14, 16, f, p);
	case DLT_LINUX_SLL2:
		return parse_cooked(b, end, 0, 20, f, p);
	case DLT_NULL:
	case DLT_LOOP:
		return parse_version(b, end, 4, f, p);
	default:
		return parse_version(b, end, 0, f, p);
	}
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
	struct fffa_packet inner = {0};
	struct fffa_tunnel next = {0};
	struct fffa_inside in;
	uint8_t type;

	if (p->key.proto != FFFA_IPPROTO_UDP || !p->l4_offset)
		return false;
	type = fffa_tunnel_of_port(f->geneve_ports, f->vxlan_ports, FFFA_BE16(p->key.dport));
	if (type == FFFA_TUNNEL_NONE ||
	    fffa_parse_tunnel_header(bytes, end, type, p->l4_offset, &next, &in) ||
	    fffa_parse_tunnel_inside(bytes, end, frame, &in, &inner))
		return false; /* the outer packet is what can be recorded */
	if (f->fragments)     /* the later ones are not opened: they are the outer packet's own */
		(void)fffa_fragments_apply(f->fragments, p, f->now_ns);
	memcpy(next.src, p->key.src, sizeof(next.src));
	memcpy(next.dst, p->key.dst, sizeof(next.dst));
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
	int rc = parse_link(f, bytes, end, &frame, p);
	uint8_t view;

	*tunnelled = false;
	if (rc)
		return (enum fffa_parse)rc;
	view = is_local(f, p->key.src) ? FFFA_VIEW_EGRESS
				       : 0; /* of the packet on the wire: the outer one */
	p->key.view = view;
	p->key.ifindex = 0;
	memset(t, 0, sizeof(*t));
	for (int depth = 0; depth < FFFA_TUNNEL_DEPTH && enter(f, bytes, end, &frame, p, t);
	     depth++) {
		*tunnelled = true;
		p->key.view = view;
		p->key.ifindex = 0;
	}
	return FFFA_PARSE_OK;
}
