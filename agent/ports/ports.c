// SPDX-License-Identifier: MIT
#include "agent/ports/ports.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct row {
	uint16_t port;
	uint8_t protocol;
	char name[17];
};

static const struct row rows[] = {
#define PORT(port, protocol, name) {port, protocol, name},
#include "agent/ports/ports.def"
#undef PORT
};

const char *fffa_ports_name(int64_t protocol, int64_t port)
{
	size_t low = 0, high = sizeof(rows) / sizeof(rows[0]);

	while (low < high) {
		size_t at = low + (high - low) / 2;
		const struct row *r = &rows[at];

		if (r->port == port && r->protocol == protocol)
			return r->name;
		if (r->port < port || (r->port == port && r->protocol < protocol))
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

struct fffa_ports_ends fffa_ports_service(int64_t protocol, int64_t src, int64_t dst)
{
	struct fffa_ports_ends e = {.src_name = fffa_ports_name(protocol, src),
				    .dst_name = fffa_ports_name(protocol, dst)};

	if (e.src_name && e.dst_name && src < dst)
		e.dst_name = NULL;
	else if (e.src_name && e.dst_name && dst < src)
		e.src_name = NULL;
	return e;
}

const char *fffa_ports_write_end(const char *address, bool with_port, int64_t port,
				 const char *name, char dst[FFFA_PORTS_END_BYTES])
{
	bool v6 = strchr(address, ':') != NULL;
	const char *open = v6 ? "[" : "", *end = v6 ? "]" : "";

	if (!with_port)
		(void)snprintf(dst, FFFA_PORTS_END_BYTES, "%s", address);
	else if (name)
		(void)snprintf(dst, FFFA_PORTS_END_BYTES, "%s%s%s:%s", open, address, end, name);
	else
		(void)snprintf(dst, FFFA_PORTS_END_BYTES, "%s%s%s:%" PRId64, open, address, end,
			       port);
	return dst;
}
