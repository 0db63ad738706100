/* SPDX-License-Identifier: MIT */
/* The page of `fffa top`, made from two answers of a status listener. Pure. */
#ifndef FFFA_AGENT_CLI_TOP_TOP_PAGE_H
#define FFFA_AGENT_CLI_TOP_TOP_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/cli/top/top_line.h" /* the styles */

struct fffa_top_counts {
	int64_t uptime_ms;
	int64_t packets;
	int64_t bytes;
	int64_t records;
};

/* What the previous page showed, for rates; all zero before the first. */
struct fffa_top_last {
	struct fffa_top_counts counts;
	struct json_t *flows; /* by key; freed by fffa_top_page_forget */
	int64_t flows_ms;
	unsigned int pane_lines; /* that the pane would have without a limit */
};

enum fffa_top_pane {
	FFFA_TOP_FLOWS,
	FFFA_TOP_SINKS,
	FFFA_TOP_INTERFACES,
	FFFA_TOP_LOSSES,
	FFFA_TOP_HELP,
};

enum fffa_top_sort {
	FFFA_TOP_BY_BYTES,
	FFFA_TOP_BY_PACKETS,
	FFFA_TOP_BY_RATE,
	FFFA_TOP_BY_AGE,
};

struct fffa_top_view {
	unsigned int rows, columns; /* 0: no limit */
	bool screen;		    /* one pane with rates and keys, and styles; else all at once */
	enum fffa_top_pane pane;
	unsigned int scroll; /* lines of the pane that are above the screen */
	enum fffa_top_sort sort;
	bool numeric;	  /* ports as numbers, not as names of services */
	const char *expr; /* the filter of which the flows are an answer; "": none */
};

/*
 * status, flows: the bodies of /status and /flows. Writes what v asks for and updates last. Returns
 * 0, or -EINVAL when a text is not an agent's; then nothing is written.
 */
int fffa_top_page(FILE *out, const char *status, const char *flows, const struct fffa_top_view *v,
		  struct fffa_top_last *last);
/* Frees what last holds. */
void fffa_top_page_forget(struct fffa_top_last *last);

#endif
