// SPDX-License-Identifier: MIT
/* The kind of place that the name of a zone tells. */
#include "agent/enrich/zone.h"

#include <string.h>

#include "tests/stubs/cmocka_all.h"

static void the_names_of_zones(void **state)
{
	static const struct {
		const char *region, *zone, *want;
	} rows[] = {
		{"us-west-2", "us-west-2a", ""},
		{"ap-northeast-1", "ap-northeast-1-tpe-1a", "localzone"},
		{"us-west-2", "us-west-2-lax-1a-x", ""},
		{"us-west-2", "us-west-2a-lax-1a", ""},
		{"us-east-1", "us-east-1-wlx-bos-wlz-1", ""},
		{"us-west-2", "us-west-2", ""},
		{"us-west-2", "", ""},
		{"us-west-2", "us-west", ""},
		{"", "us-west-2-lax-1a", ""},
		{"", "-lax-1a", ""},
		{"us-east-1", "us-west-2-lax-1a", ""},
		{"us-west-2", "us-west-2-lax-1a", "localzone"},
		{"us-west-2", "us-west-2-lax-12b", "localzone"},
		{"us-east-1", "us-east-1-atlanta-1z", "localzone"},
		{"us-west-2", "us-west-2-la-1a", ""},
		{"us-west-2", "us-west-2_lax-1a", ""},
		{"us-west-2", "us-west-2-lax1-a", ""},
		{"us-west-2", "us-west-2-lax", ""},
		{"us-west-2", "us-west-2-lax-", ""},
		{"us-west-2", "us-west-2-lax-1", ""},
		{"us-west-2", "us-west-2-lax-a", ""},
		{"us-west-2", "us-west-2-lax-1ab", ""},
		{"us-west-2", "us-west-2-lax-1a1", ""},
		{"us-west-2", "us-west-2-lax-1a-", ""},
		{"us-west-2", "us-west-2-", ""},
		{"us-west-2", "us-west-2-wl1-den-wlz-1", "wavelength"},
		{"us-west-2", "us-west-2-wl12-den-wlz-34", "wavelength"},
		{"us-west-2", "us-west-2-wl-den-wlz-1", ""},
		{"us-west-2", "us-west-2-wx1-den-wlz-1", ""},
		{"us-west-2", "us-west-2-wl1-den-wlz-", ""},
		{"us-west-2", "us-west-2-wl1-den-wlz-a", ""},
		{"us-west-2", "us-west-2-wl1-den-wlz-1a", ""},
		{"us-west-2", "us-west-2-wl1-den-1", ""},
		{"us-west-2", "us-west-2-wl1", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(fffa_zone_sublocation(rows[i].region, rows[i].zone), rows[i].want) != 0)
			fail_msg("%s in %s", rows[i].zone, rows[i].region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_names_of_zones)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
