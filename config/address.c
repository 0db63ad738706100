// SPDX-License-Identifier: MIT
#include "config/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"
#define ALLOWED	    "allowed: IPV4:PORT, [IPV6]:PORT, localhost:PORT or unix:/PATH"

static int refuse_address(struct fffa_err *err)
{
	return fffa_fail(err, EINVAL, ALLOWED);
}

/* 1 to 65535, digits only. */
static bool parse_port(const char *text, in_port_t *port)
{
	uint32_t n = 0;

	if (!*text || *text == '0' || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint32_t)(*text - '0');
	}
	*port = htons((uint16_t)n);
	return n <= UINT16_MAX;
}

static int parse_unix(const char *path, struct fffa_address *out, struct fffa_err *err)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->sa;
	size_t n = strlen(path);

	if (*path != '/')
		return refuse_address(err);
	if (n >= sizeof(un->sun_path))
		return fffa_fail(err, EINVAL, "a socket's path has at most %zu characters",
				 sizeof(un->sun_path) - 1);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n + 1);
	out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return 0;
}

static bool parse_ipv6(const char *host, struct fffa_address *out, in_port_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->sa;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = port;
	out->len = sizeof(*in6);
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
}

static bool parse_ipv4(const char *host, struct fffa_address *out, in_port_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->sa;

	in->sin_family = AF_INET;
	in->sin_port = port;
	out->len = sizeof(*in);
	if (!strcmp(host, "localhost"))
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

const char *fffa_address_path(const char *text)
{
	return strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) ? NULL : text + strlen(UNIX_PREFIX);
}

int fffa_address_parse(const char *text, struct fffa_address *out, struct fffa_err *err)
{
	const char *colon = strrchr(text, ':'), *path = fffa_address_path(text);
	char host[INET6_ADDRSTRLEN + 2];
	in_port_t port;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (path)
		return parse_unix(path, out, err);
	if (!colon || !parse_port(colon + 1, &port))
		return refuse_address(err);
	n = (size_t)(colon - text);
	if (n < 3 || n >= sizeof(host))
		return refuse_address(err);
	memcpy(host, text, n);
	host[n] = '\0';
	if (host[0] != '[')
		return parse_ipv4(host, out, port) ? 0 : refuse_address(err);
	if (host[n - 1] != ']')
		return refuse_address(err);
	host[n - 1] = '\0';
	return parse_ipv6(host + 1, out, port) ? 0 : refuse_address(err);
}
