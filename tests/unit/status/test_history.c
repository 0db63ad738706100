// SPDX-License-Identifier: MIT
/* The history keeps the newest samples, and writes those that are asked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/status/history.h"
#include "tests/unit/status/sample_view.h"

struct fixture {
	struct sample_view sample;
	struct fffa_history history;
	struct fffa_buf out;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	sample_view_fill(&fixture->sample);
	fixture->out.max = 1024 * 1024;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fffa_buf_fini(&fixture->out);
	free(fixture);
	return 0;
}

static void add(struct fixture *fixture, uint64_t uptime_ms)
{
	fixture->sample.view.uptime_ns = uptime_ms * 1000000;
	fffa_history_add(&fixture->history, &fixture->sample.view);
}

static const char *write_since(struct fixture *fixture, int64_t since_ms)
{
	fffa_buf_reset(&fixture->out);
	fffa_history_write(&fixture->out, &fixture->history, since_ms, 1700000000123);
	fffa_buf_add(&fixture->out, "", 1);
	assert_int_equal(fixture->out.error, 0);
	return (const char *)fixture->out.ptr;
}

static void no_sample_is_empty_lists(void **state)
{
	assert_string_equal(write_since(*state, -1),
			    "{\"start_ms\":1700000000123,\"step_ms\":5000,\"span_ms\":900000,"
			    "\"uptime_ms\":[],\"ingress_packets\":[],\"egress_packets\":[],"
			    "\"ingress_bytes\":[],\"egress_bytes\":[],\"flows\":[],\"records\":[],"
			    "\"delivered\":[],\"lost_packets\":{},\"lost_records\":{}}\n");
}

static void each_counter_has_a_list(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_ledger *l = &fixture->sample.ledger;

	add(fixture, 0);
	l->seen[0].packets = 2100;
	l->seen[1].bytes = 7;
	l->lost[FFFA_PL_TRUNCATED].packets = 9;
	fixture->sample.sinks[1].delivered = 200;
	fixture->sample.sinks[1].lost[FFFA_RL_QUEUE_FULL] = 40;
	fixture->sample.view.flows_active = 52;
	l->records = 151;
	add(fixture, 5001);
	assert_string_equal(
		write_since(fixture, -1),
		"{\"start_ms\":1700000000123,\"step_ms\":5000,\"span_ms\":900000,"
		"\"uptime_ms\":[0,5001],\"ingress_packets\":[2000,2100],"
		"\"egress_packets\":[4625,4625],\"ingress_bytes\":[200000,200000],"
		"\"egress_bytes\":[462500,7],\"flows\":[51,52],\"records\":[150,151],"
		"\"delivered\":[281,300],\"lost_packets\":{\"malformed\":[700,700],"
		"\"truncated\":[0,9],\"not_attached\":[701,701],\"flow_table\":[702,702]},"
		"\"lost_records\":{\"queue_full\":[1,41],\"shutdown\":[2,2]}}\n");
	assert_non_null(strstr(write_since(fixture, 0), "\"uptime_ms\":[5001],"));
	assert_non_null(strstr(write_since(fixture, 5000), "\"queue_full\":[41],"));
	assert_non_null(strstr(write_since(fixture, 5001), "\"uptime_ms\":[],"));
}

static void the_newest_samples_stay(void **state)
{
	struct fixture *fixture = *state;
	const char *text;
	size_t commas = 0;

	for (uint64_t i = 0; i < FFFA_HISTORY_SAMPLES + 7; i++)
		add(fixture, i * FFFA_HISTORY_STEP_MS);
	text = strstr(write_since(fixture, -1), "\"uptime_ms\":[");
	assert_non_null(text);
	assert_memory_equal(text + 13, "35000,40000,", 12); /* seven have gone */
	for (; *text != ']'; text++)
		commas += *text == ',';
	assert_int_equal(commas, FFFA_HISTORY_SAMPLES - 1);
	assert_memory_equal(text - 7, ",935000]", 8);
}

static void since_is_a_number(void **state)
{
	static const char *const wrong[] = {"", " 1", "-1", "1x", "1234567890123456"};
	int64_t since_ms = 0;

	(void)state;
	assert_int_equal(fffa_history_parse_since(NULL, &since_ms), 0);
	assert_int_equal(since_ms, -1);
	assert_int_equal(fffa_history_parse_since("0", &since_ms), 0);
	assert_int_equal(since_ms, 0);
	assert_int_equal(fffa_history_parse_since("123456789012345", &since_ms), 0);
	assert_int_equal(since_ms, 123456789012345);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(fffa_history_parse_since(wrong[i], &since_ms), -EINVAL);
	assert_int_equal(since_ms, 123456789012345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_sample_is_empty_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(each_counter_has_a_list, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_samples_stay, setup, teardown),
		cmocka_unit_test(since_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
