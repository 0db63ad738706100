// SPDX-License-Identifier: MIT
/* /metrics and /status of a full view, byte for byte, and of a nearly empty view. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/status/metrics.h"
#include "agent/status/report.h"
#include "sample_view.h"

#define GOLDEN(name) FFFA_SOURCE_DIR "/tests/data/status/" name

/* Removes the rows of ledger.def, so that a new loss reason does not change the goldens. */
static void drop_reasons(struct fffa_buf *o)
{
	char *begin = (char *)o->ptr, *from = begin, *to = begin, *end = begin + o->len;

	while (from < end) {
		char *line = memchr(from, '\n', (size_t)(end - from));
		size_t n = (size_t)((line ? line + 1 : end) - from);

		if (!memmem(from, n, "_lost_total{", 12)) {
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	o->len = (size_t)(to - begin);
}

static void drop_lost_objects(struct fffa_buf *o)
{
	static const char key[] = "\"lost\":{";
	char *begin = (char *)o->ptr, *at = begin, *end = begin + o->len;

	while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1))) {
		char *close;

		at += sizeof(key) - 1;
		close = memchr(at, '}', (size_t)(end - at));
		assert_non_null(close);
		memmove(at, close, (size_t)(end - close));
		end -= close - at;
	}
	o->len = (size_t)(end - begin);
}

/* FFFA_WRITE_GOLDEN=1 writes the file instead. Read the difference before you commit it. */
static void assert_golden(const char *path, const struct fffa_buf *o)
{
	char *text = malloc(o->max);
	FILE *f = fopen(path, getenv("FFFA_WRITE_GOLDEN") ? "w" : "r");
	size_t n = 0;

	assert_non_null(f);
	assert_non_null(text);
	assert_false(o->error);
	if (getenv("FFFA_WRITE_GOLDEN")) {
		assert_int_equal(fwrite(o->ptr, 1, o->len, f), o->len);
	} else {
		n = fread(text, 1, o->max, f);
		text[n < o->max ? n : o->max - 1] = '\0';
		if (n != o->len || memcmp(text, o->ptr, n) != 0)
			fail_msg("%s is not:\n%.*s", path, (int)o->len, (char *)o->ptr);
	}
	(void)fclose(f);
	free(text);
}

static void test_metrics_golden(void **state)
{
	struct sample_view *s = malloc(sizeof(*s));
	struct fffa_buf o;

	(void)state;
	assert_non_null(s);
	sample_view_fill(s);
	o = (struct fffa_buf){.max = 1 << 20};
	fffa_metrics_write(&o, &s->view);
	drop_reasons(&o);
	assert_golden(GOLDEN("metrics.txt"), &o);
	fffa_buf_fini(&o);
	free(s);
}

static void test_report_golden(void **state)
{
	struct sample_view *s = malloc(sizeof(*s));
	struct fffa_buf o;

	(void)state;
	assert_non_null(s);
	sample_view_fill(s);
	o = (struct fffa_buf){.max = 1 << 20};
	fffa_report_write(&o, &s->view);
	drop_lost_objects(&o);
	assert_golden(GOLDEN("status.json"), &o);
	fffa_buf_fini(&o);
	free(s);
}

static void assert_has(const struct fffa_buf *o, const char *fmt, const char *name, uint64_t v)
{
	char want[256];

	(void)snprintf(want, sizeof(want), fmt, name, (unsigned long long)v);
	if (!memmem(o->ptr, o->len, want, strlen(want)))
		fail_msg("no %s", want);
}

/* Every loss reason is on both pages. */
static void test_every_reason(void **state)
{
	struct sample_view *s = malloc(sizeof(*s));
	struct fffa_buf metrics, report;

	(void)state;
	assert_non_null(s);
	sample_view_fill(s);
	for (int i = 0; i < FFFA_PL_MAX; i++)
		s->ledger.lost[i] = (struct fffa_amount){1000 + (uint64_t)i, 2000 + (uint64_t)i};
	for (int i = 0; i < FFFA_RL_MAX; i++)
		s->sinks[0].lost[i] = 3000 + (uint64_t)i;
	metrics = (struct fffa_buf){.max = 1 << 20};
	report = (struct fffa_buf){.max = 1 << 20};
	fffa_metrics_write(&metrics, &s->view);
	fffa_report_write(&report, &s->view);
	for (int i = 0; i < FFFA_PL_MAX; i++) {
		const char *name = fffa_ledger_packet_loss_name((enum fffa_packet_loss)i);

		assert_has(&metrics, "fffa_packets_lost_total{reason=\"%s\"} %llu\n", name,
			   s->ledger.lost[i].packets);
		assert_has(&metrics, "fffa_bytes_lost_total{reason=\"%s\"} %llu\n", name,
			   s->ledger.lost[i].bytes);
		assert_has(&report, "\"%s\":%llu", name, s->ledger.lost[i].packets);
		assert_has(&report, "\"%s\":%llu", name, s->ledger.lost[i].bytes);
	}
	for (int i = 0; i < FFFA_RL_MAX; i++) {
		const char *name = fffa_ledger_record_loss_name((enum fffa_record_loss)i);

		assert_has(&metrics,
			   "fffa_records_lost_total{sink=\"stream\",reason=\"%s\"} %llu\n", name,
			   s->sinks[0].lost[i]);
		assert_has(&report, "\"%s\":%llu", name, s->sinks[0].lost[i]);
	}
	fffa_buf_fini(&metrics);
	fffa_buf_fini(&report);
	free(s);
}

/* The pages can be written even when a start failed half way. */
static void test_empty_view(void **state)
{
	struct fffa_sink_ledger sink = {.records = 0};
	struct fffa_ledger ledger;
	struct fffa_interfaces *interfaces = calloc(1, sizeof(*interfaces));
	struct fffa_status_view *v = calloc(1, sizeof(*v));
	struct fffa_buf o;

	(void)state;
	assert_non_null(interfaces);
	assert_non_null(v);
	memset(&ledger, 0, sizeof(ledger));
	v->version = v->commit = v->config_file = v->stage = "";
	v->ledger = &ledger;
	v->interfaces = interfaces;
	v->sinks[v->sink_count++] =
		(struct fffa_sink_status){.name = "a", .type = "file", .ledger = &sink};
	o = (struct fffa_buf){.max = 1 << 20};
	fffa_metrics_write(&o, v);
	fffa_report_write(&o, v);
	assert_false(o.error);
	fffa_buf_add(&o, "", 1);
	assert_non_null(strstr((char *)o.ptr, "fffa_metadata_age_seconds NaN\n"));
	assert_non_null(strstr((char *)o.ptr, "\"imds\":null"));
	assert_non_null(strstr((char *)o.ptr, "\"facts\":{}"));
	fffa_buf_fini(&o);
	free(v);
	free(interfaces);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Asserts that no sample of the page, which is changed, is there twice; returns their number. */
static size_t assert_once(char *page)
{
	char *lines[4096] = {NULL}, *save = NULL;
	size_t n = 0;

	for (char *line = strtok_r(page, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		assert_true(n < 4096);
		*strrchr(line, ' ') = '\0'; /* without its value */
		lines[n++] = line;
	}
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	for (size_t i = 1; i < n; i++)
		assert_string_not_equal(lines[i - 1], lines[i]);
	return n;
}

static size_t count_samples(const struct fffa_status_view *v)
{
	struct fffa_buf o = {.max = 1 << 20};
	size_t n;

	fffa_metrics_write(&o, v);
	fffa_buf_add(&o, "", 1);
	assert_false(o.error);
	n = assert_once((char *)o.ptr);
	fffa_buf_fini(&o);
	return n;
}

/* Each sink has as many samples as the one before, and none takes the place of another. */
static void test_each_sink_has_its_samples(void **state)
{
	static const char *const names[] = {"one", "two", "three", "four"};
	struct sample_view *s = malloc(sizeof(*s));
	size_t none, before;

	(void)state;
	assert_non_null(s);
	sample_view_fill(s);
	s->view.sink_count = 0;
	none = before = count_samples(&s->view);
	for (size_t i = 0; i < 4; i++) {
		size_t now;

		s->view.sinks[i] = s->view.sinks[0];
		s->view.sinks[i].name = names[i];
		s->view.sink_count = i + 1;
		now = count_samples(&s->view);
		assert_true(now > before + 20);
		assert_int_equal(now - none, (now - before) * (i + 1));
		before = now;
	}
	free(s);
}

/* Whether IMDS was ever asked or not, its age is one sample. */
static void test_no_sample_twice(void **state)
{
	static const char *const states[] = {"off", "asking", "known", "failing"};
	struct sample_view *s = malloc(sizeof(*s));
	size_t n = 0;

	(void)state;
	assert_non_null(s);
	sample_view_fill(s);
	for (size_t i = 0; i < 8; i++) {
		s->view.metadata.state = states[i / 2];
		s->view.metadata.age_ns = i % 2 ? UINT64_MAX : 5;
		if (n)
			assert_int_equal(count_samples(&s->view), n);
		n = count_samples(&s->view);
	}
	free(s);
}

static void test_age_not_known(void **state)
{
	static const struct {
		const char *state, *line;
	} cases[] = {
		{"off", "fffa_metadata_age_seconds NaN\n"},
		{"asking", "fffa_metadata_age_seconds +Inf\n"},
		{"failing", "fffa_metadata_age_seconds +Inf\n"},
	};
	struct sample_view *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	sample_view_fill(s);
	s->view.metadata.age_ns = UINT64_MAX;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fffa_buf o;

		s->view.metadata.state = cases[i].state;
		o = (struct fffa_buf){.max = 1 << 20};
		fffa_metrics_write(&o, &s->view);
		fffa_buf_add(&o, "", 1);
		assert_non_null(strstr((char *)o.ptr, cases[i].line));
		fffa_buf_fini(&o);
	}
	free(s);
}

static void check_caps(const struct sample_view *s,
		       void (*write)(struct fffa_buf *o, const struct fffa_status_view *v))
{
	struct fffa_buf o;
	size_t whole;

	o = (struct fffa_buf){.max = 1 << 20};
	write(&o, &s->view);
	whole = o.len;
	fffa_buf_fini(&o);
	for (size_t max = 0; max <= whole; max += max + 37 < whole ? 37 : 1) {
		o = (struct fffa_buf){.max = max};
		write(&o, &s->view);
		assert_int_equal(o.error != 0, max < whole);
		assert_true(o.len <= max);
		fffa_buf_fini(&o);
	}
}

/* With any bound, the page fails as a whole and nothing is written beyond the bound. */
static void test_any_cap(void **state)
{
	struct sample_view *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	sample_view_fill(s);
	check_caps(s, fffa_metrics_write);
	check_caps(s, fffa_report_write);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_sink_has_its_samples),
		cmocka_unit_test(test_no_sample_twice),
		cmocka_unit_test(test_metrics_golden),
		cmocka_unit_test(test_report_golden),
		cmocka_unit_test(test_every_reason),
		cmocka_unit_test(test_empty_view),
		cmocka_unit_test(test_age_not_known),
		cmocka_unit_test(test_any_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
