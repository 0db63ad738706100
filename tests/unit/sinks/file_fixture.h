/* SPDX-License-Identifier: MIT */
/* A folder for one test, and the configuration of a file sink that writes flows.log in it. */
#ifndef FFFA_TESTS_UNIT_SINKS_FILE_PLACE_H
#define FFFA_TESTS_UNIT_SINKS_FILE_PLACE_H

#include "sinks/file/file.h"
#include "tests/stubs/sink_fixture.h"

struct file_fixture {
	char dir[64];
	char path[96];
	struct fffa_sink_file_conf conf; /* only the path is set */
	size_t open;			 /* descriptors at the begin */
};

/*
 * For cmocka: *state is the struct; teardown removes the folder with all that lies in it, and asserts
 * that no descriptor was left open.
 */
int file_fixture_setup(void **state);
int file_fixture_teardown(void **state);

/* The file holds head, then the batch of a, then that of b (NULL: none), and nothing else. */
void file_fixture_expect(const char *path, const char *head, const struct fixture_delivery *a,
			 const struct fixture_delivery *b);

#endif
