// SPDX-License-Identifier: MIT
/* The settings of a batcher: which sinks share one, what it bounds, and what a spool knows it by. */
#include "agent/pipeline/batcher.h"

#include <errno.h>
#include <string.h>

#include "agent/pipeline/spooler/origin.h"
#include "tests/stubs/cmocka_all.h"

#define MS INT64_C(1000000)

struct batching {
	uv_loop_t loop;
	struct fffa_stream stream;
	struct fffa_origin_source source;
	struct fffa_sink_common_conf conf;
	struct fffa_batcher b;
	struct fffa_err err;
	unsigned int closed;
};

static char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static struct fffa_sink_common_conf good(void)
{
	return (struct fffa_sink_common_conf){
		.name = text("a"),
		.format = text("json"),
		.fields = text("seq"),
		.envelope = FFFA_ENVELOPE_NONE,
		.batch_records = 10,
		.batch_bytes = 1000,
		.batch_age_ns = 50 * MS,
	};
}

static int setup(void **state)
{
	struct batching *t = calloc(1, sizeof(*t));

	if (!t || uv_loop_init(&t->loop) != 0 ||
	    fffa_stream_open(&t->stream, NULL, false, &t->err) != 0)
		return -1;
	(void)fffa_stream_begin(&t->stream, 7, 0, false);
	t->conf = good();
	*state = t;
	return 0;
}

static void on_closed(void *arg)
{
	((struct batching *)arg)->closed++;
}

static void close_batcher(struct batching *t)
{
	t->closed = 0;
	fffa_batcher__close(&t->b, on_closed, t);
	assert_int_equal(t->closed, 0); /* later */
	assert_int_equal(uv_run(&t->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(t->closed, 1);
	memset(&t->b, 0, sizeof(t->b));
}

static int teardown(void **state)
{
	struct batching *t = *state;

	if (t->b.source)
		close_batcher(t);
	fffa_stream_close(&t->stream);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	free(t);
	return 0;
}

static int init(struct batching *t)
{
	t->err.text[0] = '\0';
	return fffa_batcher__init(&t->b, &t->loop, &t->conf, &t->source, &t->stream, &t->err);
}

/* A spool of an earlier version holds these numbers: they may never change. */
static void what_a_spool_knows_settings_by(void **state)
{
	static const struct {
		const char *format, *fields;
		int envelope;
		uint64_t identity;
	} rows[] = {
		{"json", NULL, FFFA_ENVELOPE_NONE, UINT64_C(0xfe586bafb538bdda)},
		{"json", "seq", FFFA_ENVELOPE_NONE, UINT64_C(0x12c25580a003f078)},
		{"vpc", "${srcaddr} ${dstaddr}", FFFA_ENVELOPE_FIREHOSE,
		 UINT64_C(0x4bb8d25b6a8f75da)},
		{"vpc", "${srcaddr} ${dstaddr}", FFFA_ENVELOPE_NONE, UINT64_C(0x4bb8d35b6a8f778d)},
	};
	struct batching *t = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_sink_queue_source out = {.running = true};

		t->conf.format = text(rows[i].format);
		t->conf.fields = text(rows[i].fields);
		t->conf.envelope = rows[i].envelope;
		if (init(t))
			fail_msg("%s", t->err.text);
		fffa_batcher__describe(&t->b, &out);
		assert_true(out.encoding.identity == rows[i].identity);
		assert_int_equal(out.encoding.is_wrapped, rows[i].envelope != 0);
		assert_int_equal(out.encoding.format, i >= 2 ? FFFA_FORMAT_VPC : FFFA_FORMAT_JSON);
		assert_ptr_equal(out.encoding.encoder, t->b.encoder);
		assert_ptr_equal(out.origin, &t->source);
		assert_true(out.running); /* the rest is left */
	}
}

static void only_equal_settings_are_shared(void **state)
{
	struct batching *t = *state;
	struct fffa_sink_common_conf c = good();

	assert_int_equal(init(t), 0);
	assert_true(fffa_batcher__suits(&t->b, &c));
	c.name = text("b");
	c.queue_memory = 5;
	assert_true(fffa_batcher__suits(&t->b, &c));
#define EXPECT_OTHER(member, value)                                                                \
	do {                                                                                       \
		c = good();                                                                        \
		c.member = (value);                                                                \
		assert_false(fffa_batcher__suits(&t->b, &c));                                      \
	} while (0)
	EXPECT_OTHER(format, text("vpc"));
	EXPECT_OTHER(fields, text("seq epoch"));
	EXPECT_OTHER(fields, NULL);
	EXPECT_OTHER(envelope, FFFA_ENVELOPE_FIREHOSE);
	EXPECT_OTHER(batch_records, 11);
	EXPECT_OTHER(batch_bytes, 1001);
	EXPECT_OTHER(batch_age_ns, 51 * MS);
	EXPECT_OTHER(filter, text("tcp"));
#undef EXPECT_OTHER
}

/* Each sink with a filter has numbers of its own, and so has one that had a filter before. */
static void a_filter_is_for_one_sink(void **state)
{
	struct batching *t = *state;
	struct fffa_sink_common_conf c = good();

	t->conf.filter = text("tcp");
	assert_int_equal(init(t), 0);
	assert_non_null(t->b.own);
	assert_ptr_equal(fffa_batcher__given(&t->b), &t->b.own->seq);
	assert_true(fffa_batcher__suits(&t->b, &t->conf));
	assert_false(fffa_batcher__suits(&t->b, &c));
	c.filter = text("tcp");
	c.name = text("b");
	assert_false(fffa_batcher__suits(&t->b, &c));
	c = good();
	c.filter = text("udp");
	assert_false(fffa_batcher__suits(&t->b, &c));
	/* The filter is gone, the numbers stay. */
	t->conf.filter = NULL;
	assert_int_equal(init(t), 0);
	assert_non_null(t->b.own);
	assert_null(t->b.filter);
	c = good();
	assert_true(fffa_batcher__suits(&t->b, &c));
	c.name = text("b");
	assert_false(fffa_batcher__suits(&t->b, &c));
	t->conf.name = text("b");
	t->conf.filter = text("");
	assert_int_equal(init(t), 0);
	assert_null(t->b.own);
	assert_ptr_equal(fffa_batcher__given(&t->b), &t->stream.seq);
	assert_true(fffa_batcher__is_idle(&t->b));
}

static void expect_bounds(struct batching *t, int64_t records, int64_t bytes, int64_t age_ns,
			  uint32_t most_records, size_t most_bytes, uint64_t age_ms)
{
	t->conf.batch_records = records;
	t->conf.batch_bytes = bytes;
	t->conf.batch_age_ns = age_ns;
	assert_int_equal(init(t), 0);
	assert_int_equal(t->b.max_records, most_records);
	assert_int_equal(t->b.max_bytes, most_bytes);
	assert_int_equal(t->b.age_ms, age_ms);
}

static void settings_are_bounded(void **state)
{
	struct batching *t = *state;

	expect_bounds(t, 10, 1000, 50 * MS, 10, 1000, 50);
	expect_bounds(t, 0, 0, 0, 1, 1, 0);
	expect_bounds(t, -5, -5, -5, 1, 1, 0);
	expect_bounds(t, 1, 1, 1, 1, 1, 1);
	expect_bounds(t, 2, 2, 1 * MS, 2, 2, 1);
	expect_bounds(t, 1 << 24, 1 << 30, 1 * MS + 1, 1 << 24, 1 << 30, 2);
	expect_bounds(t, (1 << 24) + 1, (INT64_C(1) << 30) + 1, 2 * MS, 1 << 24, 1 << 30, 2);
	assert_true(t->b.bound_bytes >= fffa_encoder_bound(t->b.encoder));
}

static void expect_refused(struct batching *t, int rc, const char *said)
{
	assert_int_equal(init(t), rc);
	assert_memory_equal(t->err.text, said, strlen(said));
	assert_null(t->b.encoder);
	assert_null(t->b.like.format);
	t->conf = good();
}

static void settings_that_are_wrong(void **state)
{
	struct batching *t = *state;

	t->conf.format = text("xml");
	expect_refused(t, -EINVAL, "format: xml is not known");
	t->conf.fields = text("no-such-field");
	expect_refused(t, -EINVAL, "");
	t->conf.filter = text("tcp and");
	expect_refused(t, -EINVAL, "column 8: ");
	for (unsigned int i = 0; i < FFFA_STREAM_OWN_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "s%u", i);
		assert_non_null(fffa_stream_own(&t->stream, name));
	}
	t->conf.filter = text("tcp");
	expect_refused(t, -EAGAIN, "too many sinks have had a filter");
	assert_int_equal(init(t), 0); /* one without a filter goes on */
	assert_string_equal(t->b.like.name, "a");
	assert_null(t->b.like.type);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_a_spool_knows_settings_by), T(only_equal_settings_are_shared),
		T(a_filter_is_for_one_sink),	   T(settings_are_bounded),
		T(settings_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
