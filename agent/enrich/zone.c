// SPDX-License-Identifier: MIT
#include "agent/enrich/zone.h"

#include <stdbool.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

/* "-lax-1a" */
static bool is_local_zone(const char *rest)
{
	size_t place = strspn(rest + 1, LETTERS), number;

	if (*rest != '-' || place < 3 || rest[1 + place] != '-')
		return false;
	rest += 2 + place;
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

	if (!n || strncmp(zone, region, n) != 0 || !zone[n])
		return "";
	if (is_wavelength(zone + n))
		return "wavelength";
	return is_local_zone(zone + n) ? "localzone" : "";
}
