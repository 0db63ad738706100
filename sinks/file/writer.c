// SPDX-License-Identifier: MIT
#include "sinks/file/writer.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/base/assert.h"

void fffa_file_writer_init(struct fffa_file_writer *w, uv_loop_t *loop,
			   const struct fffa_file_layout_ops *ops, void (*done)(void *arg, int rc),
			   void *arg)
{
	*w = (struct fffa_file_writer){
		.loop = loop,
		.ops = ops,
		.done = done,
		.arg = arg,
		.epoll_fd = -1,
	};
	w->work.data = w;
	w->waiter.data = w;
}

static void on_work(uv_work_t *work)
{
	struct fffa_file_writer *w = work->data;

	w->rc = w->ops->work(w->layout);
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

static void on_worked(uv_work_t *work, int status)
{
	struct fffa_file_writer *w = work->data;
	int rc = status ? status : w->rc;

	w->phase = FFFA_FILE_WRITER_IDLE;
	if (rc == -EAGAIN && w->ops->wait_fd) {
		rc = w->stopped ? -ECANCELED : wait_writable(w);
		if (!rc)
			return;
	}
	w->done(w->arg, rc);
}

void fffa_file_writer_start(struct fffa_file_writer *w)
{
	FFFA_ASSERT(w->phase == FFFA_FILE_WRITER_IDLE);
	w->phase = FFFA_FILE_WRITER_WORKING;
	/* Cannot fail: there is a work callback. */
	(void)uv_queue_work(w->loop, &w->work, on_work, on_worked);
}

void fffa_file_writer_stop(struct fffa_file_writer *w)
{
	w->stopped = true;
	if (w->phase == FFFA_FILE_WRITER_WAITING)
		stop_waiting(w);
}

static void on_waiter_closed(uv_handle_t *h)
{
	struct fffa_file_writer *w = h->data;

	(void)close(w->epoll_fd); /* an epoll descriptor holds no data */
	w->closed(w->arg);
}

bool fffa_file_writer_close(struct fffa_file_writer *w, void (*closed)(void *arg))
{
	if (w->epoll_fd < 0)
		return false;
	w->closed = closed;
	uv_close((uv_handle_t *)&w->waiter, on_waiter_closed);
	return true;
}
