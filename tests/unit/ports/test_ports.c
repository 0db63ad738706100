// SPDX-License-Identifier: MIT
/* Names of ports. */
#include "agent/ports/ports.h"

#include <string.h>

#include "tests/stubs/cmocka_all.h"

static const struct {
	int64_t port, protocol;
	const char *name;
} rows[] = {
#define PORT(port, protocol, name) {port, protocol, name},
#include "agent/ports/ports.def"
#undef PORT
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The search needs the order; lines of text need names without a surprise. */
static void every_row_is_found(void **state)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.+";

	(void)state;
	assert_uint_in_range(ROWS, 200, 1000);
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(!i || rows[i - 1].port < rows[i].port ||
			    (rows[i - 1].port == rows[i].port &&
			     rows[i - 1].protocol < rows[i].protocol));
		assert_string_equal(fffa_ports_name(rows[i].protocol, rows[i].port), rows[i].name);
		assert_uint_in_range(strlen(rows[i].name), 1, 16);
		assert_int_equal(strspn(rows[i].name, allowed), strlen(rows[i].name));
	}
}

static void a_name_is_of_a_protocol_and_a_port(void **state)
{
	(void)state;
	assert_string_equal(fffa_ports_name(6, 443), "https");
	assert_string_equal(fffa_ports_name(17, 53), "domain");
	assert_string_equal(fffa_ports_name(6, 5432), "postgresql");
	assert_null(fffa_ports_name(17, 22));
	assert_null(fffa_ports_name(1, 443));
	assert_null(fffa_ports_name(6, 0));
	assert_null(fffa_ports_name(6, -1));
	assert_null(fffa_ports_name(6, 443 + 65536));
	assert_null(fffa_ports_name(6 + 256, 443));
	assert_null(fffa_ports_name(6, INT64_MAX));
	assert_null(fffa_ports_name(INT64_MIN, 443));
}

static void expect_ends(int64_t src, int64_t dst, const char *src_name, const char *dst_name)
{
	struct fffa_ports_ends e = fffa_ports_service(6, src, dst);

	assert_string_equal(e.src_name ? e.src_name : "-", src_name);
	assert_string_equal(e.dst_name ? e.dst_name : "-", dst_name);
}

static void the_service_is_the_named_port_with_the_lower_number(void **state)
{
	(void)state;
	expect_ends(50000, 443, "-", "https");
	expect_ends(443, 50000, "https", "-");
	expect_ends(5432, 22, "-", "ssh");
	expect_ends(22, 5432, "ssh", "-");
	expect_ends(10, 443, "-", "https"); /* 10 has no name */
	expect_ends(179, 179, "bgp", "bgp");
	expect_ends(50000, 50001, "-", "-");
}

static void an_end_is_one_text(void **state)
{
	char dst[FFFA_PORTS_END_BYTES];

	(void)state;
	assert_string_equal(fffa_ports_write_end("10.0.0.1", true, 443, "https", dst),
			    "10.0.0.1:https");
	assert_string_equal(fffa_ports_write_end("::1", true, 443, "https", dst), "[::1]:https");
	assert_string_equal(fffa_ports_write_end("::1", true, 443, NULL, dst), "[::1]:443");
	assert_string_equal(fffa_ports_write_end("10.0.0.1", true, 0, NULL, dst), "10.0.0.1:0");
	assert_string_equal(fffa_ports_write_end("10.0.0.1", false, 443, "https", dst), "10.0.0.1");
	assert_int_equal(strlen(fffa_ports_write_end(
				 "0123456789012345678901234567890123456789012345678901234567890123",
				 true, 1, "https", dst)),
			 sizeof(dst) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found),
		cmocka_unit_test(a_name_is_of_a_protocol_and_a_port),
		cmocka_unit_test(the_service_is_the_named_port_with_the_lower_number),
		cmocka_unit_test(an_end_is_one_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
