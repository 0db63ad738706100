/* SPDX-License-Identifier: MIT */
/*
 * Counts packets and bytes by interface name and direction. The counts of a device stay when it
 * vanishes, and a new device of the same name continues them, so counters never decrease. Constant
 * memory. Loop thread only.
 */
#ifndef FFFA_AGENT_STATUS_INTERFACES_H
#define FFFA_AGENT_STATUS_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/ledger.h"

#define FFFA_INTERFACES_MAX	128  /* names with counts of their own */
#define FFFA_INTERFACES_INDEXES 1024 /* a power of two; half as many devices can be known at once */

struct fffa_interface {
	char name[3 * 16];	      /* as records have it: a byte that is not UTF-8 is U+FFFD */
	struct fffa_amount amount[2]; /* ingress, egress */
};

/* All zero is empty. */
struct fffa_interfaces {
	struct fffa_interface v[FFFA_INTERFACES_MAX + 1]; /* [0]: all other names together */
	size_t n;					  /* names in v, without [0] */
	struct {
		uint32_t ifindex; /* 0: free */
		uint32_t at;	  /* index in v */
	} index[FFFA_INTERFACES_INDEXES];
	size_t known;
};

/*
 * Forgets which devices there are, but not the counts. fffa_interfaces_name follows for
 * each device.
 */
void fffa_interfaces_clear(struct fffa_interfaces *s);
/* The device ifindex (above 0) has this name now. */
void fffa_interfaces_name(struct fffa_interfaces *s, uint32_t ifindex, const char *name);

/* A device that was not named is counted in v[0]. */
void fffa_interfaces_count(struct fffa_interfaces *s, uint32_t ifindex, bool egress,
			   uint64_t packets, uint64_t bytes);

/*
 * What was counted under a name, dir 0 ingress, 1 egress. For a name that is not known: what all
 * other names have together.
 */
struct fffa_amount fffa_interfaces_amount(const struct fffa_interfaces *s, const char *name,
					  int dir);

/* The name of ifindex; "" when it was not named. */
const char *fffa_interfaces_find(const struct fffa_interfaces *s, uint32_t ifindex);

#endif
