// SPDX-License-Identifier: MIT
#include "agent/cli/http_get.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "config/address.h"

#define TIMEOUT_S	 5
#define ANSWER_BYTES_MAX (2 * 1024 * 1024)

/* Who listens at all addresses is reached at loopback. */
static void aim(struct fffa_address *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->sa;

	if (a->sa.ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (a->sa.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
}

/* A connected socket, or -errno. */
static int reach(const struct fffa_address *a)
{
	const struct timeval limit = {.tv_sec = TIMEOUT_S};
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), r = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (const struct sockaddr *)&a->sa, a->len))
		r = -errno;
	if (!r)
		return fd;
	(void)close(fd);
	return r;
}

static int ask(int fd, const char *path)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);

	if (n < 0 || (size_t)n >= sizeof(text))
		return -EINVAL;
	return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n ? 0 : -EIO;
}

/* All until the end, terminated. */
static int read_all(int fd, char **out)
{
	size_t len = 0, capacity = 65536;
	char *text = malloc(capacity);

	while (text) {
		ssize_t n = recv(fd, text + len, capacity - len - 1, 0);
		char *more;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len + (size_t)n >= ANSWER_BYTES_MAX) {
			int r = n < 0 ? -errno : -EFBIG;

			free(text);
			return r;
		}
		len += (size_t)n;
		text[len] = '\0';
		if (!n) {
			*out = text;
			return 0;
		}
		if (len + 1 < capacity)
			continue;
		capacity *= 2;
		more = realloc(text, capacity);
		if (!more)
			free(text);
		text = more;
	}
	return -ENOMEM;
}

/* text: the whole answer. Moves its body to the front. */
static int take_body(char *text)
{
	char *end = strstr(text, "\r\n\r\n");

	if (!end || strncmp(text, "HTTP/1.", 7) || strncmp(text + 8, " 200 ", 5))
		return -EPROTO;
	memmove(text, end + 4, strlen(end + 4) + 1);
	return 0;
}

int fffa_http_get(const char *listen, const char *path, char **body, struct fffa_err *err)
{
	struct fffa_address a;
	char *text = NULL;
	int r = fffa_address_parse(listen, &a, err), fd;

	if (r)
		return r;
	aim(&a);
	fd = reach(&a);
	if (fd < 0)
		return fffa_fail(err, -fd, "no agent answers at %s: %s", listen, strerror(-fd));
	r = ask(fd, path);
	if (!r)
		r = read_all(fd, &text);
	if (!r)
		r = take_body(text);
	(void)close(fd);
	if (r) {
		free(text);
		return fffa_fail(err, -r, "%s does not answer as an agent: %s", listen,
				 strerror(-r));
	}
	*body = text;
	return 0;
}
