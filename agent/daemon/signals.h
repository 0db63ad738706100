/* SPDX-License-Identifier: MIT */
/* The signals that the agent handles, as events on the loop. */
#ifndef FFFA_AGENT_DAEMON_SIGNALS_H
#define FFFA_AGENT_DAEMON_SIGNALS_H

#include <uv.h>

#define FFFA_SIGNALS 4

struct fffa_signals_events {
	void (*stop)(void *arg);   /* TERM, INT */
	void (*reload)(void *arg); /* HUP */
	void (*report)(void *arg); /* USR1 */
	void *arg;
};

struct fffa_signals {
	struct fffa_signals_events ev;
	uv_signal_t handles[FFFA_SIGNALS];
};

/*
 * Starts to handle the signals. Ignores PIPE and XFSZ: write(2) returns an error for both. The
 * memory of s must stay until the loop has closed the handles after fffa_signals_close.
 */
void fffa_signals_open(struct fffa_signals *s, uv_loop_t *loop,
		       const struct fffa_signals_events *ev);
/*
 * Until fffa_signals_release this thread, and those that it starts, get none of them; those that come
 * meanwhile are handled then.
 */
void fffa_signals_hold(void);
void fffa_signals_release(void);
/* Starts to close the handles. */
void fffa_signals_close(struct fffa_signals *s);

#endif
