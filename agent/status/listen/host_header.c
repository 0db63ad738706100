// SPDX-License-Identifier: MIT
#include "agent/status/listen/host_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "config/address.h"

#define HOST_BYTES_MAX 256

/* Copies the name without its port and brackets. False: it is no name. */
static bool copy_name(const char *host, char name[HOST_BYTES_MAX])
{
	const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	size_t n = end ? (size_t)(end - host) : 0;

	if (!n || n >= HOST_BYTES_MAX)
		return false;
	if (host[0] == '[') {
		host++;
		n--;
		end++;
	}
	memcpy(name, host, n);
	name[n] = '\0';
	if (n && name[n - 1] == '.') /* a name with its root */
		name[n - 1] = '\0';
	return *end == '\0' || (*end == ':' && strspn(end + 1, "0123456789") == strlen(end + 1));
}

static bool is_loopback_name(const char *name)
{
	return !strcasecmp(name, "localhost") || !strcmp(name, "127.0.0.1") || !strcmp(name, "::1");
}

/* Whether the name is an address, and that of the listener unless any will do. */
static bool is_address(const char *name, const struct sockaddr_storage *sa, bool any)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	struct in6_addr a6;
	struct in_addr a;

	if (inet_pton(AF_INET, name, &a) == 1)
		return any || (sa->ss_family == AF_INET && a.s_addr == in->sin_addr.s_addr);
	if (inet_pton(AF_INET6, name, &a6) == 1)
		return any ||
		       (sa->ss_family == AF_INET6 && IN6_ARE_ADDR_EQUAL(&a6, &in6->sin6_addr));
	return false;
}

static bool is_wildcard(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	return sa->ss_family == AF_INET ? in->sin_addr.s_addr == htonl(INADDR_ANY)
					: IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

bool fffa_host_header_fits(const char *listen, const char *own, const char *host)
{
	struct fffa_address a;
	char name[HOST_BYTES_MAX];
	bool any;

	/* Without the header it is no browser of today. */
	if (!host || fffa_address_parse(listen, &a, NULL) || a.sa.ss_family == AF_UNIX)
		return true;
	if (!copy_name(host, name))
		return false;
	any = is_wildcard(&a.sa);
	return is_loopback_name(name) || is_address(name, &a.sa, any) ||
	       (any && own && *own && !strcasecmp(name, own));
}
