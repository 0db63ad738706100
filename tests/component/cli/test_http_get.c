// SPDX-License-Identifier: MIT
/* How the commands ask an agent, and what they make of any answer. */
#include "agent/cli/http_get.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

#define BODY_MAX ((size_t)2 * 1024 * 1024) /* with the NUL */
#define OK	 "HTTP/1.1 200 OK\r\n"
#define END	 "Connection: close\r\n\r\n"

/* Answers one request with these bytes, then closes. */
struct server {
	int fd;
	pthread_t thread;
	const char *answer;
	size_t n;
	bool keeps_open; /* until the other side closes */
	char request[1024];
	char listen[128]; /* where it listens, as status.listen has it */
};

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->fd, NULL, NULL);
	size_t have = 0;
	char byte;

	while (have < sizeof(s->request) - 1 && !strstr(s->request, "\r\n\r\n")) {
		ssize_t n = recv(fd, s->request + have, sizeof(s->request) - 1 - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	for (size_t at = 0; at < s->n;) {
		ssize_t n = send(fd, s->answer + at, s->n - at, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (s->keeps_open)
		(void)!recv(fd, &byte, 1, 0);
	(void)close(fd);
	return NULL;
}

static void start_server(struct server *s, const char *address, const char *answer, size_t n)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr *a = (struct sockaddr *)&in;
	socklen_t len = sizeof(in);

	*s = (struct server){.answer = answer, .n = n};
	if (!strncmp(address, "unix:", 5)) {
		a = (struct sockaddr *)&un;
		len = sizeof(un);
		(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", address + 5);
		(void)unlink(un.sun_path);
	} else if (strchr(address, ':')) {
		a = (struct sockaddr *)&in6;
		len = sizeof(in6);
		assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	} else {
		assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
	}
	s->fd = socket(a->sa_family, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, a, len), 0);
	assert_int_equal(listen(s->fd, 4), 0);
	if (a->sa_family != AF_UNIX)
		assert_int_equal(getsockname(s->fd, a, &len), 0);
	if (a->sa_family == AF_UNIX)
		(void)snprintf(s->listen, sizeof(s->listen), "%s", address);
	else
		(void)snprintf(s->listen, sizeof(s->listen),
			       a == (void *)&in6 ? "[%s]:%u" : "%s:%u", address,
			       ntohs(a == (void *)&in6 ? in6.sin6_port : in.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop_server(struct server *s)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	(void)close(s->fd);
}

static void expect_request(const struct server *s, const char *path, const char *host)
{
	char wanted[256];

	(void)snprintf(wanted, sizeof(wanted), "GET %s HTTP/1.1\r\nHost: %s\r\n", path, host);
	assert_memory_equal(s->request, wanted, strlen(wanted));
}

/* A listener at all addresses is asked at loopback. */
static void test_where_it_asks(void **state)
{
	char path[64];
	const struct {
		const char *address, *host;
	} rows[] = {{"127.0.0.1", "127.0.0.1"},
		    {"127.0.0.2", "127.0.0.2"},
		    {"0.0.0.0", "127.0.0.1"},
		    {"::1", "[::1]"},
		    {"::", "[::1]"},
		    {path, "localhost"}};

	(void)state;
	(void)snprintf(path, sizeof(path), "unix:/tmp/fffa-http-get-%d", (int)getpid());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char answer[] = OK END "some text";
		struct fffa_err err = {""};
		char *body = NULL, host[64];
		const char *port;
		struct server s;

		start_server(&s, rows[i].address, answer, sizeof(answer) - 1);
		if (fffa_http_get(s.listen, "/a?b=c", &body, &err))
			fail_msg("%s: %s", s.listen, err.text);
		stop_server(&s);
		assert_string_equal(body, "some text");
		free(body);
		port = strncmp(s.listen, "unix", 4) ? strrchr(s.listen, ':') : "";
		(void)snprintf(host, sizeof(host), "%s%s", rows[i].host, port);
		expect_request(&s, "/a?b=c", host);
	}
	(void)unlink(path + strlen("unix:"));
}

/* Without a proxy, whatever the environment says. */
static void test_no_proxy(void **state)
{
	const char answer[] = OK END;
	struct fffa_err err = {""};
	char *body = NULL;
	struct server s;

	(void)state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
	start_server(&s, "127.0.0.1", answer, sizeof(answer) - 1);
	assert_int_equal(fffa_http_get(s.listen, "/", &body, &err), 0);
	stop_server(&s);
	assert_string_equal(body, "");
	free(body);
	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");
}

static void expect_refused(const char *answer, int error, const char *words)
{
	struct fffa_err err = {""};
	char *body = NULL, text[256];
	struct server s;

	start_server(&s, "127.0.0.1", answer, strlen(answer));
	assert_int_equal(fffa_http_get(s.listen, "/", &body, &err), -error);
	stop_server(&s);
	assert_null(body);
	(void)snprintf(text, sizeof(text), "%s does not answer as an agent: %s", s.listen, words);
	assert_string_equal(err.text, text);
}

static void test_what_is_no_answer_of_an_agent(void **state)
{
	(void)state;
	expect_refused("HTTP/1.1 404 x\r\n" END "gone", EPROTO, "Protocol error");
	expect_refused("HTTP/1.1 201 x\r\n" END, EPROTO, "Protocol error");
	expect_refused("HTTP/1.1 302 x\r\nLocation: /other\r\n" END, EPROTO, "Protocol error");
	expect_refused("SSH-2.0-x\r\n", EPROTO, "Protocol error");
	expect_refused("", EPROTO, "Protocol error");
	expect_refused(OK "Content-Length: 9\r\n" END "less", EPROTO, "Protocol error");
}

static void test_the_largest_answer(void **state)
{
	const char head[] = OK END;
	char *answer = malloc(sizeof(head) + BODY_MAX), *body = NULL;
	struct fffa_err err = {""};
	struct server s;
	size_t n = sizeof(head) - 1 + BODY_MAX - 1;

	(void)state;
	assert_non_null(answer);
	memset(answer, 'x', sizeof(head) + BODY_MAX);
	memcpy(answer, head, sizeof(head) - 1);
	start_server(&s, "127.0.0.1", answer, n);
	assert_int_equal(fffa_http_get(s.listen, "/", &body, &err), 0);
	stop_server(&s);
	assert_int_equal(strlen(body), BODY_MAX - 1);
	free(body);
	body = NULL;
	for (size_t more = 1; more < 3; more++) {
		start_server(&s, "127.0.0.1", answer, n + more);
		assert_int_equal(fffa_http_get(s.listen, "/", &body, &err), -EFBIG);
		stop_server(&s);
		assert_null(body);
		assert_non_null(strstr(err.text, "does not answer as an agent: File too large"));
	}
	free(answer);
}

static void test_any_status(void **state)
{
	const char answer[] = "HTTP/1.1 503 x\r\n" END "not yet\n";
	struct fffa_err err = {""};
	char *body = NULL;
	long status = 0;
	struct server s;

	(void)state;
	start_server(&s, "127.0.0.1", answer, sizeof(answer) - 1);
	assert_int_equal(fffa_http_get_any(s.listen, "/readyz", &status, &body, &err), 0);
	stop_server(&s);
	assert_int_equal(status, 503);
	assert_string_equal(body, "not yet\n");
	free(body);
}

static void test_nobody_is_there(void **state)
{
	struct fffa_err err = {""};
	char *body = NULL, path[5000];
	long status = 0;

	(void)state;
	assert_int_equal(fffa_http_get("127.0.0.1:1", "/", &body, &err), -ECONNREFUSED);
	assert_string_equal(err.text, "no agent answers at 127.0.0.1:1: Connection refused");
	assert_int_equal(fffa_http_get("unix:/nonexistent/s", "/", &body, &err), -ENOENT);
	assert_string_equal(err.text, "no agent answers at unix:/nonexistent/s: No such file or "
				      "directory");
	assert_int_equal(fffa_http_get_stream("127.0.0.1:1", "/", NULL, NULL, &err), -ECONNREFUSED);
	assert_string_equal(err.text, "no agent answers at 127.0.0.1:1: Connection refused");
	assert_true(fffa_http_get("nonsense", "/", &body, &err) < 0);
	assert_true(fffa_http_get_any("nonsense", "/", &status, &body, &err) < 0);
	assert_true(fffa_http_get_stream("nonsense", "/", NULL, NULL, &err) < 0);
	/* "http://127.0.0.1:1" and the path: 4095 bytes are the most. */
	memset(path, '/', sizeof(path));
	path[4095 - 18] = '\0';
	assert_int_equal(fffa_http_get("127.0.0.1:1", path, &body, &err), -ECONNREFUSED);
	path[4095 - 18] = '/';
	path[4095 - 17] = '\0';
	assert_int_equal(fffa_http_get("127.0.0.1:1", path, &body, &err), -EINVAL);
	assert_memory_equal(err.text, "//", 2); /* is too long, even for the text */
	assert_int_equal(fffa_http_get_stream("127.0.0.1:1", path, NULL, NULL, &err), -EINVAL);
	assert_string_equal(err.text, "the request is too long");
	assert_null(body);
}

struct pieces {
	char text[256];
	size_t most; /* then no more is wanted */
};

static bool take(void *arg, const char *p, size_t n)
{
	struct pieces *x = arg;
	size_t have = strlen(x->text);

	assert_true(have + n < sizeof(x->text));
	memcpy(x->text + have, p, n);
	x->text[have + n] = '\0';
	return have + n < x->most;
}

static int stream(const char *answer, bool keeps_open, struct pieces *x, struct fffa_err *err)
{
	struct server s;
	int rc;

	start_server(&s, "127.0.0.1", answer, strlen(answer));
	s.keeps_open = keeps_open;
	rc = fffa_http_get_stream(s.listen, "/records", take, x, err);
	stop_server(&s);
	return rc;
}

static void test_a_stream(void **state)
{
	static const char *const ends[] = {
		OK "Content-Length: 100\r\n\r\na\nb\n", /* the agent has ended */
		OK "Transfer-Encoding: chunked\r\n\r\n4\r\na\nb\n\r\n",
		OK END "a\nb\n",
	};
	struct pieces x = {.most = 1000};
	struct fffa_err err = {""};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		x.text[0] = '\0';
		assert_int_equal(stream(ends[i], false, &x, &err), 0);
		assert_string_equal(x.text, "a\nb\n");
	}
	/* Who wants no more need not wait for the end. */
	x = (struct pieces){.most = 2};
	assert_int_equal(stream(ends[1], true, &x, &err), 0);
	assert_string_equal(x.text, "a\nb\n");
	assert_string_equal(err.text, "");
}

static void test_a_stream_that_is_refused(void **state)
{
	char answer[2000] = "HTTP/1.1 400 x\r\n" END;
	struct pieces x = {.most = 1000};
	struct fffa_err err = {""};

	(void)state;
	assert_int_equal(
		stream("HTTP/1.1 503 x\r\n" END "no room\r\nsecond line\n", false, &x, &err),
		-EPROTO);
	assert_string_equal(err.text, "no room");
	assert_int_equal(stream("HTTP/1.1 201 x\r\n" END "made", false, &x, &err), -EPROTO);
	assert_string_equal(err.text, "made");
	memset(answer + strlen(answer), 'y', 1900);
	assert_int_equal(stream(answer, false, &x, &err), -EPROTO);
	assert_true(strspn(err.text, "y") > 500); /* what fits of it */
	assert_string_equal(x.text, "");
	assert_int_equal(stream("SSH-2.0-x\r\n", false, &x, &err), -EPROTO);
	assert_non_null(strstr(err.text, " does not answer as an agent: Protocol error"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_it_asks),
		cmocka_unit_test(test_no_proxy),
		cmocka_unit_test(test_what_is_no_answer_of_an_agent),
		cmocka_unit_test(test_the_largest_answer),
		cmocka_unit_test(test_any_status),
		cmocka_unit_test(test_nobody_is_there),
		cmocka_unit_test(test_a_stream),
		cmocka_unit_test(test_a_stream_that_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
