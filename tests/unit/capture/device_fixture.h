/* SPDX-License-Identifier: MIT */
/* Shared by the tests of devices. */
#ifndef FFFA_TESTS_UNIT_CAPTURE_DEVICE_FIXTURE_H
#define FFFA_TESTS_UNIT_CAPTURE_DEVICE_FIXTURE_H

#include <string.h>

#include "config/option.h"
#include "tests/stubs/cmocka_all.h"

#define NAMES_MAX 8

/* Runs a shell command that changes devices; fails the test when it fails. */
static inline void run_ip(const char *command)
{
	if (system(command))
		fail_msg("%s failed", command);
}

/* Splits a text at spaces. The list uses v, with room for NAMES_MAX, and points into text. */
static inline struct fffa_strings split_names(char *text, char *v[NAMES_MAX])
{
	struct fffa_strings s = {.v = v};

	for (char *w = strtok(text, " "); w; w = strtok(NULL, " ")) {
		assert_true(s.n < NAMES_MAX);
		v[s.n++] = w;
	}
	return s;
}

#endif
