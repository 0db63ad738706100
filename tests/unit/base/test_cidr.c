// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/cidr.h"

static void prefixes(void **state)
{
	static const struct {
		const char *text;
		const char *addr;
		uint8_t bits;
	} rows[] = {
		{"10.0.0.0/8", "::ffff:10.0.0.0", 96 + 8},
		{"10.1.2.3", "::ffff:10.1.2.3", 128},
		{"0.0.0.0/0", "::ffff:0.0.0.0", 96},
		{"255.255.255.255/32", "::ffff:255.255.255.255", 128},
		{"2001:db8::/32", "2001:db8::", 32},
		{"2001:db8::1", "2001:db8::1", 128},
		{"::/0", "::", 0},
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128},
		{"::ffff:10.0.0.0/104", "::ffff:10.0.0.0", 104},
		{"10.0.0.0/08", "::ffff:10.0.0.0", 96 + 8},
	};
	uint8_t want[16];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_cidr c;
		struct fffa_err err = {""};

		assert_int_equal(fffa_cidr_parse(rows[i].text, &c, &err), 0);
		assert_int_equal(inet_pton(AF_INET6, rows[i].addr, want), 1);
		assert_memory_equal(c.addr, want, 16);
		assert_int_equal(c.bits, rows[i].bits);
		assert_string_equal(err.text, "");
	}
}

static void errors_name_the_text_and_leave_the_result(void **state)
{
	static const char *const rows[] = {"",
					   "/8",
					   "10.0.0/8",
					   "10.0.0.256/8",
					   "10.0.0.0/",
					   "10.0.0.0/33",
					   "10.0.0.0/-1",
					   "10.0.0.0/8x",
					   "10.0.0.0/ 8",
					   "10.0.0.0/+8",
					   "10.0.0.0/8/8",
					   "::/129",
					   "2001:db8:/32",
					   "host/8",
					   "fe80::1%eth0/64",
					   " 10.0.0.0/8",
					   "10.0.0.0/0x8",
					   "10.0.0.0/99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_cidr c = {.bits = 77};
		struct fffa_err err = {""};

		if (fffa_cidr_parse(rows[i], &c, &err) != -EINVAL)
			fail_msg("\"%s\" was accepted", rows[i]);
		assert_int_equal(c.bits, 77);
		assert_non_null(strstr(err.text, rows[i]));
		assert_null(strchr(err.text, '\n'));
	}
}

static void the_error_names_the_allowed_lengths(void **state)
{
	struct fffa_cidr c;
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_cidr_parse("10.0.0.0/33", &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "0 to 32"));
	assert_int_equal(fffa_cidr_parse("::/129", &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "0 to 128"));
}

static void a_text_longer_than_any_address_is_an_error(void **state)
{
	char text[512];
	struct fffa_cidr c;
	struct fffa_err err;

	(void)state;
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_int_equal(fffa_cidr_parse(text, &c, &err), -EINVAL);
}

static void addresses_inside_and_outside(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool inside;
	} rows[] = {
		{"10.1.0.0/16", "::ffff:10.1.255.255", true},
		{"10.1.0.0/16", "::ffff:10.2.0.0", false},
		{"10.1.2.3/16", "::ffff:10.1.0.9", true}, /* bits behind the prefix do not count */
		{"10.1.0.0/20", "::ffff:10.1.15.255", true},
		{"10.1.0.0/20", "::ffff:10.1.16.0", false},
		{"10.1.0.0/16", "::10.1.0.1", false},
		{"0.0.0.0/0", "::ffff:1.2.3.4", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"2001:db8::1", "2001:db8::1", true},
		{"2001:db8::1", "2001:db8::2", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_cidr c;
		uint8_t addr[16];

		assert_int_equal(fffa_cidr_parse(rows[i].prefix, &c, NULL), 0);
		assert_int_equal(inet_pton(AF_INET6, rows[i].addr, addr), 1);
		if (fffa_cidr_has(&c, addr) != rows[i].inside)
			fail_msg("%s in %s", rows[i].addr, rows[i].prefix);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),
		cmocka_unit_test(errors_name_the_text_and_leave_the_result),
		cmocka_unit_test(the_error_names_the_allowed_lengths),
		cmocka_unit_test(addresses_inside_and_outside),
		cmocka_unit_test(a_text_longer_than_any_address_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
