// SPDX-License-Identifier: MIT
#include "agent/service/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/minmax.h"

#define STATUS_MS    5000
#define STATUS_BYTES 512
#define SPARE_US     5000000 /* beyond the time that the end should take */

/* False: the variable is not set, or names a socket of another kind. */
static bool read_address(struct fffa_notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(n->to.sun_path) || (*path != '/' && *path != '@'))
		return false;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (*path == '@')
		n->to.sun_path[0] = '\0'; /* an abstract socket */
	n->to_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* 0: no watchdog waits for this process. */
static uint64_t read_watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!us || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(us, NULL, 10);
}

/* A manager that does not read must not hold up the loop. */
__attribute__((format(printf, 2, 3))) static void send_message(const struct fffa_notify *n,
							       const char *fmt, ...)
{
	char text[STATUS_BYTES + 128];
	va_list ap;
	int len;

	if (!n->status || n->fd < 0)
		return;
	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len > 0 && (size_t)len < sizeof(text))
		(void)sendto(n->fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL,
			     (const struct sockaddr *)&n->to, n->to_bytes);
}

static void send_status(const struct fffa_notify *n, const char *first)
{
	char line[STATUS_BYTES] = "";

	if (!n->status || n->fd < 0)
		return;
	n->status(n->arg, line, sizeof(line));
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	}
	send_message(n, "%sSTATUS=%s\n", first, line);
}

static void on_timer(uv_timer_t *t)
{
	const struct fffa_notify *n = t->data;

	send_status(n, n->feeds_watchdog ? "WATCHDOG=1\n" : "");
}

void fffa_notify_open(struct fffa_notify *n, uv_loop_t *loop, fffa_notify_status_fn status,
		      void *arg)
{
	uint64_t us = read_watchdog_us(), ms = STATUS_MS;

	*n = (struct fffa_notify){.fd = -1, .status = status, .arg = arg};
	(void)uv_timer_init(loop, &n->timer); /* never fails */
	uv_unref((uv_handle_t *)&n->timer);
	n->timer.data = n;
	if (!read_address(n))
		return;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	n->feeds_watchdog = us > 0;
	if (us) /* three times within its patience */
		ms = fffa_min_u64(ms, us / 3000 ? us / 3000 : 1);
	(void)uv_timer_start(&n->timer, on_timer, ms, ms);
}

void fffa_notify_ready(struct fffa_notify *n)
{
	n->ready = true;
	send_status(n, "READY=1\n");
}

void fffa_notify_reloading(struct fffa_notify *n)
{
	if (n->ready)
		send_message(n, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
			     fffa_clock_mono_ns(&fffa_clock_system) / 1000);
}

void fffa_notify_stopping(struct fffa_notify *n, uint64_t timeout_ns)
{
	send_message(n, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=stopping\n",
		     timeout_ns / 1000 + SPARE_US);
}

void fffa_notify_close(struct fffa_notify *n)
{
	if (!n->status)
		return;
	uv_close((uv_handle_t *)&n->timer, NULL);
	if (n->fd >= 0)
		(void)close(n->fd);
	n->fd = -1;
}
