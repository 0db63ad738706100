/* SPDX-License-Identifier: MIT */
/* What kind of zone a name belongs to. Pure. */
#ifndef FFFA_AGENT_ENRICH_ZONE_H
#define FFFA_AGENT_ENRICH_ZONE_H

/*
 * "localzone" for names such as us-west-2-lax-1a, "wavelength" for us-east-1-wl1-bos-wlz-1, and
 * "" for an Availability Zone and every other name; static. Source: AWS Local Zones and
 * Wavelength user guides, lists of zones.
 */
const char *fffa_zone_sublocation(const char *region, const char *zone);

#endif
