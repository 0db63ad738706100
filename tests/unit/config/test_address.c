/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "tests/stubs/cmocka_all.h"

#include "config/address.h"

static void test_ipv4(void **state)
{
	static const struct {
		const char *text;
		uint32_t addr;
		uint16_t port;
	} cases[] = {
		{"127.0.0.1:9977", 0x7f000001, 9977},
		{"localhost:1", 0x7f000001, 1},
		{"0.0.0.0:65535", 0, 65535},
	};
	struct fffa_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&a.sa;

		assert_int_equal(fffa_address_parse(cases[i].text, &a, NULL), 0);
		assert_int_equal(in->sin_family, AF_INET);
		assert_int_equal(ntohl(in->sin_addr.s_addr), cases[i].addr);
		assert_int_equal(ntohs(in->sin_port), cases[i].port);
		assert_int_equal(a.len, sizeof(*in));
	}
}

static void test_ipv6(void **state)
{
	const struct sockaddr_in6 *in6;
	struct fffa_address a;

	(void)state;
	assert_int_equal(fffa_address_parse("[::1]:9977", &a, NULL), 0);
	in6 = (const struct sockaddr_in6 *)&a.sa;
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_memory_equal(&in6->sin6_addr, &in6addr_loopback, 16);
	assert_int_equal(ntohs(in6->sin6_port), 9977);
	assert_int_equal(
		fffa_address_parse("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:1", &a, NULL),
		0);
}

static void test_unix(void **state)
{
	const struct sockaddr_un *un;
	struct fffa_address a;
	struct fffa_err err;
	char text[200] = "unix:/";

	(void)state;
	assert_int_equal(fffa_address_parse("unix:/run/fffa:1.sock", &a, &err), 0);
	un = (const struct sockaddr_un *)&a.sa;
	assert_int_equal(un->sun_family, AF_UNIX);
	assert_string_equal(un->sun_path, "/run/fffa:1.sock");
	memset(text + 6, 'x', 106);
	assert_int_equal(fffa_address_parse(text, &a, &err), 0);
	text[6 + 106] = 'x';
	assert_int_equal(fffa_address_parse(text, &a, &err), -EINVAL);
	assert_non_null(strstr(err.text, "107"));
}

static void test_wrong_addresses(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		"9977",
		":9977",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"127.0.0.1:08",
		"127.0.0.1:+1",
		"127.0.0.1:1x",
		"127.0.0.1: 1",
		"127.0.0:1x",
		"127.0.0.256:1",
		"example.com:1",
		"::1:9977",
		"[::1]",
		"[::1:9977",
		"[::1]9977",
		"[:1]:9977",
		"[]:9977",
		"unix:",
		"unix:run",
		"http://127.0.0.1:1",
		"[127.0.0.1]:1",
		"127.0.0.1:999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fffa_address a;
		struct fffa_err err;

		if (fffa_address_parse(texts[i], &a, &err) != -EINVAL)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_non_null(strstr(err.text, "allowed: "));
	}
}

static void paths(void **state)
{
	(void)state;
	assert_string_equal(fffa_address_path("unix:/run/a.sock"), "/run/a.sock");
	assert_string_equal(fffa_address_path("unix:"), "");
	assert_null(fffa_address_path("unix"));
	assert_null(fffa_address_path("127.0.0.1:9977"));
	assert_null(fffa_address_path(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_wrong_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
