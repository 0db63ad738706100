// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "tests/unit/encode/sample.h"

void sample_addr(uint8_t addr[16], const char *text)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	memcpy(addr, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, addr + 12) != 1)
		assert_int_equal(inet_pton(AF_INET6, text, addr), 1);
}

void sample_addrs(struct sample *s, const char *src, const char *dst)
{
	sample_addr(s->r.key.src, src);
	sample_addr(s->r.key.dst, dst);
}

void sample_tcp(struct sample *s)
{
	*s = (struct sample){
		.r =
			{
				.key =
					{
						.sport = htons(40112),
						.dport = htons(22),
						.proto = 6,
						.ifindex = 2,
					},
				.packets = 18,
				.bytes = 3991,
				.start_ms = 1700000010999,
				.end_ms = 1700000070001,
				.seq = 41,
				.epoch = 3,
				.flags = FFFA_F_SYN | FFFA_F_ACK | FFFA_F_PSH | FFFA_F_FIN,
				.end_reason = FFFA_END_END,
				.status = FFFA_STATUS_OK,
			},
		.ident =
			{
				.ifindex = 2,
				.ifname = "ens5",
				.interface_id = "eni-0aa11bb22cc33dd44",
				.subnet_id = "subnet-87654321",
				.vpc_id = "vpc-12345678",
			},
		.host =
			{
				.agent_id = "i-1234567890abcdef0",
				.host_name = "ip-10-0-5-20",
				.account_id = "111122223333",
				.instance_id = "i-1234567890abcdef0",
				.region = "us-east-1",
				.az = "us-east-1a",
				.az_id = "use1-az4",
			},
	};
	s->ident.host = &s->host;
	s->r.ident = &s->ident;
	sample_addrs(s, "10.0.5.9", "10.0.5.20");
}

void sample_icmp(struct sample *s, uint8_t proto, uint8_t type, uint8_t code)
{
	s->r.key.proto = proto;
	s->r.key.sport = 0;
	s->r.key.dport = htons((uint16_t)(type << 8 | code));
	s->r.flags = 0;
	s->r.end_reason = FFFA_END_IDLE;
}

void sample_geneve(struct sample *s)
{
	s->tunnel = (struct fffa_tunnel){
		.gwlbe_id = UINT64_C(0x0a1b2c3d4e5f6071),
		.attachment_id = 0xbeef,
		.vni = 0,
		.type = FFFA_TUNNEL_GENEVE,
		.has = FFFA_TUNNEL_HAS_GWLBE | FFFA_TUNNEL_HAS_ATTACHMENT | FFFA_TUNNEL_HAS_COOKIE,
	};
	sample_addr(s->tunnel.src, "10.0.1.100");
	sample_addr(s->tunnel.dst, "10.0.1.200");
	s->r.tunnel = &s->tunnel;
	s->r.key.tunnel = 1;
	s->r.cookie = 4000000000U;
}

void sample_unknown(struct sample *s)
{
	memset(&s->host, 0, sizeof(s->host));
	memset(&s->ident, 0, sizeof(s->ident));
	s->ident.host = &s->host;
}

void assert_encodes(enum fffa_format format, const char *fields, const struct fffa_record *r,
		    const char *text)
{
	char line[FFFA_RECORD_BYTES_MAX + 1];
	struct fffa_encoder *e = NULL;
	struct fffa_err err = {""};
	size_t len;
	int rc;

	rc = fffa_encoder_new(format, fields, &e, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(rc, 0);
	len = fffa_encoder_write(e, r, (uint8_t *)line, FFFA_RECORD_BYTES_MAX);
	fffa_encoder_free(e);
	line[len] = 0;
	assert_string_equal(line, text);
	assert_int_equal(len, strlen(text));
}

uint64_t sample_random(uint64_t *state)
{
	uint64_t v;

	*state += UINT64_C(0x9e3779b97f4a7c15);
	v = *state;
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}
