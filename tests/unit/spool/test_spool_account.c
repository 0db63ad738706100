// SPDX-License-Identifier: MIT
/* The account of a spool: where the numbers of each epoch went, in memory and on disk. */
#include "agent/spool/account.h"

#include <string.h>

#include "agent/spool/wire.h"
#include "tests/stubs/cmocka_all.h"

static void epochs_rise_whatever_the_order(void **state)
{
	static const uint64_t order[] = {50, 30, 90, 10, 30, 60};
	struct fffa_spool_account a = {.n = 0};

	(void)state;
	assert_null(fffa_spool_account_find(&a, 50));
	for (size_t i = 0; i < 6; i++) {
		struct fffa_spool_epoch *e = fffa_spool_account_add(&a, order[i]);

		assert_int_equal(e->epoch, order[i]);
		assert_ptr_equal(fffa_spool_account_find(&a, order[i]), e);
		assert_int_equal(e->given, i == 4 ? 1001 : 0); /* 30 is there already */
		e->given = 1000 + i;
	}
	assert_int_equal(a.n, 5);
	for (size_t i = 1; i < a.n; i++)
		assert_true(a.v[i - 1].epoch < a.v[i].epoch);
	assert_int_equal(fffa_spool_account_find(&a, 90)->given, 1002);
	assert_int_equal(fffa_spool_account_find(&a, 10)->given, 1003);
	assert_null(fffa_spool_account_find(&a, 11));
}

static void the_oldest_epoch_gives_way(void **state)
{
	struct fffa_spool_account a = {.n = 0};

	(void)state;
	for (uint64_t i = 1; i <= FFFA_SPOOL_EPOCHS_MAX; i++)
		fffa_spool_account_add(&a, i * 10)->given = i;
	assert_int_equal(a.n, FFFA_SPOOL_EPOCHS_MAX);
	assert_int_equal(fffa_spool_account_add(&a, 645)->given, 0);
	assert_int_equal(a.n, FFFA_SPOOL_EPOCHS_MAX);
	assert_null(fffa_spool_account_find(&a, 10));
	for (uint64_t i = 2; i <= FFFA_SPOOL_EPOCHS_MAX; i++) {
		assert_int_equal(a.v[i - 2].epoch, i * 10);
		assert_int_equal(a.v[i - 2].given, i);
	}
	assert_int_equal(a.v[FFFA_SPOOL_EPOCHS_MAX - 1].epoch, 645);
}

static void settled_numbers_without_a_hole_raise_low(void **state)
{
	struct fffa_spool_epoch e = {.epoch = 1};

	(void)state;
	fffa_spool_account_settle(&e, 10, 10);
	assert_int_equal(e.settled, 10);
	assert_int_equal(e.low, 10);
	assert_int_equal(e.seq, 10);
	fffa_spool_account_settle(&e, 5, 20); /* 11 to 15 are still on their way */
	assert_int_equal(e.settled, 15);
	assert_int_equal(e.low, 10);
	assert_int_equal(e.seq, 20);
	fffa_spool_account_settle(&e, 5, 15);
	assert_int_equal(e.settled, 20);
	assert_int_equal(e.low, 15);
	assert_int_equal(e.seq, 20);
	fffa_spool_account_settle(&e, 1, 15); /* nothing new */
	assert_int_equal(e.low, 15);
	fffa_spool_account_settle(&e, 3, 4);
	assert_int_equal(e.low, 15);
	assert_int_equal(e.seq, 20);
	fffa_spool_account_settle(&e, 9, 23); /* more than the hole: all of it */
	assert_int_equal(e.low, 23);
}

static void two_lost_numbers_are_kept_until_they_are_reported(void **state)
{
	struct fffa_spool_epoch e = {.epoch = 1};

	(void)state;
	fffa_spool_account_lose(&e, 7);
	assert_int_equal(e.lost_seq, 7);
	assert_int_equal(e.other_lost_seq, 0);
	fffa_spool_account_lose(&e, 7);
	assert_int_equal(e.other_lost_seq, 0);
	fffa_spool_account_lose(&e, 12);
	assert_int_equal(e.lost_seq, 12);
	assert_int_equal(e.other_lost_seq, 7);
	fffa_spool_account_reported(&e, 7); /* the higher one is the one that counts */
	assert_int_equal(e.lost_seq, 12);
	fffa_spool_account_reported(&e, 12);
	assert_int_equal(e.lost_seq, 7);
	assert_int_equal(e.other_lost_seq, 0);
	fffa_spool_account_lose(&e, 3);
	assert_int_equal(e.lost_seq, 7);
	assert_int_equal(e.other_lost_seq, 3);
	fffa_spool_account_settle(&e, 1, 7); /* delivered: it is reported */
	assert_int_equal(e.lost_seq, 3);
	fffa_spool_account_reported(&e, 3);
	assert_int_equal(e.lost_seq, 0);
}

static void only_settled_earlier_epochs_are_dropped(void **state)
{
	struct fffa_spool_account a = {
		.n = 6,
		.v = {{.epoch = 1, .given = 5, .settled = 5},
		      {.epoch = 2, .given = 5, .settled = 4},
		      {.epoch = 3, .given = 5, .settled = 5, .stored = 1},
		      {.epoch = 4, .given = 5, .settled = 6},
		      {.epoch = 5},
		      {.epoch = 6, .given = 7, .settled = 7}},
	};

	(void)state;
	fffa_spool_account_drop_settled(&a, 6);
	assert_int_equal(a.n, 3);
	assert_int_equal(a.v[0].epoch, 2);
	assert_int_equal(a.v[1].epoch, 3);
	assert_int_equal(a.v[2].epoch, 6);
	assert_int_equal(a.v[2].given, 7);
	fffa_spool_account_drop_settled(&a, 7);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.v[1].stored, 1);
}

static struct fffa_spool_account full_account(size_t n)
{
	struct fffa_spool_account a = {.ack = {11, {12, 13, 14, 15}}, .time_ms = 16, .n = n};

	for (size_t i = 0; i < n; i++)
		a.v[i] = (struct fffa_spool_epoch){
			100 * i + 1, 100 * i + 2, 100 * i + 3, 100 * i + 4,
			100 * i + 5, 100 * i + 6, 100 * i + 7, 0};
	return a;
}

static uint64_t word(const uint8_t *bytes, size_t at)
{
	const uint8_t *p = bytes + at;

	return fffa_wire_get64(&p);
}

/* The offsets are those of the README of the spool. */
static void it_is_on_disk_as_documented(void **state)
{
	uint8_t bytes[FFFA_SPOOL_ACCOUNT_BYTES];
	struct fffa_spool_account a = full_account(FFFA_SPOOL_EPOCHS_MAX);

	(void)state;
	memset(bytes, 0xaa, sizeof(bytes));
	fffa_spool_account_put(&a, 10, bytes);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(word(bytes, i * 8), 10 + i);
	assert_int_equal(word(bytes, 56), FFFA_SPOOL_EPOCHS_MAX);
	for (size_t i = 0; i < a.n; i++) {
		for (size_t k = 0; k < 7; k++)
			assert_int_equal(word(bytes, 64 + i * 56 + k * 8), 100 * i + 1 + k);
	}
	for (size_t at = 64 + a.n * 56; at < 4092; at++)
		assert_int_equal(bytes[at], 0);
}

static void it_is_read_as_written(void **state)
{
	static const size_t counts[] = {0, 1, 2, FFFA_SPOOL_EPOCHS_MAX};
	uint8_t bytes[FFFA_SPOOL_ACCOUNT_BYTES];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fffa_spool_account a = full_account(counts[i]), b;

		memset(&b, 0xff, sizeof(b));
		fffa_spool_account_put(&a, 77, bytes);
		assert_int_equal(fffa_spool_account_get(&b, bytes), 77);
		assert_memory_equal(&b.ack, &a.ack, sizeof(a.ack));
		assert_int_equal(b.time_ms, 16);
		assert_int_equal(b.n, a.n);
		assert_memory_equal(b.v, a.v, a.n * sizeof(a.v[0]));
	}
}

static void damage_is_seen(void **state)
{
	struct fffa_spool_account a = full_account(3), b;
	uint8_t bytes[FFFA_SPOOL_ACCOUNT_BYTES];

	(void)state;
	fffa_spool_account_put(&a, 77, bytes);
	for (size_t at = 0; at < sizeof(bytes); at += at < 300 || at > 4080 ? 1 : 97) {
		bytes[at] ^= 4;
		assert_int_equal(fffa_spool_account_get(&b, bytes), 0);
		bytes[at] ^= 4;
	}
	assert_int_equal(fffa_spool_account_get(&b, bytes), 77);
}

/* The checksum is right, but no agent has so many epochs. */
static void too_many_epochs_are_refused(void **state)
{
	struct fffa_spool_account a = full_account(3), b;
	uint8_t bytes[FFFA_SPOOL_ACCOUNT_BYTES];

	(void)state;
	fffa_spool_account_put(&a, 77, bytes);
	bytes[56] = FFFA_SPOOL_EPOCHS_MAX + 1;
	fffa_wire_put_crc(bytes, sizeof(bytes));
	assert_int_equal(fffa_spool_account_get(&b, bytes), 0);
	bytes[56] = FFFA_SPOOL_EPOCHS_MAX;
	fffa_wire_put_crc(bytes, sizeof(bytes));
	assert_int_equal(fffa_spool_account_get(&b, bytes), 77);
	assert_int_equal(b.n, FFFA_SPOOL_EPOCHS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(epochs_rise_whatever_the_order),
		cmocka_unit_test(the_oldest_epoch_gives_way),
		cmocka_unit_test(settled_numbers_without_a_hole_raise_low),
		cmocka_unit_test(two_lost_numbers_are_kept_until_they_are_reported),
		cmocka_unit_test(only_settled_earlier_epochs_are_dropped),
		cmocka_unit_test(it_is_on_disk_as_documented),
		cmocka_unit_test(it_is_read_as_written),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(too_many_epochs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
