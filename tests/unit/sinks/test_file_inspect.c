// SPDX-License-Identifier: MIT
/* What the sink makes of a file that is there when it starts. */
#include "tests/stubs/cmocka_all.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/format.h"
#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/file_fixture.h"

/*
 * Records are lines of 30 bytes as make_batch makes them: a number, a space, x. "old" begins a record
 * with other fields.
 */
static enum fffa_found recognize_line(const void *recognizer, const uint8_t *p, size_t n,
				      size_t *len)
{
	size_t i = 0;

	(void)recognizer;
	*len = 0;
	if (n >= 3 && !memcmp(p, "old", 3))
		return FFFA_FOUND_OTHER;
	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	if (i && i < n && p[i] == ' ')
		i++;
	while (i < n && i < 29 && p[i] == 'x')
		i++;
	if (i == n)
		return n == 29 ? FFFA_FOUND_UNTERMINATED : FFFA_FOUND_TORN;
	if (i != 29 || p[i] != '\n')
		return FFFA_FOUND_FOREIGN;
	*len = 30;
	return FFFA_FOUND_RECORD;
}

/* The same, without newlines: every record is 30 bytes that begin with a number. */
static enum fffa_found recognize_binary(const void *recognizer, const uint8_t *p, size_t n,
					size_t *len)
{
	enum fffa_found found = recognize_line(recognizer, p, n, len);

	return found == FFFA_FOUND_UNTERMINATED ? FFFA_FOUND_TORN : found;
}

/* Runs the sink for three records from first on; returns the file as a string. */
static char *live_as(struct file_fixture *p, unsigned int format, const char *preamble,
		     uint64_t first)
{
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, preamble);
	r.env.format = format;
	r.env.recognize = format == FFFA_FORMAT_MSGPACK ? recognize_binary : recognize_line;
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &d, make_batch(first, 3, 30)).verdict,
			 FFFA_V_DELIVERED);
	sink_fixture_close(&r);
	fixture_delivery_fini(&d);
	return files_read(p->path, NULL);
}

static char *live(struct file_fixture *p, unsigned int format, uint64_t first)
{
	return live_as(p, format, "h\n", first);
}

/*
 * An agent that is killed while it writes leaves a file that ends anywhere. Whole records stay, also
 * one that only lacks its newline; a torn one goes (it comes again), and the next batch begins on a
 * new line. A torn header is completed.
 */
static void a_torn_end_is_cut_at_the_start(void **state)
{
	struct file_fixture *p = *state;
	char *whole = live(p, FFFA_FORMAT_JSON, 1), *text, want[256];
	size_t len = strlen(whole);

	assert_int_equal(len, 2 + 90);
	for (size_t cut = 0; cut <= len; cut++) {
		size_t stays = cut < 2 ? 2 : cut - (cut - 2) % 30;

		if (cut > 2 && (cut - 2) % 30 == 29)
			stays = cut + 1;
		files_write(p->path, whole, cut);
		text = live(p, FFFA_FORMAT_JSON, 1);
		(void)snprintf(want, sizeof(want), "%.*s%s", (int)stays, whole, whole + 2);
		assert_string_equal(text, want);
		free(text);
	}
	free(whole);
}

/* Records that no newline separates are told apart by what they say. */
static void a_torn_map_is_cut_at_the_start(void **state)
{
	struct file_fixture *p = *state;
	char *whole = live_as(p, FFFA_FORMAT_MSGPACK, "", 1), *text, want[256];
	size_t len = strlen(whole);

	for (size_t cut = 30; cut <= len; cut++) {
		files_write(p->path, whole, cut);
		text = live_as(p, FFFA_FORMAT_MSGPACK, "", 1);
		(void)snprintf(want, sizeof(want), "%.*s%s", (int)(cut - cut % 30), whole, whole);
		assert_string_equal(text, want);
		free(text);
	}
	free(whole);
}

/* Nothing precedes the begin of the only record: it must be long enough to be one for sure. */
static void a_file_of_one_torn_record(void **state)
{
	static const char record[] = "7 xxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const unsigned int formats[] = {FFFA_FORMAT_JSON, FFFA_FORMAT_MSGPACK,
					       FFFA_FORMAT_VPC};
	struct file_fixture *p = *state;
	char *text, want[128];

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		for (int cut = 20; cut <= 28; cut++) {
			bool goes = cut >= 24 && formats[i] != FFFA_FORMAT_VPC;

			files_write(p->path, record, (size_t)cut);
			text = live_as(p, formats[i], "", 1);
			(void)snprintf(want, sizeof(want), "%.*s%s1 x", goes ? 0 : cut, record,
				       goes ? "" : "\n");
			assert_int_equal(strncmp(text, want, strlen(want)), 0);
			assert_int_equal(strlen(text), strlen(want) - 3 + 90);
			free(text);
		}
	}
}

/* A longer file is searched from behind only; the window begins within a record. */
static void the_end_of_a_large_file(void **state)
{
	struct file_fixture *p = *state;
	size_t n = (size_t)30 * 10000 + 17;
	char *all = malloc(n + 1), *text;

	for (unsigned int format = FFFA_FORMAT_JSON; format <= FFFA_FORMAT_MSGPACK; format++) {
		for (size_t at = 0; at < n; at += 30)
			(void)snprintf(all + at, n + 1 - at, "7 xxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
		files_write(p->path, all, n);
		text = live_as(p, format, "", 1);
		assert_int_equal(strlen(text), n - 17 + 90);
		assert_memory_equal(text, all, n - 17);
		free(text);
	}
	free(all);
}

/* What is not a record of this sink keeps every byte; the next record begins on a new line. */
static void bytes_of_others_stay(void **state)
{
	static const char *const texts[] = {
		"hello",      "hello\nworld",
		"a\n\nb",     "7 xxxxxxxxxxxxxxxxxxxxxxxxxxx\nnote to self",
		"note\n7 xx", "7 xx",
		"x",	      "\n-",
		"h",	      "hh\n7 xx",
	};
	struct file_fixture *p = *state;
	char want[256], *text;

	for (unsigned int format = FFFA_FORMAT_JSON; format <= FFFA_FORMAT_MSGPACK; format++) {
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			files_write(p->path, texts[i], strlen(texts[i]));
			text = live_as(p, format, "", 1);
			(void)snprintf(want, sizeof(want), "%s\n1 x", texts[i]);
			assert_int_equal(strncmp(text, want, strlen(want)), 0);
			assert_int_equal(strlen(text), strlen(texts[i]) + 1 + 90);
			free(text);
		}
	}
}

static void a_file_without_lines_stays(void **state)
{
	struct file_fixture *p = *state;
	size_t n = (size_t)5 * FFFA_RECORD_BYTES_MAX + 1;
	char *big = malloc(n), *text;

	memset(big, 'b', n);
	files_write(p->path, big, n);
	text = live(p, FFFA_FORMAT_JSON, 1);
	assert_int_equal(strlen(text), n + 1 + 90);
	assert_memory_equal(text, big, n);
	free(text);
	free(big);
}

/* Counts the files beside flows.log whose content is exactly this. */
static int count_rotated(const struct file_fixture *p, const char *content)
{
	struct dirent **list;
	int n = scandir(p->dir, &list, NULL, NULL), found = 0;
	char path[400], *text;

	assert_true(n >= 2);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", p->dir, list[i]->d_name);
		if (!strncmp(list[i]->d_name, "flows.log.", 10)) {
			text = files_read(path, NULL);
			found += !strcmp(text, content);
			free(text);
			assert_int_equal(unlink(path), 0);
		}
		free(list[i]);
	}
	free(list);
	return found;
}

/* Records with other fields, and records without the header, are put aside whole. */
static void an_unfit_file_is_rotated(void **state)
{
	static const char *const texts[] = {"old fields\n1 2 3\n", "old fields\n1 2",
					    "7 xxxxxxxxxxxxxxxxxxxxxxxxxxx\n7 xx"};
	struct file_fixture *p = *state;
	char *text;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		files_write(p->path, texts[i], strlen(texts[i]));
		text = live(p, FFFA_FORMAT_VPC, 1);
		assert_int_equal(strncmp(text, "h\n1 x", 5), 0);
		assert_int_equal(strlen(text), 2 + 90);
		free(text);
		assert_int_equal(count_rotated(p, texts[i]), 1);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_torn_end_is_cut_at_the_start), CASE(a_torn_map_is_cut_at_the_start),
		CASE(the_end_of_a_large_file),	      CASE(bytes_of_others_stay),
		CASE(a_file_without_lines_stays),     CASE(an_unfit_file_is_rotated),
		CASE(a_file_of_one_torn_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
