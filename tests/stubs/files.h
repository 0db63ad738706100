/* SPDX-License-Identifier: MIT */
/* Files of a test. Each function fails the test when it cannot do its work. */
#ifndef FFFA_TESTS_STUBS_FILES_H
#define FFFA_TESTS_STUBS_FILES_H

#include <stddef.h>
#include <sys/resource.h>

/* Reads the whole file and puts a NUL behind it. len may be NULL. The caller frees. */
char *files_read(const char *path, size_t *len);

/* Writes n bytes to the file, new or replaced. */
void files_write(const char *path, const void *bytes, size_t n);

/*
 * Files of this process do not grow beyond this many bytes: a longer write is cut short, then fails
 * with EFBIG (SIGXFSZ must be ignored). RLIM_INFINITY ends that.
 */
void files_limit_size(rlim_t bytes);

/* Removes a folder with all its contents. */
void files_remove(const char *folder);

/* How many descriptors this process has open. */
size_t files_open(void);

#endif
