// SPDX-License-Identifier: MIT
/* Filters of requests are compiled off the loop. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/status/filters.h"

struct fixture {
	uv_loop_t loop;
	struct fffa_filters filters;
	struct fffa_filters_job *job;
	unsigned int calls;
	struct fffa_filter *filter;
	char text[1024]; /* of the error */
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || uv_loop_init(&fixture->loop))
		return -1;
	fixture->filters.loop = &fixture->loop;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	int rc;

	fffa_filters_close(&fixture->filters);
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
	rc = uv_loop_close(&fixture->loop);
	fffa_filter_free(fixture->filter);
	free(fixture);
	return rc;
}

static void on_done(void *arg, struct fffa_filter *filter, const struct fffa_err *err)
{
	struct fixture *fixture = arg;

	fixture->calls++;
	fixture->filter = filter;
	if (err)
		(void)snprintf(fixture->text, sizeof(fixture->text), "%s", err->text);
}

static void compile(struct fixture *fixture, const char *text)
{
	struct fffa_err err = {""};

	assert_int_equal(fffa_filters_compile(&fixture->filters, text, on_done, fixture,
					      &fixture->job, &err),
			 0);
	assert_int_equal(fixture->calls, 0); /* it comes on the loop, not from inside the call */
}

static void a_filter_comes_later(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_key tcp = {.proto = 6, .view = FFFA_VIEW_IPV6},
			udp = {.proto = 17, .view = FFFA_VIEW_IPV6};

	compile(fixture, "tcp");
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT); /* until the job is done */
	assert_int_equal(fixture->calls, 1);
	assert_string_equal(fixture->text, "");
	assert_true(fffa_filter_passes(fixture->filter, &tcp, 0));
	assert_false(fffa_filter_passes(fixture->filter, &udp, 0));
}

static void a_wrong_text_says_why(void **state)
{
	struct fixture *fixture = *state;

	compile(fixture, "len > 1");
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(fixture->calls, 1);
	assert_null(fixture->filter);
	assert_non_null(strstr(fixture->text, "column 1"));
}

static void a_long_text_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char text[FFFA_FILTER_BYTES_MAX * 2];

	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	compile(fixture, text);
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_non_null(strstr(fixture->text, "the text is too long"));
}

static void a_request_that_is_gone_hears_nothing(void **state)
{
	struct fixture *fixture = *state;

	compile(fixture, "tcp port 443");
	fffa_filters_give_up(fixture->job);
	fffa_filters_give_up(NULL);
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(fixture->calls, 0);
}

static void the_thread_may_end_with_jobs(void **state)
{
	struct fixture *fixture = *state;

	compile(fixture, "tcp port 443");
	fffa_filters_close(&fixture->filters);
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(fixture->calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_filter_comes_later, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wrong_text_says_why, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_text_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_that_is_gone_hears_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_thread_may_end_with_jobs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
