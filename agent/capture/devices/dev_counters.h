/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own counters of a device, and the network namespace that its name belongs to. They
 * cover the time in which no hook was attached. Any thread.
 */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_DEV_COUNTERS_H
#define FFFA_AGENT_CAPTURE_DEVICES_DEV_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/ledger.h"

/* Link-layer bytes. [0] received, [1] sent: the order of fffa_ledger.seen. */
struct fffa_dev_counters {
	struct fffa_amount dir[2];
};

/*
 * Finds a device in the text of /proc/net/dev (proc_pid_net(5)). 0, or -ENODEV with *out unchanged.
 */
int fffa_dev_counters_find(const char *text, const char *name, struct fffa_dev_counters *out);

/*
 * /proc/net/dev of this namespace with a NUL; the caller frees it. At most 4 MiB. NULL: see errno.
 */
char *fffa_dev_counters_read(void);

/* Unique over all namespaces since boot (SO_NETNS_COOKIE, Linux 5.14); 0: not known. */
uint64_t fffa_dev_counters_netns(void);

/* /proc/sys/kernel/random/boot_id; empty when it cannot be read. */
void fffa_dev_counters_boot_id(char dst[40]);

#endif
