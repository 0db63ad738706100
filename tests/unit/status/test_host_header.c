// SPDX-License-Identifier: MIT
/* Which Host headers a listener answers. */
#include "tests/stubs/cmocka_all.h"

#include "agent/status/listen/host_header.h"

static void names_of_a_listener(void **state)
{
	static const struct {
		const char *listen, *host;
		bool fits;
	} cases[] = {
		{"127.0.0.1:1", NULL, true},
		{"127.0.0.1:1", "localhost.", true},
		{"127.0.0.1:1", "127.0.0.1:65535", true},
		{"127.0.0.1:1", "[::1]", true},
		{"127.0.0.1:1", "", false},
		{"127.0.0.1:1", ":1", false},
		{"127.0.0.1:1", "[::1", false},
		{"127.0.0.1:1", "[::1]x", false},
		{"127.0.0.1:1", "127.0.0.1:1:1", false},
		{"127.0.0.1:1", "host1", false},
		{"10.1.2.3:1", "10.1.2.3", true},
		{"10.1.2.3:1", "10.1.2.4", false},
		{"[2001:db8::1]:1", "[2001:DB8:0::1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::2]:1", false},
		{"[::]:1", "[2001:db8::2]:1", true},
		{"[::]:1", "10.1.2.3", true},
		{"0.0.0.0:1", "Host1:1", true},
		{"0.0.0.0:1", "host1.evil.example", false},
		{"0.0.0.0:1", "10.1.2.3.evil.example", false},
		{"unix:/run/x", "anything", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (fffa_host_header_fits(cases[i].listen, "host1", cases[i].host) != cases[i].fits)
			fail_msg("%s for %s", cases[i].host, cases[i].listen);
	assert_false(fffa_host_header_fits("0.0.0.0:1", "", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_of_a_listener)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
