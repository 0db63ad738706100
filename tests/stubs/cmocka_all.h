/* SPDX-License-Identifier: MIT */
/* cmocka.h needs these before it. */
#ifndef FFFA_TESTS_STUBS_CMOCKA_ALL_H
#define FFFA_TESTS_STUBS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#endif
