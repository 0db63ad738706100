// SPDX-License-Identifier: MIT
/* A walk over damage of any length, and over reads that fail. */
#include "agent/spool/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/make_batch.h"

#define BLOCK 16384 /* of a search */

struct medium {
	uint8_t bytes[4 * BLOCK];
	size_t len;
	size_t bad_from, bad_to; /* reads that touch these bytes fail */
	size_t read_bytes;
};

static int read_medium(void *arg, uint64_t off, void *dst, size_t n)
{
	struct medium *m = arg;

	assert_true(off <= m->len && n <= m->len - off);
	m->read_bytes += n;
	if (off < m->bad_to && off + n > m->bad_from)
		return -EIO;
	memcpy(dst, m->bytes + off, n);
	return 0;
}

static struct fffa_spool_source source_of(struct medium *m)
{
	return (struct fffa_spool_source){.read = read_medium, .arg = m, .size = m->len};
}

/* Appends a frame of two records, before which so many records are said to be. */
static size_t put_frame(struct medium *m, uint64_t first, uint64_t before)
{
	struct fffa_batch *b = make_batch(first, 2, 30);
	struct fffa_spool_frame f = {.identity = 7,
				     .records_before = before,
				     .numbers_before = before,
				     .seq_before = first - 1,
				     .numbers = 2};
	uint8_t *at = m->bytes + m->len;
	size_t begin = m->len;

	fffa_spool_frame_describe(&f, b);
	f.body_crc = fffa_spool_frame_put_index(b, at + FFFA_SPOOL_FRAME_HEAD);
	memcpy(at + FFFA_SPOOL_FRAME_HEAD + (size_t)2 * FFFA_SPOOL_INDEX_ROW,
	       fffa_batch_bytes(b).ptr, fffa_batch_bytes(b).len);
	fffa_spool_frame_put(&f, at);
	m->len += fffa_spool_frame_len(b);
	fffa_batch_unref(b);
	return begin;
}

static struct medium *new_medium(size_t damage, uint8_t fill)
{
	struct medium *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	memset(m->bytes, fill, FFFA_SPOOL_SEGMENT_HEAD + damage);
	m->len = FFFA_SPOOL_SEGMENT_HEAD + damage;
	return m;
}

static void expect_frame_behind(size_t damage, uint8_t fill)
{
	struct medium *m = new_medium(damage, fill);
	size_t begin = put_frame(m, 51, 40);
	struct fffa_spool_source src = source_of(m);
	struct fffa_spool_pos pos = fffa_spool_walk_begin();
	struct fffa_spool_found found;
	struct fffa_batch *b;

	assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), 1);
	assert_int_equal(found.begin.at, begin);
	assert_int_equal(found.begin.records, 40);
	assert_int_equal(found.begin.numbers, 40);
	assert_int_equal(found.begin.seq, 50);
	assert_int_equal(found.end.at, m->len);
	assert_int_equal(found.end.records, 42);
	assert_int_equal(found.end.numbers, 42);
	assert_int_equal(found.end.seq, 52);
	assert_int_equal(fffa_spool_walk_load(&src, &found, &b), 0);
	assert_int_equal(fffa_batch_count(b), 2);
	assert_int_equal(fffa_batch_first_seq(b), 51);
	fffa_batch_unref(b);
	assert_int_equal(fffa_spool_walk_next(&src, &found.end, &found), 0);
	free(m);
}

/* Wherever a block of the search ends: before the frame, within its first bytes, behind them. */
static void damage_of_any_length_is_passed(void **state)
{
	(void)state;
	for (size_t n = 0; n < 40; n++)
		expect_frame_behind(n, 0xee);
	for (size_t blocks = 1; blocks <= 2; blocks++) {
		for (size_t n = blocks * BLOCK - 300; n < blocks * BLOCK + 30; n++)
			expect_frame_behind(n, 0xee);
	}
	/* Begins of the magic, one after the other. */
	for (size_t n = 1; n < 30; n++)
		expect_frame_behind(n, fffa_spool_frame_magic[0]);
}

/* The magic among damage, without a frame. */
static void a_magic_alone_is_no_frame(void **state)
{
	struct medium *m = new_medium(1000, 0);
	struct fffa_spool_source src;
	struct fffa_spool_pos pos = fffa_spool_walk_begin();
	struct fffa_spool_found found;
	size_t begin;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		memcpy(m->bytes + FFFA_SPOOL_SEGMENT_HEAD + i * 8, fffa_spool_frame_magic, 8);
	begin = put_frame(m, 9, 8);
	src = source_of(m);
	assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), 1);
	assert_int_equal(found.begin.at, begin);
	free(m);
}

/* What went before counts where it is more than the head of the frame says. */
static void counts_never_fall(void **state)
{
	struct medium *m = new_medium(0, 0);
	struct fffa_spool_source src;
	struct fffa_spool_pos pos = {FFFA_SPOOL_SEGMENT_HEAD, 100, 200, 300};
	struct fffa_spool_found found;

	(void)state;
	(void)put_frame(m, 51, 40);
	src = source_of(m);
	assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), 1);
	assert_int_equal(found.begin.records, 100);
	assert_int_equal(found.begin.numbers, 200);
	assert_int_equal(found.begin.seq, 300);
	assert_int_equal(found.end.records, 102);
	assert_int_equal(found.end.numbers, 202);
	assert_int_equal(found.end.seq, 300);
	free(m);
}

/* A frame that ends with the file is whole; without its last byte it is not. */
static void a_torn_tail_is_the_end(void **state)
{
	struct medium *m = new_medium(0, 0);
	struct fffa_spool_pos pos = fffa_spool_walk_begin();
	struct fffa_spool_found found;
	size_t whole;

	(void)state;
	(void)put_frame(m, 1, 0);
	whole = m->len;
	for (m->len = 0; m->len <= whole; m->len++) {
		struct fffa_spool_source src = source_of(m);

		assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), m->len == whole);
	}
	free(m);
}

static void a_failed_read_is_an_error(void **state)
{
	struct medium *m = new_medium(500, 0xee);
	size_t begin = put_frame(m, 1, 0);
	struct fffa_spool_source src = source_of(m);
	struct fffa_spool_pos at_damage = fffa_spool_walk_begin(), at_frame = {.at = begin};
	struct fffa_spool_found found;
	struct fffa_batch *b = NULL;

	(void)state;
	m->bad_from = begin + 10;
	m->bad_to = begin + 11;
	assert_int_equal(fffa_spool_walk_next(&src, &at_frame, &found), -EIO);
	assert_int_equal(fffa_spool_walk_next(&src, &at_damage, &found), -EIO);
	m->bad_from = m->len - 1;
	m->bad_to = m->len;
	assert_int_equal(fffa_spool_walk_next(&src, &at_frame, &found), 1);
	assert_int_equal(fffa_spool_walk_load(&src, &found, &b), -EIO);
	assert_null(b);
	m->bad_to = 0;
	m->bytes[m->len - 1] ^= 1;
	assert_int_equal(fffa_spool_walk_load(&src, &found, &b), -EBADMSG);
	assert_null(b);
	free(m);
}

/* Only the head of a frame is read to find it, and each byte of damage about once. */
static void the_search_reads_little(void **state)
{
	struct medium *m = new_medium(2 * BLOCK, 0xee);
	size_t begin = put_frame(m, 1, 0);
	struct fffa_spool_source src = source_of(m);
	struct fffa_spool_pos pos = {.at = begin};
	struct fffa_spool_found found;

	(void)state;
	assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), 1);
	assert_int_equal(m->read_bytes, FFFA_SPOOL_FRAME_HEAD);
	m->read_bytes = 0;
	pos = fffa_spool_walk_begin();
	assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), 1);
	assert_uint_in_range(m->read_bytes, 2 * BLOCK, 2 * BLOCK + 2000);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_of_any_length_is_passed),
		cmocka_unit_test(a_magic_alone_is_no_frame),
		cmocka_unit_test(counts_never_fall),
		cmocka_unit_test(a_torn_tail_is_the_end),
		cmocka_unit_test(a_failed_read_is_an_error),
		cmocka_unit_test(the_search_reads_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
