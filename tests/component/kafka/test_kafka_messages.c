// SPDX-License-Identifier: MIT
/* What a consumer gets: keys, headers, the number of records in a message. */
#include <errno.h>

#include "agent/base/format.h"
#include "tests/component/kafka/kafka_fixture.h"

static struct fffa_outcome sent(struct kafka_fixture *k, struct fffa_batch *b)
{
	struct fixture_delivery d = {0};
	struct fffa_outcome o = sink_fixture_send(&k->r, &d, b);

	fixture_delivery_fini(&d);
	return o;
}

static struct fffa_batch *batch_of(const char *agent_id, const char *const *texts, uint32_t n)
{
	struct fffa_batch_origin origin = {.epoch = 7};
	struct fffa_batch *b = fffa_batch_new(65536, n);

	assert_non_null(b);
	(void)snprintf(origin.agent_id, sizeof(origin.agent_id), "%s", agent_id);
	for (uint32_t i = 0; i < n; i++) {
		struct fffa_record_info info = {.seq = 1 + i,
						.flow = UINT64_C(0xabc) << 52 | i / 2};

		memcpy(fffa_batch_room(b, strlen(texts[i])), texts[i], strlen(texts[i]));
		fffa_batch_commit(b, strlen(texts[i]), &info);
	}
	fffa_batch_set_origin(b, &origin);
	fffa_batch_seal(b);
	return b;
}

static const char *const lines[] = {"one\n", "one back\n", "two\n", "two back\n", "three\n"};

/* Both directions of a connection share the key; the newline is not part of a message. */
static void a_record_each_with_key_and_headers(void **state)
{
	static const char *const keys[] = {"abc0000000000000", "abc0000000000000",
					   "abc0000000000001", "abc0000000000001",
					   "abc0000000000002"};
	struct kafka_fixture k;
	struct seen_list l;

	(void)state;
	kafka_fixture_open(&k);
	k.conf.key = FFFA_KAFKA_KEY_FLOW;
	kafka_fixture_start(&k);
	assert_int_equal(sent(&k, batch_of("i-1", lines, 5)).verdict, FFFA_V_DELIVERED);
	l = kafka_fixture_seen(&k);
	assert_int_equal(l.n, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(l.v[i].len, strlen(lines[i]) - 1);
		assert_memory_equal(l.v[i].value, lines[i], l.v[i].len);
		assert_string_equal(l.v[i].key, keys[i]);
		assert_int_equal(l.v[i].headers, 2);
		assert_string_equal(l.v[i].content_type, "text/plain");
		assert_string_equal(l.v[i].schema, "1");
	}
	seen_free(&l);
	kafka_fixture_close(&k);
}

static void headers_are_sent_when_asked_for(void **state)
{
	struct kafka_fixture k;
	struct seen_list l;

	(void)state;
	kafka_fixture_open(&k);
	k.conf.message_headers = false;
	kafka_fixture_start(&k);
	assert_int_equal(sent(&k, batch_of("i-1", lines, 5)).verdict, FFFA_V_DELIVERED);
	l = kafka_fixture_seen(&k);
	assert_int_equal(l.n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(l.v[i].headers, 0);
	seen_free(&l);
	kafka_fixture_close(&k);
}

/* 10 is also a number in msgpack, so a last byte of 10 is no newline. */
static void binary_records_keep_their_last_byte(void **state)
{
	static const char *const records[] = {"\x81\xa1x\n", "\x81\xa1y\n"};
	struct kafka_fixture k;
	struct seen_list l;

	(void)state;
	kafka_fixture_open(&k);
	sink_fixture_create(&k.r, &fffa_sink_kafka_ops, &k.conf, "");
	k.r.env.format = FFFA_FORMAT_MSGPACK;
	k.r.env.content_type = "application/msgpack";
	assert_int_equal(sink_fixture_start(&k.r), 0);
	assert_int_equal(sent(&k, batch_of("i-1", records, 2)).verdict, FFFA_V_DELIVERED);
	l = kafka_fixture_seen(&k);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[1].value, records[1]);
	assert_string_equal(l.v[1].content_type, "application/msgpack");
	seen_free(&l);
	kafka_fixture_close(&k);
}

static void many_records_with_the_instance_as_key(void **state)
{
	static const char *const want[] = {"one\none back\n", "two\ntwo back\n", "three\n"};
	struct kafka_fixture k;
	struct seen_list l;

	(void)state;
	kafka_fixture_open(&k);
	k.conf.key = FFFA_KAFKA_KEY_INSTANCE;
	k.conf.records_per_message = 2;
	kafka_fixture_start(&k);
	assert_int_equal(sent(&k, batch_of("i-0123", lines, 5)).verdict, FFFA_V_DELIVERED);
	l = kafka_fixture_seen(&k);
	assert_int_equal(l.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(l.v[i].value, want[i]);
		assert_string_equal(l.v[i].key, "i-0123");
		assert_int_equal(l.v[i].headers, 2);
	}
	seen_free(&l);
	kafka_fixture_close(&k);
}

static void an_unknown_instance_is_no_key(void **state)
{
	struct kafka_fixture k;
	struct seen_list l;

	(void)state;
	kafka_fixture_open(&k);
	k.conf.key = FFFA_KAFKA_KEY_INSTANCE;
	kafka_fixture_start(&k);
	assert_int_equal(sent(&k, batch_of("", lines, 1)).verdict, FFFA_V_DELIVERED);
	l = kafka_fixture_seen(&k);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].key, "");
	seen_free(&l);
	kafka_fixture_close(&k);
}

/* No message exceeds message.max.bytes, each holds as many records as fit, and none is missing. */
static void messages_are_cut_at_the_size_limit(void **state)
{
	enum { RECORDS = 3000, LEN = 100, LIMIT = 10000 };
	struct kafka_fixture k;
	struct seen_list l;
	uint64_t seq = 1;

	(void)state;
	kafka_fixture_open(&k);
	k.conf.records_per_message = 100000;
	kafka_fixture_property(&k, "message.max.bytes", "10000");
	kafka_fixture_start(&k);
	assert_int_equal(sent(&k, make_batch(1, RECORDS, LEN)).verdict, FFFA_V_DELIVERED);
	l = kafka_fixture_seen(&k);
	for (size_t i = 0; i < l.n; i++) {
		assert_true(l.v[i].len <= LIMIT - 512);
		assert_true(i + 1 == l.n || l.v[i].len > LIMIT - 512 - LEN);
		for (size_t at = 0; at < l.v[i].len; at += LEN)
			assert_int_equal(strtoull(l.v[i].value + at, NULL, 10), seq++);
	}
	assert_int_equal(seq, RECORDS + 1);
	seen_free(&l);
	kafka_fixture_close(&k);
}

struct mixed {
	const struct fixture_delivery *d;
	uint8_t records[3];
};

static void save_records(struct sink_fixture *r)
{
	struct mixed *m = r->arg;

	if (m->d->outcome.records)
		memcpy(m->records, m->d->outcome.records, sizeof(m->records));
}

/* The other records arrive, and the pipeline learns which one does not fit. */
static void only_the_record_that_is_too_large_is_split_off(void **state)
{
	struct fffa_batch *b = fffa_batch_new(1 << 16, 3);
	struct kafka_fixture k;
	struct fixture_delivery d = {0};
	struct mixed m = {.d = &d};
	static const size_t sizes[] = {100, 4000, 100};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		memset(fffa_batch_room(b, sizes[i]), 'x', sizes[i]);
		fffa_batch_commit(b, sizes[i], &(struct fffa_record_info){.seq = 1 + i});
	}
	fffa_batch_seal(b);
	kafka_fixture_open(&k);
	kafka_fixture_property(&k, "message.max.bytes", "2000");
	kafka_fixture_start(&k);
	k.r.on_done = save_records;
	k.r.arg = &m;
	assert_int_equal(sink_fixture_send(&k.r, &d, b).verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -EMSGSIZE);
	assert_int_equal(m.records[0], FFFA_V_DELIVERED);
	assert_int_equal(m.records[1], FFFA_V_TOO_BIG);
	assert_int_equal(m.records[2], FFFA_V_DELIVERED);
	fixture_delivery_fini(&d);
	kafka_fixture_close(&k);
}

/*
 * librdkafka's queue holds 10 messages. A batch of 5000 passes through it in order, each
 * record once.
 */
static void a_batch_larger_than_the_queue(void **state)
{
	struct kafka_fixture k;
	struct fixture_delivery d[3] = {0};

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_property(&k, "queue.buffering.max.messages", "10");
	kafka_fixture_property(&k, "linger.ms", "0");
	kafka_fixture_start(&k);
	assert_int_equal(sink_fixture_submit(&k.r, &d[0], make_batch(1, 1000, 40)), 0);
	assert_int_equal(sink_fixture_submit(&k.r, &d[1], make_batch(1001, 1000, 40)), -EAGAIN);
	assert_int_equal(k.r.readies, 0);
	fixture_delivery_fini(&d[1]);
	kafka_fixture_submit(&k, &d[1], make_batch(1001, 1000, 40));
	kafka_fixture_submit(&k, &d[2], make_batch(2001, 10, 40));
	for (size_t i = 0; i < 3; i++) {
		sink_fixture_wait(&k.r, &d[i]);
		assert_int_equal(d[i].outcome.verdict, FFFA_V_DELIVERED);
		fixture_delivery_fini(&d[i]);
	}
	expect_sequence(&k, 1, 2010);
	kafka_fixture_close(&k);
}

/* kcat, another program, reads the records of a batch that took many turns of the loop. */
static void kcat_reads_them(void **state)
{
	char command[512], line[256];
	struct kafka_fixture k;
	uint64_t n = 0;
	FILE *p;

	(void)state;
	if (system("command -v kcat >/dev/null"))
		skip();
	kafka_fixture_open(&k);
	k.conf.key = FFFA_KAFKA_KEY_FLOW;
	kafka_fixture_property(&k, "compression.type", "zstd");
	kafka_fixture_start(&k);
	assert_int_equal(sent(&k, make_batch(1, 10000, 60)).verdict, FFFA_V_DELIVERED);
	(void)snprintf(command, sizeof(command),
		       "timeout 60 kcat -q -C -b %s -t " TOPIC
		       " -p 0 -o beginning -e -f '%%k %%h %%s\\n'",
		       k.cluster.bootstraps);
	p = popen(command, "r");
	assert_non_null(p);
	while (fgets(line, sizeof(line), p)) {
		char want[80];

		n++;
		(void)snprintf(want, sizeof(want),
			       "%016" PRIx64 " content-type=text/plain,fffa-schema=1 %" PRIu64 " ",
			       n / 2, n);
		assert_memory_equal(line, want, strlen(want));
	}
	assert_int_equal(pclose(p), 0);
	assert_int_equal(n, 10000);
	kafka_fixture_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_each_with_key_and_headers),
		cmocka_unit_test(headers_are_sent_when_asked_for),
		cmocka_unit_test(binary_records_keep_their_last_byte),
		cmocka_unit_test(many_records_with_the_instance_as_key),
		cmocka_unit_test(an_unknown_instance_is_no_key),
		cmocka_unit_test(messages_are_cut_at_the_size_limit),
		cmocka_unit_test(only_the_record_that_is_too_large_is_split_off),
		cmocka_unit_test(a_batch_larger_than_the_queue),
		cmocka_unit_test(kcat_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
