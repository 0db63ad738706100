// SPDX-License-Identifier: MIT
#include "agent/daemon/signals.h"

#include <signal.h>

static void on_signal(uv_signal_t *h, int signum)
{
	const struct fffa_signals *s = h->data;

	switch (signum) {
	case SIGHUP:
		s->ev.reload(s->ev.arg);
		break;
	case SIGUSR1:
		s->ev.report(s->ev.arg);
		break;
	default:
		s->ev.stop(s->ev.arg);
	}
}

/* Those of open, and the one that is ignored. */
static void mask_signals(int how)
{
	static const int held[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		(void)sigaddset(&set, held[i]);
	(void)pthread_sigmask(how, &set, NULL);
}

void fffa_signals_hold(void)
{
	mask_signals(SIG_BLOCK);
}

void fffa_signals_open(struct fffa_signals *s, uv_loop_t *loop,
		       const struct fffa_signals_events *ev)
{
	static const int watched[FFFA_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

	s->ev = *ev;
	for (size_t i = 0; i < FFFA_SIGNALS; i++) {
		(void)uv_signal_init(loop, &s->handles[i]);
		s->handles[i].data = s;
		(void)uv_signal_start(&s->handles[i], on_signal, watched[i]);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN); /* it would end the process */
}

void fffa_signals_release(void)
{
	mask_signals(SIG_UNBLOCK);
}

void fffa_signals_close(struct fffa_signals *s)
{
	for (size_t i = 0; i < FFFA_SIGNALS; i++)
		uv_close((uv_handle_t *)&s->handles[i], NULL);
}
