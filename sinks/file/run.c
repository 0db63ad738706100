// SPDX-License-Identifier: MIT
/* A job's way through the pool, and the wait for room in a pipe. */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "sinks/file/state.h"

static void on_work(uv_work_t *w)
{
	struct fffa_sink *s = w->data;

	if (s->aws)
		fffa_file__aws_work(s->aws, &s->aws_job);
	else
		fffa_file__write(&s->job);
}

void fffa_file__stop_waiting(struct fffa_sink *s)
{
	(void)uv_poll_stop(&s->waiter);
	(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->job.to.fd, NULL);
	s->phase = FFFA_FILE_IDLE;
}

static void on_writable(uv_poll_t *p, int status, int events)
{
	struct fffa_sink *s = p->data;

	(void)status; /* an error shows when the write is tried */
	(void)events;
	fffa_file__stop_waiting(s);
	fffa_file__run(s);
}

/*
 * An epoll descriptor of our own stands between: uv_poll makes its descriptor non-blocking, and
 * standard output belongs to others too.
 */
static int wait_writable(struct fffa_sink *s)
{
	struct epoll_event ev = {.events = EPOLLOUT};
	int rc;

	if (s->epoll_fd < 0) {
		int fd = epoll_create1(EPOLL_CLOEXEC);

		if (fd < 0)
			return -errno;
		rc = uv_poll_init(s->env->loop, &s->waiter, fd);
		if (rc) {
			(void)close(fd); /* nothing was added */
			return rc;
		}
		s->waiter.data = s;
		s->epoll_fd = fd;
	}
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->job.to.fd, &ev))
		return -errno;
	rc = uv_poll_start(&s->waiter, UV_READABLE, on_writable);
	if (rc) {
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->job.to.fd, NULL);
		return rc;
	}
	s->phase = FFFA_FILE_WAITING;
	return 0;
}

static void on_written(uv_work_t *w, int status)
{
	struct fffa_sink *s = w->data;
	int rc = status ? status : s->aws ? s->aws_job.result : s->job.result;

	s->phase = FFFA_FILE_IDLE;
	if (rc == -EAGAIN && !s->aws) {
		rc = s->closing ? -ECANCELED : wait_writable(s);
		if (!rc)
			return;
	}
	fffa_file__finish(s, rc);
}

void fffa_file__run(struct fffa_sink *s)
{
	struct fffa_file_job *j = &s->job;

	s->aws_job.batch = s->delivery ? fffa_delivery_batch(s->delivery) : NULL;
	s->aws_job.now_s = time(NULL);
	/* A batch is never split over two files. */
	j->may_rotate = s->rotates && j->to.regular && j->to.owned && !j->owed.len && !j->body_done;
	s->phase = FFFA_FILE_WORKING;
	/* Fails only without a work callback. */
	(void)uv_queue_work(s->env->loop, &s->work, on_work, on_written);
}

void fffa_file__run_empty(struct fffa_sink *s)
{
	s->job.body = (struct fffa_span){NULL, 0};
	s->job.body_done = 0;
	fffa_file__run(s);
}
