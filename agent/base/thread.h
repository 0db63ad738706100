/* SPDX-License-Identifier: MIT */
/* Threads beside the loop's. */
#ifndef FFFA_AGENT_BASE_THREAD_H
#define FFFA_AGENT_BASE_THREAD_H

#include <pthread.h>
#include <signal.h>

/*
 * Starts run(arg) on a thread that gets no signals: they are for the loop's thread. 0: the caller
 * joins or detaches *thread; else -errno. Any thread.
 */
static inline int fffa_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int rc;

	/* A new thread has the mask of the one that starts it. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(thread, NULL, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

#endif
