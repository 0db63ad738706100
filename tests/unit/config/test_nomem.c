/* SPDX-License-Identifier: MIT */
/*
 * Reading when the n-th allocation fails, for every n: always -ENOMEM, never a leak or a
 * partial result.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

/* Number of the allocation that fails; 0: none. */
static unsigned int countdown;

static bool fails(void)
{
	return countdown && !--countdown;
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

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

static const char text[] = "capture: {interfaces: [eth0, '${A}'], vxlan_ports: [1]}\n"
			   "metadata: {static: {region: '${NONE:-x}', az: y}}\n"
			   "sinks:\n"
			   "- name: ${A}\n"
			   "  type: demo\n"
			   "  format: json\n"
			   "  fields: [a, b]\n"
			   "  tls: {password_file: /secret}\n"
			   "  hosts: [a, b]\n"
			   "  properties: {a: b, c: d}\n"
			   "- {name: plain, type: file}\n";

/* Returns how many allocations a load needs. */
static unsigned int fail_each(const char *what)
{
	static const struct fffa_config empty;
	struct fffa_config c;
	struct problems p;
	unsigned int n;
	int rc;

	for (n = 1;; n++) {
		countdown = n;
		rc = load(what, &c, &p);
		if (countdown)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(p.count, 1);
		assert_non_null(strstr(p.text, ": out of memory\n"));
		assert_memory_equal(&c, &empty, sizeof(c));
	}
	countdown = 0;
	assert_int_equal(rc, 0);
	assert_string_equal(p.text, "");
	fffa_config_free(&c);
	return n;
}

static void test_every_allocation(void **state)
{
	unsigned int n = fail_each(text);

	(void)state;
	print_message("%u allocations failed in turn\n", n - 1);
	assert_true(n > 100);
}

static void test_built_in(void **state)
{
	(void)state;
	assert_true(fail_each("") > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation),
		cmocka_unit_test(test_built_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
