/* SPDX-License-Identifier: MIT */
/*
 * The agent's filter on a device's clsact qdisc, for kernels without TCX. It outlives the process.
 * A filter that a crashed agent left is recognised by its place and its program's name.
 */
#ifndef FFFA_AGENT_CAPTURE_KERNEL_CLSACT_H
#define FFFA_AGENT_CAPTURE_KERNEL_CLSACT_H

#include <stdbool.h>
#include <stdint.h>

struct fffa_clsact {
	uint32_t prog_id; /* of the filter */
	bool made_qdisc;  /* the qdisc was not there before */
};

/*
 * Adds the qdisc where it is missing, and replaces a filter that a crashed agent left. -EEXIST: the
 * place holds another program's filter. -EINVAL: an ingress qdisc or a filter of another kind is in
 * the way. Other -errno.
 */
int fffa_clsact_attach(int prog_fd, uint32_t ifindex, bool egress, struct fffa_clsact *out);
/* True while the filter is there. */
bool fffa_clsact_attached(const struct fffa_clsact *c, uint32_t ifindex, bool egress);

/* Which filters run on packets of one direction, in their order. */
struct fffa_clsact_order {
	bool attached;		/* ours is among them */
	bool first;		/* and runs before the others */
	uint32_t first_prog_id; /* of the filter that runs first; 0: not a BPF program */
	char first_name[32];	/* the name that its loader gave it, or its kind ("flower") */
};
/* 0 or -errno. Any thread. */
int fffa_clsact_read_order(const struct fffa_clsact *c, uint32_t ifindex, bool egress,
			   struct fffa_clsact_order *out);

/* Removes the filter unless another one has replaced it. */
void fffa_clsact_detach(const struct fffa_clsact *c, uint32_t ifindex, bool egress);
/* Removes the qdisc when no filter is left on it, in either direction. */
void fffa_clsact_remove_unused_qdisc(uint32_t ifindex);

#endif
