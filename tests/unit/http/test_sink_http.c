// SPDX-License-Identifier: MIT
/*
 * The sink with a server in a thread: outcomes as the pipeline gets them, room, status, lack
 * of memory.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sinks/http/http.h"
#include "tests/stubs/failing_alloc.h"
#include "tests/stubs/http_server.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"

struct place {
	struct http_server *server;
	char url[64];
	struct fffa_sink_http_conf conf;
	struct sink_fixture fixture;
	int other_port; /* of the server in another process */
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	p->other_port = *state ? *(const int *)*state : 0;
	p->server = http_server_open();
	(void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%d", http_server_port(p->server));
	p->conf = (struct fffa_sink_http_conf){.url = p->url,
					       .compress = FFFA_HTTP_NONE,
					       .tls.verify = true,
					       .timeout_ns = INT64_C(20000000000),
					       .requests = 1};
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	http_server_close(p->server);
	free(p);
	return 0;
}

static void open_sink(struct place *p)
{
	sink_fixture_create(&p->fixture, &fffa_sink_http_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&p->fixture), 0);
}

/* Sends one batch of three records; the server answers with text. */
static struct fffa_outcome outcome_of(struct place *p, const char *text)
{
	struct fixture_delivery d = {0};
	struct fffa_outcome o;

	http_server_answer(p->server, text);
	open_sink(p);
	o = sink_fixture_send(&p->fixture, &d, make_batch(1, 3, 50));
	fixture_delivery_fini(&d);
	sink_fixture_close(&p->fixture);
	return o;
}

static void outcomes(void **state)
{
	struct place *p = *state;
	struct fffa_outcome o;

	o = outcome_of(p, "HTTP/1.1 204 Fine\r\n\r\n");
	assert_int_equal(o.verdict, FFFA_V_DELIVERED);
	assert_null(o.detail);
	o = outcome_of(p, "HTTP/1.1 429 Later\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_int_equal(o.cause, -EBUSY);
	assert_int_equal(o.retry_after_ms, 77000);
	o = outcome_of(p, "HTTP/1.1 503 Later\r\nRetry-After: 999999\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(o.retry_after_ms, 3600000);
	o = outcome_of(p, "HTTP/1.1 413 No\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(o.verdict, FFFA_V_TOO_BIG);
	assert_int_equal(o.retry_after_ms, 0);
	o = outcome_of(p, "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(o.verdict, FFFA_V_REFUSED);
	assert_int_equal(o.reason, 400);
	o = outcome_of(p, "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_true(o.repair);
	o = outcome_of(p, "HTTP/1.1 301 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(o.verdict, FFFA_V_RETRY);
}

/* The answer has confirmed the batch when its headers are there, whatever becomes of the body. */
static void a_2xx_confirms_without_its_body(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
		"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Encoding: x-mine\r\nContent-Length: 3\r\n\r\nabc",
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct fffa_outcome o = outcome_of(p, answers[i]);

		assert_int_equal(o.verdict, FFFA_V_DELIVERED);
		assert_int_equal(o.cause, 0);
	}
	p->conf.index = (char[]){"flows"};
	p->conf.shape = FFFA_HTTP_ELASTICSEARCH; /* its answer is in the body */
	p->conf.timeout_ns = INT64_C(500000000);
	assert_int_equal(outcome_of(p, answers[0]).verdict, FFFA_V_RETRY);
}

struct saved_detail {
	const struct fixture_delivery *d;
	char text[1024];
};

static void save_detail(struct sink_fixture *r)
{
	struct saved_detail *s = r->arg;

	(void)snprintf(s->text, sizeof(s->text), "%s", s->d->outcome.detail);
}

static void says_what_the_server_said(void **state)
{
	struct place *p = *state;
	struct fixture_delivery d = {0};
	struct saved_detail s = {.d = &d};
	char url[80], want[200];

	(void)snprintf(url, sizeof(url), "%s/v1?token=s3cr3t", p->url);
	p->conf.url = url;
	http_server_answer(p->server, "HTTP/1.1 405 No\r\nContent-Length: 9\r\n\r\nno\tPOST\r\n");
	open_sink(p);
	p->fixture.on_done = save_detail;
	p->fixture.arg = &s;
	(void)sink_fixture_send(&p->fixture, &d, make_batch(1, 3, 50));
	(void)snprintf(want, sizeof(want),
		       "HTTP 405 from %s/v1?***: the server takes no POST at this path: check url; "
		       "it said: no\\x09POST\\x0d\\x0a",
		       p->url);
	assert_string_equal(s.text, want);
	fixture_delivery_fini(&d);
	sink_fixture_close(&p->fixture);
}

/* Each of the three files is looked at, and the first that cannot be read is named. */
static void files_of_tls_are_looked_at(void **state)
{
	static const char *const keys[] = {"tls.ca_file", "tls.cert_file", "tls.key_file"};
	struct place *p = *state;
	char missing[] = "/nonexistent.pem", there[] = "/proc/version";
	char **files[] = {&p->conf.tls.ca_file, &p->conf.tls.cert_file, &p->conf.tls.key_file};

	for (size_t bad = 0; bad < 3; bad++) {
		char want[200];

		for (size_t i = 0; i < 3; i++)
			*files[i] = i < bad ? there : missing;
		sink_fixture_create(&p->fixture, &fffa_sink_http_ops, &p->conf, "");
		assert_int_equal(sink_fixture_start(&p->fixture), -ENOENT);
		(void)snprintf(want, sizeof(want),
			       "%s: cannot read /nonexistent.pem: No such file or directory",
			       keys[bad]);
		assert_string_equal(p->fixture.err.text, want);
		sink_fixture_close(&p->fixture);
	}
}

/* Nothing is taken by a sink that could not be started, or that closes. */
static void nothing_is_taken_before_and_after(void **state)
{
	struct place *p = *state;
	struct fixture_delivery d[3] = {0};

	p->conf.tls.ca_file = (char[]){"/nonexistent.pem"};
	sink_fixture_create(&p->fixture, &fffa_sink_http_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&p->fixture), -ENOENT);
	assert_int_equal(sink_fixture_submit(&p->fixture, &d[0], make_batch(1, 3, 50)), -ECANCELED);
	sink_fixture_close(&p->fixture);
	p->conf.tls.ca_file = NULL;
	p->conf.requests = 4;
	open_sink(p);
	assert_int_equal(sink_fixture_submit(&p->fixture, &d[1], make_batch(1, 3, 50)), 0);
	sink_fixture_close_begin(&p->fixture);
	assert_int_equal(sink_fixture_submit(&p->fixture, &d[2], make_batch(4, 3, 50)), -ECANCELED);
	sink_fixture_close_end(&p->fixture);
	assert_int_equal(d[1].outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(d[1].outcome.cause, -ECANCELED);
	for (size_t i = 0; i < 3; i++)
		fixture_delivery_fini(&d[i]);
}

static void expect_detail(struct place *p, const char *answer, const char *detail)
{
	struct fixture_delivery d = {0};
	struct saved_detail s = {.d = &d};

	http_server_answer(p->server, answer);
	open_sink(p);
	p->fixture.on_done = save_detail;
	p->fixture.arg = &s;
	(void)sink_fixture_send(&p->fixture, &d, make_batch(1, 3, 50));
	if (!strstr(s.text, detail))
		fail_msg("\"%s\" does not hold \"%s\"", s.text, detail);
	fixture_delivery_fini(&d);
	sink_fixture_close(&p->fixture);
}

/* Answers 200 that did not take every record, in words. */
static void says_what_became_of_records(void **state)
{
	static const char unreadable[] = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"items";
	static const char refused[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 145\r\n\r\n{\"errors\":true,\"items\":["
		"{\"index\":{\"status\":201}},{\"index\":{\"status\":201}},{\"index\":{\"status\":"
		"400,"
		"\"error\":{\"type\":\"mapper\",\"reason\":\"no date\"}}}]}";
	struct place *p = *state;

	p->conf.index = (char[]){"flows"};
	p->conf.shape = FFFA_HTTP_ELASTICSEARCH;
	expect_detail(p, unreadable, ": the answer cannot be read; it said: {\"items");
	expect_detail(p, refused, ": it did not take every record: 400 mapper, the server refuses");
}

/* It is no reset and no silence: somebody is there, and says too little. */
static void says_that_the_final_answer_did_not_come(void **state)
{
	struct place *p = *state;

	p->conf.timeout_ns = INT64_C(4000000000); /* until then it has come, on any machine */
	expect_detail(p, "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n",
		      "; it sent HTTP 103 and no final answer");
}

static void nobody_listens(void **state)
{
	struct place *p = *state;
	struct fixture_delivery d = {0};
	struct fffa_outcome o;

	p->conf.url = "http://127.0.0.1:1/";
	open_sink(p);
	o = sink_fixture_send(&p->fixture, &d, make_batch(1, 3, 50));
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_int_equal(o.cause, -ECONNREFUSED);
	fixture_delivery_fini(&d);
	sink_fixture_close(&p->fixture);
}

static void room_comes_back(void **state)
{
	struct place *p = *state;
	struct fixture_delivery d[2] = {0};

	open_sink(p);
	assert_int_equal(sink_fixture_submit(&p->fixture, &d[0], make_batch(1, 3, 50)), 0);
	assert_int_equal(sink_fixture_submit(&p->fixture, &d[1], make_batch(4, 3, 50)), -EAGAIN);
	assert_int_equal(p->fixture.readies, 0);
	sink_fixture_wait(&p->fixture, &d[0]);
	assert_int_equal(p->fixture.readies, 1);
	assert_int_equal(sink_fixture_again(&p->fixture, &d[1]), 0);
	sink_fixture_wait(&p->fixture, &d[1]);
	assert_int_equal(d[1].outcome.verdict, FFFA_V_DELIVERED);
	assert_int_equal(p->fixture.readies, 1); /* nobody waits for another */
	fixture_delivery_fini(&d[0]);
	fixture_delivery_fini(&d[1]);
	sink_fixture_close(&p->fixture);
}

static void append_report(void *arg, const char *key, const char *value)
{
	char *text = arg;

	(void)strcat(strcat(strcat(strcat(text, key), "="), value), " ");
}

static void status(void **state)
{
	struct place *p = *state;
	struct fixture_delivery d = {0};
	char text[256] = "";

	p->conf.requests = 2;
	open_sink(p);
	p->fixture.ops->report(p->fixture.sink, append_report, text);
	assert_string_equal(text, "last_status=- http_version=- connections_made=0 "
				  "requests_in_flight=0 ");
	for (int i = 0; i < 3; i++) {
		(void)sink_fixture_send(&p->fixture, &d, make_batch(1, 3, 50));
		fixture_delivery_fini(&d);
	}
	assert_int_equal(sink_fixture_submit(&p->fixture, &d, make_batch(1, 3, 50)), 0);
	text[0] = '\0';
	p->fixture.ops->report(p->fixture.sink, append_report, text);
	assert_string_equal(text, "last_status=200 http_version=1.1 connections_made=1 "
				  "requests_in_flight=1 ");
	sink_fixture_wait(&p->fixture, &d);
	fixture_delivery_fini(&d);
	sink_fixture_close(&p->fixture);
}

/*
 * Starts a server in another process, whose memory does not run out. Returns its port. To be
 * called before there are threads: under the thread sanitizer, a child of a process with threads
 * can have none.
 */
static int other_process(pid_t *child)
{
	int ends[2], port = 0;

	if (pipe(ends))
		abort();
	*child = fork();
	if (!*child) {
		struct http_server *server = http_server_open();

		http_server_answer(server,
				   "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"errors\":"
				   "false}");
		port = http_server_port(server);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!write(ends[1], &port, sizeof(port));
		for (;;)
			(void)pause();
	}
	if (*child < 0 || read(ends[0], &port, sizeof(port)) != sizeof(port))
		abort();
	(void)close(ends[0]);
	(void)close(ends[1]);
	return port;
}

/* Whichever allocation fails, start fails, or the delivery is retried and arrives then. */
static void without_memory(void **state)
{
	static const enum fffa_http_compress compress[] = {FFFA_HTTP_ZSTD, FFFA_HTTP_GZIP};
	struct place *p = *state;
	struct fffa_pair label = {"env", "test"};
	unsigned long n = 0;
	bool fired = true;

	(void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%d", p->other_port);
	p->conf.shape = FFFA_HTTP_OTLP;
	p->conf.headers = p->conf.labels = (struct fffa_pairs){&label, 1};
	while (fired) {
		struct fffa_batch *b = make_batch(1, 100, 50);
		struct fixture_delivery d = {0};

		p->conf.compress = compress[n % 2];
		sink_fixture_create(&p->fixture, &fffa_sink_http_ops, &p->conf, "");
		failing_alloc_arm(1 + n++ / 2);
		if (sink_fixture_start(&p->fixture)) {
			assert_true(failing_alloc_fired());
			assert_true(p->fixture.err.text[0]);
			fffa_batch_unref(b);
		} else {
			struct fffa_outcome o = sink_fixture_send(&p->fixture, &d, b);

			fired = failing_alloc_fired();
			failing_alloc_arm(0);
			if (o.verdict != FFFA_V_DELIVERED) {
				assert_true(fired);
				assert_int_equal(o.verdict, FFFA_V_RETRY);
				assert_int_equal(sink_fixture_again(&p->fixture, &d), 0);
				sink_fixture_wait(&p->fixture, &d);
				assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
			}
			fixture_delivery_fini(&d);
		}
		failing_alloc_arm(0);
		sink_fixture_close(&p->fixture);
	}
	assert_true(n > 10);
}

int main(void)
{
	pid_t child;
	int port = other_process(&child), failed;
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(outcomes),
		T(a_2xx_confirms_without_its_body),
		T(says_what_the_server_said),
		T(files_of_tls_are_looked_at),
		T(nothing_is_taken_before_and_after),
		T(says_what_became_of_records),
		T(says_that_the_final_answer_did_not_come),
		T(nobody_listens),
		T(room_comes_back),
		T(status),
		cmocka_unit_test_prestate_setup_teardown(without_memory, setup, teardown, &port),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as main does */
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return failed;
}
