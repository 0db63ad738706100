/* SPDX-License-Identifier: MIT */
/*
 * Packets and bytes handed over, by the interface's name and direction. A device that vanishes keeps
 * its counts, and one of the same name goes on with them: counters never go back. Constant memory.
 * Loop thread only.
 */
#ifndef FFFA_AGENT_STATUS_INTERFACES_H
#define FFFA_AGENT_STATUS_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/ledger.h"

#define FFFA_INTERFACES_MAX	128  /* names; the rest share one more */
#define FFFA_INTERFACES_INDEXES 1024 /* power of two; devices known at once: half of it */

struct fffa_interface {
	char name[16];
	struct fffa_amount amount[2]; /* ingress, egress */
};

/* All zero is empty. */
struct fffa_interfaces {
	struct fffa_interface v[FFFA_INTERFACES_MAX + 1]; /* [0]: what found no place */
	size_t n;					  /* beside [0] */
	struct {
		uint32_t ifindex; /* 0: free */
		uint32_t at;	  /* in v */
	} index[FFFA_INTERFACES_INDEXES];
	size_t known;
};

/* Forgets which devices there are (not what they counted), before each of them is named. */
void fffa_interfaces_clear(struct fffa_interfaces *s);
/* The device ifindex (above 0) is called name now. */
void fffa_interfaces_name(struct fffa_interfaces *s, uint32_t ifindex, const char *name);

/* Counts at [0] where ifindex was not named. */
void fffa_interfaces_count(struct fffa_interfaces *s, uint32_t ifindex, bool egress,
			   uint64_t packets, uint64_t bytes);

/* "" when ifindex was not named. */
const char *fffa_interfaces_find(const struct fffa_interfaces *s, uint32_t ifindex);

#endif
