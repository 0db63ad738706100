/* SPDX-License-Identifier: MIT */
/* cmocka.h and the headers that it needs in front of it. */
#ifndef FFFA_TESTS_STUBS_CMOCKA_ALL_H
#define FFFA_TESTS_STUBS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/*
 * cmocka 2 has one macro for each sign and deprecates assert_in_range. Nobody can use that one here, so that what
 * compiles with cmocka 1 compiles with cmocka 2.
 */
#ifndef assert_uint_in_range
#define assert_uint_in_range(value, min, max)                                                      \
	_assert_in_range((uintmax_t)(value), min, max, __FILE__, __LINE__)
#endif
#undef assert_in_range

#endif
