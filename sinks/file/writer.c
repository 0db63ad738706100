// SPDX-License-Identifier: MIT
#include "sinks/file/writer.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/base/assert.h"

static void work_write(void *arg)
{
	struct fffa_file_writer *w = arg;

	w->rc = w->ops->work(w->layout);
}

static void work_reopen(void *arg)
{
	struct fffa_file_writer *w = arg;

	w->rc = w->ops->reopen(w->layout, &w->err);
}

static void work_open(void *arg)
{
	struct fffa_file_writer *w = arg;
	struct fffa_file_layout_env *env = w->open.env;

	w->rc = fffa_file_access_read(env->conf, &env->access, &w->err);
	if (!w->rc)
		w->rc = w->ops->open(env, &w->layout, &w->err);
	uv_mutex_lock(&w->open.lock);
	w->open.ended = true;
	uv_cond_signal(&w->open.changed);
	uv_mutex_unlock(&w->open.lock);
}

static void work_free(void *arg)
{
	struct fffa_file_writer *w = arg;

	w->ops->free(w->layout);
}

static void stop_waiting(struct fffa_file_writer *w)
{
	(void)uv_poll_stop(&w->waiter);
	(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, w->ops->wait_fd(w->layout), NULL);
	w->phase = FFFA_FILE_WRITER_IDLE;
}

static void on_writable(uv_poll_t *p, int status, int events)
{
	struct fffa_file_writer *w = p->data;

	(void)status; /* the next try of the write shows an error */
	(void)events;
	stop_waiting(w);
	fffa_file_writer_start(w);
}

static int open_epoll(struct fffa_file_writer *w)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = uv_poll_init(w->loop, &w->waiter, fd);
	if (rc) {
		(void)close(fd); /* an epoll descriptor holds no data */
		return rc;
	}
	w->epoll_fd = fd;
	return 0;
}

/*
 * uv_poll makes its descriptor non-blocking, but standard output belongs to others too. So uv_poll
 * watches an epoll descriptor of our own, which watches the output.
 */
static int wait_writable(struct fffa_file_writer *w)
{
	struct epoll_event ev = {.events = EPOLLOUT};
	int fd = w->ops->wait_fd(w->layout);
	int rc = w->epoll_fd < 0 ? open_epoll(w) : 0;

	if (rc)
		return rc;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	rc = uv_poll_start(&w->waiter, UV_READABLE, on_writable);
	if (rc) {
		(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return rc;
	}
	w->phase = FFFA_FILE_WRITER_WAITING;
	return 0;
}

static void on_written(void *arg)
{
	struct fffa_file_writer *w = arg;
	int rc = w->rc;

	w->phase = FFFA_FILE_WRITER_IDLE;
	if (rc == -EAGAIN && w->ops->wait_fd) {
		rc = w->stopped ? -ECANCELED : wait_writable(w);
		if (!rc)
			return;
	}
	w->events.written(w->events.arg, rc);
}

void fffa_file_writer_start(struct fffa_file_writer *w)
{
	FFFA_ASSERT(w->phase == FFFA_FILE_WRITER_IDLE);
	w->phase = FFFA_FILE_WRITER_WORKING;
	fffa_worker_submit(w->worker, &w->write);
}

static void take_opened(struct fffa_file_writer *w)
{
	w->open.taken = true;
	w->phase = FFFA_FILE_WRITER_IDLE;
	w->events.opened(w->events.arg, w->rc, &w->err);
}

static void on_opened(void *arg)
{
	struct fffa_file_writer *w = arg;

	if (!w->open.taken)
		take_opened(w);
}

void fffa_file_writer_open_files(struct fffa_file_writer *w, struct fffa_file_layout_env *env)
{
	FFFA_ASSERT(w->phase == FFFA_FILE_WRITER_IDLE && !w->layout);
	w->phase = FFFA_FILE_WRITER_WORKING;
	w->open.env = env;
	w->open.ended = w->open.taken = false;
	fffa_worker_submit(w->worker, &w->open.job);
}

int fffa_file_writer_await_files(struct fffa_file_writer *w, uint64_t timeout_ns,
				 struct fffa_err *err)
{
	uint64_t now = uv_hrtime(), end = now + timeout_ns;
	bool ended;
	int rc;

	uv_mutex_lock(&w->open.lock);
	for (; !w->open.ended && now < end; now = uv_hrtime())
		(void)uv_cond_timedwait(&w->open.changed, &w->open.lock, end - now);
	ended = w->open.ended;
	uv_mutex_unlock(&w->open.lock);
	if (!ended)
		return -ETIMEDOUT;
	rc = w->rc; /* opened may begin a write */
	if (rc)
		*err = w->err;
	take_opened(w);
	return rc;
}

static void on_reopened(void *arg)
{
	struct fffa_file_writer *w = arg;

	w->phase = FFFA_FILE_WRITER_IDLE;
	w->events.reopened(w->events.arg, w->rc, &w->err);
}

void fffa_file_writer_reopen(struct fffa_file_writer *w)
{
	FFFA_ASSERT(w->phase == FFFA_FILE_WRITER_IDLE);
	w->phase = FFFA_FILE_WRITER_WORKING;
	fffa_worker_submit(w->worker, &w->reopen);
}

void fffa_file_writer_stop(struct fffa_file_writer *w)
{
	w->stopped = true;
	if (w->phase == FFFA_FILE_WRITER_WAITING)
		stop_waiting(w);
}

static void on_one_closed(void *arg)
{
	struct fffa_file_writer *w = arg;

	if (--w->open_handles)
		return;
	if (w->epoll_fd >= 0)
		(void)close(w->epoll_fd); /* an epoll descriptor holds no data */
	uv_cond_destroy(&w->open.changed);
	uv_mutex_destroy(&w->open.lock);
	w->closed(w->closed_arg);
}

static void on_waiter_closed(uv_handle_t *h)
{
	on_one_closed(h->data);
}

static void close_handles(void *arg)
{
	struct fffa_file_writer *w = arg;

	w->open_handles = 1;
	if (w->epoll_fd >= 0) {
		w->open_handles++;
		uv_close((uv_handle_t *)&w->waiter, on_waiter_closed);
	}
	fffa_worker_close(w->worker, on_one_closed, w);
}

void fffa_file_writer_close(struct fffa_file_writer *w, void (*closed)(void *arg), void *arg)
{
	FFFA_ASSERT(w->phase == FFFA_FILE_WRITER_IDLE);
	w->closed = closed;
	w->closed_arg = arg;
	if (w->layout)
		fffa_worker_submit(w->worker, &w->free);
	else
		close_handles(w);
}

int fffa_file_writer_open(struct fffa_file_writer *w, uv_loop_t *loop,
			  const struct fffa_file_layout_ops *ops,
			  const struct fffa_file_writer_events *events)
{
	int rc;

	*w = (struct fffa_file_writer){
		.loop = loop,
		.ops = ops,
		.events = *events,
		.write = {.work = work_write, .done = on_written, .arg = w},
		.reopen = {.work = work_reopen, .done = on_reopened, .arg = w},
		.free = {.work = work_free, .done = close_handles, .arg = w},
		.open.job = {.work = work_open, .done = on_opened, .arg = w},
		.epoll_fd = -1,
	};
	w->waiter.data = w;
	rc = uv_mutex_init(&w->open.lock);
	if (rc)
		return rc;
	rc = uv_cond_init(&w->open.changed);
	if (rc)
		goto no_cond;
	rc = fffa_worker_open(loop, "file", &w->worker);
	if (!rc)
		return 0;
	uv_cond_destroy(&w->open.changed);
no_cond:
	uv_mutex_destroy(&w->open.lock);
	return rc;
}
