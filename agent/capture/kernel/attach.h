/* SPDX-License-Identifier: MIT */
/*
 * Attaches one program to one device. The kernel removes TCX and XDP attachments when the process
 * ends. A clsact filter stays after a crash; the next start recognises and replaces it. Calls for
 * one attachment come one after the other, from any thread.
 */
#ifndef FFFA_AGENT_CAPTURE_KERNEL_ATTACH_H
#define FFFA_AGENT_CAPTURE_KERNEL_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/capture/kernel/clsact.h"
#include "agent/capture/kernel/kernel.h"

enum fffa_attach_how { FFFA_ATTACH_NONE, FFFA_ATTACH_TCX, FFFA_ATTACH_CLSACT, FFFA_ATTACH_XDP };

struct fffa_attachment {
	enum fffa_attach_how how; /* NONE: nothing is attached */
	enum fffa_program program;
	uint32_t ifindex;
	uint32_t prog_id;
	int link_fd; /* TCX, XDP; -1: taken off, and not put back */
	struct fffa_clsact clsact;
};

/* Attaches a TC program, by TCX where allow_tcx and the kernel has it (6.6), else by clsact. 0 or
 * -errno with err. */
int fffa_attach_tc(const struct fffa_kernel *k, enum fffa_program program, uint32_t ifindex,
		   const char *ifname, bool allow_tcx, struct fffa_attachment *out,
		   struct fffa_err *err);
/* Attaches the XDP program in native (driver) mode. -EBUSY: another program is there; -EOPNOTSUPP:
 * no native XDP. */
int fffa_attach_xdp(const struct fffa_kernel *k, uint32_t ifindex, const char *ifname,
		    struct fffa_attachment *out, struct fffa_err *err);
/*
 * Attaches again what was taken off, or moves it before all other programs of its hook. With TCX no
 * packet passes uncounted or is counted twice during a move, but for those in flight. 0; -errno
 * with err: a stays as it was, or is off, and the call may be repeated.
 */
int fffa_attach_put_back(struct fffa_kernel *k, struct fffa_attachment *a, const char *ifname,
			 struct fffa_err *err);
/*
 * Detaches the n attachments of one device. Removes the clsact qdisc that one of them made when
 * nothing else is on it. The programs do not run there any more after a grace period. Allowed on
 * NONE and when the device is gone.
 */
void fffa_attach_undo(struct fffa_attachment *a, size_t n);
/* True while the device exists and the program is attached to it. */
bool fffa_attach_is_in_place(const struct fffa_attachment *a);

/* "tcx", "clsact", "xdp". */
const char *fffa_attach_name(enum fffa_attach_how how);

#endif
