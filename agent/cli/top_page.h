/* SPDX-License-Identifier: MIT */
/* The page of `fffa top`, made from two answers of a status listener. Pure. */
#ifndef FFFA_AGENT_CLI_TOP_PAGE_H
#define FFFA_AGENT_CLI_TOP_PAGE_H

#include <stdint.h>
#include <stdio.h>

/* Counters of the previous page, for rates; all zero before the first. */
struct fffa_top_last {
	int64_t uptime_ms;
	int64_t packets;
	int64_t bytes;
	int64_t records;
};

/*
 * status, flows: the bodies of /status and /flows. Writes at most rows lines of at most columns
 * characters each (0: no limit) and updates last. Returns 0, or -EINVAL when a text is not an
 * agent's; then nothing is written.
 */
int fffa_top_page(FILE *out, const char *status, const char *flows, unsigned int rows,
		  unsigned int columns, struct fffa_top_last *last);

#endif
