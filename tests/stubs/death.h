/* SPDX-License-Identifier: MIT */
/* For tests of FFFA_ASSERT: runs code that must abort in a process of its own. */
#ifndef FFFA_TESTS_STUBS_DEATH_H
#define FFFA_TESTS_STUBS_DEATH_H

#include <stddef.h>

/*
 * Runs body(arg) in a child and checks that it ends with SIGABRT. said gets what it wrote to
 * standard error, cut to cap - 1 bytes.
 */
void death_expect(void (*body)(void *arg), void *arg, char *said, size_t cap);

#endif
