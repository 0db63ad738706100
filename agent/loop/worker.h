/* SPDX-License-Identifier: MIT */
/*
 * A thread for one user: what may wait for a disk or take long runs there, one job after the other,
 * and the loop hears of the end. libuv's own pool is not used: its four threads belong to
 * everybody, so one disk that stands still would stop all users. A thread that is stuck in a job
 * holds up nobody but its user.
 *
 * All functions are called on the loop thread.
 */
#ifndef FFFA_AGENT_LOOP_WORKER_H
#define FFFA_AGENT_LOOP_WORKER_H

#include <stdbool.h>
#include <sys/queue.h>

struct uv_loop_s;
struct fffa_worker;

/* The user's memory, untouched by others from submit until done. The user sets the first three. */
struct fffa_worker_job {
	void (*work)(void *arg); /* on the worker's thread */
	void (*done)(
		void *arg); /* later, on the loop; may submit again, and may close the worker */
	void *arg;
	bool submitted; /* done is still to come */
	TAILQ_ENTRY(fffa_worker_job) link;
};

/*
 * Starts a thread called name (at most 15 characters). Borrows loop until closed, and keeps it alive
 * while a job is submitted. 0; -EAGAIN when the system allows no more threads, -ENOMEM, or another
 * -errno; then *out is untouched, and a handle closes as the loop runs on.
 */
int fffa_worker_open(struct uv_loop_s *loop, const char *name, struct fffa_worker **out);

/* Queues the job behind those that were submitted before. It must not be submitted already. */
void fffa_worker_submit(struct fffa_worker *w, struct fffa_worker_job *job);

/*
 * Does not block. When all jobs are done, also those that a done submits, the thread ends, and
 * closed (NULL: none) is called once, later; w is freed by then. It never comes while a job is
 * stuck: a process that wants to end must exit without it. NULL for w is not allowed.
 */
void fffa_worker_close(struct fffa_worker *w, void (*closed)(void *arg), void *arg);

#endif
