// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/status/interfaces.h"

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fffa_interfaces));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_counts_by_direction(void **state)
{
	struct fffa_interfaces *s = *state;

	fffa_interfaces_name(s, 2, "eth0");
	fffa_interfaces_count(s, 2, false, 1, 10);
	fffa_interfaces_count(s, 2, true, 2, 20);
	fffa_interfaces_count(s, 2, true, 3, 30);
	assert_int_equal(s->n, 1);
	assert_string_equal(s->v[1].name, "eth0");
	assert_int_equal(s->v[1].amount[0].packets, 1);
	assert_int_equal(s->v[1].amount[0].bytes, 10);
	assert_int_equal(s->v[1].amount[1].packets, 5);
	assert_int_equal(s->v[1].amount[1].bytes, 50);
}

static void test_same_name_goes_on(void **state)
{
	struct fffa_interfaces *s = *state;

	fffa_interfaces_name(s, 2, "veth1");
	fffa_interfaces_count(s, 2, false, 1, 10);
	fffa_interfaces_clear(s);
	assert_int_equal(s->known, 0);
	assert_string_equal(fffa_interfaces_find(s, 2), "");
	fffa_interfaces_name(s, 9, "veth1");
	fffa_interfaces_count(s, 9, false, 1, 10);
	assert_int_equal(s->n, 1);
	assert_int_equal(s->v[1].amount[0].packets, 2);
	assert_string_equal(fffa_interfaces_find(s, 9), "veth1");
	for (uint32_t i = 10; i < 14; i++) { /* also when it is not the first */
		fffa_interfaces_name(s, i, "veth2");
		fffa_interfaces_count(s, i, true, 1, 10);
	}
	assert_int_equal(s->n, 2);
	assert_int_equal(fffa_interfaces_amount(s, "veth2", 1).packets, 4);
}

/* As in records. Two names that look the same there are counted together: a page has each label once. */
static void test_a_name_that_is_not_utf8(void **state)
{
	struct fffa_interfaces *s = *state;

	fffa_interfaces_name(s, 2, "a\xff");
	fffa_interfaces_name(s, 3, "a\xfe");
	fffa_interfaces_count(s, 2, false, 1, 10);
	fffa_interfaces_count(s, 3, false, 2, 20);
	assert_int_equal(s->n, 1);
	assert_string_equal(fffa_interfaces_find(s, 3), "a\xef\xbf\xbd");
	assert_int_equal(fffa_interfaces_amount(s, "a\xfe", 0).packets, 3);
}

static void test_renamed(void **state)
{
	struct fffa_interfaces *s = *state;

	fffa_interfaces_name(s, 2, "old");
	fffa_interfaces_count(s, 2, false, 1, 10);
	fffa_interfaces_name(s, 2, "new");
	fffa_interfaces_count(s, 2, false, 2, 20);
	assert_int_equal(s->v[1].amount[0].packets, 1);
	assert_int_equal(s->v[2].amount[0].packets, 2);
	assert_int_equal(s->known, 1);
}

static void test_unknown_is_counted(void **state)
{
	struct fffa_interfaces *s = *state;

	fffa_interfaces_name(s, 2, "eth0");
	fffa_interfaces_count(s, 3, true, 7, 70);
	assert_int_equal(s->v[0].amount[1].packets, 7);
	assert_int_equal(s->v[1].amount[1].packets, 0);
}

/* Device indexes that share an entry. */
static void test_collisions(void **state)
{
	struct fffa_interfaces *s = *state;

	for (uint32_t i = 0; i < 3; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "d%u", i);
		fffa_interfaces_name(s, 1023 + i * FFFA_INTERFACES_INDEXES, name);
	}
	for (uint32_t i = 0; i < 3; i++)
		fffa_interfaces_count(s, 1023 + i * FFFA_INTERFACES_INDEXES, false, i + 1, 1);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(s->v[i + 1].amount[0].packets, i + 1);
	assert_string_equal(fffa_interfaces_find(s, 1023 + 3 * FFFA_INTERFACES_INDEXES), "");
}

/* Names beyond the room for them share one count, so that nothing is lost. */
static void test_full(void **state)
{
	struct fffa_interfaces *s = *state;
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= 5000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "d%u", i);
		fffa_interfaces_name(s, i, name);
		fffa_interfaces_count(s, i, false, 1, 1);
	}
	assert_int_equal(s->n, FFFA_INTERFACES_MAX);
	assert_int_equal(s->known, FFFA_INTERFACES_INDEXES / 2); /* the search stays short */
	for (size_t i = 0; i <= s->n; i++)
		sum += s->v[i].amount[0].packets;
	assert_int_equal(sum, 5000);
	assert_int_equal(s->v[0].amount[0].packets, 5000 - FFFA_INTERFACES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts_by_direction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_name_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_name_that_is_not_utf8, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collisions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
