// SPDX-License-Identifier: MIT
#include "agent/capture/devices/dev_counters.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define FIRST_BYTES 8192
#define MOST_BYTES  ((size_t)4 << 20)

int fffa_dev_counters_find(const char *text, const char *name, struct fffa_dev_counters *out)
{
	size_t len = strlen(name);
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " ");
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		/*
		 * Eight columns for each way: bytes, packets, errs, drop, fifo, frame,
		 * compressed, multicast
		 */
		if (sscanf(line + len + 1,
			   "%" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
			   &rx_bytes, &rx_packets, &tx_bytes, &tx_packets) != 4)
			return -ENODEV;
		out->dir[0] = (struct fffa_amount){.packets = rx_packets, .bytes = rx_bytes};
		out->dir[1] = (struct fffa_amount){.packets = tx_packets, .bytes = tx_bytes};
		return 0;
	}
	return -ENODEV;
}

char *fffa_dev_counters_read(void)
{
	int fd = open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
	size_t len = 0, cap = FIRST_BYTES;
	char *text = fd < 0 ? NULL : malloc(cap), *more;
	ssize_t got;

	while (text && (got = read(fd, text + len, cap - len - 1)) > 0) {
		len += (size_t)got;
		if (len + 1 < cap)
			continue;
		more = cap < MOST_BYTES ? realloc(text, 2 * cap) : NULL;
		if (!more) {
			free(text);
			text = NULL;
			errno = ENOMEM;
			break;
		}
		text = more;
		cap *= 2;
	}
	if (text)
		text[len] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return text;
}

uint64_t fffa_dev_counters_netns(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	(void)close(fd);
	return cookie;
}

void fffa_dev_counters_boot_id(char dst[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, dst, 39);

	dst[got > 0 ? got : 0] = '\0';
	dst[strcspn(dst, "\n")] = '\0';
	if (fd >= 0)
		(void)close(fd);
}
