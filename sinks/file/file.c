// SPDX-License-Identifier: MIT
#include "sinks/file/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/log.h"
#include "sinks/file/write.h"

#define TAIL_MAX 4096 /* the longest record, see agent/encode/encoder.h */

enum phase { IDLE, WORKING, WAITING };

struct fffa_sink {
	const struct fffa_sink_env *env;
	const struct fffa_sink_file_conf *conf;
	uv_work_t work;
	uv_idle_t anchor; /* never runs: its close callback is the later turn in which the sink ends
			   */
	uv_poll_t waiter; /* of epoll_fd */
	int epoll_fd;	  /* -1 until there was something to wait for */
	enum phase phase;
	bool refused; /* submit said -EAGAIN: ready is due */
	bool reopen;
	bool closing;
	bool ending; /* handles are being closed */
	unsigned int handles;
	struct fffa_delivery
		*delivery; /* borrowed until done; NULL: the job writes only what is owed */
	struct fffa_file_job job;
	/* How far the last failed batch came where it could not be cut off again; done_bytes 0: not
	 * at all. */
	struct {
		uint64_t first_seq, last_seq;
		size_t done_bytes;
	} partial;
	uint8_t tail[TAIL_MAX]; /* rest of the torn record, owed when another batch comes first */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void finish(struct fffa_sink *s, int result);

static void on_work(uv_work_t *w)
{
	struct fffa_sink *s = w->data;

	fffa_file__write(&s->job);
}

static void on_written(uv_work_t *w, int status);

static void run(struct fffa_sink *s)
{
	s->phase = WORKING;
	/* Fails only without a work callback. */
	(void)uv_queue_work(s->env->loop, &s->work, on_work, on_written);
}

static void stop_waiting(struct fffa_sink *s)
{
	(void)uv_poll_stop(&s->waiter);
	(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->job.to.fd, NULL);
	s->phase = IDLE;
}

static void on_writable(uv_poll_t *p, int status, int events)
{
	struct fffa_sink *s = p->data;

	(void)status; /* an error shows when the write is tried */
	(void)events;
	stop_waiting(s);
	run(s);
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
	s->phase = WAITING;
	return 0;
}

static void on_written(uv_work_t *w, int status)
{
	struct fffa_sink *s = w->data;
	int rc = status ? status : s->job.result;

	s->phase = IDLE;
	if (rc == -EAGAIN) {
		rc = s->closing ? -ECANCELED : wait_writable(s);
		if (!rc)
			return;
	}
	finish(s, rc);
}

/* The rest of the record in which the first done bytes of b end; empty at a record border. */
static size_t copy_tail(const struct fffa_batch *b, size_t done, uint8_t *tail)
{
	const uint8_t *stop = fffa_batch_bytes(b).ptr + done;
	uint32_t lo = 0, hi = fffa_batch_count(b);
	struct fffa_span r;
	size_t n;

	while (lo + 1 < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (fffa_batch_record(b, mid).ptr <= stop)
			lo = mid;
		else
			hi = mid;
	}
	r = fffa_batch_record(b, lo);
	if (stop == r.ptr || stop >= r.ptr + r.len)
		return 0;
	n = (size_t)(r.ptr + r.len - stop);
	if (n > TAIL_MAX)
		return 0;
	memcpy(tail, stop, n);
	return n;
}

/* Keeps what the next job needs to know of this one. */
static void remember(struct fffa_sink *s, const struct fffa_batch *b, int result)
{
	struct fffa_file_job *j = &s->job;

	if (j->owed_done == j->owed.len) {
		j->owed = (struct fffa_span){NULL, 0};
		j->owed_done = 0;
	}
	s->partial.done_bytes = 0;
	if (!result || !b || !j->body_done)
		return;
	s->partial.first_seq = fffa_batch_first_seq(b);
	s->partial.last_seq = fffa_batch_last_seq(b);
	s->partial.done_bytes = j->body_done;
	j->owed = (struct fffa_span){s->tail, copy_tail(b, j->body_done, s->tail)};
}

static void use_target(struct fffa_sink *s, const struct fffa_file_target *to)
{
	if (s->job.to.fd >= 0)
		(void)close(s->job.to.fd); /* what counted was synced; the rest the kernel has */
	s->job.to = *to;
	s->job.owed = to->fresh ? s->env->preamble : (struct fffa_span){NULL, 0};
	s->job.owed_done = 0;
	s->partial.done_bytes = 0;
}

/* On the loop: once per HUP. When the new file cannot be opened the old one stays in use: nothing
 * is lost. */
static void reopen_now(struct fffa_sink *s)
{
	struct fffa_file_target to;
	struct fffa_err err;

	s->reopen = false;
	if (!strcmp(s->conf->path, "-"))
		return;
	if (fffa_file__open(s->conf->path, &to, &err)) {
		fffa_error(s->env->tag, "not reopened, the old file stays in use: %s", err.text);
		return;
	}
	use_target(s, &to);
}

/* The header of a new file does not wait for the first batch. */
static void write_owed(struct fffa_sink *s)
{
	if (!s->job.owed.len)
		return;
	s->job.body = (struct fffa_span){NULL, 0};
	s->job.body_done = 0;
	run(s);
}

static void on_ended(uv_handle_t *h)
{
	struct fffa_sink *s = h->data;
	struct fffa_outcome o = {.verdict = FFFA_V_RETRY, .cause = -ECANCELED};
	void (*closed)(void *arg) = s->closed;
	void *arg = s->closed_arg;

	if (--s->handles)
		return;
	if (s->delivery)
		s->env->done(s->env->pipe, s->delivery, &o);
	if (s->epoll_fd >= 0)
		(void)close(s->epoll_fd);
	if (s->job.to.fd >= 0)
		(void)close(s->job.to.fd);
	free(s);
	closed(arg);
}

static void end(struct fffa_sink *s)
{
	if (s->ending)
		return;
	s->ending = true;
	s->handles = 1;
	uv_close((uv_handle_t *)&s->anchor, on_ended);
	if (s->epoll_fd >= 0) {
		s->handles++;
		uv_close((uv_handle_t *)&s->waiter, on_ended);
	}
}

static void finish(struct fffa_sink *s, int result)
{
	struct fffa_delivery *d = s->delivery;
	struct fffa_outcome o = {.verdict = result ? FFFA_V_RETRY : FFFA_V_DELIVERED,
				 .cause = result};
	bool reopened = s->reopen && !s->closing;

	if (result == -EPIPE && s->job.to.nameless)
		o.verdict = FFFA_V_REJECTED; /* `fffa ... | head`: there is nobody to wait for */
	s->delivery = NULL;
	remember(s, d ? fffa_delivery_batch(d) : NULL, result);
	if (reopened)
		reopen_now(s);
	if (d)
		s->env->done(s->env->pipe, d, &o); /* may submit the next batch, or close */
	if (s->closing) {
		end(s);
		return;
	}
	if (s->phase == IDLE && s->refused) {
		s->refused = false;
		s->env->ready(s->env->pipe);
	}
	if (s->phase == IDLE && reopened && !s->closing)
		write_owed(s);
}

static int check(const void *conf, struct fffa_err *err)
{
	const struct fffa_sink_file_conf *c = conf;

	if (!c->path || !*c->path)
		return fffa_fail(err, EINVAL,
				 "path: is required: a file name, or - for standard output");
	return 0;
}

static int create(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		  struct fffa_err *err)
{
	struct fffa_sink *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	rc = uv_idle_init(env->loop, &s->anchor);
	if (rc) {
		free(s);
		return fffa_fail(err, -rc, "cannot join the loop: %s", uv_strerror(rc));
	}
	s->env = env;
	s->conf = conf;
	s->work.data = s;
	s->anchor.data = s;
	s->epoll_fd = -1;
	s->job.to.fd = -1;
	s->job.sync = s->conf->sync == FFFA_FILE_SYNC_BATCH;
	*out = s;
	return 0;
}

static int start(struct fffa_sink *s, struct fffa_err *err)
{
	struct fffa_file_target to;
	int rc = fffa_file__open(s->conf->path, &to, err);

	if (rc)
		return rc;
	use_target(s, &to);
	write_owed(s);
	return 0;
}

static int submit(struct fffa_sink *s, struct fffa_delivery *d)
{
	const struct fffa_batch *b = fffa_delivery_batch(d);
	struct fffa_file_job *j = &s->job;

	if (s->closing || j->to.fd < 0)
		return -ECANCELED;
	if (s->phase != IDLE) {
		s->refused = true;
		return -EAGAIN;
	}
	s->delivery = d;
	j->body = fffa_batch_bytes(b);
	j->body_done = 0;
	if (s->partial.done_bytes && s->partial.first_seq == fffa_batch_first_seq(b) &&
	    s->partial.last_seq == fffa_batch_last_seq(b)) {
		/* The same batch again: it goes on where it stopped, the torn record with it. */
		j->body_done = s->partial.done_bytes;
		j->owed = (struct fffa_span){NULL, 0};
		j->owed_done = 0;
	}
	run(s);
	return 0;
}

static void reopen(struct fffa_sink *s)
{
	if (s->closing || s->job.to.fd < 0)
		return;
	if (s->phase != IDLE) {
		s->reopen = true;
		return;
	}
	reopen_now(s);
	write_owed(s);
}

static void close_sink(struct fffa_sink *s, void (*closed)(void *arg), void *arg)
{
	s->closing = true;
	s->closed = closed;
	s->closed_arg = arg;
	if (s->phase == WAITING)
		stop_waiting(s);
	if (s->phase == IDLE)
		end(s);
}

static const char *const sync_words[] = {"none", "batch", NULL};

static const struct fffa_option options[] = {
	{.key = "path",
	 .type = FFFA_OT_STRING,
	 .offset = FFFA_FIELD_IS(struct fffa_sink_file_conf, path, char *),
	 .help = "file to append to, in a directory that exists; - is standard output"},
	{.key = "sync",
	 .type = FFFA_OT_ENUM,
	 .offset = FFFA_FIELD_IS(struct fffa_sink_file_conf, sync, int),
	 .def = "batch",
	 .words = sync_words,
	 .help = "when a batch counts as delivered: none: written; batch: on the disk (fdatasync)"},
	{.key = NULL},
};

const struct fffa_sink_ops fffa_sink_file_ops = {
	.name = "file",
	.formats = ~0u, /* bytes are bytes */
	.conf_size = sizeof(struct fffa_sink_file_conf),
	.opts = options,
	.check = check,
	.create = create,
	.start = start,
	.submit = submit,
	.flush = NULL,
	.reopen = reopen,
	.close = close_sink,
};
