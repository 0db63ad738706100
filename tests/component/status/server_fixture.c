// SPDX-License-Identifier: MIT
#include "tests/component/status/server_fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/flow/record.h"
#include "tests/stubs/cmocka_all.h"

#define LIMIT_S 60 /* for what never comes */

static void fill_view(void *arg, struct fffa_status_view *v)
{
	struct fixture *f = arg;

	*v = f->sample.view;
}

static const struct fffa_flow_table *find_flows(void *arg)
{
	return ((struct fixture *)arg)->flows;
}

static void on_tick(uv_timer_t *t)
{
	(void)t;
}

static void on_record(void *arg, struct fffa_record *r)
{
	(void)arg;
	(void)r;
}

/* Three flows: udp with the most bytes, tcp, and icmp6 with the most packets. */
static void fill_flows(struct fixture *f)
{
	static const struct {
		uint8_t proto;
		uint64_t packets, bytes;
	} rows[] = {{IPPROTO_UDP, 2, 3000}, {IPPROTO_TCP, 3, 2000}, {IPPROTO_ICMPV6, 4, 1000}};
	const struct fffa_flow_conf conf = {.idle_ns = UINT64_C(60000000000),
					    .active_ns = UINT64_C(60000000000),
					    .max_flows = 1000};

	assert_int_equal(fffa_flow_table_new(&conf, &f->ledger, on_record, f, &f->flows), 0);
	fffa_flow_set_time(f->flows, UINT64_C(1000000000), UINT64_C(1700000000000000000));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_delta d = {.packets = rows[i].packets,
				       .bytes = rows[i].bytes,
				       .first_ns = 1,
				       .last_ns = 2};

		d.key.ifindex = 2;
		d.key.view = FFFA_VIEW_IPV6;
		d.key.proto = rows[i].proto;
		fffa_flow_merge(f->flows, &d);
	}
}

int server_open(struct fixture *f, const char *listen, struct fffa_status **out,
		struct fffa_err *err)
{
	const struct fffa_status_source src = {.view = fill_view, .flows = find_flows, .arg = f};
	struct fffa_listener l;
	int rc = fffa_listener_open(&l, listen, err);

	return rc ? rc : fffa_status_open(&f->loop, listen, &l, &src, out, err);
}

int server_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fffa_err err = {""};

	*state = f;
	if (!f || uv_loop_init(&f->loop))
		return -1;
	(void)alarm(LIMIT_S);
	sample_view_fill(&f->sample);
	fill_flows(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/fffa-status-%d", (int)getpid());
	(void)snprintf(f->listen, sizeof(f->listen), "unix:%s", f->path);
	if (server_open(f, f->listen, &f->s, &err))
		fail_msg("%s", err.text);
	/* Its handles alone do not keep the loop going. */
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	(void)uv_timer_init(&f->loop, &f->tick);
	return uv_timer_start(&f->tick, on_tick, 1, 1);
}

int server_teardown(void **state)
{
	struct fixture *f = *state;

	fffa_status_close(f->s);
	uv_close((uv_handle_t *)&f->tick, NULL);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	fffa_flow_table_free(f->flows);
	for (size_t i = 0; i < f->client_count; i++) {
		if (f->clients[i].fd >= 0)
			(void)close(f->clients[i].fd);
	}
	(void)unlink(f->path);
	(void)alarm(0);
	free(f);
	return 0;
}

struct client *join(struct fixture *f)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct client *c = &f->clients[f->client_count++];

	assert_true(f->client_count <= CLIENTS);
	*c = (struct client){.fd = -1};
	memcpy(un.sun_path, f->path, strlen(f->path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	assert_int_equal(connect(c->fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	return c;
}

void ask(const struct client *c, const char *request)
{
	assert_int_equal(send(c->fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
}

struct client *start(struct fixture *f, const char *request)
{
	struct client *c = join(f);

	ask(c, request);
	return c;
}

void turn(struct fixture *f, struct client *c)
{
	ssize_t n;

	(void)uv_run(&f->loop, UV_RUN_ONCE);
	n = recv(c->fd, c->got + c->n, sizeof(c->got) - 1 - c->n, MSG_DONTWAIT);
	if (n > 0)
		c->n += (size_t)n;
	c->ended |= !n || (n < 0 && errno == ECONNRESET);
	c->got[c->n] = '\0';
}

void await_text(struct fixture *f, struct client *c, const char *text)
{
	while (!strstr(c->got, text)) {
		if (c->ended)
			fail_msg("no \"%s\" in: %s", text, c->got);
		turn(f, c);
	}
}

void await_end(struct fixture *f, struct client *c)
{
	while (!c->ended)
		turn(f, c);
}

const char *await_body(struct fixture *f, struct client *c)
{
	const char *length, *body;

	await_text(f, c, "\r\n\r\n");
	length = strstr(c->got, "Content-Length: ");
	assert_non_null(length);
	body = strstr(c->got, "\r\n\r\n") + 4;
	while (strlen(body) < strtoul(length + strlen("Content-Length: "), NULL, 10))
		turn(f, c);
	return body;
}

void expect_status(const struct client *c, int status)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 %d ", status);
	if (strncmp(c->got, head, strlen(head)) != 0)
		fail_msg("no %d: %s", status, c->got);
}

const char *get(struct fixture *f, const char *request, int status)
{
	struct client *c = start(f, request);
	const char *body = await_body(f, c);

	expect_status(c, status);
	assert_non_null(strstr(c->got, "\r\nCache-Control: no-store\r\n"));
	assert_non_null(strstr(c->got, "\r\nX-Content-Type-Options: nosniff\r\n"));
	f->client_count--; /* the next one takes its place */
	(void)close(c->fd);
	return body;
}
