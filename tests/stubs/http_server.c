// SPDX-License-Identifier: MIT
#include "tests/stubs/http_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64

struct connection {
	int fd;
	char *text; /* bytes received and not answered yet */
	size_t len, held;
};

struct http_server {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	int listener, port;
	int stop;
	enum http_server_mode mode;
	const char *answer;
	struct http_server_post *posts;
	size_t post_count, requests, turns;
	/* The thread's own. */
	struct connection c[CONNECTIONS_MAX];
	size_t count;
};

static void check_result(bool ok)
{
	if (!ok)
		abort();
}

static void drop_connection(struct http_server *f, size_t i, bool reset)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};

	if (reset)
		(void)setsockopt(f->c[i].fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	(void)close(f->c[i].fd);
	free(f->c[i].text);
	f->c[i] = f->c[--f->count];
}

static void send_text(int fd, const char *text, size_t len)
{
	(void)!send(fd, text, len, MSG_NOSIGNAL); /* the client may be gone */
}

static void record_post(struct http_server *f, const char *text, size_t head, size_t body)
{
	struct http_server_post *p;

	f->posts = realloc(f->posts, (f->post_count + 1) * sizeof(*p));
	check_result(f->posts);
	p = &f->posts[f->post_count++];
	check_result(head < sizeof(p->head));
	memcpy(p->head, text, head);
	p->head[head] = '\0';
	p->len = body;
	p->body = malloc(body + 1);
	check_result(p->body);
	memcpy(p->body, text + head, body);
}

static size_t body_length(const char *text)
{
	const char *p = strcasestr(text, "\r\ncontent-length:");

	return p ? strtoul(p + 17, NULL, 10) : 0;
}

/* Handles what has arrived, which is at least the head. False: the connection is gone. */
static bool serve(struct http_server *f, size_t i)
{
	struct connection *c = &f->c[i];
	char *end = strstr(c->text, "\r\n\r\n");
	size_t head = end ? (size_t)(end - c->text) + 4 : 0, body;

	if (!end)
		return true;
	body = body_length(c->text);
	if (f->mode == HTTP_SERVER_BROKEN && f->turns % 3 == 1) {
		f->turns++;
		drop_connection(f, i, true);
		return false;
	}
	if (c->len < head + body)
		return true;
	f->requests++;
	if (f->mode == HTTP_SERVER_OK || f->mode == HTTP_SERVER_MUTE)
		record_post(f, c->text, head, body);
	if (f->mode == HTTP_SERVER_OK || f->mode == HTTP_SERVER_REFUSE) {
		send_text(c->fd, f->answer, strlen(f->answer));
	} else if (f->mode == HTTP_SERVER_BROKEN && f->turns++ % 3 == 0) {
		static const char busy[] = "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno";

		send_text(c->fd, busy, sizeof(busy) - 1);
	} else if (f->mode == HTTP_SERVER_BROKEN) {
		static const char half[] = "HTTP/1.1 2";

		send_text(c->fd, half, sizeof(half) - 1);
		drop_connection(f, i, false);
		return false;
	}
	memmove(c->text, c->text + head + body, c->len - head - body + 1);
	c->len -= head + body;
	return true;
}

static void on_readable(struct http_server *f, size_t i)
{
	struct connection *c = &f->c[i];
	ssize_t n;

	if (c->held - c->len < 65536) {
		c->held = c->held * 2 + 131072;
		c->text = realloc(c->text, c->held);
		check_result(c->text);
	}
	n = recv(c->fd, c->text + c->len, c->held - c->len - 1, 0);
	if (n <= 0) {
		drop_connection(f, i, false);
		return;
	}
	c->len += (size_t)n;
	c->text[c->len] = '\0';
	(void)serve(f, i);
}

static void on_connection(struct http_server *f)
{
	int fd = accept(f->listener, NULL, NULL);

	check_result(fd >= 0 && f->count < CONNECTIONS_MAX);
	f->c[f->count++] = (struct connection){.fd = fd};
}

static void *run_server(void *arg)
{
	struct http_server *f = arg;
	struct pollfd p[CONNECTIONS_MAX + 2];

	for (;;) {
		size_t n = f->count;

		p[0] = (struct pollfd){.fd = f->stop, .events = POLLIN};
		p[1] = (struct pollfd){.fd = f->listener, .events = POLLIN};
		for (size_t i = 0; i < n; i++)
			p[2 + i] = (struct pollfd){.fd = f->c[i].fd, .events = POLLIN};
		check_result(poll(p, n + 2, -1) > 0);
		if (p[0].revents)
			break;
		(void)pthread_mutex_lock(&f->lock);
		for (size_t i = n; i-- > 0;) { /* from the end: drop moves the last one */
			if (p[2 + i].revents)
				on_readable(f, i);
		}
		if (p[1].revents)
			on_connection(f);
		(void)pthread_mutex_unlock(&f->lock);
	}
	while (f->count)
		drop_connection(f, 0, false);
	return NULL;
}

struct http_server *http_server_open(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct http_server *f = calloc(1, sizeof(*f));
	socklen_t len = sizeof(a);

	check_result(f);
	f->answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	f->stop = eventfd(0, EFD_CLOEXEC);
	check_result(f->listener >= 0 && f->stop >= 0 &&
		     !bind(f->listener, (void *)&a, sizeof(a)) && !listen(f->listener, 64) &&
		     !getsockname(f->listener, (void *)&a, &len));
	f->port = ntohs(a.sin_port);
	check_result(!pthread_mutex_init(&f->lock, NULL) &&
		     !pthread_create(&f->thread, NULL, run_server, f));
	return f;
}

void http_server_close(struct http_server *f)
{
	uint64_t one = 1;

	check_result(write(f->stop, &one, sizeof(one)) == sizeof(one));
	(void)pthread_join(f->thread, NULL);
	(void)close(f->listener);
	(void)close(f->stop);
	(void)pthread_mutex_destroy(&f->lock);
	http_server_free(f->posts, f->post_count);
	free(f);
}

int http_server_port(const struct http_server *f)
{
	return f->port;
}

void http_server_set(struct http_server *f, enum http_server_mode mode)
{
	(void)pthread_mutex_lock(&f->lock);
	f->mode = mode;
	(void)pthread_mutex_unlock(&f->lock);
}

void http_server_answer(struct http_server *f, const char *text)
{
	(void)pthread_mutex_lock(&f->lock);
	f->answer = text;
	(void)pthread_mutex_unlock(&f->lock);
}

struct http_server_post *http_server_posts(struct http_server *f, size_t *n)
{
	struct http_server_post *copy;

	(void)pthread_mutex_lock(&f->lock);
	*n = f->post_count;
	copy = calloc(f->post_count + 1, sizeof(*copy));
	check_result(copy);
	for (size_t i = 0; i < f->post_count; i++) {
		copy[i] = f->posts[i];
		copy[i].body = malloc(copy[i].len + 1);
		check_result(copy[i].body);
		memcpy(copy[i].body, f->posts[i].body, copy[i].len);
		copy[i].body[copy[i].len] = '\0';
	}
	(void)pthread_mutex_unlock(&f->lock);
	return copy;
}

void http_server_free(struct http_server_post *posts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(posts[i].body);
	free(posts);
}

size_t http_server_requests(struct http_server *f)
{
	size_t n;

	(void)pthread_mutex_lock(&f->lock);
	n = f->requests;
	(void)pthread_mutex_unlock(&f->lock);
	return n;
}
