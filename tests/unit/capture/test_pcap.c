// SPDX-License-Identifier: MIT
/* Files of the old format, in all variants that there are. */
#include <errno.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/unit/capture/capture_text.h"

static void start_pcap(bool swapped, uint32_t magic, uint16_t major, uint16_t minor)
{
	text_start(swapped);
	text_put32(magic);
	text_put16(major);
	text_put16(minor);
	text_put64(0);
	text_put32(65535);
	text_put32(0xf0000065); /* RAW; the upper bits are of the frame check sequence */
}

static void put_pcap(uint32_t captured, uint32_t wire)
{
	text_put32(1700000000);
	text_put32(123456);
	text_put32(captured);
	text_put32(wire);
}

static void test_pcap(void **state)
{
	static const struct {
		uint32_t magic;
		uint64_t ns;
	} rows[] = {{0xa1b2c3d4, 123456000}, {0xa1b23c4d, 123456}};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fffa_capture_packet p;
		struct fffa_capture_file *f;

		start_pcap(i & 1, rows[i / 2].magic, 2, 4);
		put_pcap(5, 70000);
		text_put(FRAME, 5);
		put_pcap(5, 4); /* the length on the wire is never less */
		text_put(FRAME, 5);
		f = text_open();
		p = text_next(f);
		assert_memory_equal(p.bytes, FRAME, 5);
		assert_int_equal(p.captured, 5);
		assert_int_equal(p.wire, 70000);
		assert_int_equal(p.unix_ns, 1700000000 * S + rows[i / 2].ns);
		assert_true(p.timed);
		assert_false(p.one_of_many);
		assert_int_equal(p.swapped, i & 1);
		assert_int_equal(p.linktype, 0x65);
		assert_int_equal(p.way, FFFA_WAY_UNKNOWN);
		p = text_next(f);
		assert_int_equal(p.captured, 5);
		assert_int_equal(p.wire, 5);
		text_expect_end(f);
	}
}

/* Alexey Kuznetsov's: which way a packet went stands in its header. */
static void test_pcap_with_a_way(void **state)
{
	struct fffa_capture_file *f;

	(void)state;
	start_pcap(true, 0xa1b2cd34, 2, 4);
	for (uint8_t type = 0; type < 6; type++) {
		put_pcap(5, 5);
		text_put((const uint8_t[8]){4, 4, 4, 4, 4, 4, type, 4}, 8);
		text_put(FRAME, 5);
	}
	f = text_open();
	for (uint8_t type = 0; type < 6; type++) {
		struct fffa_capture_packet p = text_next(f);

		assert_memory_equal(p.bytes, FRAME, 5);
		assert_int_equal(p.way, type < 4    ? FFFA_WAY_IN
					: type == 4 ? FFFA_WAY_OUT
						    : FFFA_WAY_UNKNOWN);
	}
	text_expect_end(f);
}

/* Before version 2.4 the two lengths stand the other way round, in 2.3 only some of them. */
static void test_pcap_of_old(void **state)
{
	static const struct {
		uint16_t major, minor;
		uint32_t first, second, captured, wire;
	} rows[] = {
		{2, 0, 70, 5, 5, 70},	{2, 2, 70, 5, 5, 70}, {543, 0, 70, 5, 5, 70},
		{543, 4, 70, 5, 5, 70}, {2, 3, 70, 5, 5, 70}, {2, 3, 5, 70, 5, 70},
		{2, 3, 5, 5, 5, 5},	{2, 4, 5, 70, 5, 70}, {2, 5, 5, 70, 5, 70},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_capture_packet p;
		struct fffa_capture_file *f;

		start_pcap(false, 0xa1b2c3d4, rows[i].major, rows[i].minor);
		put_pcap(rows[i].first, rows[i].second);
		text_put(FRAME, 5);
		f = text_open();
		p = text_next(f);
		assert_int_equal(p.captured, rows[i].captured);
		assert_int_equal(p.wire, rows[i].wire);
		text_expect_end(f);
	}
}

static void test_pcap_that_is_damaged(void **state)
{
	(void)state;
	text_start(false);
	text_expect_refused(EINVAL, ": not a capture: neither pcap nor pcapng");
	text_put("\xd4\xc3\xb2", 3);
	text_expect_refused(EINVAL, ": not a capture: neither pcap nor pcapng");
	start_pcap(false, 0xa1b2c3d5, 2, 4);
	text_expect_refused(EINVAL, ": not a capture: neither pcap nor pcapng");
	start_pcap(true, 0xa1b2c3d4, 1, 4);
	text_expect_refused(EINVAL, ": pcap version 1.4 is not supported");
	start_pcap(true, 0xa1b2c3d4, 3, 0);
	text_expect_refused(EINVAL, ": pcap version 3.0 is not supported");
	start_pcap(true, 0xa1b2c3d4, 542, 0);
	text_expect_refused(EINVAL, ": pcap version 542.0 is not supported");
	start_pcap(false, 0xa1b2c3d4, 2, 4);
	text.n--;
	text_expect_refused(EIO, ": the file ends within a packet or block");
	start_pcap(false, 0xa1b2c3d4, 2, 4);
	put_pcap(5, 5);
	text.n--;
	text_expect_damaged(EIO, ": the file ends within a packet's header");
	text.n++;
	text_put(FRAME, 4);
	text_expect_damaged(EIO, ": the file ends within a packet or block");
	start_pcap(false, 0xa1b2c3d4, 2, 4);
	put_pcap(MIB16, MIB16);
	text_expect_damaged(EIO, ": the file ends within a packet or block");
	start_pcap(false, 0xa1b2c3d4, 2, 4);
	put_pcap(MIB16 + 1, MIB16 + 1);
	text_expect_damaged(EIO, ": a packet of 16777217 bytes: the file is damaged");
	start_pcap(false, 0xa1b2cd34, 2, 4); /* its packet header is longer */
	put_pcap(0, 0);
	text_put("\0\0\0\0\0\0\0", 7);
	text_expect_damaged(EIO, ": the file ends within a packet's header");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap),
		cmocka_unit_test(test_pcap_with_a_way),
		cmocka_unit_test(test_pcap_of_old),
		cmocka_unit_test(test_pcap_that_is_damaged),
	};

	return cmocka_run_group_tests(tests, text_group_setup, text_group_teardown);
}
