/* SPDX-License-Identifier: MIT */
/* Finds the flows with most bytes or packets, in constant memory, and writes them as JSON. Pure. */
#ifndef FFFA_AGENT_STATUS_LARGEST_H
#define FFFA_AGENT_STATUS_LARGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/flow/flow_table.h"
#include "agent/status/interfaces.h"
#include "agent/status/text/escape.h"

#define FFFA_LARGEST_MAX     1000
#define FFFA_LARGEST_DEFAULT 50

struct fffa_largest_flow {
	struct fffa_key key;
	uint64_t packets;
	uint64_t bytes;
	int64_t start_ms;
	int64_t end_ms;
	uint16_t flags;
};

/* All zero is empty, for the most bytes. */
struct fffa_largest {
	bool by_packets; /* the flows with most packets */
	/* A heap, the smallest first; after fffa_largest_sort the largest first. */
	struct fffa_largest_flow v[FFFA_LARGEST_MAX];
	size_t n;
	uint64_t min_bytes; /* a smaller flow is not among the largest; 0 by packets */
};

/* Adds w if it is among the largest. Do not call it after fffa_largest_sort. */
void fffa_largest_add(struct fffa_largest *l, const struct fffa_flow_window *w);
/* Sorts, the largest first. */
void fffa_largest_sort(struct fffa_largest *l);

/* After fffa_largest_sort: writes the first n. now_ms: when the flows were read, Unix. */
void fffa_largest_write(struct fffa_buf *o, const struct fffa_largest *l, size_t n, int64_t now_ms,
			uint64_t flows_active, const struct fffa_interfaces *interfaces);

/*
 * Parses the value of n=. NULL (not given) means FFFA_LARGEST_DEFAULT; above FFFA_LARGEST_MAX means
 * FFFA_LARGEST_MAX. 0, or -EINVAL when it is no number above 0.
 */
int fffa_largest_parse_count(const char *text, size_t *n);

#endif
