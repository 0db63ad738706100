/* SPDX-License-Identifier: MIT */
/*
 * Takes one write of a layout to a worker thread, and waits for room in a pipe between two tries.
 * All functions are called on the loop thread.
 */
#ifndef FFFA_SINKS_FILE_WRITER_H
#define FFFA_SINKS_FILE_WRITER_H

#include <uv.h>

#include "sinks/file/layout/layout.h"

enum fffa_file_writer_phase {
	FFFA_FILE_WRITER_IDLE,
	FFFA_FILE_WRITER_WORKING, /* on a worker thread */
	FFFA_FILE_WRITER_WAITING, /* for a reader */
};

struct fffa_file_writer {
	uv_loop_t *loop;
	const struct fffa_file_layout_ops *ops;
	struct fffa_file_layout *layout; /* set before the first start */
	/* The write is over, with the result of the layout's work; the phase is idle again. */
	void (*done)(void *arg, int rc);
	void (*closed)(void *arg);
	void *arg;
	enum fffa_file_writer_phase phase;
	bool stopped;
	int rc; /* of work */
	uv_work_t work;
	uv_poll_t waiter; /* of epoll_fd */
	int epoll_fd;	  /* -1 until there was something to wait for */
};

/* Fills all of *w; the caller sets layout. Needs no clean-up before the first start. */
void fffa_file_writer_init(struct fffa_file_writer *w, uv_loop_t *loop,
			   const struct fffa_file_layout_ops *ops, void (*done)(void *arg, int rc),
			   void *arg);

/* Runs the write that the layout has begun. Only when idle; done follows, never from inside. */
void fffa_file_writer_start(struct fffa_file_writer *w);

/*
 * From now on nothing waits for a reader: a wait that is under way ends without done, and a write
 * that would have to wait is done with -ECANCELED.
 */
void fffa_file_writer_stop(struct fffa_file_writer *w);

/* Only when idle. Whether there is a handle to close: closed follows then, never from inside. */
bool fffa_file_writer_close(struct fffa_file_writer *w, void (*closed)(void *arg));

#endif
