// SPDX-License-Identifier: MIT
/* What the sink makes of each event of librdkafka. The queue and its events are the test's own. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "sinks/kafka/kafka_internal.h"
#include "tests/component/kafka/kafka_fixture.h"

#define RECORDS 100
#define NOW_MS	5000000

struct fake_event {
	rd_kafka_event_type_t type;
	rd_kafka_resp_err_t err;
	const char *text; /* of an error or a log line */
	const char *facility;
	rd_kafka_message_t messages[4];
	size_t n, next;
	bool unreadable; /* a log line that cannot be read */
};

static struct {
	struct fake_event *events;
	size_t n, next, destroyed;
	struct fake_event *for_ever; /* comes again and again behind the others */
	size_t polls;
} queue;

static struct fake_event *event_of(rd_kafka_event_t *ev)
{
	return (struct fake_event *)(void *)ev;
}

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
rd_kafka_event_t *__wrap_rd_kafka_queue_poll(rd_kafka_queue_t *q, int timeout_ms);
rd_kafka_event_type_t __wrap_rd_kafka_event_type(const rd_kafka_event_t *ev);
rd_kafka_resp_err_t __wrap_rd_kafka_event_error(rd_kafka_event_t *ev);
const char *__wrap_rd_kafka_event_error_string(rd_kafka_event_t *ev);
int __wrap_rd_kafka_event_log(rd_kafka_event_t *ev, const char **fac, const char **str, int *level);
const rd_kafka_message_t *__wrap_rd_kafka_event_message_next(rd_kafka_event_t *ev);
void __wrap_rd_kafka_event_destroy(rd_kafka_event_t *ev);

rd_kafka_event_t *__wrap_rd_kafka_queue_poll(rd_kafka_queue_t *q, int timeout_ms)
{
	struct fake_event *ev = queue.for_ever;

	(void)q;
	assert_int_equal(timeout_ms, 0); /* the loop waits for nothing */
	queue.polls++;
	if (queue.next < queue.n)
		ev = &queue.events[queue.next++];
	if (ev)
		ev->next = 0;
	return (rd_kafka_event_t *)(void *)ev;
}

rd_kafka_event_type_t __wrap_rd_kafka_event_type(const rd_kafka_event_t *ev)
{
	return event_of((rd_kafka_event_t *)(uintptr_t)ev)->type;
}

rd_kafka_resp_err_t __wrap_rd_kafka_event_error(rd_kafka_event_t *ev)
{
	return event_of(ev)->err;
}

const char *__wrap_rd_kafka_event_error_string(rd_kafka_event_t *ev)
{
	return event_of(ev)->text;
}

int __wrap_rd_kafka_event_log(rd_kafka_event_t *ev, const char **fac, const char **str, int *level)
{
	if (event_of(ev)->unreadable)
		return -1;
	*fac = event_of(ev)->facility;
	*str = event_of(ev)->text;
	*level = 4;
	return 0;
}

const rd_kafka_message_t *__wrap_rd_kafka_event_message_next(rd_kafka_event_t *ev)
{
	struct fake_event *e = event_of(ev);

	return e->next < e->n ? &e->messages[e->next++] : NULL;
}

void __wrap_rd_kafka_event_destroy(rd_kafka_event_t *ev)
{
	(void)ev;
	queue.destroyed++;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* A sink that is up, with one delivery in its slot 1. */
struct events_fixture {
	struct fffa_sink s;
	struct fffa_sink_env env;
	struct fffa_sink_kafka_conf conf;
	struct fffa_delivery d;
	uv_loop_t loop;
	unsigned int troubles;
	struct fffa_outcome trouble;
	char detail[512];
	int saved_stderr;
	char said[4096];
};

static void on_trouble(void *pipe, const struct fffa_outcome *o)
{
	struct events_fixture *f = pipe;

	f->troubles++;
	f->trouble = *o;
	(void)snprintf(f->detail, sizeof(f->detail), "%s", o->detail);
}

static int setup(void **state)
{
	static char topic[] = TOPIC;
	struct events_fixture *f = calloc(1, sizeof(*f));

	if (!f || uv_loop_init(&f->loop) != 0)
		return -1;
	memset(&queue, 0, sizeof(queue));
	f->loop.time = NOW_MS;
	f->conf.topic = topic;
	f->env = (struct fffa_sink_env){
		.loop = &f->loop, .tag = "sink.k", .pipe = f, .trouble = on_trouble};
	f->s.env = &f->env;
	f->s.conf = &f->conf;
	f->s.phase = FFFA_KAFKA_UP;
	f->s.client.wire_bytes = 1000;
	f->d.batch = make_batch(1, RECORDS, 40);
	*state = f;
	return fffa_kafka__slot_begin(&f->s.slots[1], &f->d);
}

static int teardown(void **state)
{
	struct events_fixture *f = *state;

	fffa_batch_unref(f->d.batch);
	free(f->s.slots[1].verdicts);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

/* Until end_log the log goes to a file without a name. */
static void begin_log(struct events_fixture *f)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);

	f->saved_stderr = dup(STDERR_FILENO);
	assert_true(fd >= 0 && f->saved_stderr >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
}

static const char *end_log(struct events_fixture *f)
{
	ssize_t n = pread(STDERR_FILENO, f->said, sizeof(f->said) - 1, 0);

	assert_int_equal(dup2(f->saved_stderr, STDERR_FILENO), STDERR_FILENO);
	(void)close(f->saved_stderr);
	assert_true(n >= 0);
	f->said[n] = '\0';
	return f->said;
}

static rd_kafka_message_t report_of(uint32_t first, uint32_t n, rd_kafka_resp_err_t err)
{
	const struct fffa_kafka_opaque opaque = {1, first, n};

	return (rd_kafka_message_t){.err = err, ._private = fffa_kafka__slot_pack(opaque)};
}

/* Drains these events, all of them. */
static void drain(struct events_fixture *f, struct fake_event *events, size_t n)
{
	queue.events = events;
	queue.n = n;
	queue.next = queue.destroyed = 0;
	assert_false(fffa_kafka__events_drain(&f->s));
	assert_int_equal(queue.next, n);
	assert_int_equal(queue.destroyed, n);
}

/* The report of one message with n records. */
static void report(struct events_fixture *f, uint32_t first, uint32_t n, rd_kafka_resp_err_t err)
{
	struct fake_event ev = {.type = RD_KAFKA_EVENT_DR, .n = 1};

	ev.messages[0] = report_of(first, n, err);
	drain(f, &ev, 1);
}

static void fail_with(struct events_fixture *f, rd_kafka_resp_err_t err, const char *text)
{
	struct fake_event ev = {.type = RD_KAFKA_EVENT_ERROR, .err = err, .text = text};

	drain(f, &ev, 1);
}

static void reports_give_records_their_verdicts(void **state)
{
	struct events_fixture *f = *state;
	const struct fffa_kafka_slot *slot = &f->s.slots[1];
	struct fake_event ev[2] = {{.type = RD_KAFKA_EVENT_DR, .n = 3},
				   {.type = RD_KAFKA_EVENT_DR, .n = 1}};

	ev[0].messages[0] = report_of(0, 1, RD_KAFKA_RESP_ERR_NO_ERROR);
	ev[0].messages[1] = report_of(1, 10, RD_KAFKA_RESP_ERR_INVALID_MSG);
	ev[0].messages[2] = report_of(11, 2, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
	ev[1].messages[0] = report_of(99, 1, RD_KAFKA_RESP_ERR_NO_ERROR);
	f->s.connection_err = RD_KAFKA_RESP_ERR__RESOLVE;
	drain(f, ev, 2);
	assert_int_equal(slot->reported, 14);
	assert_int_equal(slot->err, RD_KAFKA_RESP_ERR_INVALID_MSG);
	for (uint32_t i = 0; i < RECORDS; i++)
		assert_int_equal(slot->verdicts[i], i == 0 || i == 99 ? FFFA_V_DELIVERED
						    : i < 11	      ? FFFA_V_REFUSED
						    : i < 13	      ? FFFA_V_RETRY
								      : FFFA_V_NONE);
	assert_int_equal(f->s.reported_ms, NOW_MS);
	assert_int_equal(f->s.connection_err, 0);
	assert_false(f->s.fatal || f->s.too_big || f->s.untimed_until_ms);
	assert_int_equal(f->troubles, 0);
}

/* It comes from no broker that took something. */
static void a_report_without_success_is_no_connection(void **state)
{
	struct events_fixture *f = *state;
	struct fake_event ev = {.type = RD_KAFKA_EVENT_DR, .n = 2};

	f->s.connection_err = RD_KAFKA_RESP_ERR__RESOLVE;
	report(f, 0, 1, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
	assert_int_equal(f->s.connection_err, RD_KAFKA_RESP_ERR__RESOLVE);
	ev.messages[0] = report_of(1, 1, RD_KAFKA_RESP_ERR_NO_ERROR); /* one is enough */
	ev.messages[1] = report_of(2, 1, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
	drain(f, &ev, 1);
	assert_int_equal(f->s.connection_err, 0);
}

static void a_size_that_is_refused(void **state)
{
	static const rd_kafka_resp_err_t errs[] = {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
						   RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE};
	struct events_fixture *f = *state;
	const struct fffa_kafka_slot *slot = &f->s.slots[1];

	for (uint32_t i = 0; i < 2; i++) {
		f->s.too_big = false;
		f->s.client.wire_bytes = 2;
		report(f, i, 1, errs[i]);
		assert_int_equal(slot->verdicts[i], FFFA_V_RETRY);
		assert_true(f->s.too_big); /* smaller requests follow */
		f->s.too_big = false;
		f->s.client.wire_bytes = 1; /* each message was alone in its request */
		report(f, 10 + i, 1, errs[i]);
		assert_int_equal(slot->verdicts[10 + i], FFFA_V_TOO_BIG);
		assert_false(f->s.too_big);
	}
	f->s.client.wire_bytes = 1000;
	report(f, 20, 1, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE);
	assert_int_equal(slot->verdicts[20], FFFA_V_REFUSED);
	report(f, 21, 1, RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_int_equal(slot->verdicts[21], FFFA_V_DELIVERED);
	assert_false(f->s.too_big);
}

/* For ten minutes after the last one; one line says so. */
static void a_time_that_is_refused(void **state)
{
	struct events_fixture *f = *state;

	begin_log(f);
	f->s.phase = FFFA_KAFKA_ENDING;
	report(f, 0, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	assert_int_equal(f->s.untimed_until_ms, 0);
	f->s.phase = FFFA_KAFKA_UP;
	report(f, 1, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	assert_int_equal(f->s.untimed_until_ms, NOW_MS + 600000);
	f->loop.time += 7;
	report(f, 2, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	assert_int_equal(f->s.untimed_until_ms, NOW_MS + 7 + 600000);
	assert_string_equal(strstr(end_log(f), " warn "),
			    " warn  sink.k: topic flows: the broker refuses the time of messages; "
			    "they are sent again without one: check the clocks of host and "
			    "broker\n");
	assert_int_equal(f->s.slots[1].verdicts[1], FFFA_V_RETRY);
}

static void expect_fatal(struct events_fixture *f, rd_kafka_resp_err_t err,
			 enum fffa_kafka_phase phase, bool fatal)
{
	f->s.phase = phase;
	f->s.fatal = false;
	report(f, 0, 1, err);
	assert_int_equal(f->s.fatal, fatal);
}

/* Only the sink purges, and not while the producer is up. */
static void a_producer_that_has_given_up(void **state)
{
	struct events_fixture *f = *state;

	expect_fatal(f, RD_KAFKA_RESP_ERR__FATAL, FFFA_KAFKA_UP, true);
	expect_fatal(f, RD_KAFKA_RESP_ERR__FATAL, FFFA_KAFKA_ENDING, true);
	expect_fatal(f, RD_KAFKA_RESP_ERR__PURGE_QUEUE, FFFA_KAFKA_UP, true);
	expect_fatal(f, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, FFFA_KAFKA_UP, true);
	expect_fatal(f, RD_KAFKA_RESP_ERR__PURGE_QUEUE, FFFA_KAFKA_ENDING, false);
	expect_fatal(f, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, FFFA_KAFKA_ENDING, false);
	expect_fatal(f, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, FFFA_KAFKA_UP, false);
}

static void a_fatal_error(void **state)
{
	struct events_fixture *f = *state;

	fail_with(f, RD_KAFKA_RESP_ERR__FATAL, "fenced");
	assert_true(f->s.fatal);
	assert_int_equal(f->troubles, 0); /* the next producer is told of */
	assert_string_equal(f->s.last_error, "");
	assert_int_equal(f->s.connection_err, 0);
}

static void an_error_of_one_attempt_is_kept(void **state)
{
	struct events_fixture *f = *state;

	fail_with(f, RD_KAFKA_RESP_ERR__TRANSPORT, "b1: refused");
	assert_false(f->s.fatal);
	assert_int_equal(f->troubles, 0);
	assert_string_equal(f->s.last_error, "b1: refused");
	assert_int_equal(f->s.connection_err, 0);
}

static void expect_trouble(const struct events_fixture *f, unsigned int n, rd_kafka_resp_err_t err,
			   int cause, bool repair, const char *detail)
{
	assert_int_equal(f->troubles, n);
	assert_int_equal(f->s.connection_err, err);
	assert_int_equal(f->trouble.verdict, FFFA_V_RETRY);
	assert_int_equal(f->trouble.reason, err);
	assert_int_equal(f->trouble.cause, cause);
	assert_int_equal(f->trouble.repair, repair);
	assert_string_equal(f->detail, detail);
}

/* When all brokers are down, the reason that came before is the one that helps. */
static void what_keeps_all_brokers_away(void **state)
{
	struct events_fixture *f = *state;

	fail_with(f, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
	expect_trouble(f, 1, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, -EHOSTUNREACH, false,
		       "no broker can be reached: 1/1 brokers are down");
	assert_string_equal(f->s.last_error, "");
	fail_with(f, RD_KAFKA_RESP_ERR__TRANSPORT, "b1: refused");
	fail_with(f, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
	expect_trouble(f, 2, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, -EHOSTUNREACH, false,
		       "no broker can be reached: b1: refused");
	fail_with(f, RD_KAFKA_RESP_ERR__SSL, "b1: no certificate");
	expect_trouble(f, 3, RD_KAFKA_RESP_ERR__SSL, -EPROTO, true,
		       "TLS failed: b1: no certificate");
	fail_with(f, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
	expect_trouble(f, 4, RD_KAFKA_RESP_ERR__SSL, -EPROTO, true,
		       "no broker can be reached: b1: no certificate");
	/* One without words of its own. */
	fail_with(f, RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, "no thread");
	expect_trouble(f, 5, RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, -EIO, false,
		       "Local: Critical system resource failure: no thread");
}

static void log_lines(void **state)
{
	struct events_fixture *f = *state;
	struct fake_event ev[] = {
		{.type = RD_KAFKA_EVENT_LOG, .facility = "CONFWARN", .text = "strange"},
		{.type = RD_KAFKA_EVENT_LOG, .facility = "FAIL", .text = "away"},
		{.type = RD_KAFKA_EVENT_LOG, .unreadable = true},
		{.type = RD_KAFKA_EVENT_STATS},
	};
	const char *said;

	begin_log(f);
	drain(f, ev, 4);
	fffa_log_setup(FFFA_LOG_DEBUG, FFFA_LOG_TEXT);
	drain(f, ev, 4);
	fffa_log_setup(FFFA_LOG_INFO, FFFA_LOG_TEXT);
	said = end_log(f);
	for (int i = 0; i < 2; i++) {
		said = strstr(said, " warn  sink.k: librdkafka: CONFWARN: strange\n");
		assert_non_null(said);
		said = strchr(said, '\n') + 1;
	}
	assert_non_null(strstr(said, " debug sink.k: librdkafka: FAIL: away\n"));
	assert_string_equal(strchr(said, '\n'), "\n");
}

/* One turn of the loop takes 10000 events and messages, and says that there may be more. */
static void a_turn_is_bounded(void **state)
{
	struct events_fixture *f = *state;
	struct fake_event log = {.type = RD_KAFKA_EVENT_LOG, .unreadable = true},
			  reports = {.type = RD_KAFKA_EVENT_DR, .n = 4};

	queue.for_ever = &log;
	assert_true(fffa_kafka__events_drain(&f->s));
	assert_int_equal(queue.polls, 10000);
	assert_int_equal(queue.destroyed, 10000);
	for (uint32_t i = 0; i < 4; i++)
		reports.messages[i] = report_of(i, 1, RD_KAFKA_RESP_ERR_NO_ERROR);
	queue.for_ever = &reports;
	queue.polls = 0;
	assert_true(fffa_kafka__events_drain(&f->s));
	assert_int_equal(queue.polls, 2000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reports_give_records_their_verdicts),
		T(a_report_without_success_is_no_connection),
		T(a_size_that_is_refused),
		T(a_time_that_is_refused),
		T(a_producer_that_has_given_up),
		T(a_fatal_error),
		T(an_error_of_one_attempt_is_kept),
		T(what_keeps_all_brokers_away),
		T(log_lines),
		T(a_turn_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
