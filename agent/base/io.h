/* SPDX-License-Identifier: MIT */
/* Complete writes, and reads of files that nobody must wait for. May block on a disk; any thread. */
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

struct stat;

/* 0; -EISDIR: st is of a folder; -EMEDIUMTYPE: of a FIFO, a device and the like. */
int fffa_io_check_regular(const struct stat *st);

/*
 * Opens a regular file: path as seen from dir_fd (AT_FDCWD), with these flags of open. Never waits
 * for another process. A file that O_CREAT makes has mode 0600. Returns the descriptor, which the
 * caller closes, or -errno, also those of fffa_io_check_regular.
 */
int fffa_io_open_regular(int dir_fd, const char *path, int flags);

/*
 * Reads a whole regular file of at most cap bytes. 0: *text (caller frees) has *len bytes and a NUL
 * behind them. -EFBIG: it is larger. -ENOMEM, or as fffa_io_open_regular; then nothing is set.
 */
int fffa_io_read_regular(const char *path, size_t cap, char **text, size_t *len);

/* The same for an open descriptor of any kind, from where it stands; waits for its end. */
int fffa_io_read_all(int fd, size_t cap, char **text, size_t *len);

/* What the -errno of one of the above means, as a phrase; static, or as strerror's. */
const char *fffa_io_strerror(int rc);

#endif
