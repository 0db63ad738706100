// SPDX-License-Identifier: MIT
/* A line of the log: its form, its level, and that texts from outside stay within it. */
#include "tests/stubs/cmocka_all.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/format.h"
#include "agent/base/log.h"

struct capture {
	char text[8192];
	int file, saved;
};

static int setup(void **state)
{
	struct capture *c = test_calloc(1, sizeof(*c));
	char name[] = "/tmp/fffa-log-XXXXXX";

	c->file = mkstemp(name);
	assert_true(c->file >= 0);
	assert_int_equal(unlink(name), 0);
	c->saved = dup(STDERR_FILENO);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct capture *c = *state;

	fffa_log_setup(FFFA_LOG_INFO, FFFA_LOG_TEXT);
	(void)close(c->file);
	(void)close(c->saved);
	test_free(c);
	return 0;
}

static void begin(struct capture *c)
{
	assert_int_equal(ftruncate(c->file, 0), 0);
	assert_int_equal(lseek(c->file, 0, SEEK_SET), 0);
	assert_int_equal(dup2(c->file, STDERR_FILENO), STDERR_FILENO);
}

static const char *end(struct capture *c)
{
	ssize_t n;

	assert_int_equal(dup2(c->saved, STDERR_FILENO), STDERR_FILENO);
	n = pread(c->file, c->text, sizeof(c->text) - 1, 0);
	assert_true(n >= 0);
	c->text[n] = '\0';
	return c->text;
}

/* "2026-05-11T10:15:00.123Z" begins the text and is about now. Returns what follows. */
static const char *after_time(const char *text)
{
	struct tm tm = {.tm_sec = 0};
	struct timespec now;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t at;

	assert_non_null(rest);
	assert_int_equal(strspn(rest + 1, "0123456789"), 3);
	assert_memory_equal(rest + 4, "Z", 1);
	at = timegm(&tm);
	/* time(2) reads a coarser clock, which stays behind this one for a moment in each second. */
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	assert_true(at <= now.tv_sec && at > now.tv_sec - 60);
	return rest + 5;
}

static void a_line_of_text(void **state)
{
	struct capture *c = *state;

	begin(c);
	fffa_warn("sink.local", "%d things\nand \x01 more", 3);
	assert_string_equal(after_time(end(c)), " warn  sink.local: 3 things and   more\n");
	begin(c);
	fffa_error("a", "b");
	assert_string_equal(after_time(end(c)), " error a: b\n");
	begin(c); /* the name of a device may have any of these */
	fffa_info("a", "v\x1b[2J \xc2\x9b%s", "2J \x9b\xff \xc3\xbc\x7f|\xc3");
	assert_string_equal(after_time(end(c)), " info  a: v [2J   2J ?? \xc3\xbc |?\n");
}

static void a_line_of_json(void **state)
{
	struct capture *c = *state;
	const char *rest;

	fffa_log_setup(FFFA_LOG_INFO, FFFA_LOG_JSON);
	begin(c);
	fffa_info("meta", "say \"hi\" c:\\ \n\x1f \x7f\xc3\xbc\xff\xed\xa0\x80\xc3");
	assert_memory_equal(end(c), "{\"time\":\"", 9);
	rest = after_time(c->text + 9);
	assert_string_equal(
		rest,
		"\",\"level\":\"info\",\"part\":\"meta\",\"message\":"
		"\"say \\\"hi\\\" c:\\\\ \\u000a\\u001f \x7f\xc3\xbc\\ufffd\\ufffd\\ufffd\\ufffd"
		"\\ufffd\"}\n");
}

static void only_the_level_and_above(void **state)
{
	struct capture *c = *state;

	for (int level = FFFA_LOG_ERROR; level <= FFFA_LOG_DEBUG; level++) {
		size_t lines = 0;

		fffa_log_setup((enum fffa_log_level)level, FFFA_LOG_TEXT);
		begin(c);
		fffa_error("t", "m");
		fffa_warn("t", "m");
		fffa_info("t", "m");
		fffa_debug("t", "m");
		for (const char *at = end(c); (at = strchr(at, '\n')); at++)
			lines++;
		assert_int_equal(lines, level + 1);
	}
}

/* A line ends with its newline, and in JSON with its brackets, however long the message is. */
static void long_messages_are_cut(void **state)
{
	struct capture *c = *state;
	char quotes[3000];

	memset(quotes, '"', sizeof(quotes));
	quotes[sizeof(quotes) - 1] = '\0';
	begin(c);
	fffa_warn("t", "%s", quotes);
	assert_int_equal(strspn(strchr(end(c), '"'), "\""), 1023);
	assert_string_equal(strrchr(c->text, '"') + 1, "\n");
	fffa_log_setup(FFFA_LOG_INFO, FFFA_LOG_JSON);
	begin(c);
	fffa_warn("t", "%s", quotes);
	assert_string_equal(end(c) + strlen(c->text) - 5, "\\\"\"}\n");
	memset(quotes, '\x01', sizeof(quotes) - 1); /* six bytes each */
	for (size_t i = 1; i <= 6; i++) {
		begin(c);
		fffa_warn(&"tagtag"[6 - i], "%s", quotes);
		assert_string_equal(end(c) + strlen(c->text) - 9, "\\u0001\"}\n");
		assert_uint_in_range(strlen(c->text), 2290, 2304);
	}
}

static void at_most_one_line_a_minute(void **state)
{
	struct capture *c = *state;
	struct fffa_log_limit limit = {0, 0};

	begin(c);
	fffa_log_limited(&limit, "t", "lost", 3);
	assert_string_equal(after_time(end(c)), " warn  t: lost: records=3\n");
	begin(c);
	fffa_log_limited(&limit, "t", "lost", 4);
	limit.last_ns = fffa_clock_mono_ns(&fffa_clock_system) - 59 * FFFA_NS_PER_S;
	fffa_log_limited(&limit, "t", "lost", 5);
	assert_string_equal(end(c), "");
	limit.last_ns = fffa_clock_mono_ns(&fffa_clock_system) - 60 * FFFA_NS_PER_S;
	begin(c);
	fffa_log_limited(&limit, "t", "lost", 6);
	assert_string_equal(after_time(end(c)), " warn  t: lost: records=15\n");
}

static void formats_and_their_media_types(void **state)
{
	static const char *const rows[][2] = {
		{"vpc", "text/plain"},
		{"flowlog", "text/plain"},
		{"json", "application/x-ndjson"},
		{"msgpack", "application/msgpack"},
		{"ocsf", "application/x-ndjson"},
		{"ecs", "application/x-ndjson"},
	};
	enum fffa_format f = FFFA_FORMAT_MAX;

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), FFFA_FORMAT_MAX);
	for (int i = 0; i < FFFA_FORMAT_MAX; i++) {
		assert_int_equal(fffa_format_parse(rows[i][0], &f), 0);
		assert_int_equal(f, i);
		assert_string_equal(fffa_format_name(f), rows[i][0]);
		assert_string_equal(fffa_format_content_type(f), rows[i][1]);
	}
	assert_true(fffa_format_parse("VPC", &f) < 0);
}

static void the_clocks_are_the_systems(void **state)
{
	struct timespec ts;
	uint64_t now;

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &ts), 0);
	now = fffa_clock_unix_ns(&fffa_clock_system);
	assert_true(now - (uint64_t)ts.tv_sec * FFFA_NS_PER_S - (uint64_t)ts.tv_nsec <
		    60 * FFFA_NS_PER_S);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	now = fffa_clock_mono_ns(&fffa_clock_system);
	assert_true(now - (uint64_t)ts.tv_sec * FFFA_NS_PER_S - (uint64_t)ts.tv_nsec <
		    60 * FFFA_NS_PER_S);
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_line_of_text),
		T(a_line_of_json),
		T(only_the_level_and_above),
		T(long_messages_are_cut),
		T(at_most_one_line_a_minute),
		cmocka_unit_test(formats_and_their_media_types),
		cmocka_unit_test(the_clocks_are_the_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
