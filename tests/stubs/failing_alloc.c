// SPDX-License-Identifier: MIT
#include "tests/stubs/failing_alloc.h"

#include <stddef.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static struct {
	unsigned long left;
	bool fired;
} state;

void failing_alloc_arm(unsigned long n)
{
	state.left = n;
	state.fired = false;
}

bool failing_alloc_fired(void)
{
	return state.fired;
}

static bool fails(void)
{
	if (!state.left || --state.left)
		return false;
	state.fired = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}
