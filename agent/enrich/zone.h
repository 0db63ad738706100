/* SPDX-License-Identifier: MIT */
/* What the name of a zone tells. Pure. */
#ifndef FFFA_AGENT_ENRICH_ZONE_H
#define FFFA_AGENT_ENRICH_ZONE_H

/*
 * "localzone" for names such as us-west-2-lax-1a, "wavelength" for us-east-1-wl1-bos-wlz-1, "" for
 * an Availability Zone and for every name that has none of these forms. Source: AWS Local Zones and
 * Wavelength user guides, lists of zones.
 */
const char *fffa_zone_sublocation(const char *region, const char *zone);

#endif
