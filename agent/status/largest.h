/* SPDX-License-Identifier: MIT */
/* The largest flows met so far, by bytes, in constant memory; and them as JSON. Pure. */
#ifndef FFFA_AGENT_STATUS_LARGEST_H
#define FFFA_AGENT_STATUS_LARGEST_H

#include <stddef.h>
#include <stdint.h>

#include "agent/flow/flow_table.h"
#include "agent/status/interfaces.h"
#include "agent/status/escape.h"

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

/* All zero is empty. */
struct fffa_largest {
	struct fffa_largest_flow v[FFFA_LARGEST_MAX]; /* a heap, the smallest first; or sorted */
	size_t n;
	uint64_t min_bytes; /* smaller ones would not be kept */
};

/* Keeps w if it is among the largest. Not after fffa_largest_sort. */
void fffa_largest_add(struct fffa_largest *l, const struct fffa_flow_window *w);
/* The largest first. */
void fffa_largest_sort(struct fffa_largest *l);

/* After sort: the first n. now_ms: Unix, when they were looked at. */
void fffa_largest_write(struct fffa_buf *o, const struct fffa_largest *l, size_t n, int64_t now_ms,
			uint64_t flows_active, const struct fffa_interfaces *interfaces);

/*
 * The value of n=: NULL (not given) is FFFA_LARGEST_DEFAULT, more than FFFA_LARGEST_MAX is that. 0,
 * or -EINVAL for what is no number above 0.
 */
int fffa_largest_parse_count(const char *text, size_t *n);

#endif
