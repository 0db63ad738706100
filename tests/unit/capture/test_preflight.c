// SPDX-License-Identifier: MIT
/* The hook and the reason that follow from the facts of a device. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <string.h>

#include "agent/capture/devices/preflight.h"

#define KERNEL "6.1.0-18-cloud-amd64" /* the version of a driver that comes with the kernel */
#define ENA(v, m, now, most)                                                                       \
	{                                                                                          \
		.driver = "ena", .version = (v), .mtu_bytes = (m), .channels = (now),              \
		.channels_max = (most), .native = FFFA_NATIVE_YES                                  \
	}

static const struct {
	struct fffa_hook_facts facts;
	int error;
	const char *says;
} cases[] = {
	/* ENA with its defaults: jumbo frames, all channels in use. */
	{ENA(KERNEL, 9001, 8, 8), -EINVAL, "ip link set eth0 mtu 3498"},
	{ENA(KERNEL, 3499, 4, 8), -EINVAL, "its MTU is 3499"},
	{ENA(KERNEL, 3498, 8, 8), -EINVAL, "ethtool -L eth0 combined 4"},
	{ENA(KERNEL, 3498, 5, 8), -EINVAL, "half of its 8 channels"},
	{ENA(KERNEL, 3498, 4, 8), 0, "driver ena"},
	{ENA(KERNEL, 1500, 1, 2), 0, "driver ena"},
	{ENA(KERNEL, 1500, 1, 1), -EINVAL, "only one: set capture.hook: tc"},
	{ENA(KERNEL, 1500, 2, 3), -EINVAL, "combined 1"},
	{ENA(KERNEL, 1500, 0, 0), 0, "driver ena"}, /* channels not known: try */
	/*
	 * The driver's own releases: from 2.17 on there is no channel rule, and four bytes
	 * more fit.
	 */
	{ENA("2.1.0K", 1500, 8, 8), -EINVAL, "combined 4"},
	{ENA("2.16.1g", 3499, 4, 8), -EINVAL, "mtu 3498"},
	{ENA("2.16.1g", 3498, 8, 8), -EINVAL, "combined 4"},
	{ENA("2.17.0g", 3502, 8, 8), 0, "driver ena"},
	{ENA("2.17.0g", 3503, 8, 8), -EINVAL, "mtu 3502"},
	{ENA("3.0.0g", 3502, 8, 8), 0, "driver ena"},
	{ENA("6.17.0", 3498, 8, 8), -EINVAL, "combined 4"}, /* Linux 6.17, no release of ENA */
	{{.driver = "ena",
	  .version = "2.13.0g",
	  .mtu_bytes = 1500,
	  .channels = 1,
	  .channels_max = 2,
	  .native = FFFA_NATIVE_NO},
	 0,
	 "driver ena"},
	/* Other drivers: no rule on MTU and channels is known, so XDP is tried. */
	{{.driver = "veth",
	  .mtu_bytes = 9001,
	  .channels = 8,
	  .channels_max = 8,
	  .native = FFFA_NATIVE_YES},
	 0,
	 "driver veth"},
	{{.native = FFFA_NATIVE_UNKNOWN}, 0, "driver unknown"},
	{{.driver = "bridge", .native = FFFA_NATIVE_NO}, -EOPNOTSUPP, "(bridge) has no native XDP"},
	{{.native = FFFA_NATIVE_NO}, -EOPNOTSUPP, "set capture.hook: tc"},
	/* Another program on the device decides first. */
	{{.driver = "ena", .mtu_bytes = 9001, .xdp_prog_id = 42}, -EBUSY, "id 42"},
	{{.driver = "veth", .xdp_prog_id = 42, .native = FFFA_NATIVE_NO},
	 -EBUSY,
	 "ip link set eth0 xdp off"},
};

static void xdp_when_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fffa_hook_choice c;

		fffa_preflight_choose(FFFA_HOOK_XDP, "eth0", &cases[i].facts, &c);
		if (c.error != cases[i].error || !strstr(c.why, cases[i].says))
			fail_msg("case %zu: %d \"%s\", not %d with \"%s\"", i, c.error, c.why,
				 cases[i].error, cases[i].says);
		assert_int_equal(c.xdp, !cases[i].error);
		assert_int_equal(c.bounces_link,
				 !cases[i].error && !strcmp(cases[i].facts.driver, "ena"));
		/* Whatever prevents XDP, the text names what helps. */
		if (cases[i].error)
			assert_non_null(strstr(c.why, "capture.hook: tc"));
		assert_true(strlen(c.why) < sizeof(c.why) - 1);
	}
}

static void tc_fits_everywhere(void **state)
{
	static const struct {
		enum fffa_hook hook;
		const char *says;
	} hooks[] = {{FFFA_HOOK_AUTO, "auto: TC works at any MTU"}, {FFFA_HOOK_TC, "configured"}};

	(void)state;
	for (size_t h = 0; h < 2; h++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct fffa_hook_choice c;

			fffa_preflight_choose(hooks[h].hook, "eth0", &cases[i].facts, &c);
			assert_int_equal(c.error, 0);
			assert_false(c.xdp || c.bounces_link);
			assert_non_null(strstr(c.why, hooks[h].says));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xdp_when_asked_for),
		cmocka_unit_test(tc_fits_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
