// SPDX-License-Identifier: MIT
/*
 * Producers that cannot be made, and when one is replaced by the next. There is no broker: what the
 * sink sees of it is set by the cases.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sinks/kafka/client.h"
#include "sinks/kafka/kafka_internal.h"
#include "tests/component/kafka/kafka_fixture.h"
#include "tests/stubs/failing_alloc.h"

#define LIMIT_NS UINT64_C(60000000000)

/* What fails; the program is linked with --wrap of each. */
static struct {
	bool no_producer, no_topic, no_tokens, no_eventfd, no_watch, no_thread, no_brokers;
	uv_sem_t *gate; /* what a producer waits for before it is made; NULL: nothing */
	int producers, confs_destroyed;
} lib;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
rd_kafka_t *__real_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *c, char *why, size_t cap);
rd_kafka_t *__wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *c, char *why, size_t cap);
rd_kafka_topic_t *__real_rd_kafka_topic_new(rd_kafka_t *rk, const char *t,
					    rd_kafka_topic_conf_t *c);
rd_kafka_topic_t *__wrap_rd_kafka_topic_new(rd_kafka_t *rk, const char *t,
					    rd_kafka_topic_conf_t *c);
rd_kafka_error_t *__real_rd_kafka_sasl_background_callbacks_enable(rd_kafka_t *rk);
rd_kafka_error_t *__wrap_rd_kafka_sasl_background_callbacks_enable(rd_kafka_t *rk);
void __real_rd_kafka_destroy(rd_kafka_t *rk);
void __wrap_rd_kafka_destroy(rd_kafka_t *rk);
void __real_rd_kafka_conf_destroy(rd_kafka_conf_t *c);
void __wrap_rd_kafka_conf_destroy(rd_kafka_conf_t *c);
rd_kafka_conf_res_t __real_rd_kafka_conf_set(rd_kafka_conf_t *c, const char *name,
					     const char *value, char *why, size_t cap);
rd_kafka_conf_res_t __wrap_rd_kafka_conf_set(rd_kafka_conf_t *c, const char *name,
					     const char *value, char *why, size_t cap);
int __real_eventfd(unsigned int count, int flags);
int __wrap_eventfd(unsigned int count, int flags);
int __real_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb run);
int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb run);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);

rd_kafka_t *__wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *c, char *why, size_t cap)
{
	rd_kafka_t *rk = NULL;

	if (lib.gate)
		uv_sem_wait(lib.gate);
	if (lib.no_producer)
		(void)snprintf(why, cap, "no producer");
	else
		rk = __real_rd_kafka_new(type, c, why, cap);
	lib.producers += rk != NULL;
	return rk;
}

rd_kafka_topic_t *__wrap_rd_kafka_topic_new(rd_kafka_t *rk, const char *t, rd_kafka_topic_conf_t *c)
{
	return lib.no_topic ? NULL : __real_rd_kafka_topic_new(rk, t, c);
}

rd_kafka_error_t *__wrap_rd_kafka_sasl_background_callbacks_enable(rd_kafka_t *rk)
{
	if (lib.no_tokens)
		return rd_kafka_error_new(RD_KAFKA_RESP_ERR__FAIL, "no tokens");
	return __real_rd_kafka_sasl_background_callbacks_enable(rk);
}

void __wrap_rd_kafka_destroy(rd_kafka_t *rk)
{
	lib.producers--;
	__real_rd_kafka_destroy(rk);
}

void __wrap_rd_kafka_conf_destroy(rd_kafka_conf_t *c)
{
	lib.confs_destroyed++;
	__real_rd_kafka_conf_destroy(c);
}

rd_kafka_conf_res_t __wrap_rd_kafka_conf_set(rd_kafka_conf_t *c, const char *name,
					     const char *value, char *why, size_t cap)
{
	if (!lib.no_brokers || strcmp(name, "bootstrap.servers"))
		return __real_rd_kafka_conf_set(c, name, value, why, cap);
	(void)snprintf(why, cap, "no such form");
	return RD_KAFKA_CONF_INVALID;
}

int __wrap_eventfd(unsigned int count, int flags)
{
	if (!lib.no_eventfd)
		return __real_eventfd(count, flags);
	errno = EMFILE;
	return -1;
}

int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb run)
{
	return lib.no_watch ? UV_ENOMEM : __real_uv_poll_start(p, events, run);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
	return lib.no_thread ? EAGAIN : __real_pthread_create(t, a, run, arg);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

struct start_fixture {
	struct sink_fixture r;
	struct fffa_sink_kafka_conf conf;
	char *broker;
	struct fffa_pair properties[4];
	struct fixture_delivery d[2];
	char detail[400]; /* of the last done */
	char report[1024];
};

static int setup(void **state)
{
	static char topic[] = TOPIC, broker[] = "127.0.0.1:1";
	struct start_fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	memset(&lib, 0, sizeof(lib));
	f->broker = broker;
	f->conf = (struct fffa_sink_kafka_conf){.brokers = {&f->broker, 1},
						.topic = topic,
						.key = FFFA_KAFKA_KEY_NONE,
						.records_per_message = 1,
						.properties = {f->properties, 0}};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct start_fixture *f = *state;

	for (size_t i = 0; i < 2; i++)
		fixture_delivery_fini(&f->d[i]);
	assert_int_equal(lib.producers, 0);
	free(f);
	return 0;
}

static void add_property(struct start_fixture *f, const char *name, const char *value)
{
	f->properties[f->conf.properties.n++] =
		(struct fffa_pair){(char *)(uintptr_t)name, (char *)(uintptr_t)value};
}

static void save_detail(struct sink_fixture *r)
{
	struct start_fixture *f = r->arg;

	for (size_t i = 0; i < 2; i++) {
		if (f->d[i].outcome.verdict != FFFA_V_NONE && f->d[i].outcome.detail)
			(void)snprintf(f->detail, sizeof(f->detail), "%s", f->d[i].outcome.detail);
		f->d[i].outcome.detail = NULL; /* it was lent */
	}
}

static struct fffa_sink *begin(struct start_fixture *f)
{
	sink_fixture_create(&f->r, &fffa_sink_kafka_ops, &f->conf, "");
	f->r.arg = f;
	f->r.on_done = save_detail;
	assert_int_equal(sink_fixture_start(&f->r), 0);
	return f->r.sink;
}

static void wait_for(struct start_fixture *f, bool (*cond)(const struct start_fixture *f))
{
	uint64_t end = uv_hrtime() + LIMIT_NS;

	while (!cond(f)) {
		assert_true(uv_hrtime() < end);
		(void)uv_run(&f->r.loop, UV_RUN_ONCE);
	}
}

static bool is_ended(const struct start_fixture *f)
{
	return f->r.sink->phase == FFFA_KAFKA_DOWN;
}

static bool is_remade(const struct start_fixture *f)
{
	return f->r.sink->remade > 0;
}

/* No producer could be made; that no broker answers may be told before. */
static bool has_failed(const struct start_fixture *f)
{
	return strstr(f->r.trouble, "producer") != NULL;
}

static void expect_no_sink(struct start_fixture *f, int rc, const char *text)
{
	int before = dup(0), after;
	struct fffa_sink *sink = NULL;
	struct fffa_err err = {""};
	struct fffa_sink_env env = {.tag = "test"};
	uv_loop_t loop;

	(void)close(before);
	assert_int_equal(uv_loop_init(&loop), 0);
	env.loop = &loop;
	assert_int_equal(fffa_sink_kafka_ops.create(&env, &f->conf, &sink, &err), rc);
	assert_null(sink);
	assert_string_equal(err.text, text);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	after = dup(0);
	assert_int_equal(after, before);
	(void)close(after);
}

static void a_sink_that_cannot_be_created(void **state)
{
	struct start_fixture *f = *state;

	failing_alloc_arm(1);
	expect_no_sink(f, -ENOMEM, "no memory for the sink");
	assert_true(failing_alloc_fired());
	lib.no_eventfd = true;
	expect_no_sink(f, -EMFILE, "cannot create an eventfd: Too many open files");
	lib.no_eventfd = false;
	lib.no_thread = true;
	expect_no_sink(f, -EAGAIN, "cannot start a thread: Resource temporarily unavailable");
}

static void expect_no_client(struct start_fixture *f, const char *text, int confs)
{
	struct fffa_kafka_client k = {.rk = (rd_kafka_t *)(void *)f};
	struct fffa_err err = {""};

	lib.confs_destroyed = 0;
	assert_int_equal(fffa_kafka__client_open(&f->conf, 0, -1, &k, &err), -EINVAL);
	assert_null(k.rk);
	assert_memory_equal(err.text, text, strlen(text));
	assert_int_equal(lib.producers, 0);
	assert_int_equal(lib.confs_destroyed, confs); /* a producer takes it */
}

static void a_producer_that_cannot_be_made(void **state)
{
	struct start_fixture *f = *state;
	struct fffa_err err = {""};

	lib.no_producer = true;
	expect_no_client(f, "properties: no producer", 1);
	lib.confs_destroyed = 0;
	assert_int_equal(fffa_kafka__client_probe(&f->conf, &err), -EINVAL);
	assert_string_equal(err.text, "properties: no producer");
	assert_int_equal(lib.confs_destroyed, 1);
	lib.no_producer = false;
	lib.no_topic = true;
	expect_no_client(f, "topic: ", 0);
	lib.no_topic = false;
	add_property(f, "security.protocol", "sasl_plaintext");
	add_property(f, "sasl.mechanisms", "OAUTHBEARER");
	add_property(f, "enable.sasl.oauthbearer.unsecure.jwt", "true");
	lib.no_tokens = true;
	expect_no_client(f, "properties: no tokens", 0);
	f->conf.properties.n = 0; /* without tokens nobody asks for them */
	assert_int_equal(fffa_kafka__client_probe(&f->conf, &err), 0);
	lib.no_brokers = true;
	expect_no_client(f, "brokers: no such form", 1);
}

static void a_probe_leaves_nothing_open(void **state)
{
	struct start_fixture *f = *state;
	struct fffa_err err = {""};
	int before = dup(0), after;

	(void)close(before);
	add_property(f, "ssl.ca.location", FFFA_SOURCE_DIR "/README.md"); /* no certificates */
	assert_int_equal(fffa_kafka__client_probe(&f->conf, &err), 0);
	after = dup(0);
	assert_int_equal(after, before);
	(void)close(after);
	add_property(f, "linger.ms", "x");
	assert_int_equal(fffa_kafka__client_probe(&f->conf, &err), -EINVAL);
	assert_non_null(strstr(err.text, "properties: linger.ms: "));
}

static void a_start_that_cannot_watch(void **state)
{
	struct start_fixture *f = *state;

	sink_fixture_create(&f->r, &fffa_sink_kafka_ops, &f->conf, "");
	lib.no_watch = true;
	assert_int_equal(sink_fixture_start(&f->r), UV_ENOMEM);
	assert_string_equal(f->r.err.text, "cannot watch the eventfd: not enough memory");
	lib.no_watch = false;
	sink_fixture_close(&f->r);
}

static void append_report(void *arg, const char *key, const char *value)
{
	struct start_fixture *f = arg;
	size_t n = strlen(f->report);

	(void)snprintf(f->report + n, sizeof(f->report) - n, "%s=%s\n", key, value);
}

static const char *report(struct start_fixture *f)
{
	f->report[0] = '\0';
	fffa_sink_kafka_ops.report(f->r.sink, append_report, f);
	return f->report;
}

/* Before the start, and after the end has begun. */
static void only_a_started_sink_takes_records(void **state)
{
	struct start_fixture *f = *state;

	sink_fixture_create(&f->r, &fffa_sink_kafka_ops, &f->conf, "");
	assert_string_equal(report(f), "producer=being created\nbrokers=ok\nqueued_messages=0\n"
				       "open_batches=0\nproducers_remade=0\n");
	assert_int_equal(sink_fixture_submit(&f->r, &f->d[0], make_batch(1, 1, 40)), -ECANCELED);
	assert_int_equal(sink_fixture_start(&f->r), 0);
	sink_fixture_close_begin(&f->r);
	assert_int_equal(sink_fixture_submit(&f->r, &f->d[1], make_batch(1, 1, 40)), -ECANCELED);
	sink_fixture_close_end(&f->r);
}

/* A submit looks at the silence when nobody else is going to. */
static uint64_t due_after_silence(struct start_fixture *f, uint64_t silent_ms)
{
	struct fffa_sink *s = begin(f);

	assert_int_equal(sink_fixture_submit(&f->r, &f->d[0], make_batch(1, 1, 40)), 0);
	(void)uv_timer_stop(&s->timer);
	s->reported_ms = uv_now(&f->r.loop) - silent_ms;
	assert_int_equal(sink_fixture_submit(&f->r, &f->d[1], make_batch(2, 1, 40)), 0);
	return uv_is_active((uv_handle_t *)&s->timer) ? uv_timer_get_due_in(&s->timer) : 0;
}

static void silence_is_watched_until_its_end(void **state)
{
	struct start_fixture *f = *state;

	f->conf.timeout_ns = INT64_C(10000000000);
	assert_int_equal(due_after_silence(f, 4000), 6000);
	assert_int_equal(f->r.sink->phase, FFFA_KAFKA_UP);
	sink_fixture_close(&f->r);
}

static void silence_that_may_last_for_ever(void **state)
{
	struct start_fixture *f = *state;

	f->conf.timeout_ns = 0;
	assert_int_equal(due_after_silence(f, 4000000), 0);
	assert_int_equal(f->r.sink->phase, FFFA_KAFKA_UP);
	sink_fixture_close(&f->r);
}

static void expect_silence(struct start_fixture *f, uint64_t silent_ms, const char *last_error,
			   const char *detail)
{
	struct fffa_sink *s = begin(f);

	(void)snprintf(s->last_error, sizeof(s->last_error), "%s", last_error);
	assert_int_equal(sink_fixture_submit(&f->r, &f->d[0], make_batch(1, 1, 40)), 0);
	(void)uv_timer_stop(&s->timer);
	s->reported_ms = uv_now(&f->r.loop) - silent_ms;
	assert_int_equal(sink_fixture_submit(&f->r, &f->d[1], make_batch(2, 1, 40)), 0);
	assert_int_equal(s->phase, FFFA_KAFKA_ENDING);
	wait_for(f, is_ended);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f->d[i].outcome.verdict, FFFA_V_RETRY);
		assert_int_equal(f->d[i].outcome.cause, -ETIMEDOUT);
		fixture_delivery_fini(&f->d[i]);
		memset(&f->d[i], 0, sizeof(f->d[i]));
	}
	assert_string_equal(f->detail, detail);
	sink_fixture_close(&f->r);
}

static void the_length_of_a_silence_is_told(void **state)
{
	struct start_fixture *f = *state;

	f->conf.timeout_ns = INT64_C(10000000000);
	expect_silence(f, 10000, "", "no delivery report for 10 s");
	expect_silence(f, 5000999, "b1: refused", "no delivery report for 5000 s: b1: refused");
}

/* Ends the producer as after a fatal error, with a delivery that is open. */
static void break_producer(struct start_fixture *f)
{
	assert_int_equal(sink_fixture_submit(&f->r, &f->d[0], make_batch(1, 3, 40)), 0);
	f->r.sink->fatal = true;
	fffa_kafka__produce_wake(f->r.sink);
}

static void a_producer_is_made_until_it_works(void **state)
{
	struct start_fixture *f = *state;
	struct fffa_sink *s = begin(f);

	lib.no_producer = true;
	break_producer(f);
	assert_int_equal(sink_fixture_submit(&f->r, &f->d[1], make_batch(2, 1, 40)), -EAGAIN);
	wait_for(f, has_failed);
	assert_int_equal(f->d[0].outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(f->d[0].outcome.cause, -EPROTO);
	assert_string_equal(f->detail, "the producer had a fatal error, a new one follows: unknown "
				       "reason");
	assert_string_equal(f->r.trouble,
			    "cannot create a Kafka producer: properties: no producer");
	assert_string_equal(report(f), "producer=being created\nbrokers=not reachable\n"
				       "queued_messages=0\nopen_batches=0\nproducers_remade=0\n"
				       "last_error=unknown reason\n");
	assert_int_equal(f->r.readies, 0);
	assert_int_equal(s->backoff.fails, 2);
	lib.no_producer = false;
	wait_for(f, is_remade);
	assert_int_equal(s->phase, FFFA_KAFKA_UP);
	assert_int_equal(f->r.readies, 1);
	sink_fixture_close(&f->r);
}

static void close_without_a_producer(void **state)
{
	struct start_fixture *f = *state;

	(void)begin(f);
	lib.no_producer = true;
	break_producer(f);
	wait_for(f, has_failed);
	sink_fixture_close_begin(&f->r);
	assert_int_equal(f->r.sink->phase, FFFA_KAFKA_CLOSING); /* the next is not waited for */
	sink_fixture_close_end(&f->r);
}

static bool is_making(const struct start_fixture *f)
{
	return f->r.sink->phase == FFFA_KAFKA_MAKING;
}

static void close_while_one_is_made(struct start_fixture *f, bool works)
{
	uv_sem_t gate;

	(void)begin(f);
	assert_int_equal(uv_sem_init(&gate, 0), 0);
	lib.gate = &gate;
	lib.no_producer = !works;
	break_producer(f);
	wait_for(f, is_making);
	sink_fixture_close_begin(&f->r);
	assert_int_equal(f->r.sink->phase, FFFA_KAFKA_MAKING);
	uv_sem_post(&gate);
	sink_fixture_close_end(&f->r);
	assert_null(strstr(f->r.trouble, "producer")); /* nobody needs to hear of it */
	assert_int_equal(f->r.readies, 0);
	lib.gate = NULL;
	uv_sem_destroy(&gate);
}

static void close_while_a_producer_is_made(void **state)
{
	close_while_one_is_made(*state, true);
}

static void close_while_a_producer_fails(void **state)
{
	close_while_one_is_made(*state, false);
}

/* After a minute the waits begin at the shortest again. */
static void a_long_life_resets_the_wait(void **state)
{
	struct start_fixture *f = *state;
	struct fffa_sink *s = begin(f);

	assert_int_equal(s->backoff.min_ns, UINT64_C(100000000));
	assert_int_equal(s->backoff.max_ns, UINT64_C(30000000000));
	s->backoff.fails = 3;
	s->made_ns = uv_hrtime() - UINT64_C(30000000000);
	break_producer(f);
	wait_for(f, is_ended);
	assert_int_equal(s->backoff.fails, 4);
	s->backoff.fails = 0; /* do not wait for long */
	wait_for(f, is_remade);
	s->backoff.fails = 3;
	s->made_ns = uv_hrtime() - UINT64_C(61000000000);
	fixture_delivery_fini(&f->d[0]);
	memset(&f->d[0], 0, sizeof(f->d[0]));
	break_producer(f);
	wait_for(f, is_ended);
	assert_int_equal(s->backoff.fails, 1);
	sink_fixture_close(&f->r);
}

/* The next producer makes requests of a quarter, of 16 KiB, and then of one message. */
static void a_refused_size_becomes_smaller(void **state)
{
	static const struct {
		size_t refused, next;
	} rows[] = {{1000000, 250000}, {65540, 16385}, {65536, 16384}, {65535, 16384},
		    {16385, 16384},    {16384, 1},     {100, 1}};
	struct start_fixture *f = *state;
	struct fffa_sink *s = begin(f);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s->remade = 0;
		s->client.wire_bytes = rows[i].refused;
		s->too_big = true;
		fffa_kafka__produce_wake(s);
		wait_for(f, is_remade);
		assert_int_equal(s->wire_bytes, rows[i].next);
		assert_int_equal(s->client.wire_bytes, rows[i].next);
		assert_int_equal(s->backoff.fails, 0); /* at once */
		assert_false(s->too_big || s->fatal);
	}
	sink_fixture_close(&f->r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_sink_that_cannot_be_created),     T(a_producer_that_cannot_be_made),
		T(a_probe_leaves_nothing_open),	      T(a_start_that_cannot_watch),
		T(only_a_started_sink_takes_records), T(silence_is_watched_until_its_end),
		T(silence_that_may_last_for_ever),    T(the_length_of_a_silence_is_told),
		T(a_producer_is_made_until_it_works), T(close_without_a_producer),
		T(close_while_a_producer_is_made),    T(close_while_a_producer_fails),
		T(a_long_life_resets_the_wait),	      T(a_refused_size_becomes_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
