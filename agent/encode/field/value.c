// SPDX-License-Identifier: MIT
/* One writer for each row of fields.def says what the field means; some are in value_aws.c and value_community.c. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/base/cidr.h"
#include "agent/encode/field/value_internal.h"

#define SERVICE_BYTES_MAX 63

static bool is_icmp(const struct fffa_record *r)
{
	return r->key.proto == IPPROTO_ICMP || r->key.proto == IPPROTO_ICMPV6;
}

UINT_VALUE(version, true, c->version)

VALUE(account_id)
{
	if (r->ident->owner_id[0])
		return fffa_text_array(p, r->ident->owner_id);
	return fffa_text_array(p, r->ident->host->account_id);
}

IDENT_VALUE(interface_id, interface_id)

bool fffa_value__is_ipv4(const struct fffa_record *r)
{
	return !(r->key.view & FFFA_VIEW_IPV6) && fffa_addr_is_ipv4(r->key.src);
}

/* Of the link alone: neighbour discovery and the like (fe80::/10, ff00::/8, ::). */
static bool is_link_address(const uint8_t addr[16])
{
	static const uint8_t none[16];

	return addr[0] == 0xff || (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80) ||
	       !memcmp(addr, none, sizeof(none));
}

/* AWS shows the interface's primary address at its own end, whatever the packet says. */
static const uint8_t *own_address(const struct fffa_record *r, const uint8_t addr[16])
{
	const struct fffa_ident *i = r->ident;

	if (fffa_value__is_ipv4(r))
		return i->has_primary_ipv4 ? i->primary_ipv4 : addr;
	return i->has_primary_ipv6 && !is_link_address(addr) ? i->primary_ipv6 : addr;
}

uint8_t *fffa_value__ip(uint8_t *p, const struct fffa_record *r, const uint8_t addr[16])
{
	return r->key.view & FFFA_VIEW_IPV6 ? fffa_text_ip6(p, addr) : fffa_text_ip(p, addr);
}

static bool is_egress(const struct fffa_record *r)
{
	return r->key.view & FFFA_VIEW_EGRESS;
}

const uint8_t *fffa_value__src(const struct fffa_record *r)
{
	return is_egress(r) ? own_address(r, r->key.src) : r->key.src;
}

const uint8_t *fffa_value__dst(const struct fffa_record *r)
{
	return is_egress(r) ? r->key.dst : own_address(r, r->key.dst);
}

VALUE(srcaddr)
{
	return fffa_value__ip(p, r, fffa_value__src(r));
}

VALUE(dstaddr)
{
	return fffa_value__ip(p, r, fffa_value__dst(r));
}

/* AWS writes 0 for both ports of ICMP, whose key has type and code as dport. */
UINT_VALUE(srcport, true, is_icmp(r) ? 0 : ntohs(r->key.sport))

UINT_VALUE(dstport, true, is_icmp(r) ? 0 : ntohs(r->key.dport))

UINT_VALUE(protocol, true, r->key.proto)

UINT_VALUE(packets, true, r->packets)

UINT_VALUE(bytes, true, r->bytes)

SINT_VALUE(start, !r->untimed, fffa_text_seconds(r->start_ms))

SINT_VALUE(end, !r->untimed, fffa_text_seconds(r->end_ms))

VALUE(action)
{
	return fffa_text_lit(p, "ACCEPT");
}

VALUE(log_status)
{
	if (r->status == FFFA_STATUS_OK)
		return fffa_text_lit(p, "OK");
	if (r->status == FFFA_STATUS_NODATA)
		return fffa_text_lit(p, "NODATA");
	return fffa_text_lit(p, "SKIPDATA");
}

IDENT_VALUE(vpc_id, vpc_id)

IDENT_VALUE(subnet_id, subnet_id)

IDENT_VALUE(instance_id, host->instance_id)

/* AWS shows FIN, SYN and RST, and ACK only where one packet had it with SYN; 0 without any. */
static unsigned int aws_flags(const struct fffa_record *r)
{
	unsigned int flags = r->flags & (FFFA_F_FIN | FFFA_F_SYN | FFFA_F_RST);

	return r->flags & FFFA_F_SYNACK ? flags | FFFA_F_ACK : flags;
}

UINT_VALUE(tcp_flags, true, r->key.proto == IPPROTO_TCP ? aws_flags(r) : 0)

VALUE(type)
{
	memcpy(p, fffa_value__is_ipv4(r) ? "IPv4" : "IPv6", 4);
	return p + 4;
}

VALUE(pkt_srcaddr)
{
	return fffa_value__ip(p, r, r->key.src);
}

VALUE(pkt_dstaddr)
{
	return fffa_value__ip(p, r, r->key.dst);
}

IDENT_VALUE(region, host->region)

IDENT_VALUE(az_id, host->az_id)

IDENT_VALUE(sublocation_type, host->sublocation_type)

IDENT_VALUE(sublocation_id, host->sublocation_id)

static uint8_t *put_service(uint8_t *p, const char *name)
{
	return name ? fffa_text_long(p, name, SERVICE_BYTES_MAX + 1) : p;
}

VALUE(pkt_src_aws_service)
{
	return put_service(p, r->src_service);
}

VALUE(pkt_dst_aws_service)
{
	return put_service(p, r->dst_service);
}

VALUE(flow_direction)
{
	if (is_egress(r))
		return fffa_text_lit(p, "egress");
	return fffa_text_lit(p, "ingress");
}

/* AWS names a path for egress only. */
static bool has_traffic_path(const struct fffa_record *r)
{
	return is_egress(r) && r->traffic_path >= 1 && r->traffic_path <= 8;
}

UINT_VALUE(traffic_path, has_traffic_path(r), r->traffic_path)

UINT_VALUE(schema, true, 1)

IDENT_VALUE(agent_id, host->agent_id)

VALUE(stream)
{
	return fffa_text_array(p, c->stream);
}

IDENT_LONG_VALUE(host_name, host->host_name)

UINT_VALUE(epoch, true, r->epoch)

UINT_VALUE(seq, true, r->seq)

SINT_VALUE(start_ms, !r->untimed, r->start_ms)

SINT_VALUE(end_ms, !r->untimed, r->end_ms)

/* The only string with nearly any byte in it: whoever makes a device names it. */
VALUE(ifname)
{
	return fffa_text_json(p, r->ident->ifname,
			      strnlen(r->ident->ifname, sizeof(r->ident->ifname) - 1));
}

PACK_VALUE(ifname)
{
	size_t len = strnlen(r->ident->ifname, sizeof(r->ident->ifname) - 1);

	return len ? fffa_pack_text(p, fffa_text_utf8(p + 1, r->ident->ifname, len)) : p;
}

VALUE(hook)
{
	if (r->key.view & FFFA_VIEW_HOOK_XDP)
		return fffa_text_lit(p, "xdp");
	return fffa_text_lit(p, "tc");
}

IDENT_VALUE(az, host->az)

UINT_VALUE(tcp_flags_raw, r->key.proto == IPPROTO_TCP, r->flags & 0xff)

VALUE(end_reason)
{
	return r->end_reason < FFFA_END_MAX ? fffa_text_array(p, c->end_reason[r->end_reason].text)
					    : p;
}

PACK_VALUE(encapsulated)
{
	return fffa_pack_bool(p, r->tunnel);
}

VALUE(encapsulated)
{
	return r->tunnel ? fffa_text_lit(p, "true") : fffa_text_lit(p, "false");
}

VALUE(tunnel)
{
	if (r->tunnel && r->tunnel->type == FFFA_TUNNEL_GENEVE)
		return fffa_text_lit(p, "geneve");
	if (r->tunnel && r->tunnel->type == FFFA_TUNNEL_VXLAN)
		return fffa_text_lit(p, "vxlan");
	return p;
}

static uint8_t *put_outer(uint8_t *p, const struct fffa_tunnel *t, const uint8_t addr[16])
{
	return t->view & FFFA_VIEW_IPV6 ? fffa_text_ip6(p, addr) : fffa_text_ip(p, addr);
}

VALUE(tunnel_src)
{
	return r->tunnel ? put_outer(p, r->tunnel, r->tunnel->src) : p;
}

VALUE(tunnel_dst)
{
	return r->tunnel ? put_outer(p, r->tunnel, r->tunnel->dst) : p;
}

UINT_VALUE(vni, r->tunnel, r->tunnel->vni)

/* AWS writes interface ids with 17 digits. The option has 64 bits, so the first digit is 0. */
VALUE(gwlbe_id)
{
	if (!r->tunnel || !(r->tunnel->has & FFFA_TUNNEL_HAS_GWLBE))
		return p;
	return fffa_text_hex64(fffa_text_lit(p, "eni-0"), r->tunnel->gwlbe_id);
}

VALUE(gwlb_attachment_id)
{
	if (!r->tunnel || !(r->tunnel->has & FFFA_TUNNEL_HAS_ATTACHMENT))
		return p;
	return fffa_text_hex64(p, r->tunnel->attachment_id);
}

UINT_VALUE(gwlb_flow_cookie, r->tunnel && r->tunnel->has & FFFA_TUNNEL_HAS_COOKIE, r->cookie)

UINT_VALUE(icmp_type, is_icmp(r), ntohs(r->key.dport) >> 8)

UINT_VALUE(icmp_code, is_icmp(r), ntohs(r->key.dport) & 0xff)

static uint8_t *put_network(uint8_t *p, const struct fffa_network *n)
{
	return n ? fffa_text_json(p, n->name, strnlen(n->name, sizeof(n->name) - 1)) : p;
}

static uint8_t *pack_network(uint8_t *p, const struct fffa_network *n)
{
	size_t len = n ? strnlen(n->name, sizeof(n->name) - 1) : 0;

	return len ? fffa_pack_text(p, fffa_text_utf8(p + 1, n->name, len)) : p;
}

VALUE(src_network)
{
	return put_network(p, r->src_network);
}

PACK_VALUE(src_network)
{
	return pack_network(p, r->src_network);
}

VALUE(dst_network)
{
	return put_network(p, r->dst_network);
}

PACK_VALUE(dst_network)
{
	return pack_network(p, r->dst_network);
}

VALUE(src_az_id)
{
	return r->src_network ? fffa_text_array(p, r->src_network->az_id) : p;
}

VALUE(dst_az_id)
{
	return r->dst_network ? fffa_text_array(p, r->dst_network->az_id) : p;
}

UINT_VALUE(sampled, r->sampled > 1, r->sampled)

UINT_VALUE(lost_packets, r->status == FFFA_STATUS_SKIPDATA && r->lost_packets, r->lost_packets)

UINT_VALUE(lost_bytes, r->status == FFFA_STATUS_SKIPDATA && r->lost_bytes, r->lost_bytes)

UINT_VALUE(lost_records, r->status == FFFA_STATUS_SKIPDATA && r->lost_records, r->lost_records)

VALUE(lost_reason)
{
	size_t n;

	if (r->status != FFFA_STATUS_SKIPDATA || !r->lost_reason)
		return p;
	n = strnlen(r->lost_reason, 15);
	memcpy(p, r->lost_reason, n);
	return p + n;
}
