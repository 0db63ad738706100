// SPDX-License-Identifier: MIT
/* Files of pcapng: sections, interfaces, packets, and what is wrong with them. */
#include <errno.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/unit/capture/capture_text.h"

#define SECTION	  0x0a0d0d0aU
#define INTERFACE 1U
#define OLD	  2U
#define SIMPLE	  3U
#define ENHANCED  6U

/* A block is begun, filled and ended. */

static size_t begin_block(uint32_t type)
{
	size_t at = text.n;

	text_put32(type);
	text_put32(0);
	return at;
}

static void end_block(size_t at)
{
	uint32_t total;

	while (text.n % 4)
		text_put("", 1);
	total = (uint32_t)(text.n + 4 - at);
	text_put32(total);
	memcpy(text.b + at + 4, text.b + text.n - 4, 4);
}

static void put_section(void)
{
	size_t at = begin_block(SECTION);

	text_put32(0x1a2b3c4d);
	text_put16(1);
	text_put16(7); /* the minor version does not matter */
	text_put64(UINT64_MAX);
	end_block(at);
}

static void put_option(uint16_t code, const void *value, uint16_t n)
{
	text_put16(code);
	text_put16(n);
	text_put(value, n);
	while (text.n % 4)
		text_put("", 1);
}

static size_t begin_interface(uint16_t linktype, uint32_t snaplen)
{
	size_t at = begin_block(INTERFACE);

	text_put16(linktype);
	text_put16(0);
	text_put32(snaplen);
	return at;
}

static void put_interface(uint16_t linktype)
{
	end_block(begin_interface(linktype, 0));
}

/* One with a time resolution and an offset. */
static void put_clock(uint8_t resolution, int64_t offset_s)
{
	size_t at = begin_interface(1, 0);

	put_option(2, "name", 4);
	put_option(9, &resolution, 1);
	text_put16(14);
	text_put16(8);
	text_put64((uint64_t)offset_s);
	text_put32(0);
	end_block(at);
}

static size_t begin_packet(uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t wire)
{
	size_t at = begin_block(ENHANCED);

	text_put32(interface);
	text_put32((uint32_t)(ticks >> 32));
	text_put32((uint32_t)ticks);
	text_put32(captured);
	text_put32(wire);
	return at;
}

static void put_packet(uint32_t interface, uint64_t ticks)
{
	size_t at = begin_packet(interface, ticks, 5, 70000);

	text_put(FRAME, 5);
	end_block(at);
}

static void test_pcapng(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		struct fffa_capture_packet p;
		struct fffa_capture_file *f;
		size_t at;

		text_start(swapped);
		put_section();
		put_interface(101);
		put_packet(0, 1700000000123456);
		end_block(begin_block(0x0bad)); /* nobody knows it */
		for (uint16_t i = 1; i < 20; i++)
			put_interface((uint16_t)(200 + i));
		put_packet(19, 1700000000000001);
		at = begin_block(OLD);
		text_put16(7);
		text_put16(0xffff); /* packets dropped */
		text_put64(0);
		text_put32(5);
		text_put32(3); /* less than was captured */
		text_put(FRAME, 5);
		end_block(at);
		put_section(); /* has interfaces of its own */
		put_interface(113);
		put_packet(0, 0);
		f = text_open();
		p = text_next(f);
		assert_memory_equal(p.bytes, FRAME, 5);
		assert_int_equal(p.captured, 5);
		assert_int_equal(p.wire, 70000);
		assert_true(p.timed);
		assert_int_equal(p.unix_ns, 1700000000 * S + 123456000);
		assert_int_equal(p.linktype, 101);
		assert_int_equal(p.swapped, swapped);
		assert_false(p.one_of_many);
		assert_int_equal(p.way, FFFA_WAY_UNKNOWN);
		p = text_next(f);
		assert_int_equal(p.linktype, 219);
		assert_int_equal(p.unix_ns, 1700000000 * S + 1000);
		assert_true(p.one_of_many);
		p = text_next(f);
		assert_int_equal(p.linktype, 207);
		assert_int_equal(p.captured, 5);
		assert_int_equal(p.wire, 5);
		p = text_next(f);
		assert_int_equal(p.linktype, 113);
		assert_false(p.one_of_many);
		text_expect_end(f);
	}
}

static void put_simple(uint32_t wire, size_t n)
{
	size_t at = begin_block(SIMPLE);

	text_put32(wire);
	for (size_t i = 0; i < n; i++)
		text_put(&(uint8_t){(uint8_t)i}, 1);
	end_block(at);
}

/* A simple packet is of the first interface and has no time. */
static void test_simple_packets(void **state)
{
	struct fffa_capture_packet p;
	struct fffa_capture_file *f;

	(void)state;
	text_start(false);
	put_section();
	end_block(begin_interface(12, 8));
	put_interface(13);
	put_simple(5, 5);
	put_simple(9, 8);
	put_simple(100, 4); /* shorter than the snap length allows */
	put_section();
	put_interface(14); /* no snap length */
	put_simple(20, 20);
	put_simple(0, 0);
	f = text_open();
	p = text_next(f);
	assert_false(p.timed);
	assert_int_equal(p.linktype, 12);
	assert_true(p.one_of_many);
	assert_int_equal(p.captured, 5);
	assert_int_equal(p.wire, 5);
	assert_memory_equal(p.bytes, "\0\1\2\3\4", 5);
	p = text_next(f);
	assert_int_equal(p.captured, 8);
	assert_int_equal(p.wire, 9);
	p = text_next(f);
	assert_int_equal(p.captured, 4);
	assert_int_equal(p.wire, 100);
	p = text_next(f);
	assert_int_equal(p.captured, 20);
	assert_int_equal(p.linktype, 14);
	p = text_next(f);
	assert_int_equal(p.captured, 0);
	text_expect_end(f);
}

static void test_clocks(void **state)
{
	static const struct {
		uint8_t resolution;
		int64_t offset_s;
		uint64_t ticks, ns;
	} rows[] = {
		{6, 0, 1500000, 1500000000},
		{9, 0, 1500000000, 1500000000},
		{0, 0, 3, 3 * S},
		{19, 0, UINT64_C(15000000000000000000), 1500000000},
		{0x80, 0, 3, 3 * S},
		{0x81, 0, 3, 1500000000},
		{0x80 + 63, 0, UINT64_C(1) << 63, S},
		{6, 10, 1500000, 11500000000},
		{6, -1, 1500000, 500000000},
		{6, -2, 1500000, 0},		    /* before 1970 */
		{0, 0, 9000000000, 9000000000 * S}, /* the latest that there is */
		{0, 0, 9000000001, 9000000000 * S},
		{6, INT64_MAX, UINT64_MAX, 9000000000 * S},
		{6, INT64_MIN, UINT64_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_capture_file *f;

		text_start(i & 1);
		put_section();
		put_clock(rows[i / 2].resolution, rows[i / 2].offset_s);
		put_packet(0, rows[i / 2].ticks);
		f = text_open();
		assert_int_equal(text_next(f).unix_ns, rows[i / 2].ns);
		text_expect_end(f);
	}
	text_start(false);
	put_section();
	put_clock(20, 0);
	text_expect_damaged(ENOTSUP, ": a pcapng time resolution of 10^-20 is not supported");
	text_start(false);
	put_section();
	put_clock(0x80 + 64, 0);
	text_expect_damaged(ENOTSUP, ": a pcapng time resolution of 2^-64 is not supported");
}

static enum fffa_capture_way way_of(void (*put_options)(void))
{
	struct fffa_capture_packet p;
	struct fffa_capture_file *f;
	size_t at;

	put_section();
	put_interface(1);
	at = begin_packet(0, 0, 5, 5);
	text_put(FRAME "\0\0\0", 8);
	put_options();
	end_block(at);
	f = text_open();
	p = text_next(f);
	text_expect_end(f);
	return p.way;
}

static void flags_in(void)
{
	text_put16(2);
	text_put16(4);
	text_put32(0xfffffffd);
	text_put32(0);
}

static void flags_out(void)
{
	put_option(1, "a comment", 9);
	text_put16(2);
	text_put16(4);
	text_put32(2);
}

static void flags_of_neither(void)
{
	text_put16(2);
	text_put16(4);
	text_put32(3);
}

static void flags_too_short(void)
{
	put_option(2, "\2\2\2", 3);
}

static void flags_behind_the_end(void)
{
	text_put32(0);
	flags_out();
}

static void flags_cut_off(void)
{
	text_put16(2);
	text_put16(5);
	text_put32(2);
}

static void flags_cut_off_behind_another(void)
{
	put_option(1, "abcd", 4);
	flags_cut_off();
}

static void test_flags_of_a_packet(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		text_start(swapped);
		assert_int_equal(way_of(flags_in), FFFA_WAY_IN);
		text_start(swapped);
		assert_int_equal(way_of(flags_out), FFFA_WAY_OUT);
		text_start(swapped);
		assert_int_equal(way_of(flags_of_neither), FFFA_WAY_UNKNOWN);
		text_start(swapped);
		assert_int_equal(way_of(flags_too_short), FFFA_WAY_UNKNOWN);
		text_start(swapped);
		assert_int_equal(way_of(flags_behind_the_end), FFFA_WAY_UNKNOWN);
		text_start(swapped);
		assert_int_equal(way_of(flags_cut_off), FFFA_WAY_UNKNOWN);
		text_start(swapped);
		assert_int_equal(way_of(flags_cut_off_behind_another), FFFA_WAY_UNKNOWN);
	}
}

/* A block of total bytes, as it says, with n bytes behind its two first words. */
static void put_raw(uint32_t type, uint32_t total, size_t n)
{
	text_put32(type);
	text_put32(total);
	while (n--)
		text_put("", 1);
}

static void start_section(void)
{
	text_start(false);
	put_section();
}

static void test_pcapng_that_is_damaged(void **state)
{
	static const struct {
		uint32_t type, total;
		size_t n;
		const char *what;
	} rows[] = {
		{4, 8, 0, ": a pcapng block of 8 bytes"},
		{4, 14, 10, ": a pcapng block of 14 bytes"},
		{4, 16, 7, ": the file ends within a block"},
		{INTERFACE, MIB16, 8, ": the file ends within a packet or block"},
		{INTERFACE, MIB16 + 4, 8, ": a pcapng block of 16777220 bytes"},
		{INTERFACE, 20, 8, ": the file ends within a packet or block"},
		{INTERFACE, 20, 11, ": the file ends within a packet or block"},
		{INTERFACE, 20, 12, ": a pcapng block of 20 bytes that ends as one of 0"},
		{SECTION, 28, 3, ": the file ends within a packet or block"},
		{SECTION, 28, 4, ": a pcapng section without its byte-order magic"},
	};
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_section();
		put_raw(rows[i].type, rows[i].total, rows[i].n);
		text_expect_damaged(rows[i].type == SECTION && rows[i].n == 4 ? EINVAL : EIO,
				    rows[i].what);
	}
	start_section();
	text_put("\4\0\0\0\20\0\0", 7);
	text_expect_damaged(EIO, ": the file ends within a block");
	start_section();
	at = begin_block(INTERFACE);
	text_put32(1);
	end_block(at);
	text_expect_damaged(EIO, ": a pcapng interface block of 16 bytes");
	start_section();
	at = begin_block(ENHANCED);
	text_put64(0);
	text_put64(0);
	end_block(at);
	text_expect_damaged(EIO, ": a pcapng packet block of 28 bytes");
	start_section();
	put_interface(1);
	end_block(begin_block(SIMPLE));
	text_expect_damaged(EIO, ": a pcapng packet block of 12 bytes");
	start_section();
	put_simple(5, 5);
	text_expect_damaged(EIO, ": a packet of interface 0, which the section does not describe");
	start_section();
	put_interface(1);
	put_packet(1, 0);
	text_expect_damaged(EIO, ": a packet of interface 1, which the section does not describe");
	for (uint32_t captured = 6; captured < 10; captured++) {
		start_section();
		put_interface(1);
		at = begin_packet(0, 0, captured, 100);
		text_put(FRAME, 5);
		end_block(at);
		if (captured <= 8) {
			struct fffa_capture_file *f = text_open();

			assert_int_equal(text_next(f).captured, captured);
			text_expect_end(f);
			continue;
		}
		text_expect_damaged(EIO, ": a packet of 9 bytes in a block of 40");
	}
}

static void start_section_of(uint32_t total, uint16_t major)
{
	text_start(true);
	text_put32(SECTION);
	text_put32(total);
	text_put32(0x1a2b3c4d);
	text_put16(major);
	text_put16(0);
	text_put64(0);
	text_put32(total);
}

static void test_sections_that_are_refused(void **state)
{
	(void)state;
	start_section_of(24, 1);
	text_expect_refused(EIO, ": a pcapng section header of 24 bytes");
	start_section_of(30, 1);
	text_expect_refused(EIO, ": a pcapng section header of 30 bytes");
	start_section_of(MIB16 + 4, 1);
	text_expect_refused(EIO, ": a pcapng section header of 16777220 bytes");
	start_section_of(MIB16, 1);
	text_expect_refused(EIO, ": the file ends within a packet or block");
	start_section_of(28, 2);
	text_expect_refused(ENOTSUP, ": pcapng version 2.0 is not supported");
	start_section_of(28, 1);
	text.n--;
	text_expect_refused(EIO, ": the file ends within a packet or block");
	text.n++;
	text_expect_end(text_open());
}

static void test_too_many_interfaces(void **state)
{
	struct fffa_capture_file *f;

	(void)state;
	start_section();
	for (int i = 0; i < 4096; i++)
		put_interface(1);
	put_packet(4095, 0);
	f = text_open();
	assert_int_equal(text_next(f).linktype, 1);
	text_expect_end(f);
	start_section();
	for (int i = 0; i < 4097; i++)
		put_interface(1);
	text_expect_damaged(E2BIG, ": more than 4096 interfaces in a section");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcapng),
		cmocka_unit_test(test_simple_packets),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_flags_of_a_packet),
		cmocka_unit_test(test_pcapng_that_is_damaged),
		cmocka_unit_test(test_sections_that_are_refused),
		cmocka_unit_test(test_too_many_interfaces),
	};

	return cmocka_run_group_tests(tests, text_group_setup, text_group_teardown);
}
