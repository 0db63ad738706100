/* SPDX-License-Identifier: MIT */
/*
 * Reads in which order the programs of a device's hook run. No event tells when that changes. Each
 * call asks the kernel and may wait for it. Any thread.
 */
#ifndef FFFA_AGENT_CAPTURE_KERNEL_CHAIN_H
#define FFFA_AGENT_CAPTURE_KERNEL_CHAIN_H

#include <stdint.h>

#include "agent/capture/kernel/attach.h"

/* Where an attached program stands on its hook. */
enum fffa_place {
	FFFA_PLACE_UNKNOWN, /* the kernel does not say, or the device is gone */
	FFFA_PLACE_FIRST,   /* it sees packets before all other programs of the hook */
	FFFA_PLACE_BEHIND,  /* another program sees packets first and may end the chain */
	FFFA_PLACE_NONE	    /* it is not there */
};

/* The program or filter that runs first. */
struct fffa_chain_head {
	uint32_t prog_id; /* 0: none, or not a BPF program */
	char name[32];	  /* the program's name or the filter's kind; "": not known */
};

/* Sets *head when the result is BEHIND, and for XDP when another program is there instead. */
enum fffa_place fffa_chain_place(const struct fffa_attachment *a, struct fffa_chain_head *head);

/* The XDP program of a device, whoever attached it. prog_id is 0 when there is none. */
void fffa_chain_xdp(uint32_t ifindex, struct fffa_chain_head *out);

#endif
