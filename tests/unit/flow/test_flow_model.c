// SPDX-License-Identifier: MIT
/*
 * Random traffic, compared with a model that is too simple to be wrong: no packet may vanish, and
 * no window may be too long.
 */
#include <string.h>

#include "agent/base/clock.h"
#include "agent/flow/flow_table.h"
#include "tests/stubs/cmocka_all.h"

#define PORTS  3000
#define ROUNDS 2000
#define S      FFFA_NS_PER_S

struct model {
	struct fffa_ledger ledger;
	uint64_t sent[PORTS], recorded[PORTS];
	uint64_t active_ms, idle_ms;
	int64_t last_end_ms[PORTS];
};

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void on_record(void *arg, struct fffa_record *r)
{
	struct model *m = arg;
	uint16_t port = r->key.sport;

	assert_true(r->packets > 0);
	assert_true(r->start_ms <= r->end_ms);
	assert_true((uint64_t)(r->end_ms - r->start_ms) <= m->active_ms);
	assert_true(r->start_ms >= m->last_end_ms[port]);
	m->last_end_ms[port] = r->end_ms;
	m->recorded[port] += r->packets;
}

static void run_model(uint32_t seed, uint32_t max_flows)
{
	struct model *m = test_calloc(1, sizeof(*m));
	struct fffa_flow_conf c = {
		.idle_ns = 5 * S, .active_ns = 20 * S, .linger_ns = S, .max_flows = max_flows};
	struct fffa_flow_table *t;
	uint64_t now = 500 * S;

	m->active_ms = 20000;
	assert_int_equal(fffa_flow_table_new(&c, &m->ledger, on_record, m, &t), 0);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t n = next_random(&seed) % 200;

		now += next_random(&seed) % (S / 2);
		fffa_flow_set_time(t, now, now);
		while (n--) {
			struct fffa_delta d = {.packets = 1 + next_random(&seed) % 9,
					       .last_ns = now};
			uint16_t port = (uint16_t)(next_random(&seed) % PORTS);

			port = port % 7 ? port % 50 : port; /* few flows are busy, many are rare */
			d.first_ns = now;
			d.bytes = d.packets * UINT64_C(60);
			d.key.proto = 6;
			d.key.sport = port;
			d.key.dst[15] = 9;
			if (next_random(&seed) % 16 == 0)
				d.flags = FFFA_F_RST;
			m->sent[port] += d.packets;
			if (n % 3) /* the expected number changes nothing */
				fffa_flow_expect(t, &d);
			fffa_flow_merge(t, &d);
		}
		(void)fffa_flow_expire(t, 100);
	}
	while (fffa_flow_flush(t, 100)) {
	}
	assert_int_equal(m->ledger.lost[FFFA_PL_FLOW_TABLE].packets, 0);
	for (int p = 0; p < PORTS; p++)
		assert_int_equal(m->sent[p], m->recorded[p]);
	assert_int_equal(m->ledger.merged.bytes, m->ledger.recorded.bytes);
	fffa_flow_table_free(t);
	test_free(m);
}

static void model_with_much_room(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 5; seed++)
		run_model(seed * 7919, 65536);
}

static void model_with_little_room(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 5; seed++)
		run_model(seed * 104729, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(model_with_much_room),
					   cmocka_unit_test(model_with_little_room)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
