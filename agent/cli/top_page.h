/* SPDX-License-Identifier: MIT */
/* The page of `fffa top`, made from two answers of a status listener. Pure. */
#ifndef FFFA_AGENT_CLI_TOP_PAGE_H
#define FFFA_AGENT_CLI_TOP_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/filter/filter.h"

/* Counters of the previous page, for rates; all zero before the first. */
struct fffa_top_last {
	int64_t uptime_ms;
	int64_t packets;
	int64_t bytes;
	int64_t records;
};

struct fffa_top_view {
	unsigned int rows, columns; /* 0: no limit */
	bool by_packets;	    /* flows with the most packets first; else the most bytes */
	const char *expr;	    /* of the filter; "": none */
	const struct fffa_filter *filter; /* of the flows; NULL: none */
	bool keys;			  /* a last line names the keys */
};

/*
 * status, flows: the bodies of /status and /flows. Writes what v asks for and updates last. Returns
 * 0, or -EINVAL when a text is not an agent's; then nothing is written.
 */
int fffa_top_page(FILE *out, const char *status, const char *flows, const struct fffa_top_view *v,
		  struct fffa_top_last *last);

#endif
