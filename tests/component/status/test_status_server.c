// SPDX-License-Identifier: MIT
/* The listener in this process, asked through a unix socket: answers, requests that wait, readers, its end. */
#include "agent/status/status.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/flow/record.h"
#include "tests/component/status/server_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"

static void test_pages(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *type, *body;
	} rows[] = {
		{GET("/healthz"), 200, "text/plain; charset=utf-8", "ok\n"},
		{GET("/readyz"), 503, "text/plain; charset=utf-8", "no hook\n"},
		{GET("/metrics"), 200, "text/plain; version=0.0.4; charset=utf-8", "# HELP "},
		{GET("/status"), 200, "application/json", "{\"version\":\"1.2.3\","},
		{GET("/history"), 200, "application/json", "{\"start_ms\":1700000000123,"},
		{GET("/history?since=x"), 400, "text/plain; charset=utf-8",
		 "since: allowed: an uptime in milliseconds\n"},
		{GET("/flows"), 200, "application/json", "{\"time_ms\":"},
		{GET("/flows?n=0"), 400, "text/plain; charset=utf-8",
		 "n: allowed: a number from 1 to 1000\n"},
		{GET("/flows?sort=size"), 400, "text/plain; charset=utf-8",
		 "sort: allowed: bytes, packets\n"},
		{GET("/flows?filter=len%3e1"), 400, "text/plain; charset=utf-8",
		 "filter: column 1: "},
		{GET("/flows?filter=%00tcp"), 400, "text/plain; charset=utf-8",
		 "filter: it has a byte 0\n"},
		{GET("/records?filter=tcp%20and"), 400, "text/plain; charset=utf-8",
		 "filter: column 8: the filter is not complete\n"},
		{GET("/absent"), 404, "text/plain; charset=utf-8",
		 "not found; the pages are / /metrics /healthz /readyz /status /history "
		 "/flows?n=50&sort=bytes&filter=EXPR /records?filter=EXPR\n"},
		{"POST /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405,
		 "text/plain; charset=utf-8", "allowed: GET, HEAD\n"},
		{"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 400,
		 "text/plain; charset=utf-8", "a request must have no body\n"},
		{"GET /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 400, "text/plain; charset=utf-8", "a request must have no body\n"},
		{"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200,
		 "text/plain; charset=utf-8", "ok\n"},
	};
	struct fixture *f = *state;

	f->sample.view.not_ready = "no hook";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *body = get(f, rows[i].request, rows[i].status);
		char type[128];

		if (strncmp(body, rows[i].body, strlen(rows[i].body)) != 0)
			fail_msg("%s: %s", rows[i].request, body);
		(void)snprintf(type, sizeof(type), "\r\nContent-Type: %s\r\n", rows[i].type);
		if (!strstr(f->clients[0].got, type))
			fail_msg("no %s: %s", type, f->clients[0].got);
		assert_int_equal(strstr(f->clients[0].got, "\r\nAllow: GET, HEAD\r\n") != NULL,
				 rows[i].status == 405);
	}
	f->sample.view.not_ready = NULL;
	assert_string_equal(get(f, GET("/readyz"), 200), "ready\n");
}

/* Also HEAD and one that is refused: the next request stands where the last one ended. */
static void test_requests_on_one_connection(void **state)
{
	struct fixture *f = *state;
	struct client *c = start(f, "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n");

	await_text(f, c, "\r\n\r\n");
	assert_string_equal(strstr(c->got, "\r\n\r\n"), "\r\n\r\n");
	assert_non_null(strstr(c->got, "\r\nContent-Length: 3\r\n"));
	for (int i = 0; i < 3; i++) {
		c->n = 0;
		c->got[0] = '\0';
		ask(c, i == 1 ? GET("/absent") : GET("/healthz"));
		assert_memory_equal(await_body(f, c), i == 1 ? "not found" : "ok\n", 3);
		expect_status(c, i == 1 ? 404 : 200);
	}
	assert_false(c->ended);
}

/* A letter for each protocol, in the order of the flows. */
static void expect_flows(const char *body, const char *want)
{
	static const char key[] = "\"protocol\":";
	const char *at = body;
	char got[8] = "";

	for (size_t n = 0; (at = strstr(at, key)) && n < sizeof(got) - 1; n++) {
		long number = strtol(at += strlen(key), NULL, 10);

		got[n] = number == IPPROTO_UDP ? 'u' : number == IPPROTO_TCP ? 't' : 'i';
	}
	if (strcmp(got, want) != 0)
		fail_msg("%s, not %s: %s", got, want, body);
}

static void test_flows(void **state)
{
	struct fixture *f = *state;

	expect_flows(get(f, GET("/flows"), 200), "uti");
	expect_flows(get(f, GET("/flows?n=2"), 200), "ut"); /* of the same answer */
	expect_flows(get(f, GET("/flows?sort=packets"), 200), "itu");
	expect_flows(get(f, GET("/flows?sort=bytes&n=1"), 200), "u");
	expect_flows(get(f, GET("/flows?filter=tcp%20or%20icmp6"), 200), "ti");
	expect_flows(get(f, GET("/flows?filter=icmp6&sort=packets"), 200), "i");
	expect_flows(get(f, GET("/flows?filter="), 200), "uti");
	assert_non_null(strstr(get(f, GET("/flows"), 200), "\"active\":51,"));
	f->sample.view.interfaces = &f->sample.interfaces;
	assert_non_null(strstr(get(f, GET("/flows"), 200), "\"interface\":\"eth0\""));
}

/* Without a flow table, as before the start has ended. */
static void test_no_flows_yet(void **state)
{
	struct fixture *f = *state;
	struct fffa_flow_table *kept = f->flows;

	f->flows = NULL;
	expect_flows(get(f, GET("/flows"), 200), "");
	f->flows = kept;
}

/* Both answers are of one walk. */
static void expect_same_time(const struct client *a, const struct client *b)
{
	static const char key[] = "{\"time_ms\":";
	const char *one = strstr(a->got, key), *two = strstr(b->got, key);

	assert_true(one && two);
	assert_memory_equal(one, two, strlen(key) + strlen("1700000000000"));
}

/* Each of them waits for its own walk; those with the same question get the same one. */
static void test_questions_at_the_same_time(void **state)
{
	static const char *const requests[] = {GET("/flows?filter=udp"),
					       GET("/flows?filter=tcp"),
					       GET("/flows?filter=icmp6"),
					       GET("/flows?filter=tcp"),
					       GET("/flows?filter=tcp&sort=packets"),
					       GET("/flows")};
	static const char *const want[] = {"u", "t", "i", "t", "t", "uti"};
	struct fixture *f = *state;
	struct client *gone = start(f, GET("/flows?filter=tcp")), *c[6];

	for (size_t i = 0; i < 6; i++)
		c[i] = start(f, requests[i]);
	turn(f, c[0]);
	(void)close(gone->fd); /* while its question is waiting */
	gone->fd = -1;
	for (size_t i = 0; i < 6; i++)
		expect_flows(await_body(f, c[i]), want[i]);
	expect_same_time(c[1], c[3]);
}

static void emit(struct fixture *f, uint8_t proto, uint64_t packets)
{
	static const struct fffa_ident_host host = {.agent_id = "me"};
	static const struct fffa_ident ident = {.host = &host};
	struct fffa_record r = {.ident = &ident, .packets = packets, .status = FFFA_STATUS_OK};

	r.key.proto = proto;
	r.key.view = FFFA_VIEW_IPV6;
	fffa_status_record(f->s, &r);
}

static void test_records(void **state)
{
	struct fixture *f = *state;
	struct client *all, *some;

	emit(f, IPPROTO_UDP, 1); /* for nobody */
	all = start(f, GET("/records"));
	some = start(f, GET("/records?filter=tcp"));
	await_text(f, all, "\r\n\r\n");
	await_text(f, some, "\r\n\r\n");
	assert_non_null(strstr(all->got, "\r\nContent-Type: application/x-ndjson\r\n"));
	assert_non_null(strstr(all->got, "\r\nCache-Control: no-store\r\n"));
	for (unsigned int i = 0; i < 3; i++) {
		emit(f, i == 1 ? IPPROTO_TCP : IPPROTO_UDP, 70 + i);
		await_text(f, all,
			   i == 0   ? "\"packets\":70,"
			   : i == 1 ? "\"packets\":71,"
				    : "\"packets\":72,");
	}
	await_text(f, some, "\"packets\":71,");
	assert_null(strstr(some->got, "\"packets\":70,"));
	assert_null(strstr(some->got, "\"packets\":72,"));
	assert_null(strstr(all->got, "\"packets\":1,"));
	fffa_status_close(f->s);
	f->s = NULL;
	await_end(f, all);
	await_end(f, some);
}

static void test_eight_readers(void **state)
{
	struct fixture *f = *state;
	struct client *c[8], *next;

	for (size_t i = 0; i < 8; i++) {
		c[i] = start(f, GET("/records?filter=tcp"));
		await_text(f, c[i], "\r\n\r\n");
		expect_status(c[i], 200);
	}
	assert_string_equal(get(f, GET("/records"), 503),
			    "there are 8 readers of records already\n");
	assert_string_equal(get(f, "HEAD /records HTTP/1.1\r\n" HOST "\r\n", 200), "");
	assert_non_null(strstr(f->clients[8].got, "\r\nContent-Type: application/x-ndjson\r\n"));
	(void)close(c[3]->fd);
	c[3]->fd = -1;
	next = start(f, GET("/records"));
	await_text(f, next, "\r\n\r\n");
	expect_status(next, 200);
	emit(f, IPPROTO_TCP, 77);
	await_text(f, next, "\"packets\":77,");
	for (size_t i = 0; i < 8; i++) {
		if (i != 3)
			await_text(f, c[i], "\"packets\":77,");
	}
}

/* The 17th connection of one address takes the place of the one whose request is the oldest. */
static void test_connections_of_one_client(void **state)
{
	struct fixture *f = *state;
	struct client *c[17];

	for (size_t i = 0; i < 16; i++) {
		c[i] = start(f, GET("/healthz"));
		(void)await_body(f, c[i]);
	}
	c[0]->n = 0;
	ask(c[0], GET("/healthz"));
	c[0]->got[0] = '\0';
	(void)await_body(f, c[0]); /* so the second is the oldest now */
	c[16] = start(f, GET("/healthz"));
	(void)await_body(f, c[16]);
	await_end(f, c[1]);
	turn(f, c[0]);
	turn(f, c[2]);
	assert_false(c[0]->ended || c[2]->ended);
}

/* The end while a filter is compiled, a walk waits, a request is half, and a stream is open. */
static void test_an_end_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct client *c[5];

	(void)get(f, GET("/flows"), 200); /* the next walk has to wait */
	c[0] = start(f, GET("/records"));
	await_text(f, c[0], "\r\n\r\n");
	c[1] = start(f, GET("/flows?sort=packets"));
	c[2] = start(f, GET("/flows?filter=udp"));
	c[3] = start(f, "GET /flo");
	c[4] = join(f);
	turn(f, c[1]);
	turn(f, c[2]);
	fffa_status_close(f->s);
	f->s = NULL;
	for (size_t i = 0; i < 5; i++)
		await_end(f, c[i]);
}

static void test_a_header_without_end(void **state)
{
	struct fixture *f = *state;
	struct client *c = start(f, "GET / HTTP/1.1\r\nX: ");
	char text[1024];

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 40 && !c->ended; i++) {
		if (send(c->fd, text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		turn(f, c);
	}
	await_text(f, c, "HTTP/1.1 4"); /* too large */
	(void)get(f, GET("/healthz"), 200);
}

/* The text behind "NAME: " in the answer, up to the end of its line. */
static const char *header(struct client *c, const char *name, char dst[1024])
{
	const char *at = strstr(c->got, name);

	assert_non_null(at);
	at += strlen(name) + strlen(": ");
	(void)snprintf(dst, 1024, "%.*s", (int)strcspn(at, "\r"), at);
	return dst;
}

static void test_the_page(void **state)
{
	static const char *const lines[] = {
		"\r\nContent-Type: text/html; charset=utf-8\r\n",
		"\r\nCache-Control: no-cache\r\n",
		"\r\nCross-Origin-Opener-Policy: same-origin\r\n",
		"\r\nCross-Origin-Resource-Policy: same-origin\r\n",
		"\r\nReferrer-Policy: no-referrer\r\n",
		"\r\nX-Content-Type-Options: nosniff\r\n",
	};
	struct fixture *f = *state;
	struct client *c = start(f, GET("/"));
	const char *body = await_body(f, c);
	char text[1024], tag[1024], request[2048];

	expect_status(c, 200);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_non_null(strstr(c->got, lines[i]));
	assert_memory_equal(body, "<!", 2);
	/* Between the two hashes and behind them. */
	(void)header(c, "\r\nContent-Security-Policy", text);
	assert_memory_equal(text, "default-src 'none'; script-src 'sha256-",
			    strlen("default-src 'none'; script-src 'sha256-"));
	assert_non_null(strstr(text, "='; style-src 'sha256-"));
	assert_string_equal(strstr(text, "='; img-src"),
			    "='; img-src data:; connect-src 'self'; base-uri 'none'; form-action "
			    "'none'; frame-ancestors 'none'; require-trusted-types-for 'script'");
	(void)header(c, "\r\nETag", tag);
	assert_true(tag[0] == '"' && strlen(tag) > 8);
	for (int i = 0; i < 3; i++) { /* the tag, a weak one among others, any */
		int n = snprintf(request, sizeof(request),
				 "GET / HTTP/1.1\r\n" HOST "If-None-Match: ");

		if (i < 2)
			n += snprintf(request + n, sizeof(request) - (size_t)n, "%s%s",
				      i ? "\"x\", W/" : "", tag);
		else
			n += snprintf(request + n, sizeof(request) - (size_t)n, "*");
		(void)snprintf(request + n, sizeof(request) - (size_t)n, "\r\n\r\n");
		c = start(f, request);
		await_text(f, c, "\r\n\r\n");
		expect_status(c, 304);
	}
	c = start(f, "GET / HTTP/1.1\r\n" HOST "If-None-Match: \"x\"\r\n\r\n");
	(void)await_body(f, c);
	expect_status(c, 200);
}

struct MHD_Daemon;
struct MHD_Daemon *__real_MHD_start_daemon(unsigned int flags, uint16_t port, void *apc, void *arg,
					   void *handler, void *handler_arg, int first,
					   const void *options, int end);
struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned int flags, uint16_t port, void *apc, void *arg,
					   void *handler, void *handler_arg, int first,
					   const void *options, int end);

/* As if the library had no memory. */
struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned int flags, uint16_t port, void *apc, void *arg,
					   void *handler, void *handler_arg, int first,
					   const void *options, int end)
{
	return getenv("FFFA_TEST_NO_DAEMON")
		       ? NULL
		       : __real_MHD_start_daemon(flags, port, apc, arg, handler, handler_arg, first,
						 options, end);
}

static void test_a_library_that_does_not_start(void **state)
{
	struct fixture *f = *state;
	struct fffa_status *other = NULL;
	struct fffa_err err = {""};
	char listen[96], want[200];

	(void)snprintf(listen, sizeof(listen), "%s-other", f->listen);
	(void)snprintf(want, sizeof(want),
		       "status.listen: cannot start the listener at %s: Cannot allocate memory",
		       listen);
	assert_int_equal(setenv("FFFA_TEST_NO_DAEMON", "1", 1), 0);
	assert_int_equal(server_open(f, listen, &other, &err), -ENOMEM);
	assert_int_equal(unsetenv("FFFA_TEST_NO_DAEMON"), 0);
	assert_null(other);
	assert_string_equal(err.text, want);
	while (!access(listen + strlen("unix:"), F_OK)) /* nothing stays; a thread removes it */
		(void)uv_run(&f->loop, UV_RUN_ONCE);
}

static void test_what_cannot_be_opened(void **state)
{
	struct fixture *f = *state;
	struct fffa_status *other = NULL;
	struct fffa_err err = {""};
	char other_listen[96];

	assert_true(server_open(f, "unix:/nonexistent/x", &other, &err) < 0);
	assert_null(other);
	assert_non_null(strstr(err.text, "status.listen"));
	(void)snprintf(other_listen, sizeof(other_listen), "%s-other", f->listen);
	failing_alloc_arm(1);
	assert_int_equal(server_open(f, other_listen, &other, &err), -ENOMEM);
	assert_true(failing_alloc_fired());
	failing_alloc_arm(0);
	assert_string_equal(err.text, "no memory for the status listener");
	fffa_status_close(NULL);
	fffa_status_record(NULL, NULL);
	assert_true(fffa_status_library()[0] >= '0' && fffa_status_library()[0] <= '9');
}

/* A request that gets no memory loses its connection, and the listener goes on. */
static void test_no_memory_for_a_request(void **state)
{
	struct fixture *f = *state;

	for (unsigned long n = 1;; n++) {
		struct client *c = start(f, GET("/flows?filter=udp"));

		assert_true(n < 64);
		failing_alloc_arm(n);
		while (!c->ended && !strstr(c->got, "\r\n\r\n"))
			turn(f, c);
		(void)close(c->fd);
		f->client_count--;
		if (!failing_alloc_fired())
			break;
	}
	failing_alloc_arm(0);
	assert_string_equal(get(f, GET("/healthz"), 200), "ok\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
		T(test_pages),
		T(test_requests_on_one_connection),
		T(test_flows),
		T(test_no_flows_yet),
		T(test_questions_at_the_same_time),
		T(test_records),
		T(test_eight_readers),
		T(test_connections_of_one_client),
		T(test_an_end_in_the_middle),
		T(test_a_header_without_end),
		T(test_the_page),
		T(test_what_cannot_be_opened),
		T(test_a_library_that_does_not_start),
		T(test_no_memory_for_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
