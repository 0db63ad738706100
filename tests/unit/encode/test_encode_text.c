// SPDX-License-Identifier: MIT
/* Compares the formatters with the C library. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/encode/field/text.h"
#include "tests/unit/encode/sample.h"

#define RANDOM_ADDRS 3000000

/* assert_string_equal is too slow for millions of texts. */
static void check_same(const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		assert_string_equal(got, want);
}

static void check_u64(uint64_t v)
{
	char got[FFFA_TEXT_U64_MAX + 1], want[32];

	*fffa_text_u64((uint8_t *)got, v) = 0;
	snprintf(want, sizeof(want), "%" PRIu64, v);
	check_same(got, want);
}

static void check_i64(int64_t v)
{
	char got[FFFA_TEXT_I64_MAX + 1], want[32];

	*fffa_text_i64((uint8_t *)got, v) = 0;
	snprintf(want, sizeof(want), "%" PRId64, v);
	check_same(got, want);
}

static void integers_equal_printf(void **state)
{
	uint64_t seed = 1, power = 1, v;

	(void)state;
	for (v = 0; v < 100000; v++)
		check_u64(v);
	for (int i = 0; i < 20; i++, power *= 10) {
		check_u64(power - 1);
		check_u64(power);
		check_u64(power + 1);
	}
	for (int i = 0; i < 64; i++) {
		check_u64(UINT64_C(1) << i);
		check_u64((UINT64_C(1) << i) - 1);
	}
	check_u64(UINT64_MAX);
	for (int i = 0; i < 200000; i++) {
		v = sample_random(&seed);
		check_u64(v >> (v & 63));
		check_i64((int64_t)(v >> (v & 63)));
		check_i64(-(int64_t)(v >> 1 >> (v & 31)));
	}
	check_i64(0);
	check_i64(-1);
	check_i64(INT64_MAX);
	check_i64(INT64_MIN);
}

static void hex_has_16_digits(void **state)
{
	char got[17], want[17];
	uint64_t seed = 2, v;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		v = sample_random(&seed) >> (i & 63);
		*fffa_text_hex64((uint8_t *)got, v) = 0;
		snprintf(want, sizeof(want), "%016" PRIx64, v);
		check_same(got, want);
	}
}

static void check_ip(const uint8_t addr[16])
{
	char got[FFFA_TEXT_SLACK_BYTES + FFFA_TEXT_IP_MAX], want[INET6_ADDRSTRLEN];
	uint8_t *end = fffa_text_ip((uint8_t *)got, addr);

	*end = 0;
	assert_true(end - (uint8_t *)got <= FFFA_TEXT_IP_MAX);
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)addr))
		inet_ntop(AF_INET, addr + 12, want, sizeof(want));
	else
		inet_ntop(AF_INET6, addr, want, sizeof(want));
	check_same(got, want);
}

static void every_octet_equals_inet_ntop(void **state)
{
	uint8_t addr[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	(void)state;
	for (unsigned int i = 0; i < 4 * 65536; i++) {
		addr[12] = (uint8_t)i;
		addr[13] = (uint8_t)(i >> 8);
		addr[14] = (uint8_t)(i >> 4);
		addr[15] = (uint8_t)(i >> 10);
		check_ip(addr);
	}
}

/* Each group is zero, one to four digits long or ffff: all zero runs with all digit counts. */
static void structured_ipv6_equals_inet_ntop(void **state)
{
	static const uint16_t values[] = {0, 0x1, 0xa0, 0x0db8, 0xffff};
	const unsigned int n = sizeof(values) / sizeof(values[0]);
	uint8_t addr[16];
	uint16_t group;

	(void)state;
	for (unsigned int i = 0; i < 390625; i++) { /* 5 to the 8th */
		for (unsigned int g = 0, left = i; g < 8; g++, left /= n) {
			group = htons(values[left % n]);
			memcpy(addr + 2 * g, &group, 2);
		}
		check_ip(addr);
	}
}

static void random_ipv6_equals_inet_ntop(void **state)
{
	uint64_t seed = 3, half[2], mask;
	uint8_t addr[16];

	(void)state;
	for (int i = 0; i < RANDOM_ADDRS; i++) {
		half[0] = sample_random(&seed);
		half[1] = sample_random(&seed);
		memcpy(addr, half, 16);
		mask = sample_random(&seed);
		/* A third is plain noise, a third has zero groups, a third has zero bytes. */
		for (int k = 0; i % 3 == 1 && k < 8; k++) {
			if (mask >> k & 1)
				memset(addr + 2 * k, 0, 2);
		}
		for (int k = 0; i % 3 == 2 && k < 16; k++) {
			if (mask >> (2 * k) & 3)
				addr[k] = 0;
		}
		check_ip(addr);
	}
}

static void known_addresses(void **state)
{
	static const char *const texts[] = {
		"::",
		"::1",
		"::2:0",
		"::0.1.0.2",
		"::1.2.3.4",
		"1::",
		"1:0:0:1::",
		"2001:db8::1",
		"2001:db8:0:1:1:1:1:1",
		"2001:0:0:1::1",
		"fe80::1:0:0:1",
		"::ffff:0:1.2.3.4",
		"64:ff9b::102:304",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8",
		"::ffff:1.2.3.4",
	};
	uint8_t addr[16];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(inet_pton(AF_INET6, texts[i], addr), 1);
		check_ip(addr);
	}
	/* The last one is v4-mapped. */
	{
		char got[FFFA_TEXT_SLACK_BYTES];

		*fffa_text_ip((uint8_t *)got, addr) = 0;
		assert_string_equal(got, "1.2.3.4");
	}
}

static void check_utc(int64_t unix_s)
{
	char got[FFFA_TEXT_UTC_MAX + 1], want[64];
	time_t t = (time_t)unix_s;
	struct tm tm;

	*fffa_text_utc((uint8_t *)got, unix_s) = 0;
	assert_non_null(gmtime_r(&t, &tm));
	snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	check_same(got, want);
}

static void time_equals_gmtime(void **state)
{
	const int64_t least = -INT64_C(62167219200), most = INT64_C(253402300799);
	uint64_t seed = 4;

	(void)state;
	for (int64_t day = least / 86400; day <= most / 86400; day++) /* every day of 10000 years */
		check_utc(day * 86400 + (int64_t)(sample_random(&seed) % 86400));
	check_utc(least);
	check_utc(most);
	check_utc(-1);
	check_utc(0);
	check_utc(951782400); /* 29 February 2000 */
}

static void time_is_clamped(void **state)
{
	char got[FFFA_TEXT_UTC_MAX + 1];

	(void)state;
	*fffa_text_utc((uint8_t *)got, INT64_MIN) = 0;
	assert_string_equal(got, "0000-01-01T00:00:00Z");
	*fffa_text_utc((uint8_t *)got, INT64_MAX) = 0;
	assert_string_equal(got, "9999-12-31T23:59:59Z");
}

static void json_is_escaped(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{"", ""},
		{"eth0.100", "eth0.100"},
		{"a\"b\\c/d", "a\\\"b\\\\c/d"},
		{"\x01\n\x1f\x7f", "\\u0001\\u000a\\u001f\\u007f"},
		{"\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7"},
		{"\xff", "\\ufffd"},
		{"a\x80z", "a\\ufffdz"},
		{"\xc3", "\\ufffd"},
		{"\xc3(", "\\ufffd("},
		{"\xc0\xaf", "\\ufffd\\ufffd"},
		{"\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd"},
		{"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},
		{"\xf0\x8f\xbf\xbf", "\\ufffd\\ufffd\\ufffd\\ufffd"},
		{"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
		{"\xe2\x82", "\\ufffd\\ufffd"},
		{"\xe2\x82z", "\\ufffd\\ufffdz"},
	};
	char got[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		*fffa_text_json((uint8_t *)got, cases[i].in, strlen(cases[i].in)) = 0;
		assert_string_equal(got, cases[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_equal_printf),
		cmocka_unit_test(hex_has_16_digits),
		cmocka_unit_test(every_octet_equals_inet_ntop),
		cmocka_unit_test(structured_ipv6_equals_inet_ntop),
		cmocka_unit_test(random_ipv6_equals_inet_ntop),
		cmocka_unit_test(known_addresses),
		cmocka_unit_test(time_equals_gmtime),
		cmocka_unit_test(time_is_clamped),
		cmocka_unit_test(json_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
