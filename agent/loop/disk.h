/* SPDX-License-Identifier: MIT */
/* Whether a disk takes writes, for a start that must not wait for one that stands still. */
#ifndef FFFA_AGENT_LOOP_DISK_H
#define FFFA_AGENT_LOOP_DISK_H

#include <stdint.h>

/*
 * Blocks until the file system of directory path has made a file without a name, or has refused to;
 * at most so long. Where path does not exist, its nearest parent is asked. 0; -ETIMEDOUT: a thread
 * is left behind, which ends when the disk answers; or another -errno, and the disk was not asked.
 */
int fffa_disk_await(const char *path, uint64_t timeout_ns);

#endif
