// SPDX-License-Identifier: MIT
#include "tests/unit/sinks/file_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	DIR *d = opendir(p->dir);
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[400];

		(void)snprintf(path, sizeof(path), "%s/%s", p->dir, e->d_name);
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			(void)remove(path);
	}
	if (d)
		(void)closedir(d);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}
