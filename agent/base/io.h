/* SPDX-License-Identifier: MIT */
/* Complete writes. May block; any thread. */
#ifndef FFFA_AGENT_BASE_IO_H
#define FFFA_AGENT_BASE_IO_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#define FFFA_IO_APPEND ((off_t)-1) /* where the descriptor stands */

/*
 * Writes the n spans of v at offset at, goes on after short writes and signals, and changes v. Adds
 * to *done (may be NULL) what was written, also before a failure. 0 or -errno; -EIO when the kernel
 * writes nothing and gives no reason.
 */
int fffa_io_write_all(int fd, struct iovec *v, int n, off_t at, size_t *done);

#endif
