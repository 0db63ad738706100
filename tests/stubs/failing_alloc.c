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
	__atomic_store_n(&state.fired, false, __ATOMIC_RELAXED);
	__atomic_store_n(&state.left, n, __ATOMIC_RELAXED);
}

bool failing_alloc_fired(void)
{
	return __atomic_load_n(&state.fired, __ATOMIC_RELAXED);
}

static bool fails(void)
{
	/* also from the worker pool */
	unsigned long left = __atomic_load_n(&state.left, __ATOMIC_RELAXED);

	while (left && !__atomic_compare_exchange_n(&state.left, &left, left - 1, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
	}
	if (left != 1)
		return false;
	__atomic_store_n(&state.fired, true, __ATOMIC_RELAXED);
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
