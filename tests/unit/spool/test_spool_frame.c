// SPDX-License-Identifier: MIT
/*
 * A segment is cut at every byte, and each byte is flipped. Complete frames are read back as
 * written, and nothing else is. The next frame counts what a damaged header has hidden.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/spool/crc32c.h"
#include "agent/spool/walk.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"

#define FRAMES 4
#define PER    3

struct segment {
	uint8_t bytes[4096];
	size_t len;
	size_t begins[FRAMES + 1]; /* of the frames, and the end */
};

static struct fffa_batch *make_batch(uint64_t first)
{
	struct fffa_batch *b = fffa_batch_new(4096, PER);
	struct fffa_batch_origin origin = {.agent_id = "i-1", .region = "eu", .epoch = 9};

	assert_non_null(b);
	for (uint64_t i = 0; i < PER; i++) {
		struct fffa_record_info m = {.seq = first + 2 * i,
					     .flow = first * 1000 + i,
					     .time_ms = (int64_t)(50 - i)};
		uint8_t *dst = fffa_batch_room(b, 8);

		assert_non_null(dst);
		memset(dst, 'a' + (int)((first + i) % 20), 8);
		fffa_batch_commit(b, 5 + i, &m);
	}
	fffa_batch_set_origin(b, &origin);
	fffa_batch_seal(b);
	return b;
}

static void put_frame(struct segment *s, size_t i)
{
	struct fffa_batch *b = make_batch(10 * i + 1);
	struct fffa_spool_frame f = {.identity = 7,
				     .sealed_ms = 1234,
				     .records_before = PER * i,
				     .numbers_before = PER * i,
				     .seq_before = i ? 10 * i - 5 : 0,
				     .numbers = PER};
	uint8_t *at = s->bytes + s->len;

	s->begins[i] = s->len;
	fffa_spool_frame_describe(&f, b);
	assert_int_equal(f.first_ms, 48);
	assert_int_equal(f.last_ms, 50);
	f.body_crc = fffa_spool_frame_put_index(b, at + FFFA_SPOOL_FRAME_HEAD);
	memcpy(at + FFFA_SPOOL_FRAME_HEAD + PER * FFFA_SPOOL_INDEX_ROW, fffa_batch_bytes(b).ptr,
	       fffa_batch_bytes(b).len);
	fffa_spool_frame_put(&f, at);
	s->len += fffa_spool_frame_len(b);
	fffa_batch_unref(b);
}

static void make_segment(struct segment *s)
{
	struct fffa_spool_segment head = {.id = 3, .epoch = 9, .identity = 7, .format = "json"};

	memset(s, 0, sizeof(*s));
	fffa_spool_segment_put(&head, s->bytes);
	s->len = FFFA_SPOOL_SEGMENT_HEAD;
	for (size_t i = 0; i < FRAMES; i++)
		put_frame(s, i);
	s->begins[FRAMES] = s->len;
}

static int read_memory(void *arg, uint64_t off, void *dst, size_t n)
{
	const struct segment *s = arg;

	assert_true(off <= s->len && n <= s->len - off);
	memcpy(dst, s->bytes + off, n);
	return 0;
}

/* By its members: what lies between them is nobody's. */
static void check_origin(const struct fffa_batch_origin *got, const struct fffa_batch_origin *want)
{
	assert_string_equal(got->agent_id, want->agent_id);
	assert_string_equal(got->account_id, want->account_id);
	assert_string_equal(got->region, want->region);
	assert_string_equal(got->stream, want->stream);
	assert_int_equal(got->epoch, want->epoch);
}

static void check_same(const struct fffa_batch *got, size_t i)
{
	struct fffa_batch *want = make_batch(10 * i + 1);

	assert_int_equal(fffa_batch_count(got), PER);
	assert_int_equal(fffa_batch_bytes(got).len, fffa_batch_bytes(want).len);
	assert_memory_equal(fffa_batch_bytes(got).ptr, fffa_batch_bytes(want).ptr,
			    fffa_batch_bytes(want).len);
	for (uint32_t k = 0; k < PER; k++) {
		struct fffa_record_info a = fffa_batch_record_info(got, k),
					b = fffa_batch_record_info(want, k);

		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(fffa_batch_record(got, k).len, fffa_batch_record(want, k).len);
	}
	check_origin(fffa_batch_origin(got), fffa_batch_origin(want));
	fffa_batch_unref(want);
}

struct result {
	unsigned int whole;   /* bit per frame that came back as it was */
	unsigned int damaged; /* frames with a refused body */
	uint64_t hidden;      /* records that, by the next header, were there but were not seen */
	struct fffa_spool_pos end;
};

static struct result walk_segment(struct segment *s)
{
	struct fffa_spool_source src = {.read = read_memory, .arg = s, .size = s->len};
	struct result r = {.end = fffa_spool_walk_begin()};
	struct fffa_spool_found found;

	while (fffa_spool_walk_next(&src, &r.end, &found) == 1) {
		struct fffa_batch *b = NULL;
		size_t i = 0;

		while (i < FRAMES && s->begins[i] != found.begin.at)
			i++;
		assert_uint_in_range(i, 0, FRAMES - 1);
		r.hidden += found.begin.records - r.end.records;
		if (fffa_spool_frame_batch(&found.frame,
					   s->bytes + found.begin.at + FFFA_SPOOL_FRAME_HEAD, &b)) {
			assert_null(b);
			r.damaged++;
		} else {
			check_same(b, i);
			r.whole |= 1u << i;
			fffa_batch_unref(b);
		}
		r.end = found.end;
	}
	return r;
}

static void reads_back_what_was_written(void **state)
{
	struct segment s;
	struct result r;
	struct fffa_spool_segment head;

	(void)state;
	make_segment(&s);
	assert_int_equal(fffa_spool_segment_get(&head, s.bytes), 0);
	assert_int_equal(head.id, 3);
	assert_int_equal(head.epoch, 9);
	assert_int_equal(head.identity, 7);
	assert_string_equal(head.format, "json");
	r = walk_segment(&s);
	assert_int_equal(r.whole, (1u << FRAMES) - 1);
	assert_int_equal(r.hidden, 0);
	assert_int_equal(r.end.at, s.len);
	assert_int_equal(r.end.records, PER * FRAMES);
	assert_int_equal(r.end.seq, 35);
}

static void cut_at_every_byte(void **state)
{
	struct segment s;

	(void)state;
	make_segment(&s);
	for (size_t cut = FFFA_SPOOL_SEGMENT_HEAD; cut <= s.begins[FRAMES]; cut++) {
		unsigned int want = 0;
		struct result r;

		for (size_t i = 0; i < FRAMES; i++)
			want |= s.begins[i + 1] <= cut ? 1u << i : 0;
		s.len = cut;
		r = walk_segment(&s);
		assert_int_equal(r.whole, want);
		assert_int_equal(r.damaged, 0);
	}
}

static void a_flip_of_any_byte_is_found(void **state)
{
	struct segment s;

	(void)state;
	make_segment(&s);
	for (size_t at = FFFA_SPOOL_SEGMENT_HEAD; at < s.len; at++) {
		size_t hit = 0;
		struct result r;

		while (s.begins[hit + 1] <= at)
			hit++;
		for (unsigned int bit = 0; bit < 8; bit += 3) {
			s.bytes[at] ^= (uint8_t)(1u << bit);
			r = walk_segment(&s);
			s.bytes[at] ^= (uint8_t)(1u << bit);
			assert_int_equal(r.whole, ((1u << FRAMES) - 1) & ~(1u << hit));
			/*
			 * A frame's header has its body's CRC; a damaged header shows in the
			 * next one.
			 */
			if (at - s.begins[hit] >= FFFA_SPOOL_FRAME_HEAD)
				assert_int_equal(r.damaged, 1);
			else
				assert_int_equal(r.hidden, hit == FRAMES - 1 ? 0 : PER);
		}
	}
}

static void a_flip_in_a_segment_header_is_found(void **state)
{
	struct fffa_spool_segment head;
	struct segment s;

	(void)state;
	make_segment(&s);
	for (size_t at = 0; at < FFFA_SPOOL_SEGMENT_HEAD; at++) {
		s.bytes[at] ^= 0x10;
		assert_int_equal(fffa_spool_segment_get(&head, s.bytes), -EBADMSG);
		s.bytes[at] ^= 0x10;
	}
}

static void any_allocation_may_fail(void **state)
{
	struct fffa_spool_frame f;
	struct segment s;
	unsigned long n = 0;
	int rc;

	(void)state;
	make_segment(&s);
	assert_int_equal(fffa_spool_frame_get(&f, s.bytes + s.begins[0]), 0);
	do {
		struct fffa_batch *b = NULL;

		failing_alloc_arm(++n);
		rc = fffa_spool_frame_batch(&f, s.bytes + s.begins[0] + FFFA_SPOOL_FRAME_HEAD, &b);
		failing_alloc_arm(0);
		if (rc) {
			assert_int_equal(rc, -ENOMEM);
			assert_null(b);
		} else {
			check_same(b, 0);
			fffa_batch_unref(b);
		}
	} while (rc);
	assert_true(n > 3);
}

/* The CRC is right, but the content is wrong. */
static void a_wrong_index_is_refused(void **state)
{
	struct segment s;

	(void)state;
	for (size_t i = 0; i < PER * FFFA_SPOOL_INDEX_ROW; i++) {
		struct fffa_spool_frame f;
		struct fffa_batch *b = NULL;
		uint8_t *body;
		int rc;

		make_segment(&s);
		assert_int_equal(fffa_spool_frame_get(&f, s.bytes + s.begins[1]), 0);
		body = s.bytes + s.begins[1] + FFFA_SPOOL_FRAME_HEAD;
		body[i] ^= 0xff;
		f.body_crc = fffa_crc32c(0, body, fffa_spool_frame_body_len(&f));
		rc = fffa_spool_frame_batch(&f, body, &b);
		if (i % FFFA_SPOOL_INDEX_ROW < 4) /* where a record ends */
			assert_int_equal(rc, -EBADMSG);
		fffa_batch_unref(b);
	}
}

/* The CRC is right, but the numbers of the records pass the last number there is. */
static void numbers_that_wrap_are_refused(void **state)
{
	struct fffa_spool_frame f;
	struct fffa_batch *b = NULL;
	struct segment s;
	uint8_t *body;

	(void)state;
	make_segment(&s);
	assert_int_equal(fffa_spool_frame_get(&f, s.bytes + s.begins[1]), 0);
	body = s.bytes + s.begins[1] + FFFA_SPOOL_FRAME_HEAD;
	f.first_seq = f.last_seq = UINT64_MAX;
	assert_int_equal(fffa_spool_frame_batch(&f, body, &b), -EBADMSG);
	assert_null(b);
}

static void expect_words(const uint8_t *at, const uint64_t *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t word;

		memcpy(&word, at + i * 8, 8);
		assert_int_equal(le64toh(word), want[i]);
	}
}

static void expect_zero(const uint8_t *at, size_t n)
{
	while (n--)
		assert_int_equal(at[n], 0);
}

/* The offsets are those of the README of the spool: other programs may read it. */
static void heads_are_as_documented(void **state)
{
	const struct fffa_spool_segment head = {
		.id = 1, .epoch = 2, .identity = 3, .format = "json"};
	const struct fffa_spool_frame f = {.count = 0x01020304,
					   .bytes_len = 0x05060708,
					   .body_crc = 0x090a0b0c,
					   .is_skipdata = true,
					   .identity = 1,
					   .origin = {.epoch = 2,
						      .agent_id = "i-1",
						      .account_id = "123456789012",
						      .region = "eu-west-1"},
					   .first_seq = 3,
					   .last_seq = 4,
					   .first_ms = 5,
					   .last_ms = 6,
					   .sealed_ms = 7,
					   .records_before = 8,
					   .numbers_before = 9,
					   .seq_before = 10,
					   .numbers = 11,
					   .reason = "queue_full"};
	static const uint8_t numbers[] = {4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 1, 0, 0, 0};
	uint8_t dst[FFFA_SPOOL_FRAME_HEAD];

	(void)state;
	memset(dst, 0xaa, sizeof(dst));
	fffa_spool_segment_put(&head, dst);
	assert_memory_equal(dst,
			    "\xff"
			    "FFFAsp\x01",
			    8);
	expect_words(dst + 8, (const uint64_t[]){1, 2, 3}, 3);
	assert_memory_equal(dst + 32, "json", 5);
	expect_zero(dst + 36, 124 - 36);
	fffa_spool_frame_put(&f, dst);
	assert_memory_equal(dst,
			    "\xfe\x0d"
			    "FFFA\x00\x01",
			    8);
	assert_memory_equal(dst + 8, numbers, sizeof(numbers));
	expect_words(dst + 24, (const uint64_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 11);
	assert_memory_equal(dst + 112, "queue_full", 11);
	assert_memory_equal(dst + 128, "i-1", 4);
	assert_memory_equal(dst + 192, "123456789012", 13);
	assert_memory_equal(dst + 208, "eu-west-1", 10);
	expect_zero(dst + 240, 252 - 240);
}

/* Bit by bit, as the polynomial says. */
static uint32_t slow_crc32c(uint8_t byte)
{
	uint32_t c = 0xffffffff ^ byte;

	for (int i = 0; i < 8; i++)
		c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
	return ~c;
}

static void each_byte_has_its_crc32c(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		uint8_t byte = (uint8_t)i;

		assert_int_equal(fffa_crc32c_plain(0, &byte, 1), slow_crc32c(byte));
		assert_int_equal(fffa_crc32c(0, &byte, 1), slow_crc32c(byte));
	}
}

static void crc32c_is_the_known_one(void **state)
{
	uint8_t bytes[300];
	uint8_t zero[32] = {0};

	(void)state;
	/* RFC 3720 B.4 */
	assert_int_equal(fffa_crc32c(0, zero, sizeof(zero)), 0x8a9136aa);
	assert_int_equal(fffa_crc32c(0, "123456789", 9), 0xe3069283);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 5);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		uint32_t whole = fffa_crc32c_plain(0, bytes, n);

		assert_int_equal(fffa_crc32c(0, bytes, n), whole);
		assert_int_equal(
			fffa_crc32c(fffa_crc32c(0, bytes, n / 3), bytes + n / 3, n - n / 3), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_was_written),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(a_flip_of_any_byte_is_found),
		cmocka_unit_test(a_flip_in_a_segment_header_is_found),
		cmocka_unit_test(any_allocation_may_fail),
		cmocka_unit_test(a_wrong_index_is_refused),
		cmocka_unit_test(numbers_that_wrap_are_refused),
		cmocka_unit_test(heads_are_as_documented),
		cmocka_unit_test(crc32c_is_the_known_one),
		cmocka_unit_test(each_byte_has_its_crc32c),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
