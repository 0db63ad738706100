// SPDX-License-Identifier: MIT
/*
 * Compares the Kafka sink with a bare loop around librdkafka that sends the same bytes: once as the
 * same messages, once as messages without key and headers. They take turns on librdkafka's mock
 * cluster. Usage: bench_kafka [RECORDS [ROUNDS]]. The brokers run in this process, so "process"
 * includes their time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "sinks/delivery.h"
#include "sinks/kafka/kafka.h"
#include "tests/bench/measure.h"
#include "tests/stubs/kafka_cluster.h"

#define BATCHES	      48 /* in flight */
#define BATCH_RECORDS 1000
#define RECORD_BYTES  114
#define TOPIC	      "flows"
#define ROUNDS_MAX    15

struct cost {
	double wall_s, process_s, thread_s;
};

static struct cost now(void)
{
	return (struct cost){bench_clock_ns(CLOCK_MONOTONIC) / 1e9,
			     bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9,
			     bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1e9};
}

static struct cost since(struct cost t)
{
	struct cost n = now();

	return (struct cost){n.wall_s - t.wall_s, n.process_s - t.process_s,
			     n.thread_s - t.thread_s};
}

struct bench {
	struct kafka_cluster cluster;
	struct fffa_batch *batches[BATCHES];
	uint64_t total; /* records of a run */
	int per;	/* records in a message */
};

static struct fffa_batch *make_batch(uint64_t seq)
{
	struct fffa_batch *b = fffa_batch_new(BATCH_RECORDS * RECORD_BYTES, BATCH_RECORDS);
	struct fffa_batch_origin origin = {.agent_id = "i-1234567890abcdef0"};

	if (!b)
		abort();
	for (unsigned int i = 0; i < BATCH_RECORDS; i++) {
		uint8_t *p = fffa_batch_room(b, RECORD_BYTES);
		char line[160];

		(void)snprintf(
			line, sizeof(line),
			"2 123456789012 eni-1235b8ca123456789 10.0.%u.%u 172.31.16.%u %u 443 6 "
			"%u %u 1700000000 1700000059 ACCEPT OK",
			i >> 8, i & 255, i % 251, 1024 + i * 31 % 60000, i, i * 783);
		memset(p, ' ', RECORD_BYTES);
		memcpy(p, line, strnlen(line, RECORD_BYTES - 1));
		p[RECORD_BYTES - 1] = '\n';
		fffa_batch_commit(b, RECORD_BYTES,
				  &(struct fffa_record_info){.seq = seq + i,
							     .flow = (seq + i) / 2 *
								     UINT64_C(0x9e3779b97f4a7c15)});
	}
	fffa_batch_set_origin(b, &origin);
	fffa_batch_seal(b);
	return b;
}

/* The sink and a minimal pipeline, which submits each finished batch again. */
struct feed {
	struct bench *b;
	uv_loop_t loop;
	struct fffa_sink *sink;
	struct fffa_delivery d[BATCHES];
	bool waits[BATCHES];
	uint64_t submitted, delivered;
};

static void submit(struct feed *f, struct fffa_delivery *d)
{
	int rc;

	if (f->submitted >= f->b->total)
		return;
	rc = fffa_sink_kafka_ops.submit(f->sink, d);
	if (rc && rc != -EAGAIN)
		abort();
	f->waits[d - f->d] = rc == -EAGAIN;
	if (!rc)
		f->submitted += BATCH_RECORDS;
}

static void on_done(void *pipe, struct fffa_delivery *d, const struct fffa_outcome *o)
{
	struct feed *f = pipe;

	if (o->verdict != FFFA_V_DELIVERED) {
		(void)fprintf(stderr, "not delivered: %s\n", o->detail ? o->detail : "?");
		abort();
	}
	f->delivered += BATCH_RECORDS;
	submit(f, d);
}

static void on_ready(void *pipe)
{
	struct feed *f = pipe;

	for (size_t i = 0; i < BATCHES; i++) {
		if (f->waits[i])
			submit(f, &f->d[i]);
	}
}

static void on_closed(void *arg)
{
	(void)arg;
}

static char *append_text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct cost run_sink(struct bench *b)
{
	struct feed f = {.b = b};
	char *broker = b->cluster.bootstraps;
	struct fffa_pair linger = {append_text("linger.ms"), append_text("5")};
	struct fffa_sink_kafka_conf conf = {
		.brokers = {&broker, 1},
		.topic = append_text(TOPIC),
		.key = b->per == 1 ? FFFA_KAFKA_KEY_FLOW : FFFA_KAFKA_KEY_INSTANCE,
		.records_per_message = b->per,
		.properties = {&linger, 1},
	};
	struct fffa_sink_env env = {.loop = &f.loop,
				    .tag = "bench",
				    .pipe = &f,
				    .done = on_done,
				    .ready = on_ready,
				    .content_type = "text/plain"};
	struct fffa_err err;
	struct cost t;

	if (uv_loop_init(&f.loop) || fffa_sink_kafka_ops.create(&env, &conf, &f.sink, &err) ||
	    fffa_sink_kafka_ops.start(f.sink, &err))
		abort();
	t = now();
	for (size_t i = 0; i < BATCHES; i++) {
		f.d[i].batch = b->batches[i];
		submit(&f, &f.d[i]);
	}
	while (f.delivered < b->total)
		(void)uv_run(&f.loop, UV_RUN_ONCE);
	t = since(t);
	fffa_sink_kafka_ops.close(f.sink, on_closed, NULL);
	(void)uv_run(&f.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&f.loop);
	return t;
}

struct bare {
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	uint64_t confirmed;
};

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	uint64_t *confirmed = opaque;

	(void)rk;
	if (m->err)
		abort();
	*confirmed += (uint64_t)(uintptr_t)m->_private;
}

static void set_property(rd_kafka_conf_t *k, const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(k, name, value, why, sizeof(why)))
		abort();
}

static bool bare_produce(struct bare *p, struct fffa_span v, int n, const char *key, size_t key_len,
			 bool dressed)
{
	void *bytes = (void *)(uintptr_t)v.ptr, *opaque = (void *)(uintptr_t)n;

	if (!dressed)
		return rd_kafka_produce(p->topic, RD_KAFKA_PARTITION_UA, 0, bytes, v.len, NULL, 0,
					opaque) == 0;
	return rd_kafka_producev(p->rk, RD_KAFKA_V_RKT(p->topic), RD_KAFKA_V_VALUE(bytes, v.len),
				 RD_KAFKA_V_KEY(key, key_len),
				 RD_KAFKA_V_HEADER("content-type", "text/plain", -1),
				 RD_KAFKA_V_HEADER("fffa-schema", "1", 1),
				 RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END) == 0;
}

static void bare_batch(struct bare *p, const struct bench *b, const struct fffa_batch *batch,
		       bool dressed)
{
	char key[] = "0123456789abcdef123";

	for (int i = 0; i < BATCH_RECORDS; i += b->per) {
		struct fffa_span v = fffa_batch_record(batch, (uint32_t)i);

		v.len *= (size_t)b->per;
		if (b->per == 1)
			(void)memcpy(key, &v.ptr[40],
				     16); /* as good as a hash for the partitioner */
		while (!bare_produce(p, v, b->per, key, b->per == 1 ? 16 : 19, dressed))
			(void)rd_kafka_poll(p->rk, 1);
	}
	(void)rd_kafka_poll(p->rk, 0);
}

static struct cost run_bare(struct bench *b, bool dressed)
{
	rd_kafka_conf_t *k = rd_kafka_conf_new();
	struct bare p = {.confirmed = 0};
	char why[256];
	struct cost t;
	uint64_t sent = 0;

	set_property(k, "bootstrap.servers", b->cluster.bootstraps);
	set_property(k, "enable.idempotence", "true");
	set_property(k, "message.timeout.ms", "0");
	set_property(k, "linger.ms", "5");
	set_property(k, "queue.buffering.max.messages", "20000");
	set_property(k, "queue.buffering.max.kbytes", "65536");
	rd_kafka_conf_set_opaque(k, &p.confirmed);
	rd_kafka_conf_set_dr_msg_cb(k, on_report);
	p.rk = rd_kafka_new(RD_KAFKA_PRODUCER, k, why, sizeof(why));
	if (!p.rk)
		abort();
	p.topic = rd_kafka_topic_new(p.rk, TOPIC, NULL);
	t = now();
	for (; sent < b->total; sent += BATCH_RECORDS) {
		/* Opens as many deliveries as the sink may have. */
		while (sent - p.confirmed >= (uint64_t)BATCHES * BATCH_RECORDS)
			(void)rd_kafka_poll(p.rk, 1);
		bare_batch(&p, b, b->batches[sent / BATCH_RECORDS % BATCHES], dressed);
	}
	while (p.confirmed < b->total)
		(void)rd_kafka_poll(p.rk, 10);
	t = since(t);
	rd_kafka_topic_destroy(p.topic);
	rd_kafka_destroy(p.rk);
	return t;
}

static int compare(const void *a, const void *b)
{
	double x = ((const struct cost *)a)->process_s, y = ((const struct cost *)b)->process_s;

	return (x > y) - (x < y);
}

static struct cost median(struct cost *c, size_t n)
{
	qsort(c, n, sizeof(*c), compare);
	return c[n / 2];
}

static void print(const char *what, struct cost c, struct cost floor, double records)
{
	printf("%-26s %8.2f %12.0f %12.0f %8.2f %8.2f\n", what, records / c.wall_s / 1e6,
	       c.process_s / records * 1e9, c.thread_s / records * 1e9, c.wall_s / floor.wall_s,
	       c.process_s / floor.process_s);
}

static void run_rounds(struct bench *b, int per, size_t rounds)
{
	struct cost sink[ROUNDS_MAX] = {0}, same[ROUNDS_MAX] = {0}, plain[ROUNDS_MAX] = {0}, floor;
	double records = (double)b->total;

	b->per = per;
	for (size_t i = 0; i < rounds; i++) {
		plain[i] = run_bare(b, false);
		same[i] = run_bare(b, true);
		sink[i] = run_sink(b);
	}
	floor = median(same, rounds);
	printf("%d record%s a message    M records/s  process ns   caller ns  wall x  process x\n",
	       per, per > 1 ? "s" : "");
	print("  sink", median(sink, rounds), floor, records);
	print("  bare, the same messages", floor, floor, records);
	print("  bare, no key or headers", median(plain, rounds), floor, records);
}

int main(int argc, char **argv)
{
	struct bench b = {.total = argc > 1 ? strtoull(argv[1], NULL, 10) : 3000000};
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 3;
	struct rusage u;

	if (!b.total || b.total % BATCH_RECORDS || !rounds || rounds > ROUNDS_MAX) {
		(void)fprintf(stderr, "usage: bench_kafka [RECORDS (thousands) [ROUNDS 1..%d]]\n",
			      ROUNDS_MAX);
		return 2;
	}
	kafka_cluster_open(&b.cluster, 1);
	if (rd_kafka_mock_topic_create(b.cluster.mock, TOPIC, 1, 1))
		return 1;
	for (size_t i = 0; i < BATCHES; i++)
		b.batches[i] = make_batch(1 + i * BATCH_RECORDS);
	run_rounds(&b, 1, rounds);
	b.total *= 10; /* about as long as the first */
	run_rounds(&b, 1000, rounds);
	(void)getrusage(RUSAGE_SELF, &u);
	printf("librdkafka %s, %d-byte records, resident at most %ld MiB\n", rd_kafka_version_str(),
	       RECORD_BYTES, u.ru_maxrss / 1024);
	for (size_t i = 0; i < BATCHES; i++)
		fffa_batch_unref(b.batches[i]);
	kafka_cluster_close(&b.cluster);
	return 0;
}
