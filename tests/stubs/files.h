/* SPDX-License-Identifier: MIT */
/* Files of a test. Each function fails the test when it cannot do its work. */
#ifndef FFFA_TESTS_STUBS_FILES_H
#define FFFA_TESTS_STUBS_FILES_H

#include <stddef.h>
#include <sys/resource.h>

/* The whole file, with a zero behind it; len may be NULL. The caller frees. */
char *files_read(const char *path, size_t *len);

/* Makes the file, or begins it anew, with n bytes. */
void files_write(const char *path, const void *bytes, size_t n);

/*
 * Files of this process do not grow beyond so many bytes: a longer write is cut short, then fails
 * with EFBIG (SIGXFSZ must be ignored). RLIM_INFINITY ends it.
 */
void files_limit_size(rlim_t bytes);

/* Removes a folder with all that lies in it. */
void files_remove(const char *folder);

#endif
