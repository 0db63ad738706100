// SPDX-License-Identifier: MIT
/* Whether a sink works, and what the log says of it: each reason once until the next delivery. */
#include "agent/pipeline/queue/health.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

struct capture {
	struct fffa_health h;
	char text[8192];
	int file, saved;
};

static int setup(void **state)
{
	struct capture *c = calloc(1, sizeof(*c));
	char name[] = "/tmp/fffa-health-XXXXXX";

	*state = c;
	c->file = mkstemp(name);
	c->saved = dup(STDERR_FILENO);
	if (c->file < 0 || c->saved < 0 || unlink(name) ||
	    dup2(c->file, STDERR_FILENO) != STDERR_FILENO)
		return -1;
	fffa_health_init(&c->h, "sink.a");
	return 0;
}

static int teardown(void **state)
{
	struct capture *c = *state;

	(void)dup2(c->saved, STDERR_FILENO);
	(void)close(c->file);
	(void)close(c->saved);
	free(c);
	return 0;
}

/* What the log got since the last call, without the times. */
static const char *read_log(struct capture *c)
{
	ssize_t n = pread(c->file, c->text, sizeof(c->text) - 1, 0);
	char *dst = c->text;

	assert_true(n >= 0);
	c->text[n] = '\0';
	for (const char *at = c->text; *at;) {
		const char *line = strchr(at, ' ') + 1;
		size_t len = (size_t)(strchr(line, '\n') + 1 - line);

		memmove(dst, line, len);
		dst += len;
		at = line + len;
	}
	*dst = '\0';
	assert_int_equal(ftruncate(c->file, 0), 0);
	assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
	return c->text;
}

static struct fffa_sink_status status(const struct capture *c)
{
	struct fffa_sink_status s = {.name = NULL};

	fffa_health_status(&c->h, &s);
	return s;
}

static void fail_delivery(struct capture *c, int cause, int reason)
{
	const struct fffa_outcome o = {.verdict = FFFA_V_RETRY, .cause = cause, .reason = reason};

	fffa_health_failed(&c->h, &o, false);
}

static void expect_count(struct capture *c, const char *text, size_t want)
{
	const char *at = read_log(c);
	size_t n = 0;

	while ((at = strstr(at, text))) {
		n++;
		at += strlen(text);
	}
	assert_int_equal(n, want);
}

static void it_begins_without_a_delivery(void **state)
{
	struct capture *c = *state;

	assert_false(status(c).up);
	assert_false(status(c).misconfigured);
	assert_string_equal(status(c).last_error, "");
	assert_int_equal(status(c).last_delivery_ns, 0);
	assert_int_equal(status(c).last_error_ns, 0);
	assert_false(fffa_health_is_blocked(&c->h));
	fffa_health_delivered(&c->h);
	assert_true(status(c).up);
	assert_true(status(c).last_delivery_ns > UINT64_C(1500000000000000000));
	assert_string_equal(read_log(c), ""); /* nothing failed before */
}

static void each_reason_is_logged_once(void **state)
{
	struct capture *c = *state;

	fail_delivery(c, -ECONNREFUSED, 0);
	assert_string_equal(read_log(c),
			    "warn  sink.a: deliveries fail, will retry: Connection refused\n");
	assert_true(status(c).last_error_ns > UINT64_C(1500000000000000000));
	fail_delivery(c, -ECONNREFUSED, 0);
	assert_string_equal(read_log(c), "");
	fail_delivery(c, -EIO, 7);
	expect_count(c, "Input/output error", 1);
	fail_delivery(c, -EIO, 8); /* the same cause for another reason */
	expect_count(c, "Input/output error", 1);
	fail_delivery(c, -EBUSY, 7); /* another cause for the same reason */
	expect_count(c, "\n", 0);
	assert_string_equal(status(c).last_error, strerror(EBUSY));
	fffa_health_delivered(&c->h);
	assert_string_equal(read_log(c), "info  sink.a: delivers again\n");
	fffa_health_delivered(&c->h);
	assert_string_equal(read_log(c), "");
	fail_delivery(c, -ECONNREFUSED, 0);
	expect_count(c, "Connection refused", 1);
}

/* So many reasons are remembered; then the oldest is forgotten. */
static void eight_reasons_are_remembered(void **state)
{
	struct capture *c = *state;

	for (int reason = 1; reason <= FFFA_HEALTH_REASONS; reason++)
		fail_delivery(c, -EIO, reason);
	expect_count(c, "\n", FFFA_HEALTH_REASONS);
	for (int reason = 1; reason <= FFFA_HEALTH_REASONS; reason++)
		fail_delivery(c, -EIO, reason);
	expect_count(c, "\n", 0);
	fail_delivery(c, -EIO, 100);
	fail_delivery(c, -EIO, 2);
	expect_count(c, "\n", 1);
	fail_delivery(c, -EIO, 1);
	expect_count(c, "\n", 1);
}

static void a_failure_blocks_until_a_delivery(void **state)
{
	struct capture *c = *state;

	fffa_health_delivered(&c->h);
	fail_delivery(c, -EIO, 0);
	assert_false(status(c).up);
	assert_true(fffa_health_is_blocked(&c->h));
	fffa_health_delivered(&c->h);
	assert_false(fffa_health_is_blocked(&c->h));
	assert_string_equal(status(c).last_error, strerror(EIO)); /* of the last failure */
	fffa_health_interrupted(&c->h, &(struct fffa_outcome){.cause = -ECONNRESET});
	assert_true(fffa_health_is_blocked(&c->h));
	assert_true(status(c).up);
	assert_string_equal(status(c).last_error, strerror(ECONNRESET));
	(void)read_log(c);
	fffa_health_delivered(&c->h);
	assert_string_equal(read_log(c), ""); /* no line said that it failed */
}

static void what_a_person_must_repair_is_an_error(void **state)
{
	struct capture *c = *state;
	struct fffa_outcome o = {.verdict = FFFA_V_RETRY,
				 .cause = -EACCES,
				 .detail = "topic flows: unknown",
				 .repair = true};

	fffa_health_failed(&c->h, &o, false);
	assert_string_equal(read_log(c),
			    "error sink.a: deliveries fail, will retry: topic flows: unknown\n");
	assert_true(status(c).misconfigured);
	fail_delivery(c, -EIO, 0);
	assert_false(status(c).misconfigured);
	o = (struct fffa_outcome){.verdict = FFFA_V_REFUSED, .cause = -EBADMSG};
	fffa_health_failed(&c->h, &o, false);
	assert_true(status(c).misconfigured);
	fffa_health_delivered(&c->h);
	assert_false(status(c).misconfigured);
}

static void at_the_end_nothing_is_logged(void **state)
{
	struct capture *c = *state;
	const struct fffa_outcome o = {.verdict = FFFA_V_RETRY, .cause = -EIO};

	fffa_health_failed(&c->h, &o, true);
	assert_string_equal(read_log(c), "");
	assert_string_equal(status(c).last_error, strerror(EIO));
	fail_delivery(c, -EIO, 0); /* not logged yet */
	expect_count(c, "\n", 1);
}

static void the_reason_is_the_detail_or_the_cause(void **state)
{
	struct capture *c = *state;

	fffa_health_interrupted(&c->h, &(struct fffa_outcome){.cause = -EIO, .detail = "why"});
	assert_string_equal(status(c).last_error, "why");
	fffa_health_interrupted(&c->h, &(struct fffa_outcome){.cause = -EIO, .detail = ""});
	assert_string_equal(status(c).last_error, strerror(EIO));
	fffa_health_interrupted(&c->h, &(struct fffa_outcome){.cause = 0});
	assert_string_equal(status(c).last_error, "no reason is known");
	fffa_health_interrupted(&c->h, &(struct fffa_outcome){.cause = 5});
	assert_string_equal(status(c).last_error, "no reason is known");
}

static void rejected_records_are_logged_with_their_number(void **state)
{
	struct capture *c = *state;
	const struct fffa_outcome o = {.verdict = FFFA_V_REJECTED, .detail = "no such index"};

	fffa_health_delivered(&c->h);
	fffa_health_rejected(&c->h, &o, 10);
	assert_string_equal(read_log(c),
			    "warn  sink.a: records are rejected: no such index: records=10\n");
	assert_false(status(c).up);
	fffa_health_rejected(&c->h, NULL, 5); /* for the same reason; one line a minute */
	assert_string_equal(read_log(c), "");
	assert_string_equal(status(c).last_error, "no such index");
	assert_int_equal(c->h.rejected_log.records, 5);
}

#define HEALTH_CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEALTH_CASE(it_begins_without_a_delivery),
		HEALTH_CASE(each_reason_is_logged_once),
		HEALTH_CASE(eight_reasons_are_remembered),
		HEALTH_CASE(a_failure_blocks_until_a_delivery),
		HEALTH_CASE(what_a_person_must_repair_is_an_error),
		HEALTH_CASE(at_the_end_nothing_is_logged),
		HEALTH_CASE(the_reason_is_the_detail_or_the_cause),
		HEALTH_CASE(rejected_records_are_logged_with_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
