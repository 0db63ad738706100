// SPDX-License-Identifier: MIT
#include "tests/unit/sinks/file_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/files.h"

int file_fixture_setup(void **state)
{
	struct file_fixture *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	strcpy(p->dir, "fffa-file-XXXXXX");
	if (!mkdtemp(p->dir)) {
		free(p);
		return -1;
	}
	(void)snprintf(p->path, sizeof(p->path), "%s/flows.log", p->dir);
	p->conf.path = p->path;
	*state = p;
	return 0;
}

int file_fixture_teardown(void **state)
{
	struct file_fixture *p = *state;

	files_remove(p->dir);
	free(p);
	return 0;
}
