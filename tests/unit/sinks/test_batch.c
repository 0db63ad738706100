// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "sinks/batch.h"
#include "tests/stubs/failing_alloc.h"

static void put_record(struct fffa_batch *b, const char *text, uint64_t seq)
{
	uint8_t *dst = fffa_batch_room(b, strlen(text));

	assert_non_null(dst);
	memcpy(dst, text, strlen(text));
	fffa_batch_commit(b, strlen(text), &(struct fffa_record_info){.seq = seq});
}

static void holds_records_back_to_back(void **state)
{
	struct fffa_batch *b = fffa_batch_new(100, 10);
	struct fffa_span s;

	(void)state;
	put_record(b, "one\n", 7);
	put_record(b, "", 8);
	put_record(b, "three\n", 9);
	fffa_batch_seal(b);
	assert_int_equal(fffa_batch_count(b), 3);
	assert_int_equal(fffa_batch_first_seq(b), 7);
	assert_int_equal(fffa_batch_last_seq(b), 9);
	s = fffa_batch_bytes(b);
	assert_int_equal(s.len, 10);
	assert_memory_equal(s.ptr, "one\nthree\n", 10);
	s = fffa_batch_record(b, 0);
	assert_int_equal(s.len, 4);
	assert_memory_equal(s.ptr, "one\n", 4);
	assert_int_equal(fffa_batch_record(b, 1).len, 0);
	s = fffa_batch_record(b, 2);
	assert_int_equal(s.len, 6);
	assert_memory_equal(s.ptr, "three\n", 6);
	fffa_batch_unref(b);
	fffa_batch_unref(NULL);
}

static void lends_no_more_than_its_caps(void **state)
{
	struct fffa_batch *b = fffa_batch_new(10, 2);

	(void)state;
	assert_null(fffa_batch_room(b, 11));
	assert_null(fffa_batch_room(b, SIZE_MAX));
	assert_non_null(fffa_batch_room(b, 10));
	put_record(b, "123456", 1);
	assert_null(fffa_batch_room(b, 5));
	put_record(b, "1", 2);
	assert_null(fffa_batch_room(b, 1)); /* it holds its two records */
	fffa_batch_unref(b);

	b = fffa_batch_new(10, 2);
	fffa_batch_seal(b);
	assert_null(fffa_batch_room(b, 1));
	fffa_batch_unref(b);
}

static void holds_only_what_it_needs(void **state)
{
	struct fffa_batch *b = fffa_batch_new((size_t)64 << 20, 1000000);
	size_t empty = fffa_batch_footprint(b), open;

	(void)state;
	assert_true(empty < 256);
	put_record(b, "a small record", 1);
	open = fffa_batch_footprint(b);
	assert_true(open < 20000);
	fffa_batch_seal(b);
	assert_true(fffa_batch_footprint(b) < open);
	assert_true(fffa_batch_footprint(b) <= empty + 14 + FFFA_BATCH_INDEX_BYTES);
	fffa_batch_unref(b);
}

static void keeps_every_record_while_it_grows(void **state)
{
	const uint32_t n = 20000;
	struct fffa_batch *b = fffa_batch_new(n * 100u, n);

	(void)state;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *dst = fffa_batch_room(b, 100);

		assert_non_null(dst);
		memset(dst, (int)(i & 0xff), 100);
		fffa_batch_commit(b, 1 + i % 100, &(struct fffa_record_info){.seq = i + 1});
	}
	fffa_batch_seal(b);
	for (uint32_t i = 0; i < n; i++) {
		struct fffa_span r = fffa_batch_record(b, i);

		assert_int_equal(r.len, 1 + i % 100);
		for (size_t k = 0; k < r.len; k++)
			assert_int_equal(r.ptr[k], i & 0xff);
	}
	fffa_batch_unref(b);
}

static void lives_until_the_last_reference(void **state)
{
	struct fffa_batch *b = fffa_batch_new(10, 2);

	(void)state;
	put_record(b, "x", 1);
	assert_ptr_equal(fffa_batch_ref(b), b);
	fffa_batch_unref(b);
	assert_int_equal(fffa_batch_bytes(b).ptr[0],
			 'x'); /* a sanitizer sees it if the batch is freed */
	fffa_batch_unref(b);
}

/* Fills a batch to its caps, although one allocation fails; returns the number of records. */
static uint32_t fill_batch(struct fffa_batch *b)
{
	uint64_t seq = 1;

	for (int refusals = 0; refusals < 2;) {
		uint8_t *dst = fffa_batch_room(b, 300);

		if (!dst) {
			refusals++;
			continue;
		}
		memset(dst, 'r', 300);
		fffa_batch_commit(b, 300, &(struct fffa_record_info){.seq = seq});
		seq++;
	}
	return fffa_batch_count(b);
}

static void survives_any_failed_allocation(void **state)
{
	unsigned long n = 1;
	struct fffa_batch *b;
	bool fired;

	(void)state;
	do {
		failing_alloc_arm(n++);
		b = fffa_batch_new(200000, 600);
		if (b) {
			assert_int_equal(fill_batch(b), 600);
			fffa_batch_seal(b);
			assert_int_equal(fffa_batch_bytes(b).len, 600 * 300);
			assert_int_equal(fffa_batch_bytes(b).ptr[600 * 300 - 1], 'r');
		}
		fired = failing_alloc_fired();
		failing_alloc_arm(0);
		fffa_batch_unref(b);
	} while (fired);
	assert_true(n > 5); /* the batch, and its bytes and index several times */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_records_back_to_back),
		cmocka_unit_test(lends_no_more_than_its_caps),
		cmocka_unit_test(holds_only_what_it_needs),
		cmocka_unit_test(keeps_every_record_while_it_grows),
		cmocka_unit_test(lives_until_the_last_reference),
		cmocka_unit_test(survives_any_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
