/* SPDX-License-Identifier: MIT */
/* A folder of a test's own, and a file sink that writes PATH = DIR/flows.log in it. */
#ifndef FFFA_TESTS_UNIT_SINKS_FILE_PLACE_H
#define FFFA_TESTS_UNIT_SINKS_FILE_PLACE_H

#include "sinks/file/file.h"

struct place {
	char dir[64];
	char path[96];
	struct fffa_sink_file_conf conf; /* only the path is set */
};

/* For cmocka: *state is the place; teardown removes the folder with all that lies in it. */
int file_place_setup(void **state);
int file_place_teardown(void **state);

#endif
