/* SPDX-License-Identifier: MIT */
/*
 * Our filter on a device's clsact qdisc, where the kernel has no TCX. It outlives the process: one
 * that a crashed agent left behind is known by its place and its program's name.
 */
#ifndef FFFA_AGENT_CAPTURE_KERNEL_CLSACT_H
#define FFFA_AGENT_CAPTURE_KERNEL_CLSACT_H

#include <stdbool.h>
#include <stdint.h>

struct fffa_clsact {
	uint32_t prog_id; /* of the filter */
	bool made_qdisc;  /* the qdisc was not there before */
};

/* Makes the qdisc where it is missing; takes the place of a filter that is left behind. -EEXIST:
 * somebody else's filter is there. -EINVAL: an ingress qdisc stands in its way, or a filter of
 * another kind. Other -errno. */
int fffa_clsact_attach(int prog_fd, uint32_t ifindex, bool egress, struct fffa_clsact *out);
/* The filter is still there. */
bool fffa_clsact_attached(const struct fffa_clsact *c, uint32_t ifindex, bool egress);
/* Removes the filter unless another has taken its place. */
void fffa_clsact_detach(const struct fffa_clsact *c, uint32_t ifindex, bool egress);
/* Removes the qdisc when no filter is left on it, in either direction. */
void fffa_clsact_remove_unused_qdisc(uint32_t ifindex);

#endif
