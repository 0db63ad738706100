/* SPDX-License-Identifier: MIT */
/*
 * Takes the work of a layout to the sink's own thread, and waits for room in a pipe between two
 * tries of a write. All functions are called on the loop thread.
 */
#ifndef FFFA_SINKS_FILE_WRITER_H
#define FFFA_SINKS_FILE_WRITER_H

#include <uv.h>

#include "agent/loop/worker.h"
#include "sinks/file/layout/layout.h"

enum fffa_file_writer_phase {
	FFFA_FILE_WRITER_IDLE,
	FFFA_FILE_WRITER_WORKING, /* on a worker thread */
	FFFA_FILE_WRITER_WAITING, /* for a reader */
};

/* Called on the loop, never from inside; the writer is idle again. */
struct fffa_file_writer_events {
	void (*written)(void *arg, int rc); /* with the result of the layout's work */
	/* With that of its reopen, and err if it failed. */
	void (*reopened)(void *arg, int rc, const struct fffa_err *err);
	/* With the result of open_files; if it is 0 the layout is the writer's. */
	void (*opened)(void *arg, int rc, const struct fffa_err *err);
	void *arg;
};

struct fffa_file_writer {
	uv_loop_t *loop;
	struct fffa_worker *worker;
	const struct fffa_file_layout_ops *ops;
	struct fffa_file_layout *layout; /* NULL until opened; freed by close */
	struct fffa_file_writer_events events;
	enum fffa_file_writer_phase phase;
	bool stopped;
	int rc;		     /* of what the worker did last */
	struct fffa_err err; /* of the same */
	struct fffa_worker_job write, reopen, free;
	struct {
		struct fffa_worker_job job;
		struct fffa_file_layout_env *env;
		uv_mutex_t lock; /* of ended */
		uv_cond_t changed;
		bool ended; /* rc, err and layout are there */
		bool taken; /* opened was called */
	} open;
	uv_poll_t waiter; /* of epoll_fd */
	int epoll_fd;	  /* -1 until there was something to wait for */
	unsigned int open_handles;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Fills all of *w and starts its thread. 0 or -errno; then there is nothing to close. */
int fffa_file_writer_open(struct fffa_file_writer *w, uv_loop_t *loop,
			  const struct fffa_file_layout_ops *ops,
			  const struct fffa_file_writer_events *events);

/*
 * Lets the layout open what env names, which is borrowed until the writer is closed. Only when idle
 * and without a layout; opened follows.
 */
void fffa_file_writer_open_files(struct fffa_file_writer *w, struct fffa_file_layout_env *env);

/*
 * Blocks until the files are open, at most so long, and calls opened itself. The result of opening
 * with err, or -ETIMEDOUT: opened follows if the disk ever answers.
 */
int fffa_file_writer_await_files(struct fffa_file_writer *w, uint64_t timeout_ns,
				 struct fffa_err *err);

/* Runs the write that the layout has begun. Only when idle; written follows. */
void fffa_file_writer_start(struct fffa_file_writer *w);

/* Lets the layout open its path again. Only when idle; reopened follows. */
void fffa_file_writer_reopen(struct fffa_file_writer *w);

/*
 * From now on nothing waits for a reader: a wait that is under way ends without written, and a
 * write that would have to wait is done with -ECANCELED.
 */
void fffa_file_writer_stop(struct fffa_file_writer *w);

/* Only when idle: frees the layout on the thread, then ends it. closed follows. */
void fffa_file_writer_close(struct fffa_file_writer *w, void (*closed)(void *arg), void *arg);

#endif
