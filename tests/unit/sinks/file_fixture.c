// SPDX-License-Identifier: MIT
#include "tests/unit/sinks/file_fixture.h"

#include "tests/stubs/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/files.h"

int file_fixture_setup(void **state)
{
	struct file_fixture *p = calloc(1, sizeof(*p));
	uv_loop_t loop;

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
	/* The first loop of a process opens what stays open. */
	if (uv_loop_init(&loop) || uv_loop_close(&loop))
		return -1;
	p->open = files_open();
	return 0;
}

int file_fixture_teardown(void **state)
{
	struct file_fixture *p = *state;

	assert_int_equal(files_open(), p->open);
	files_remove(p->dir);
	free(p);
	return 0;
}

void file_fixture_expect(const char *path, const char *head, const struct fixture_delivery *a,
			 const struct fixture_delivery *b)
{
	const struct fixture_delivery *const deliveries[] = {a, b};
	char *text = files_read(path, NULL), *at = text;

	assert_int_equal(strncmp(at, head, strlen(head)), 0);
	at += strlen(head);
	for (size_t i = 0; i < 2 && deliveries[i]; i++) {
		struct fffa_span s = fffa_batch_bytes(deliveries[i]->d.batch);

		assert_true(strlen(at) >= s.len);
		assert_memory_equal(at, s.ptr, s.len);
		at += s.len;
	}
	assert_string_equal(at, "");
	free(text);
}
