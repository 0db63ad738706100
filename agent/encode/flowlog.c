// SPDX-License-Identifier: MIT
/* The format flowlog: one line of key=value pairs. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "agent/base/cidr.h"
#include "agent/encode/encoder_internal.h"
#include "agent/encode/field/text.h"

/* The longest line without addresses, names and time; only its length counts. */
#define LONGEST                                                                                    \
	"flowlog version=2 proto=PROTO_255 src=[]:65535 dst=[]:65535 pkt-src= pkt-dst= direction=" \
	"0 encapsulated=false account= vpc= subnet= instance= az= region= time=\n"

size_t fffa_flowlog_bound(void)
{
	const struct fffa_ident *i = NULL;

	return sizeof(LONGEST) + 4 * FFFA_TEXT_IP_MAX + sizeof(i->owner_id) + sizeof(i->vpc_id) +
	       sizeof(i->subnet_id) + sizeof(i->host->instance_id) + sizeof(i->host->az) +
	       sizeof(i->host->region) + FFFA_TEXT_UTC_MAX;
}

static uint8_t *put_proto(uint8_t *p, uint8_t proto)
{
	if (proto == IPPROTO_TCP)
		return fffa_text_lit(p, "TCP");
	if (proto == IPPROTO_UDP)
		return fffa_text_lit(p, "UDP");
	return fffa_text_u64(fffa_text_lit(p, "PROTO_"), proto);
}

static uint8_t *put_endpoint(uint8_t *p, const uint8_t addr[16], fffa_value_fn *port,
			     const struct fffa_record *r, const struct fffa_consts *c)
{
	uint8_t view = r->tunnel ? r->tunnel->view : r->key.view;
	bool mapped = view & FFFA_VIEW_IPV6 && fffa_addr_is_ipv4(addr);
	bool bracket = mapped || !fffa_addr_is_ipv4(addr);

	*p = '[';
	p += bracket;
	p = mapped ? fffa_text_ip6(p, addr) : fffa_text_ip(p, addr);
	*p = ']';
	p += bracket;
	*p++ = ':';
	return port(p, r, c);
}

/* The keys that NODATA and SKIPDATA records leave at "-". */
static uint8_t *put_flow(uint8_t *p, const struct fffa_record *r, const struct fffa_consts *c)
{
	const struct fffa_key *k = &r->key;

	p = put_proto(fffa_text_lit(p, " proto="), k->proto);
	p = fffa_text_lit(p, " src=");
	p = put_endpoint(p, r->tunnel ? r->tunnel->src : k->src, fffa_value_srcport, r, c);
	p = fffa_text_lit(p, " dst=");
	p = put_endpoint(p, r->tunnel ? r->tunnel->dst : k->dst, fffa_value_dstport, r, c);
	p = fffa_value__ip(fffa_text_lit(p, " pkt-src="), r, k->src);
	p = fffa_value__ip(fffa_text_lit(p, " pkt-dst="), r, k->dst);
	p = fffa_text_lit(p, " direction=");
	*p++ = k->view & FFFA_VIEW_EGRESS ? '1' : '0';
	return fffa_value_encapsulated(fffa_text_lit(p, " encapsulated="), r, c);
}

static inline uint8_t *put_known(uint8_t *p, fffa_value_fn *value, const struct fffa_record *r,
				 const struct fffa_consts *c)
{
	uint8_t *end = value(p, r, c);

	if (end == p)
		*end++ = '-';
	return end;
}

uint8_t *fffa_flowlog_write(uint8_t *p, const struct fffa_record *r, const struct fffa_consts *c)
{
	p = fffa_text_lit(p, "flowlog version=2");
	if (r->status == FFFA_STATUS_OK)
		p = put_flow(p, r, c);
	else
		p = fffa_text_lit(p, " proto=- src=- dst=- pkt-src=- pkt-dst=- direction=-"
				     " encapsulated=-");
	p = put_known(fffa_text_lit(p, " account="), fffa_value_account_id, r, c);
	p = put_known(fffa_text_lit(p, " vpc="), fffa_value_vpc_id, r, c);
	p = put_known(fffa_text_lit(p, " subnet="), fffa_value_subnet_id, r, c);
	p = put_known(fffa_text_lit(p, " instance="), fffa_value_instance_id, r, c);
	p = put_known(fffa_text_lit(p, " az="), fffa_value_az, r, c);
	p = put_known(fffa_text_lit(p, " region="), fffa_value_region, r, c);
	p = fffa_text_lit(p, " time=");
	if (r->untimed)
		*p++ = '-';
	else
		p = fffa_text_utc(p, fffa_text_seconds(r->end_ms));
	*p++ = '\n';
	return p;
}
