/* SPDX-License-Identifier: MIT */
/* Records and an identity for the benchmarks of the sinks. */
#ifndef FFFA_TESTS_BENCH_RECORDS_H
#define FFFA_TESTS_BENCH_RECORDS_H

#include <stdio.h>
#include <string.h>

#include "agent/flow/ident.h"
#include "agent/flow/record.h"

/* Fills record i: TCP over IPv4. It has no identity and no number. */
static inline void bench_fill_record(struct fffa_record *r, uint32_t i)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->key.src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a", 13);
	memcpy(r->key.dst, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xac\x1f\x10", 15);
	r->key.src[13] = (uint8_t)(i >> 16);
	r->key.src[14] = (uint8_t)(i >> 8);
	r->key.src[15] = (uint8_t)i;
	r->key.dst[15] = (uint8_t)(i * 7);
	r->key.sport = (__be16)(i * 31);
	r->key.dport = (__be16)0xbb01;
	r->key.proto = 6;
	r->packets = 1 + i % 5000;
	r->bytes = r->packets * 783;
	r->start_ms = INT64_C(1700000000000) + i;
	r->end_ms = r->start_ms + 59000;
	r->flags = FFFA_F_SYN | FFFA_F_ACK | FFFA_F_FIN;
	r->end_reason = FFFA_END_ACTIVE;
}

/* Fills both as IMDS would, and lets ident point to host. */
static inline void bench_fill_identity(struct fffa_ident_host *host, struct fffa_ident *ident)
{
	memset(host, 0, sizeof(*host));
	memset(ident, 0, sizeof(*ident));
	strcpy(host->agent_id, "i-1234567890abcdef0");
	strcpy(host->account_id, "123456789012");
	strcpy(host->instance_id, "i-1234567890abcdef0");
	strcpy(host->region, "us-east-1");
	strcpy(host->az_id, "use1-az4");
	ident->host = host;
	strcpy(ident->interface_id, "eni-1235b8ca123456789");
	strcpy(ident->subnet_id, "subnet-aaaaaaaa012345678");
	strcpy(ident->vpc_id, "vpc-abcdefab012345678");
}

#endif
