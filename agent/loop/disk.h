/* SPDX-License-Identifier: MIT */
/* What a start asks of a disk, without waiting for one that stands still. */
#ifndef FFFA_AGENT_LOOP_DISK_H
#define FFFA_AGENT_LOOP_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/clock.h"

/* How long a start waits for one disk. */
#define FFFA_DISK_WAIT_NS (10 * FFFA_NS_PER_S)

/*
 * Blocks until work(ARG) has returned, which runs on a thread of its own with a copy of the bytes of
 * arg; at most so long. 0: *result is what it returned. -ETIMEDOUT: the thread is left behind, and
 * goes on when the disk answers. Another -errno: it does not run.
 */
int fffa_disk_run(int (*work)(void *arg), const void *arg, size_t bytes, uint64_t timeout_ns,
		  int *result);

/*
 * Blocks until the file system of directory path has made a file without a name, or has refused to;
 * at most so long. Where path does not exist, its nearest parent is asked. 0, or as fffa_disk_run.
 */
int fffa_disk_await(const char *path, uint64_t timeout_ns);

#endif
