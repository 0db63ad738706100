/* SPDX-License-Identifier: MIT */
/*
 * Makes the n-th allocation fail. Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * (FFFA_WRAP_ALLOC in CMake). Only allocations of the program's own objects count, not those inside
 * shared libraries.
 */
#ifndef FFFA_TESTS_STUBS_FAILING_ALLOC_H
#define FFFA_TESTS_STUBS_FAILING_ALLOC_H

#include <stdbool.h>

/*
 * From now on the n-th allocation (from 1) returns NULL; those before and after it work. 0:
 * all work.
 */
void failing_alloc_arm(unsigned long n);
/* True when the armed failure has happened. */
bool failing_alloc_fired(void);

#endif
