// SPDX-License-Identifier: MIT
/* What a killed agent has left at the end of a file. */
#include "tests/stubs/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/format.h"
#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/file_fixture.h"

/* Runs the sink for three records from first on; returns the file as a string. */
static char *live(struct file_fixture *p, unsigned int format, uint64_t first)
{
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	r.env.format = format;
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &d, make_batch(first, 3, 30)).verdict,
			 FFFA_V_DELIVERED);
	sink_fixture_close(&r);
	fixture_delivery_fini(&d);
	return files_read(p->path, NULL);
}

/*
 * An agent that is killed while it writes leaves a file that ends anywhere. Whole records stay, a
 * torn one goes (it comes again), and the next batch begins on a new line.
 */
static void a_torn_end_is_cut_at_the_start(void **state)
{
	struct file_fixture *p = *state;
	char *whole = live(p, FFFA_FORMAT_JSON, 1), *text, want[256];
	size_t len = strlen(whole);

	assert_int_equal(len, 2 + 90);
	for (size_t cut = 0; cut <= len; cut++) {
		size_t stays = cut < 2 ? 0 : cut - (cut - 2) % 30;

		files_write(p->path, whole, cut);
		text = live(p, FFFA_FORMAT_JSON, 1);
		(void)snprintf(want, sizeof(want), "%.*s%s", (int)stays, whole,
			       stays ? whole + 2 : whole);
		assert_string_equal(text, want);
		free(text);
	}
	free(whole);
}

/* A file without line ends, and one in a format without lines, stay as they are. */
static void what_has_no_lines_is_not_cut(void **state)
{
	struct file_fixture *p = *state;
	size_t n = FFFA_RECORD_BYTES_MAX + 1;
	char *big = malloc(n), *text;

	memset(big, 'b', n);
	files_write(p->path, big, n);
	text = live(p, FFFA_FORMAT_JSON, 1);
	assert_int_equal(strlen(text), n + 90);
	free(text);
	files_write(p->path, "a\nb", 3);
	text = live(p, FFFA_FORMAT_MSGPACK, 1);
	assert_int_equal(strncmp(text, "a\nb1 ", 5), 0);
	free(text);
	free(big);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_torn_end_is_cut_at_the_start),
		CASE(what_has_no_lines_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
