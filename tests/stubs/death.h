/* SPDX-License-Identifier: MIT */
/* For tests of FFFA_ASSERT: runs code that must abort, in a process of its own. */
#ifndef FFFA_TESTS_STUBS_DEATH_H
#define FFFA_TESTS_STUBS_DEATH_H

#include <stddef.h>

/*
 * Runs body(arg) in a child and checks that it ends with SIGABRT. What it wrote to standard error
 * is in said afterwards, cut to cap - 1 bytes.
 */
void death_expect(void (*body)(void *arg), void *arg, char *said, size_t cap);

#endif
