/* SPDX-License-Identifier: MIT */
/*
 * What the service manager is told (sd_notify(3)): one datagram for each message, to the socket that
 * NOTIFY_SOCKET names. Without that variable every call does nothing. Loop thread only.
 */
#ifndef FFFA_AGENT_SERVICE_NOTIFY_H
#define FFFA_AGENT_SERVICE_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

/* Writes one line about the agent now into line, cap bytes. */
typedef void (*fffa_notify_status_fn)(void *arg, char *line, size_t cap);

struct fffa_notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_bytes;
	bool feeds_watchdog;
	bool ready; /* was said */
	uv_timer_t timer;
	fffa_notify_status_fn status;
	void *arg;
};

/*
 * Sends a status line every few seconds, and WATCHDOG=1 as often as WATCHDOG_USEC wants it, as long
 * as the loop turns. Close it with fffa_notify_close in any case. A struct that is all zero was never
 * opened: then the other functions do nothing.
 */
void fffa_notify_open(struct fffa_notify *n, uv_loop_t *loop, fffa_notify_status_fn status,
		      void *arg);
/* The start or a reload is over. */
void fffa_notify_ready(struct fffa_notify *n);
void fffa_notify_reloading(struct fffa_notify *n);
/* The process ends within timeout_ns. */
void fffa_notify_stopping(struct fffa_notify *n, uint64_t timeout_ns);
void fffa_notify_close(struct fffa_notify *n);

#endif
