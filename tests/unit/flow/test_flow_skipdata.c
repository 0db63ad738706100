// SPDX-License-Identifier: MIT
/*
 * Loss is recorded once, by reason and with its window. Traffic that AWS leaves out is recognised.
 */
#include "tests/stubs/cmocka_all.h"

#include <arpa/inet.h>
#include <string.h>

#include "agent/flow/parity.h"
#include "agent/flow/skipdata.h"

struct got {
	struct fffa_record v[8];
	size_t n;
};

static void store_record(void *arg, struct fffa_record *r)
{
	struct got *g = arg;

	assert_true(g->n < 8);
	g->v[g->n++] = *r;
}

static void loss_is_recorded_once(void **state)
{
	struct fffa_skipdata s = {.since_ms = 1000};
	struct fffa_ledger l = {0};
	struct got g = {.n = 0};

	(void)state;
	fffa_skipdata_emit(&s, &l, 2000, 7, store_record, &g);
	assert_int_equal(g.n, 0);
	l.lost[FFFA_PL_TABLE_FULL] = (struct fffa_amount){10, 900};
	l.lost[FFFA_PL_MALFORMED] = (struct fffa_amount){1, 60};
	fffa_skipdata_emit(&s, &l, 3000, 7, store_record, &g);
	assert_int_equal(g.n, 2);
	assert_string_equal(g.v[0].lost_reason, "malformed");
	assert_string_equal(g.v[1].lost_reason, "table_full");
	assert_int_equal(g.v[1].lost_packets, 10);
	assert_int_equal(g.v[1].lost_bytes, 900);
	assert_int_equal(g.v[1].start_ms, 2000);
	assert_int_equal(g.v[1].end_ms, 3000);
	assert_int_equal(g.v[1].key.ifindex, 7);
	assert_int_equal(g.v[1].status, FFFA_STATUS_SKIPDATA);
	fffa_skipdata_emit(&s, &l, 4000, 7, store_record, &g);
	assert_int_equal(g.n, 2);
	fffa_amount_add(&l.lost[FFFA_PL_TABLE_FULL], 5, 50);
	fffa_skipdata_emit(&s, &l, 5000, 0, store_record, &g);
	assert_int_equal(g.n, 3);
	assert_int_equal(g.v[2].lost_packets, 5);
	assert_int_equal(g.v[2].start_ms, 4000);
	assert_int_equal(l.skipdata_records, 3);
}

/* No packet is lost with it: the packets around the tunnels are recorded. */
static void tunnels_without_an_id_are_reported(void **state)
{
	struct fffa_skipdata s = {.since_ms = 1000};
	struct fffa_ledger l = {.no_tunnel_id = 5};
	struct got g = {.n = 0};

	(void)state;
	fffa_skipdata_emit(&s, &l, 2000, 7, store_record, &g);
	fffa_skipdata_emit(&s, &l, 3000, 7, store_record, &g);
	assert_int_equal(g.n, 1);
	assert_string_equal(g.v[0].lost_reason, "no_tunnel_id");
	assert_int_equal(g.v[0].status, FFFA_STATUS_SKIPDATA);
	assert_int_equal(g.v[0].lost_packets, 0);
	assert_int_equal(g.v[0].start_ms, 1000);
	assert_int_equal(g.v[0].end_ms, 2000);
	assert_int_equal(g.v[0].key.ifindex, 7);
	l.no_tunnel_id++;
	fffa_skipdata_emit(&s, &l, 4000, 7, store_record, &g);
	assert_int_equal(g.n, 2);
	assert_int_equal(l.skipdata_records, 2);
}

static struct fffa_key make_key(const char *src, const char *dst, uint8_t proto, uint16_t sport,
				uint16_t dport)
{
	struct fffa_key k = {.proto = proto, .sport = htons(sport), .dport = htons(dport)};
	const char *text[2] = {src, dst};
	uint8_t *to[2] = {k.src, k.dst};

	for (int i = 0; i < 2; i++) {
		if (strchr(text[i], ':')) {
			assert_int_equal(inet_pton(AF_INET6, text[i], to[i]), 1);
		} else {
			to[i][10] = to[i][11] = 0xff;
			assert_int_equal(inet_pton(AF_INET, text[i], to[i] + 12), 1);
		}
	}
	return k;
}

static void parity_with_aws(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t proto;
		uint16_t sport, dport;
		bool out;
	} rows[] = {
		{"10.0.0.5", "169.254.169.254", 6, 40000, 80, true},
		{"169.254.169.254", "10.0.0.5", 6, 80, 40000, true},
		{"10.0.0.5", "169.254.169.253", 17, 40000, 53, true},
		{"10.0.0.5", "169.254.169.123", 17, 123, 123, true},
		{"10.0.0.5", "169.254.169.250", 6, 5000, 1688, true},
		{"10.0.0.5", "169.254.169.252", 6, 5000, 1688, false},
		{"10.0.0.5", "169.254.170.2", 6, 5000, 80, false},
		{"2001:db8::1", "fd00:ec2::254", 6, 5000, 80, true},
		{"2001:db8::1", "fd00:ec2::253", 17, 5000, 53, true},
		{"2001:db8::1", "fd00:ec2::255", 17, 5000, 53, false},
		{"0.0.0.0", "255.255.255.255", 17, 68, 67, true},
		{"10.0.0.1", "10.0.0.5", 17, 67, 68, true},
		{"10.0.0.1", "10.0.0.5", 6, 67, 68, false},
		{"fe80::1", "ff02::1:2", 17, 546, 547, true},
		{"10.0.0.5", "8.8.8.8", 17, 40000, 53, false},
		{"10.0.0.5", "10.0.0.2", 17, 40000, 53, true},
		{"10.0.0.2", "10.0.0.5", 17, 53, 40000, true},
		{"10.1.0.5", "10.1.0.2", 6, 40000, 53, true},
		{"10.0.0.5", "10.0.0.3", 17, 40000, 53, false},
		{"10.0.0.5", "::10.0.0.2", 17, 40000, 53, false},
	};
	struct fffa_key to = make_key("10.0.0.2", "10.1.0.2", 17, 0, 0);
	uint8_t resolvers[2][16];

	(void)state;
	memcpy(resolvers[0], to.src, 16);
	memcpy(resolvers[1], to.dst, 16);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_key k = make_key(rows[i].src, rows[i].dst, rows[i].proto, rows[i].sport,
					     rows[i].dport);

		assert_int_equal(fffa_parity_leaves_out(&k, (const uint8_t(*)[16])resolvers, 2),
				 rows[i].out);
	}
	/* What is not known is not left out. */
	assert_false(fffa_parity_leaves_out(&to, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(loss_is_recorded_once),
					   cmocka_unit_test(tunnels_without_an_id_are_reported),
					   cmocka_unit_test(parity_with_aws)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
