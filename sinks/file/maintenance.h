/* SPDX-License-Identifier: MIT */
/*
 * Runs a layout's maintain on a thread of its own, one run at a time, beside the writes: a
 * compression takes long. All functions are called on the loop thread.
 */
#ifndef FFFA_SINKS_FILE_MAINTENANCE_H
#define FFFA_SINKS_FILE_MAINTENANCE_H

#include "agent/loop/worker.h"
#include "sinks/file/layout/layout.h"

struct fffa_file_maintenance {
	const struct fffa_sink_env *env;
	const char *path; /* for the log */
	const struct fffa_file_layout_ops *ops;
	const struct fffa_file_layout *layout; /* set before the first start */
	/* After stop: the run that was under way has ended. */
	void (*stopped)(void *arg);
	void *arg;
	atomic_bool cancel; /* set by stop; read by the thread */
	bool running;
	bool again; /* something came up during this run */
	int rc;
	int logged_rc; /* the last failure in the log; a repeated one is not logged again */
	struct fffa_worker *worker; /* NULL: the layout has nothing to maintain */
	struct fffa_worker_job job;
};

/*
 * Fills all of *m; the caller sets layout. With needed it starts the thread; without, there must be
 * no start. 0 or -errno of fffa_worker_open; then there is nothing to close.
 */
int fffa_file_maintenance_open(struct fffa_file_maintenance *m, const struct fffa_sink_env *env,
			       const char *path, const struct fffa_file_layout_ops *ops,
			       bool needed, void (*stopped)(void *arg), void *arg);

/* Starts a run; during one it starts another as soon as that has ended. Nothing after stop. */
void fffa_file_maintenance_start(struct fffa_file_maintenance *m);

/* Ends the run that is under way soon: stopped follows, never from inside. Without one nothing. */
void fffa_file_maintenance_stop(struct fffa_file_maintenance *m);

/* While no run is under way. True: closed(arg) follows, never from inside. False: it is closed. */
bool fffa_file_maintenance_close(struct fffa_file_maintenance *m, void (*closed)(void *arg),
				 void *arg);

#endif
