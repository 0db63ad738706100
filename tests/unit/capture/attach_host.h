/* SPDX-License-Identifier: MIT */
/*
 * A kernel that hooks are attached to, which is not there: the linker puts these functions in place of the real ones
 * (CMakeLists.txt lists them).
 */
#ifndef FFFA_TESTS_UNIT_CAPTURE_ATTACH_HOST_H
#define FFFA_TESTS_UNIT_CAPTURE_ATTACH_HOST_H

#include <stdbool.h>

#include "agent/capture/kernel/attach.h"

#define IFINDEX 7

/* Programs have descriptor 100 + number and id 1000 + number, links descriptors of their own. */
struct attach_host {
	int tcx_error, xdp_error, clsact_error; /* of attaching, above 0; 0: done */
	bool makes_qdisc;
	uint32_t link_ifindex; /* where a link is; 0: its device is gone */
	uint32_t clsact_id;    /* of the program that clsact's filter runs */
	int query_error;
	uint32_t ids[3], n; /* of a TCX chain */
	int xdp_query_error;
	uint32_t xdp_id, xdp_flags;
	int order_error;
	struct fffa_clsact_order order;
	char steps[512];
};

extern struct attach_host attach_host;

/* Nothing is there, and nothing fails. */
int attach_host_setup(void **state);
/* Asserts what was asked of the kernel since the last call. */
void attach_host_expect(const char *want);
int attach_host_attach(enum fffa_program p, bool allow_tcx, struct fffa_attachment *a,
		       struct fffa_err *err);
/* The same without a failure; the steps of it are forgotten. */
struct fffa_attachment attach_host_attached(enum fffa_program p, bool allow_tcx);

#endif
