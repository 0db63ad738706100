/* SPDX-License-Identifier: MIT */
/* The records of tests/data/encode: each golden file has one of each, in this order. */
#ifndef FFFA_TESTS_UNIT_ENCODE_CASES_H
#define FFFA_TESTS_UNIT_ENCODE_CASES_H

#include "tests/unit/encode/sample.h"

struct encode_case {
	const char *name;
	void (*make)(struct sample *s); /* s is sample_tcp already */
};

extern const struct encode_case encode_cases[];
extern const size_t encode_case_count;

#endif
