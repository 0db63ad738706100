// SPDX-License-Identifier: MIT
#include "tests/bench/http/discard.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64

struct connection {
	char head[4096];
	size_t have; /* of the head */
	size_t left; /* of the body, to be dropped */
};

int discard_listen(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)*port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	socklen_t len = sizeof(a);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)&a, sizeof(a)) || listen(fd, 64) ||
	    getsockname(fd, (void *)&a, &len)) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	*port = ntohs(a.sin_port);
	return fd;
}

/*
 * Consumes text that belongs to the current request and answers when the request is complete.
 * Returns the end of what it consumed.
 */
static void consume_request(struct connection *c, int fd, const char *text, size_t n)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

	while (n) {
		if (c->left) {
			size_t gone = n < c->left ? n : c->left;

			c->left -= gone;
			text += gone;
			n -= gone;
		} else {
			const char *length;

			if (c->have + 1 >= sizeof(c->head))
				abort();
			c->head[c->have++] = *text++;
			n--;
			if (c->have < 4 || memcmp(c->head + c->have - 4, "\r\n\r\n", 4) != 0)
				continue;
			c->head[c->have] = '\0';
			c->have = 0;
			length = strcasestr(c->head, "\ncontent-length:");
			c->left = length ? strtoul(length + 16, NULL, 10) : 0;
		}
		if (!c->left)
			(void)!write(fd, ok, sizeof(ok) - 1);
	}
}

void discard_serve(int listener)
{
	static const size_t most = 1 << 20;
	struct connection *c = calloc(CONNECTIONS_MAX + 1, sizeof(*c));
	struct pollfd p[CONNECTIONS_MAX + 1] = {{.fd = listener, .events = POLLIN}};
	char *text = malloc(most);
	nfds_t n = 1;

	while (c && text && poll(p, n, -1) > 0) {
		for (nfds_t i = n; i-- > 1;) {
			ssize_t got = p[i].revents ? recv(p[i].fd, text, most, MSG_DONTWAIT) : -1;

			if (got > 0) {
				consume_request(&c[i], p[i].fd, text, (size_t)got);
			} else if (p[i].revents) {
				(void)close(p[i].fd);
				p[i] = p[--n];
				c[i] = c[n];
			}
		}
		if (p[0].revents && n <= CONNECTIONS_MAX) {
			c[n] = (struct connection){.have = 0};
			p[n++] = (struct pollfd){.fd = accept(listener, NULL, NULL),
						 .events = POLLIN};
		}
	}
	free(c);
	free(text);
}
