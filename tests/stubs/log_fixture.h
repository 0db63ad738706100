/* SPDX-License-Identifier: MIT */
/* What is logged while a test listens. Assert once it has ended: cmocka writes there, too. */
#ifndef FFFA_TESTS_STUBS_LOG_FIXTURE_H
#define FFFA_TESTS_STUBS_LOG_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/text_count.h"

struct log_fixture {
	int saved;
	FILE *file;
	char text[8192];
};

static inline void log_fixture_begin(struct log_fixture *l)
{
	(void)fflush(stderr);
	l->file = tmpfile();
	l->saved = dup(STDERR_FILENO);
	assert_non_null(l->file);
	assert_true(l->saved >= 0);
	assert_int_equal(dup2(fileno(l->file), STDERR_FILENO), STDERR_FILENO);
}

/* So far; at any time until the end. */
static inline const char *log_fixture_read(struct log_fixture *l)
{
	ssize_t n = pread(fileno(l->file), l->text, sizeof(l->text) - 1, 0);

	l->text[n > 0 ? n : 0] = '\0';
	return l->text;
}

static inline void log_fixture_end(struct log_fixture *l)
{
	(void)log_fixture_read(l);
	(void)fflush(stderr);
	(void)dup2(l->saved, STDERR_FILENO);
	(void)close(l->saved);
	(void)fclose(l->file);
}

static inline size_t log_fixture_count(const struct log_fixture *l, const char *what)
{
	return text_count(l->text, what);
}

#endif
