// SPDX-License-Identifier: MIT
/* Readers of records: each gets what its filter wants, and a slow one loses its own copies only. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status/records/records.h"

static const struct fffa_ident_host host = {.agent_id = "me"};
static const struct fffa_ident ident = {.host = &host};

static void on_wake(void *arg)
{
	++*(unsigned int *)arg;
}

static void add(struct fffa_records *s, uint64_t seq, uint8_t proto)
{
	const struct fffa_record r = {
		.ident = &ident,
		.seq = seq,
		.key = {.proto = proto, .view = FFFA_VIEW_IPV6},
		.status = proto ? FFFA_STATUS_OK : FFFA_STATUS_NODATA,
	};

	fffa_records_add(s, &r);
}

static struct fffa_records_reader *join(struct fffa_records *s, const char *filter,
					unsigned int *wakes)
{
	struct fffa_records_reader *r = NULL;
	struct fffa_filter *f = NULL;
	struct fffa_err err = {""};

	if ((filter && fffa_filter_new(filter, &f, &err)) ||
	    fffa_records_join(s, f, on_wake, wakes, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

/* Appends all that can be taken, by pieces of max bytes. */
static size_t take_all(struct fffa_records_reader *r, char *dst, size_t cap, size_t max)
{
	size_t n = 0, got;

	while ((got = fffa_records_take(r, dst + n, max < cap - n - 1 ? max : cap - n - 1)))
		n += got;
	dst[n] = '\0';
	return n;
}

static void each_reader_gets_what_it_wants(void **state)
{
	struct fffa_records s = {0};
	unsigned int wakes = 0;
	struct fffa_records_reader *all, *tcp;
	char text[4096];

	(void)state;
	add(&s, 1, 6); /* nobody reads */
	all = join(&s, NULL, &wakes);
	tcp = join(&s, "tcp", &wakes);
	assert_int_equal(fffa_records_take(all, text, sizeof(text)), 0);
	assert_int_equal(fffa_records_take(tcp, text, sizeof(text)), 0);
	add(&s, 2, 17);
	assert_int_equal(wakes, 1);
	add(&s, 3, 6);
	add(&s, 4, 0);
	assert_int_equal(wakes, 2);
	(void)take_all(all, text, sizeof(text), 7);
	assert_non_null(strstr(text, "\"seq\":2,"));
	assert_non_null(strstr(text, "\"seq\":3,"));
	assert_non_null(strstr(text, "\"seq\":4,"));
	assert_null(strstr(text, "\"seq\":1,"));
	(void)take_all(tcp, text, sizeof(text), 100);
	assert_null(strstr(text, "\"seq\":2,"));
	assert_non_null(strstr(text, "\"seq\":3,"));
	assert_non_null(strstr(text, "\"seq\":4,"));
	fffa_records_leave(&s, all);
	fffa_records_leave(&s, tcp);
	fffa_records_leave(&s, NULL);
	fffa_records_fini(&s);
}

static void a_slow_reader_loses_its_own_copies(void **state)
{
	enum { SENT = 20000 };
	struct fffa_records s = {0};
	unsigned int wakes = 0;
	struct fffa_records_reader *slow, *fast;
	char *text = malloc(2 * FFFA_RECORDS_READER_BYTES);
	uint64_t lines = 0, lost = 0, seen = 0;
	char *line, *save = NULL;

	(void)state;
	slow = join(&s, NULL, &wakes);
	fast = join(&s, "", &wakes);
	for (uint64_t seq = 1; seq <= SENT; seq++) {
		add(&s, seq, 6);
		(void)take_all(fast, text, 2 * FFFA_RECORDS_READER_BYTES, 1 << 16);
		assert_null(strstr(text, "SKIPDATA"));
		seen += *text != '\0';
	}
	assert_int_equal(seen, SENT);
	(void)take_all(slow, text, 2 * FFFA_RECORDS_READER_BYTES, 1 << 16);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *n = strstr(line, "\"lost_records\":");

		assert_true(line[0] == '{' && line[strlen(line) - 1] == '}');
		lines += !n;
		if (n)
			lost += strtoull(n + 15, NULL, 10);
		if (n)
			assert_non_null(strstr(line, "\"lost_reason\":\"slow_reader\""));
	}
	assert_true(lines > 100 && lost > 100);
	assert_int_equal(lines + lost, SENT);
	free(text);
	fffa_records_leave(&s, fast);
	fffa_records_leave(&s, slow);
	fffa_records_fini(&s);
}

static void readers_are_bounded(void **state)
{
	struct fffa_records s = {0};
	struct fffa_records_reader *r[FFFA_RECORDS_READERS_MAX], *more = NULL;
	unsigned int wakes = 0;
	struct fffa_err err = {""};

	(void)state;
	for (size_t i = 0; i < FFFA_RECORDS_READERS_MAX; i++)
		r[i] = join(&s, NULL, &wakes);
	assert_int_equal(fffa_records_join(&s, NULL, on_wake, &wakes, &more, &err), -EBUSY);
	assert_string_equal(err.text, "there are 8 readers of records already");
	assert_null(more);
	for (size_t i = 0; i < FFFA_RECORDS_READERS_MAX; i++)
		fffa_records_leave(&s, r[i]);
	assert_int_equal(s.count, 0);
	fffa_records_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reader_gets_what_it_wants),
		cmocka_unit_test(a_slow_reader_loses_its_own_copies),
		cmocka_unit_test(readers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
