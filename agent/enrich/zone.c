// SPDX-License-Identifier: MIT
#include "agent/enrich/zone.h"

#include <stdbool.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

/* "-lax-1a" */
static bool is_local_zone(const char *rest)
{
	size_t place, number;

	if (*rest++ != '-')
		return false;
	place = strspn(rest, LETTERS);
	if (place < 3 || rest[place] != '-')
		return false;
	rest += place + 1;
	number = strspn(rest, DIGITS);
	return number && strspn(rest + number, LETTERS) == 1 && !rest[number + 1];
}

/* "-wl1-bos-wlz-1" */
static bool is_wavelength(const char *rest)
{
	const char *end;

	if (strncmp(rest, "-wl", 3) != 0 || !strspn(rest + 3, DIGITS))
		return false;
	end = strstr(rest, "-wlz-");
	return end && strspn(end + 5, DIGITS) && !end[5 + strspn(end + 5, DIGITS)];
}

const char *fffa_zone_sublocation(const char *region, const char *zone)
{
	size_t n = strlen(region);

	if (!n || strncmp(zone, region, n) != 0)
		return "";
	if (is_wavelength(zone + n))
		return "wavelength";
	return is_local_zone(zone + n) ? "localzone" : "";
}
