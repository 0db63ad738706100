// SPDX-License-Identifier: MIT
#include "tests/component/loop/canned_server.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct canned_client {
	uv_tcp_t tcp;
	uv_write_t write;
	struct canned_server *server;
	struct canned_client *next;
	bool closing;
	bool heard;
	size_t len;
	char text[4096];
};

static void on_client_closed(uv_handle_t *h)
{
	struct canned_client *c = h->data, **p = &c->server->clients;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	free(c);
}

static void drop_client(struct canned_client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	c->server->open--;
	uv_close((uv_handle_t *)&c->tcp, on_client_closed);
}

static void answer_and_reset(struct canned_client *c, const uv_buf_t *answer)
{
	if (uv_try_write((uv_stream_t *)&c->tcp, answer, 1) != (int)answer->len)
		abort();
	c->closing = true;
	c->server->open--;
	(void)uv_tcp_close_reset(&c->tcp, on_client_closed);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct canned_client *c = h->data;

	(void)hint;
	*buf = uv_buf_init(c->text + c->len, (unsigned int)(sizeof(c->text) - 1 - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	static char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
	struct canned_client *c = stream->data;
	static char tunnel[] = "HTTP/1.1 200 OK\r\n\r\n";
	uv_buf_t out = uv_buf_init(ok, sizeof(ok) - 1);
	uv_buf_t go_on = uv_buf_init(tunnel, sizeof(tunnel) - 1);

	(void)buf;
	if (n < 0) {
		drop_client(c);
		return;
	}
	if (n > 0 && !c->heard) {
		c->heard = true;
		c->server->heard++;
	}
	if (c->server->hang_up) {
		drop_client(c);
		return;
	}
	c->len += (size_t)n;
	c->text[c->len] = '\0';
	if (!strstr(c->text, "\r\n\r\n"))
		return;
	c->len = 0;
	c->server->requests++;
	if (strncmp(c->text, "CONNECT ", 8) == 0) {
		c->server->tunnels++;
		if (!c->server->deaf)
			(void)uv_write(&c->write, stream, &go_on, 1, NULL);
	} else if (strncmp(c->text, "GET /ok ", 8) == 0)
		(void)uv_write(&c->write, stream, &out, 1, NULL);
	else if (strncmp(c->text, "GET /last ", 10) == 0)
		answer_and_reset(c, &out);
	else if (strncmp(c->text, "GET /hang ", 10) != 0)
		drop_client(c);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct canned_server *s = stream->data;
	struct canned_client *c = status == 0 ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		abort();
	(void)uv_tcp_init(stream->loop, &c->tcp);
	c->tcp.data = c;
	c->server = s;
	c->next = s->clients;
	s->clients = c;
	s->connections++;
	if (++s->open > s->most_open)
		s->most_open = s->open;
	if (uv_accept(stream, (uv_stream_t *)&c->tcp) != 0 ||
	    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
		abort();
}

int canned_server_open(uv_loop_t *loop, struct canned_server *s)
{
	struct sockaddr_in addr = {0};
	int len = sizeof(addr), rc;

	memset(s, 0, sizeof(*s));
	rc = uv_tcp_init(loop, &s->tcp);
	if (!rc)
		rc = uv_ip4_addr("127.0.0.1", 0, &addr);
	if (!rc)
		rc = uv_tcp_bind(&s->tcp, (const struct sockaddr *)&addr, 0);
	s->tcp.data = s;
	if (!rc)
		rc = uv_listen((uv_stream_t *)&s->tcp, 16, on_connection);
	if (!rc)
		rc = uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&addr, &len);
	s->port = ntohs(addr.sin_port);
	return rc;
}

void canned_server_drop_all(struct canned_server *s)
{
	for (struct canned_client *c = s->clients; c; c = c->next)
		drop_client(c);
}

void canned_server_close(struct canned_server *s)
{
	uv_close((uv_handle_t *)&s->tcp, NULL);
	canned_server_drop_all(s);
}
