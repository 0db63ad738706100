/* SPDX-License-Identifier: MIT */
/* Reads the configuration again and takes over what may change while the agent runs. */
#ifndef FFFA_AGENT_DAEMON_RELOAD_H
#define FFFA_AGENT_DAEMON_RELOAD_H

#include <uv.h>

#include "agent/base/err.h"
#include "agent/loop/worker.h"
#include "agent/status/listen/listener.h"
#include "config/config.h"

struct fffa_agent;

/* Part of struct fffa_agent: HUP reads the file on the thread of the watch below. */
struct fffa_reload {
	struct fffa_worker_job job;
	struct fffa_config next;
	int rc;				     /* of reading and checking next */
	bool differs[FFFA_CONFIG_SINKS_MAX]; /* the sinks of next that come or change */
	bool again;
	struct {			    /* next's address of the status pages */
		bool opened;		    /* on the thread: l is it, or rc and err say why not */
		struct fffa_worker *worker; /* the watch's */
		struct fffa_listener l;
		struct fffa_err err;
		int rc;
	} listen;
};

/*
 * HUP. arg: the struct fffa_agent. Its thread reads the configuration file and checks all of it, and whether
 * the metadata, and sinks that come or change, could start on this host. If there is a problem, logs every
 * problem and changes nothing. Else takes over, on the loop, the new values of the keys marked
 * FFFA_OPTION_RELOAD and of the sinks, logs each change and each key that needs a restart, and counts
 * these in pending_restart. What could not be had at the last HUP is tried again. Meanwhile the sinks
 * reopen their files.
 */
void fffa_reload_on_hup(void *arg);

/*
 * Secrets lie in files, and others change them. The watch reads the configuration again every ten
 * seconds, in a thread of its own, and every second while a wrong setting stops a sink. A sink that
 * differs in its secrets alone takes them over; all else waits for HUP.
 */
struct fffa_reload_watch {
	uv_timer_t timer;
	struct fffa_worker *worker; /* NULL: there is no watch */
	struct fffa_worker_job job;
	struct fffa_config next; /* filled by the job, if loaded is 0 */
	int loaded;
	unsigned int turns; /* of the timer, since the job ran last */
};

/* 0, or -errno with err. Does nothing without a configuration file. */
int fffa_reload_watch_open(struct fffa_agent *a, struct fffa_err *err);
void fffa_reload_watch_close(struct fffa_agent *a);

#endif
