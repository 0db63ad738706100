/* SPDX-License-Identifier: MIT */
/* One writer per row of fields.def: what a field means is said here and nowhere else. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/encode/fields.h"
#include "agent/encode/text.h"

#define VALUE(id)                                                                                  \
	uint8_t *fffa_value_##id(uint8_t *p, const struct fffa_record *r __attribute__((unused)),  \
				 const struct fffa_consts *c __attribute__((unused)))

static bool is_icmp(const struct fffa_record *r)
{
	return r->key.proto == IPPROTO_ICMP || r->key.proto == IPPROTO_ICMPV6;
}

VALUE(version)
{
	return fffa_text_u64(p, c->version);
}

VALUE(account_id)
{
	if (r->ident->owner_id[0])
		return fffa_text_array(p, r->ident->owner_id);
	return fffa_text_array(p, r->ident->host->account_id);
}

VALUE(interface_id)
{
	return fffa_text_array(p, r->ident->interface_id);
}

VALUE(srcaddr)
{
	return fffa_text_ip(p, r->key.src);
}

VALUE(dstaddr)
{
	return fffa_text_ip(p, r->key.dst);
}

/* AWS writes 0 for both ports of ICMP; the key's dport holds type and code there. */
VALUE(srcport)
{
	return fffa_text_u64(p, is_icmp(r) ? 0 : ntohs(r->key.sport));
}

VALUE(dstport)
{
	return fffa_text_u64(p, is_icmp(r) ? 0 : ntohs(r->key.dport));
}

VALUE(protocol)
{
	return fffa_text_u64(p, r->key.proto);
}

VALUE(packets)
{
	return fffa_text_u64(p, r->packets);
}

VALUE(bytes)
{
	return fffa_text_u64(p, r->bytes);
}

VALUE(start)
{
	return fffa_text_i64(p, fffa_text_seconds(r->start_ms));
}

VALUE(end)
{
	return fffa_text_i64(p, fffa_text_seconds(r->end_ms));
}

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

VALUE(vpc_id)
{
	return fffa_text_array(p, r->ident->vpc_id);
}

VALUE(subnet_id)
{
	return fffa_text_array(p, r->ident->subnet_id);
}

VALUE(instance_id)
{
	return fffa_text_array(p, r->ident->host->instance_id);
}

/* AWS shows FIN, SYN and RST, and ACK only where it came with SYN in one packet. */
VALUE(tcp_flags)
{
	unsigned int flags = r->flags & (FFFA_F_FIN | FFFA_F_SYN | FFFA_F_RST);

	if (r->key.proto != IPPROTO_TCP)
		return p;
	if (r->flags & FFFA_F_SYNACK)
		flags |= FFFA_F_ACK;
	return fffa_text_u64(p, flags);
}

VALUE(type)
{
	memcpy(p, fffa_text_is_ipv4(r->key.src) ? "IPv4" : "IPv6", 4);
	return p + 4;
}

VALUE(pkt_srcaddr)
{
	return fffa_text_ip(p, r->key.src);
}

VALUE(pkt_dstaddr)
{
	return fffa_text_ip(p, r->key.dst);
}

VALUE(region)
{
	return fffa_text_array(p, r->ident->host->region);
}

VALUE(az_id)
{
	return fffa_text_array(p, r->ident->host->az_id);
}

VALUE(sublocation_type)
{
	return p;
}

VALUE(sublocation_id)
{
	return p;
}

VALUE(pkt_src_aws_service)
{
	return p;
}

VALUE(pkt_dst_aws_service)
{
	return p;
}

VALUE(flow_direction)
{
	if (r->key.view & FFFA_VIEW_EGRESS)
		return fffa_text_lit(p, "egress");
	return fffa_text_lit(p, "ingress");
}

VALUE(traffic_path)
{
	return p;
}

VALUE(schema)
{
	return fffa_text_lit(p, "1");
}

VALUE(agent_id)
{
	return fffa_text_array(p, r->ident->host->agent_id);
}

VALUE(epoch)
{
	return fffa_text_u64(p, r->epoch);
}

VALUE(seq)
{
	return fffa_text_u64(p, r->seq);
}

VALUE(start_ms)
{
	return fffa_text_i64(p, r->start_ms);
}

VALUE(end_ms)
{
	return fffa_text_i64(p, r->end_ms);
}

/* The one string that the kernel's user chose: nearly any byte may be in a device name. */
VALUE(ifname)
{
	return fffa_text_json(p, r->ident->ifname,
			      strnlen(r->ident->ifname, sizeof(r->ident->ifname) - 1));
}

VALUE(hook)
{
	if (r->key.view & FFFA_VIEW_HOOK_XDP)
		return fffa_text_lit(p, "xdp");
	return fffa_text_lit(p, "tc");
}

VALUE(az)
{
	return fffa_text_array(p, r->ident->host->az);
}

VALUE(tcp_flags_raw)
{
	return r->key.proto == IPPROTO_TCP ? fffa_text_u64(p, r->flags & 0xff) : p;
}

VALUE(end_reason)
{
	return r->end_reason < FFFA_END_MAX ? fffa_text_array(p, c->end_reason[r->end_reason].text)
					    : p;
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

VALUE(tunnel_src)
{
	return r->tunnel ? fffa_text_ip(p, r->tunnel->src) : p;
}

VALUE(tunnel_dst)
{
	return r->tunnel ? fffa_text_ip(p, r->tunnel->dst) : p;
}

VALUE(vni)
{
	return r->tunnel ? fffa_text_u64(p, r->tunnel->vni) : p;
}

/* AWS writes interface ids with 17 digits; the option holds 64 bits, so the first digit is always
 * 0. */
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

VALUE(gwlb_flow_cookie)
{
	if (!r->tunnel || !(r->tunnel->has & FFFA_TUNNEL_HAS_COOKIE))
		return p;
	return fffa_text_u64(p, r->cookie);
}

VALUE(icmp_type)
{
	return is_icmp(r) ? fffa_text_u64(p, ntohs(r->key.dport) >> 8) : p;
}

VALUE(icmp_code)
{
	return is_icmp(r) ? fffa_text_u64(p, ntohs(r->key.dport) & 0xff) : p;
}

VALUE(sampled)
{
	return r->sampled > 1 ? fffa_text_u64(p, r->sampled) : p;
}

static uint8_t *put_lost(uint8_t *p, const struct fffa_record *r, uint64_t n)
{
	return r->status == FFFA_STATUS_SKIPDATA && n ? fffa_text_u64(p, n) : p;
}

VALUE(lost_packets)
{
	return put_lost(p, r, r->lost_packets);
}

VALUE(lost_bytes)
{
	return put_lost(p, r, r->lost_bytes);
}

VALUE(lost_records)
{
	return put_lost(p, r, r->lost_records);
}

VALUE(lost_reason)
{
	size_t n;

	if (r->status != FFFA_STATUS_SKIPDATA || !r->lost_reason)
		return p;
	n = strnlen(r->lost_reason, 15);
	memcpy(p, r->lost_reason, n);
	return p + n;
}
