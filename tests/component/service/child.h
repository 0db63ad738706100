/* SPDX-License-Identifier: MIT */
/* What cannot be undone is tried in a child of this process. */
#ifndef FFFA_TESTS_COMPONENT_SERVICE_CHILD_H
#define FFFA_TESTS_COMPONENT_SERVICE_CHILD_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* In a child: says what is not so and counts it. The child's body returns child_failures. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			child_failures++;                                                          \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);   \
		}                                                                                  \
	} while (0)
extern int child_failures;

/* Runs body in a child and fails the test unless it returns 0. */
void child_run(int (*body)(void));

/* Of this thread. */
struct child_caps {
	uint64_t effective, permitted, inheritable;
};
struct child_caps child_caps(void);
/* False: this process may not. */
bool child_set_caps(const struct child_caps *c);
/* Skips the test, by name, when this process lacks one of them. */
void child_need_caps(uint64_t caps);

#endif
