// SPDX-License-Identifier: MIT
#include "agent/loop/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

#include "agent/base/assert.h"
#include "agent/base/thread.h"

TAILQ_HEAD(jobs, fffa_worker_job);

struct fffa_worker {
	uv_async_t wake; /* of the loop: a job or the thread has ended */
	pthread_t thread;
	uv_mutex_t lock; /* of the next five */
	uv_cond_t more;	 /* queued or stop has changed */
	struct jobs queued;
	struct jobs finished; /* done is to be called */
	bool stop;	      /* the thread ends when nothing is queued */
	bool ended;
	size_t open_jobs; /* submitted, and done was not called; loop thread only */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* The next job, or NULL when the thread is to end. */
static struct fffa_worker_job *await_job(struct fffa_worker *w)
{
	struct fffa_worker_job *job;

	uv_mutex_lock(&w->lock);
	while (TAILQ_EMPTY(&w->queued) && !w->stop)
		uv_cond_wait(&w->more, &w->lock);
	job = TAILQ_FIRST(&w->queued);
	if (job)
		TAILQ_REMOVE(&w->queued, job, link);
	else
		w->ended = true;
	uv_mutex_unlock(&w->lock);
	return job;
}

static void *run_thread(void *arg)
{
	struct fffa_worker *w = arg;
	struct fffa_worker_job *job;

	while ((job = await_job(w))) {
		job->work(job->arg);
		uv_mutex_lock(&w->lock);
		TAILQ_INSERT_TAIL(&w->finished, job, link);
		uv_mutex_unlock(&w->lock);
		(void)uv_async_send(&w->wake); /* fails only for a closing handle */
	}
	(void)uv_async_send(&w->wake);
	return NULL;
}

static void free_worker(struct fffa_worker *w)
{
	uv_cond_destroy(&w->more);
	uv_mutex_destroy(&w->lock);
	free(w);
}

static void on_wake_closed(uv_handle_t *h)
{
	struct fffa_worker *w = h->data;
	void (*closed)(void *arg) = w->closed;
	void *arg = w->closed_arg;

	free_worker(w);
	if (closed)
		closed(arg);
}

static void stop_thread(struct fffa_worker *w)
{
	uv_mutex_lock(&w->lock);
	w->stop = true;
	uv_cond_signal(&w->more);
	uv_mutex_unlock(&w->lock);
}

static void on_wake(uv_async_t *h)
{
	struct jobs finished = TAILQ_HEAD_INITIALIZER(finished);
	struct fffa_worker *w = h->data;
	struct fffa_worker_job *job;
	bool ended;

	uv_mutex_lock(&w->lock);
	TAILQ_CONCAT(&finished, &w->finished, link);
	ended = w->ended;
	uv_mutex_unlock(&w->lock);
	while ((job = TAILQ_FIRST(&finished))) {
		TAILQ_REMOVE(&finished, job, link);
		job->submitted = false;
		w->open_jobs--;
		job->done(job->arg); /* may free the job */
	}
	if (ended) {
		(void)pthread_join(w->thread, NULL); /* it only has to return */
		uv_close((uv_handle_t *)h, on_wake_closed);
	} else if (w->closing && !w->open_jobs) {
		stop_thread(w);
	} else if (!w->open_jobs) {
		uv_unref((uv_handle_t *)h);
	}
}

static int start_thread(struct fffa_worker *w, const char *name)
{
	int rc = fffa_thread_start(&w->thread, run_thread, w);

	if (!rc)
		(void)pthread_setname_np(w->thread, name); /* for people alone */
	return rc;
}

static void on_wake_abandoned(uv_handle_t *h)
{
	free_worker(h->data);
}

int fffa_worker_open(struct uv_loop_s *loop, const char *name, struct fffa_worker **out)
{
	struct fffa_worker *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	TAILQ_INIT(&w->queued);
	TAILQ_INIT(&w->finished);
	rc = uv_mutex_init(&w->lock);
	if (rc)
		goto no_lock;
	rc = uv_cond_init(&w->more);
	if (rc)
		goto no_cond;
	rc = uv_async_init(loop, &w->wake, on_wake);
	if (rc)
		goto no_wake;
	w->wake.data = w;
	uv_unref((uv_handle_t *)&w->wake);
	rc = start_thread(w, name);
	if (rc) {
		uv_close((uv_handle_t *)&w->wake, on_wake_abandoned);
		return rc;
	}
	*out = w;
	return 0;
no_wake:
	uv_cond_destroy(&w->more);
no_cond:
	uv_mutex_destroy(&w->lock);
no_lock:
	free(w);
	return rc;
}

void fffa_worker_submit(struct fffa_worker *w, struct fffa_worker_job *job)
{
	FFFA_ASSERT(!job->submitted);
	job->submitted = true;
	w->open_jobs++;
	uv_ref((uv_handle_t *)&w->wake);
	uv_mutex_lock(&w->lock);
	TAILQ_INSERT_TAIL(&w->queued, job, link);
	uv_cond_signal(&w->more);
	uv_mutex_unlock(&w->lock);
}

void fffa_worker_close(struct fffa_worker *w, void (*closed)(void *arg), void *arg)
{
	FFFA_ASSERT(!w->closing);
	w->closing = true;
	w->closed = closed;
	w->closed_arg = arg;
	uv_ref((uv_handle_t *)&w->wake);
	if (!w->open_jobs)
		stop_thread(w);
}
