// SPDX-License-Identifier: MIT
/*
 * Nanoseconds per record of every encoder on one core, and in the same run of the plain ways:
 * snprintf and inet_ntop, msgpack-c. Usage: bench_encode [RECORDS per round]. The median of the
 * rounds counts. Read ratios, not absolute numbers.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "agent/base/random.h"
#include "agent/encode/encoder.h"
#include "tests/bench/measure.h"

#define RECORDS	     4096
#define ROUNDS	     7
#define OUTPUT_BYTES (256 * 1024)

struct bench {
	struct fffa_record records[RECORDS];
	uint8_t out[OUTPUT_BYTES + FFFA_RECORD_BYTES_MAX];
	uint64_t random;
	struct fffa_ident_host host;
	struct fffa_ident ident;
};

#define SET(array, text) ((void)snprintf((array), sizeof(array), "%s", (text)))

/* A task on an instance, with all that AWS can say about it. */
static void fill_ecs(struct fffa_ident_ecs *e)
{
	SET(e->cluster_arn, "arn:aws:ecs:us-east-1:123456789012:cluster/production");
	SET(e->cluster_name, "production");
	SET(e->container_instance_arn, "arn:aws:ecs:us-east-1:123456789012:container-instance/"
				       "production/0123456789abcdef0123456789abcdef");
	SET(e->container_instance_id, "0123456789abcdef0123456789abcdef");
	SET(e->container_id, "0123456789abcdef0123456789abcdef-1234567890");
	SET(e->second_container_id, "0123456789abcdef0123456789abcdef-0987654321");
	SET(e->service_name, "checkout");
	SET(e->task_definition_arn,
	    "arn:aws:ecs:us-east-1:123456789012:task-definition/checkout:7");
	SET(e->task_arn, "arn:aws:ecs:us-east-1:123456789012:task/production/"
			 "fedcba9876543210fedcba9876543210");
	SET(e->task_id, "fedcba9876543210fedcba9876543210");
}

static void fill_identity(struct bench *b, bool all)
{
	memset(&b->host, 0, sizeof(b->host));
	memset(&b->ident, 0, sizeof(b->ident));
	b->ident.host = &b->host;
	b->ident.ifindex = 2;
	SET(b->host.agent_id, "i-0123456789abcdef0");
	SET(b->host.account_id, "123456789012");
	SET(b->host.instance_id, "i-0123456789abcdef0");
	SET(b->host.region, "us-east-1");
	SET(b->host.az, "us-east-1a");
	SET(b->host.az_id, "use1-az4");
	SET(b->ident.ifname, "ens5");
	SET(b->ident.interface_id, "eni-0aa11bb22cc33dd44");
	SET(b->ident.subnet_id, "subnet-0aa11bb22cc33dd44");
	SET(b->ident.vpc_id, "vpc-0aa11bb22cc33dd44");
	if (all) {
		fill_ecs(&b->host.ecs);
		SET(b->host.sublocation_type, "outpost");
		SET(b->host.sublocation_id, "op-0123456789abcdef0");
		for (int i = 0; i < 2; i++) {
			SET(b->host.instance_tags.v[i], "checkout%20service");
			SET(b->host.asg_tags.v[i], "blue%2Fgreen");
			SET(b->ident.interface_tags.v[i], "primary");
		}
	}
	fffa_ident_stamp(&b->ident);
}

static uint64_t next_random(struct bench *b)
{
	return fffa_random_next(&b->random);
}

static void fill_addr(struct bench *b, uint8_t addr[16], bool ipv6)
{
	uint64_t half[2] = {next_random(b), next_random(b)};

	memcpy(addr, half, 16);
	if (ipv6) {
		memcpy(addr, "\x20\x01\x0d\xb8\x00\x00", 6);
		return;
	}
	memset(addr, 0, 10);
	memset(addr + 10, 0xff, 2);
}

static void fill_records(struct bench *b, bool ipv6)
{
	struct fffa_record *r;

	for (size_t i = 0; i < RECORDS; i++) {
		r = &b->records[i];
		memset(r, 0, sizeof(*r));
		fill_addr(b, r->key.src, ipv6);
		fill_addr(b, r->key.dst, ipv6);
		r->key.sport = (__be16)next_random(b);
		r->key.dport = (__be16)next_random(b);
		r->key.proto = next_random(b) & 3 ? IPPROTO_TCP : IPPROTO_UDP;
		r->key.view = next_random(b) & FFFA_VIEW_EGRESS;
		r->packets = next_random(b) >> (44 + next_random(b) % 20);
		r->bytes = r->packets * (64 + next_random(b) % 1400);
		r->start_ms = INT64_C(1700000000000) + (int64_t)(next_random(b) % 1000000);
		r->end_ms = r->start_ms + (int64_t)(next_random(b) % 60000);
		r->seq = i;
		r->epoch = 7;
		r->ident = &b->ident;
		r->flags = next_random(b) & 0x1ff;
		r->end_reason = FFFA_END_IDLE + next_random(b) % 4;
		r->status = FFFA_STATUS_OK;
	}
}

static const char *plain_addr(const uint8_t addr[16], char text[INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)addr))
		return inet_ntop(AF_INET, addr + 12, text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
}

static size_t plain_v2(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
		       size_t cap)
{
	char src[INET6_ADDRSTRLEN], dest[INET6_ADDRSTRLEN];

	(void)e;
	return (size_t)snprintf((char *)dst, cap,
				"2 %s %s %s %s %u %u %u %" PRIu64 " %" PRIu64 " %" PRId64
				" %" PRId64 " ACCEPT OK\n",
				r->ident->host->account_id, r->ident->interface_id,
				plain_addr(r->key.src, src), plain_addr(r->key.dst, dest),
				ntohs(r->key.sport), ntohs(r->key.dport), r->key.proto, r->packets,
				r->bytes, r->start_ms / 1000, r->end_ms / 1000);
}

static void pack_str(msgpack_packer *pk, const char *s)
{
	size_t len = strlen(s);

	msgpack_pack_str(pk, len);
	msgpack_pack_str_body(pk, s, len);
}

static void pack_number(msgpack_packer *pk, const char *key, uint64_t v)
{
	pack_str(pk, key);
	msgpack_pack_uint64(pk, v);
}

static void pack_text(msgpack_packer *pk, const char *key, const char *v)
{
	pack_str(pk, key);
	pack_str(pk, v);
}

/* The 14 fields of v2 as a map, the way its documentation shows. */
static size_t msgpack_v2(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
			 size_t cap)
{
	char text[INET6_ADDRSTRLEN];
	msgpack_sbuffer buf;
	msgpack_packer pk;
	size_t len;

	(void)e;
	(void)cap;
	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	msgpack_pack_map(&pk, 14);
	pack_number(&pk, "version", 2);
	pack_text(&pk, "account_id", r->ident->host->account_id);
	pack_text(&pk, "interface_id", r->ident->interface_id);
	pack_text(&pk, "srcaddr", plain_addr(r->key.src, text));
	pack_text(&pk, "dstaddr", plain_addr(r->key.dst, text));
	pack_number(&pk, "srcport", ntohs(r->key.sport));
	pack_number(&pk, "dstport", ntohs(r->key.dport));
	pack_number(&pk, "protocol", r->key.proto);
	pack_number(&pk, "packets", r->packets);
	pack_number(&pk, "bytes", r->bytes);
	pack_number(&pk, "start", (uint64_t)(r->start_ms / 1000));
	pack_number(&pk, "end", (uint64_t)(r->end_ms / 1000));
	pack_text(&pk, "action", "ACCEPT");
	pack_text(&pk, "log_status", "OK");
	len = buf.size;
	memcpy(dst, buf.data, len);
	msgpack_sbuffer_destroy(&buf);
	return len;
}

typedef size_t encode_fn(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
			 size_t cap);

/* Writes n records to a buffer, which begins anew when full, as a batch does. */
static double run_round(struct bench *b, encode_fn *encode, const struct fffa_encoder *e, size_t n,
			size_t *bytes)
{
	double begin = bench_clock_ns(CLOCK_MONOTONIC);
	size_t at = 0;

	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		at += encode(e, &b->records[i % RECORDS], b->out + at, FFFA_RECORD_BYTES_MAX);
		if (at >= OUTPUT_BYTES) {
			*bytes += at;
			at = 0;
		}
	}
	*bytes += at;
	return (bench_clock_ns(CLOCK_MONOTONIC) - begin) / (double)n;
}

static void measure(struct bench *b, const char *name, encode_fn *encode,
		    const struct fffa_encoder *e, size_t n)
{
	double ns[ROUNDS];
	size_t bytes = 0;

	for (int i = 0; i < ROUNDS; i++)
		ns[i] = run_round(b, encode, e, n, &bytes);
	qsort(ns, ROUNDS, sizeof(ns[0]), bench_compare_doubles);
	printf("  %-28s %7.1f ns/record %7.2f Mrec/s %6.0f B/record %7.0f MB/s  (%.1f to %.1f)\n",
	       name, ns[ROUNDS / 2], 1e3 / ns[ROUNDS / 2], (double)bytes / (double)n,
	       (double)bytes / (double)n * 1e3 / ns[ROUNDS / 2], ns[0], ns[ROUNDS - 1]);
}

/* Fails unless the baseline writes the same. */
static int same_lines(struct bench *b, const struct fffa_encoder *e)
{
	uint8_t plain[FFFA_RECORD_BYTES_MAX];
	size_t len, plain_len;

	for (size_t i = 0; i < RECORDS; i++) {
		len = fffa_encoder_write(e, &b->records[i], b->out, FFFA_RECORD_BYTES_MAX);
		plain_len = plain_v2(e, &b->records[i], plain, sizeof(plain));
		if (len != plain_len || memcmp(b->out, plain, len) != 0) {
			fprintf(stderr, "the baseline writes another line: %.*s", (int)plain_len,
				(char *)plain);
			return -1;
		}
	}
	return 0;
}

struct bench_case {
	const char *name;
	enum fffa_format format;
	const char *fields;
};

/* check: the result must be what the plain way writes. */
static int bench_case(struct bench *b, const struct bench_case *c, size_t n, bool check)
{
	struct fffa_encoder *e;
	struct fffa_err err;
	int rc = 0;

	if (fffa_encoder_new(c->format, c->fields, &e, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	if (check)
		rc = same_lines(b, e);
	if (!rc)
		measure(b, c->name, fffa_encoder_write, e, n);
	fffa_encoder_free(e);
	return rc;
}

static int bench_family(struct bench *b, bool ipv6, size_t n)
{
	static const struct bench_case plain[] = {
		{"vpc default", FFFA_FORMAT_VPC, NULL},	 {"vpc v5", FFFA_FORMAT_VPC, "v5"},
		{"flowlog", FFFA_FORMAT_FLOWLOG, NULL},	 {"json", FFFA_FORMAT_JSON, "all"},
		{"msgpack", FFFA_FORMAT_MSGPACK, "all"},
	};
	static const struct bench_case full[] = {
		{"vpc all", FFFA_FORMAT_VPC, "all"},
		{"json all", FFFA_FORMAT_JSON, "all"},
		{"msgpack all", FFFA_FORMAT_MSGPACK, "all"},
		{"ocsf", FFFA_FORMAT_OCSF, NULL},
		{"ecs", FFFA_FORMAT_ECS, NULL},
	};
	int rc = 0;

	fill_records(b, ipv6);
	fill_identity(b, false);
	printf("%s:\n", ipv6 ? "IPv6" : "IPv4");
	measure(b, "v2 by snprintf, inet_ntop", plain_v2, NULL, n);
	for (size_t i = 0; !rc && i < sizeof(plain) / sizeof(plain[0]); i++)
		rc = bench_case(b, &plain[i], n, i == 0);
	fill_identity(b, true);
	printf("%s, every field of the identity known:\n", ipv6 ? "IPv6" : "IPv4");
	measure(b, "v2 map by msgpack-c", msgpack_v2, NULL, n);
	for (size_t i = 0; !rc && i < sizeof(full) / sizeof(full[0]); i++)
		rc = bench_case(b, &full[i], n, false);
	b->ident.stamp = 0;
	if (!rc)
		rc = bench_case(
			b, &(struct bench_case){"json all, not stamped", FFFA_FORMAT_JSON, "all"},
			n, false);
	return rc;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	struct bench *b = calloc(1, sizeof(*b));
	int rc;

	if (!b || !n) {
		fprintf(stderr, "usage: bench_encode [RECORDS]\n");
		free(b);
		return 2;
	}
	b->random = UINT64_C(88172645463325252);
	rc = bench_family(b, false, n);
	if (!rc)
		rc = bench_family(b, true, n);
	free(b);
	return rc ? 1 : 0;
}
