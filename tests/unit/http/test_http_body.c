// SPDX-License-Identifier: MIT
/* The body of a batch: each shape as its reader sees it, and both compressions. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/http/body.h"
#include "tests/stubs/make_batch.h"

#define T0 INT64_C(1700000000123)

struct fixture {
	struct fffa_sink_http_conf conf;
	struct fffa_pair labels[2];
	struct fffa_http_body body;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->labels[0] = (struct fffa_pair){"env", "a \"b\""};
	f->labels[1] = (struct fffa_pair){"team", "net"};
	f->conf.compress = FFFA_HTTP_NONE;
	f->conf.source = "fffa";
	f->conf.service = "fffa";
	f->body.conf = &f->conf;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fffa_http__body_fini(&f->body);
	free(f);
	return 0;
}

/* Two records, numbers 7 and 9. */
static struct fffa_batch *two(const char *a, const char *b)
{
	static const struct fffa_batch_origin origin = {.agent_id = "i-0a/b",
							.account_id = "123456789012",
							.region = "us-east-1",
							.epoch = 3};
	const char *const texts[] = {a, b};
	struct fffa_batch *batch = fffa_batch_new(10000, 2);

	for (uint32_t i = 0; i < 2; i++) {
		size_t len = strlen(texts[i]);

		memcpy(fffa_batch_room(batch, len), texts[i], len);
		fffa_batch_commit(batch, len,
				  &(struct fffa_record_info){.seq = 7 + 2 * i, .time_ms = T0 + i});
	}
	fffa_batch_set_origin(batch, &origin);
	fffa_batch_seal(batch);
	return batch;
}

static void expect_body(struct fixture *f, enum fffa_http_shape_id shape, bool json,
			const char *text)
{
	struct fffa_batch *b = json ? two("{\"a\":1,\"b\":\"x\\\"}y\"}\n", "{\"c\":true}\n")
				    : two("2 - \"q\" OK\n", "2 \t last\n");
	struct fffa_span out;

	f->body.shape = fffa_http_shape_find(shape);
	f->body.json = json;
	assert_int_equal(fffa_http__body_make(&f->body, b, &out), 0);
	if (out.len != strlen(text) || memcmp(out.ptr, text, out.len) != 0)
		fail_msg("\n%.*s\nis not\n%s", (int)out.len, (const char *)out.ptr, text);
	fffa_batch_unref(b);
}

static void plain_is_the_batch(void **state)
{
	struct fixture *f = *state;
	struct fffa_batch *b = make_batch(1, 10, 100);
	struct fffa_span out;

	f->body.shape = fffa_http_shape_find(FFFA_HTTP_PLAIN);
	assert_true(fffa_http__body_is_batch(&f->body));
	assert_int_equal(fffa_http__body_make(&f->body, b, &out), 0);
	assert_ptr_equal(out.ptr, fffa_batch_bytes(b).ptr);
	assert_int_equal(out.len, 1000);
	f->conf.compress = FFFA_HTTP_ZSTD;
	assert_false(fffa_http__body_is_batch(&f->body));
	f->body.shape = fffa_http_shape_find(FFFA_HTTP_OTLP);
	f->conf.compress = FFFA_HTTP_NONE;
	assert_false(fffa_http__body_is_batch(&f->body));
	fffa_batch_unref(b);
}

static void splunk(void **state)
{
	struct fixture *f = *state;

	expect_body(
		f, FFFA_HTTP_SPLUNK_HEC, true,
		"{\"time\":1700000000.123,\"host\":\"i-0a/"
		"b\",\"source\":\"fffa\",\"event\":{\"a\":1,"
		"\"b\":\"x\\\"}y\"}}\n"
		"{\"time\":1700000000.124,\"host\":\"i-0a/b\",\"source\":\"fffa\",\"event\":{\"c\":"
		"true}}\n");
	f->conf.index = "main";
	f->conf.sourcetype = "flow:vpc";
	f->conf.labels = (struct fffa_pairs){f->labels, 2};
#define HEAD                                                                                       \
	"\"host\":\"i-0a/b\",\"source\":\"fffa\",\"sourcetype\":\"flow:vpc\",\"index\":\"main\","  \
	"\"fields\":{\"env\":\"a \\\"b\\\"\",\"team\":\"net\"},\"event\":"
	expect_body(f, FFFA_HTTP_SPLUNK_HEC, false,
		    "{\"time\":1700000000.123," HEAD "\"2 - \\\"q\\\" OK\"}\n"
		    "{\"time\":1700000000.124," HEAD "\"2 \\u0009 last\"}\n");
#undef HEAD
}

static struct fffa_batch *named(void)
{
	struct fffa_batch *b = fffa_batch_new(10000, 1);

	memcpy(fffa_batch_room(b, 7), "{\"a\":1}", 7);
	fffa_batch_commit(b, 7, &(struct fffa_record_info){.seq = 7, .time_ms = T0});
	fffa_batch_set_origin(b, &(struct fffa_batch_origin){.agent_id = "i-0a", .epoch = 3});
	fffa_batch_name_host(b, "web-1");
	fffa_batch_name_host(b, "another");
	fffa_batch_seal(b);
	return b;
}

/* Where a product has a place for it, the host's name stands for the agent's id. */
static void host_name(void **state)
{
	static const struct {
		enum fffa_http_shape_id shape;
		const char *text;
	} rows[] = {
		{FFFA_HTTP_SPLUNK_HEC, "\"host\":\"web-1\""},
		{FFFA_HTTP_DATADOG, "\"hostname\":\"web-1\""},
		{FFFA_HTTP_OTLP, "{\"key\":\"host.name\",\"value\":{\"stringValue\":\"web-1\"}}"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_batch *b = named();
		struct fffa_span body;

		assert_string_equal(fffa_batch_host(b), "web-1");
		f->body.shape = fffa_http_shape_find(rows[i].shape);
		f->body.json = true;
		assert_int_equal(fffa_http__body_make(&f->body, b, &body), 0);
		assert_non_null(memmem(body.ptr, body.len, rows[i].text, strlen(rows[i].text)));
		fffa_batch_unref(b);
	}
}

static void elasticsearch(void **state)
{
	struct fixture *f = *state;

	expect_body(f, FFFA_HTTP_ELASTICSEARCH, true,
		    "{\"create\":{\"_id\":\"i-0a_b-3-7\"}}\n"
		    "{\"@timestamp\":1700000000123,\"a\":1,\"b\":\"x\\\"}y\"}\n"
		    "{\"create\":{\"_id\":\"i-0a_b-3-9\"}}\n"
		    "{\"@timestamp\":1700000000124,\"c\":true}\n");
	f->conf.index = "flows";
	expect_body(f, FFFA_HTTP_ELASTICSEARCH, false,
		    "{\"create\":{\"_index\":\"flows\",\"_id\":\"i-0a_b-3-7\"}}\n"
		    "{\"@timestamp\":1700000000123,\"message\":\"2 - \\\"q\\\" OK\"}\n"
		    "{\"create\":{\"_index\":\"flows\",\"_id\":\"i-0a_b-3-9\"}}\n"
		    "{\"@timestamp\":1700000000124,\"message\":\"2 \\u0009 last\"}\n");
}

static void otlp(void **state)
{
	struct fixture *f = *state;

#define A(k, v) "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define RESOURCE                                                                                   \
	"{\"resourceLogs\":[{\"resource\":{\"attributes\":[" A("service.name", "fffa") "," A(      \
		"host.id", "i-0a/b") "," A("cloud.account.id",                                     \
					   "123456789012") "," A("cloud.region", "us-east-1")
#define SCOPE                                                                                      \
	"]},\"scopeLogs\":[{\"scope\":{\"name\":\"fffa\",\"version\":\"" FFFA_VERSION              \
	"\"},\"logRecords\":["
#define RECORD(ms, body)                                                                           \
	"{\"timeUnixNano\":\"" ms "000000\",\"severityNumber\":9,\"body\":" body "}"
	expect_body(
		f, FFFA_HTTP_OTLP, true,
		RESOURCE SCOPE RECORD("1700000000123",
				      "{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{"
				      "\"intValue\":\"1\"}},"
				      "{\"key\":\"b\",\"value\":{\"stringValue\":\"x\\\"}y\"}}]}"
				      "}") "," RECORD("1700000000124",
						      "{\"kvlistValue\":{\"values\":[{\"key\":"
						      "\"c\",\"value\":{\"boolValue\":true}}]"
						      "}}") "]}]}]}");
	f->conf.labels = (struct fffa_pairs){f->labels, 2};
	expect_body(f, FFFA_HTTP_OTLP, false,
		    RESOURCE "," A("env", "a \\\"b\\\"") "," A("team", "net") SCOPE RECORD(
			    "1700000000123",
			    "{\"stringValue\":\"2 - \\\"q\\\" "
			    "OK\"}") "," RECORD("1700000000124",
						"{\"stringValue\":\"2 \\u0009 last\"}") "]}]}]}");
}

static void otlp_of_nested_records(void **state)
{
	static const char record[] = "{\"a\":{\"b\":[1,\"x]\",{}],\"c\":{}},\"d\":[]}";
	static const char want[] =
		"{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"kvlistValue\":{"
		"\"values\":[{"
		"\"key\":\"b\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{"
		"\"stringValue\":\"x]\"},{\"kvlistValue\":{\"values\":[]}}]}}},{\"key\":\"c\","
		"\"value\":{"
		"\"kvlistValue\":{\"values\":[]}}}]}}},{\"key\":\"d\",\"value\":{\"arrayValue\":{"
		"\"values\":[]}}}]}}";
	struct fixture *f = *state;
	struct fffa_batch *b = two(record, "{}");
	struct fffa_span out;

	f->body.shape = fffa_http_shape_find(FFFA_HTTP_OTLP);
	f->body.json = true;
	assert_int_equal(fffa_http__body_make(&f->body, b, &out), 0);
	if (!memmem(out.ptr, out.len, want, strlen(want)))
		fail_msg("%.*s", (int)out.len, (const char *)out.ptr);
	fffa_batch_unref(b);
}

/* Elasticsearch refuses two @timestamp in a document, and format ecs begins with one. */
static void elasticsearch_of_ecs(void **state)
{
	struct fixture *f = *state;
	struct fffa_batch *b = two("{\"@timestamp\":\"t\",\"a\":1}\n", "{\"@time\":1}\n");
	static const char want[] = "{\"create\":{\"_id\":\"i-0a_b-3-7\"}}\n"
				   "{\"@timestamp\":\"t\",\"a\":1}\n"
				   "{\"create\":{\"_id\":\"i-0a_b-3-9\"}}\n"
				   "{\"@timestamp\":1700000000124,\"@time\":1}\n";
	struct fffa_span out;

	f->body.shape = fffa_http_shape_find(FFFA_HTTP_ELASTICSEARCH);
	f->body.json = true;
	assert_int_equal(fffa_http__body_make(&f->body, b, &out), 0);
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(out.ptr, want, out.len);
	fffa_batch_unref(b);
}

/* A record that is not an object as we write them becomes a text. The body is always JSON. */
static void otlp_of_malformed_records(void **state)
{
	static const char *const malformed[] = {
		"{}",
		"{\"a\":[1]}",
		"{\"a\":{}}",
		"{\"a\":1",
		"{\"a\" :1}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a",
		"{\"a\":\"x",
		"{\"a\":1,}",
		"{",
		"\\",
		"{\"a\\",
		"{\"a\":1.5}",
		"{\"a\":null}",
		"{\"a\":1}}",
		"{\"a\":[1,]}",
		"{\"a\":[1}",
		"{\"a\":tru}",
		"{,}",
		"{\"a\":[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]}"};
	struct fixture *f = *state;

	f->body.shape = fffa_http_shape_find(FFFA_HTTP_OTLP);
	f->body.json = true;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct fffa_batch *b = two(malformed[i], "{\"c\":1}\n");
		struct fffa_span out;
		json_t *root;

		assert_int_equal(fffa_http__body_make(&f->body, b, &out), 0);
		root = json_loadb((const char *)out.ptr, out.len, 0, NULL);
		if (!root)
			fail_msg("%s: %.*s", malformed[i], (int)out.len, (const char *)out.ptr);
		json_decref(root);
		fffa_batch_unref(b);
	}
}

static void loki(void **state)
{
	struct fixture *f = *state;

	expect_body(
		f, FFFA_HTTP_LOKI, true,
		"{\"streams\":[{\"stream\":{\"job\":\"fffa\",\"agent_id\":\"i-0a/b\"},\"values\":["
		"[\"1700000000123000000\",\"{\\\"a\\\":1,\\\"b\\\":\\\"x\\\\\\\"}y\\\"}\"],"
		"[\"1700000000124000000\",\"{\\\"c\\\":true}\"]]}]}");
	f->conf.service = NULL; /* a stream must have a label */
	expect_body(
		f, FFFA_HTTP_LOKI, true,
		"{\"streams\":[{\"stream\":{\"job\":\"fffa\",\"agent_id\":\"i-0a/b\"},\"values\":["
		"[\"1700000000123000000\",\"{\\\"a\\\":1,\\\"b\\\":\\\"x\\\\\\\"}y\\\"}\"],"
		"[\"1700000000124000000\",\"{\\\"c\\\":true}\"]]}]}");
	f->labels[1].key = "job";
	f->conf.labels = (struct fffa_pairs){f->labels, 2};
	expect_body(f, FFFA_HTTP_LOKI, false,
		    "{\"streams\":[{\"stream\":{\"env\":\"a "
		    "\\\"b\\\"\",\"job\":\"net\",\"agent_id\":\"i-0a/"
		    "b\"},\"values\":[[\"1700000000123000000\",\"2 - \\\"q\\\" OK\"],"
		    "[\"1700000000124000000\",\"2 \\u0009 last\"]]}]}");
}

static void datadog(void **state)
{
	struct fixture *f = *state;

	expect_body(f, FFFA_HTTP_DATADOG, true,
		    "[{\"timestamp\":1700000000123,\"ddsource\":\"fffa\",\"service\":\"fffa\","
		    "\"hostname\":"
		    "\"i-0a/b\",\"message\":\"{\\\"a\\\":1,\\\"b\\\":\\\"x\\\\\\\"}y\\\"}\"},"
		    "{\"timestamp\":1700000000124,\"ddsource\":\"fffa\",\"service\":\"fffa\","
		    "\"hostname\":"
		    "\"i-0a/b\",\"message\":\"{\\\"c\\\":true}\"}]");
	f->conf.labels = (struct fffa_pairs){f->labels, 2};
	f->conf.service = NULL;
	expect_body(f, FFFA_HTTP_DATADOG, false,
		    "[{\"timestamp\":1700000000123,\"ddsource\":\"fffa\",\"hostname\":\"i-0a/"
		    "b\",\"ddtags\":"
		    "\"env:a \\\"b\\\",team:net\",\"message\":\"2 - \\\"q\\\" OK\"},"
		    "{\"timestamp\":1700000000124,\"ddsource\":\"fffa\",\"hostname\":\"i-0a/"
		    "b\",\"ddtags\":"
		    "\"env:a \\\"b\\\",team:net\",\"message\":\"2 \\u0009 last\"}]");
}

static int make_body(struct fixture *f, enum fffa_http_shape_id shape, uint32_t records, size_t len)
{
	struct fffa_batch *b = make_batch(1, records, len);
	struct fffa_span out;
	int rc;

	f->body.shape = fffa_http_shape_find(shape);
	rc = fffa_http__body_make(&f->body, b, &out);
	fffa_batch_unref(b);
	return rc;
}

static void limits_of_shapes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make_body(f, FFFA_HTTP_DATADOG, 1000, 100), 0);
	assert_int_equal(make_body(f, FFFA_HTTP_DATADOG, 1001, 100), -EMSGSIZE);
	assert_int_equal(make_body(f, FFFA_HTTP_DATADOG, 900, 6000), -EMSGSIZE);
	assert_int_equal(make_body(f, FFFA_HTTP_DATADOG, 900, 5000),
			 0); /* no trace of the failure */
	assert_int_equal(make_body(f, FFFA_HTTP_ELASTICSEARCH, 5001, 30), -EMSGSIZE);
	assert_int_equal(make_body(f, FFFA_HTTP_LOKI, 20000, 30), 0);
}

static void expect_unzipped(struct fffa_span got, struct fffa_span want)
{
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)got.ptr, .avail_in = (uInt)got.len};
	uint8_t *text = malloc(want.len + 1);

	z.next_out = text;
	z.avail_out = (uInt)want.len + 1;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, want.len);
	assert_int_equal(z.avail_in, 0);
	assert_memory_equal(text, want.ptr, want.len);
	(void)inflateEnd(&z);
	free(text);
}

static void expect_unzstd(struct fffa_span got, struct fffa_span want)
{
	uint8_t *text = malloc(want.len + 1);

	assert_int_equal(ZSTD_decompress(text, want.len + 1, got.ptr, got.len), want.len);
	assert_memory_equal(text, want.ptr, want.len);
	free(text);
}

/* The same body object is used again and again, for large and small batches. */
static void compression_is_reversible(void **state)
{
	static const uint32_t counts[] = {1, 30000, 2, 500, 1};
	struct fixture *f = *state;

	f->body.shape = fffa_http_shape_find(FFFA_HTTP_PLAIN);
	for (size_t i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]); i++) {
		struct fffa_batch *b = make_batch(1, counts[i / 2], 222);
		struct fffa_span out, want = fffa_batch_bytes(b);

		f->conf.compress = i % 2 ? FFFA_HTTP_GZIP : FFFA_HTTP_ZSTD;
		assert_int_equal(fffa_http__body_make(&f->body, b, &out), 0);
		if (i % 2)
			expect_unzipped(out, want);
		else
			expect_unzstd(out, want);
		fffa_http__body_trim(&f->body);
		assert_true(f->body.packed.held <= 4 << 20);
		fffa_batch_unref(b);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(plain_is_the_batch),
		T(splunk),
		T(host_name),
		T(elasticsearch),
		T(otlp),
		T(otlp_of_nested_records),
		T(elasticsearch_of_ecs),
		T(otlp_of_malformed_records),
		T(loki),
		T(datadog),
		T(limits_of_shapes),
		T(compression_is_reversible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
