// SPDX-License-Identifier: MIT
#include "sinks/file/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/format.h"
#include "sinks/file/mend.h"
#include "sinks/file/names.h"
#include "sinks/file/options.h"
#include "sinks/file/state.h"

#define NS_PER_S INT64_C(1000000000)

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
	if (n > FFFA_RECORD_BYTES_MAX)
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
	s->job.file_bytes = to->size;
	s->seen.file_bytes = to->regular && to->owned ? to->size : -1;
	if (s->job.rotation.interval_s)
		s->job.rotation.slot = to->mtime_s / s->job.rotation.interval_s;
	s->partial.done_bytes = 0;
}

/* On the loop: once per HUP. When the new file cannot be opened the old one stays in use: nothing
 * is lost. */
static void reopen_now(struct fffa_sink *s)
{
	struct fffa_file_target to;
	struct fffa_err err;

	s->reopen = false;
	if (s->aws || !strcmp(s->conf->path, "-"))
		return;
	if (fffa_file__open(s->conf->path, &s->access, s->job.sync, &to, &err)) {
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
	fffa_file__run_empty(s);
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
	fffa_file__aws_free(s->aws);
	if (s->epoll_fd >= 0)
		(void)close(s->epoll_fd);
	if (s->job.to.fd >= 0)
		(void)close(s->job.to.fd);
	free(s);
	closed(arg);
}

void fffa_file__end(struct fffa_sink *s)
{
	if (s->ending || s->phase != FFFA_FILE_IDLE || s->tidy.running)
		return;
	if (s->aws && !s->wound_up) {
		s->wound_up = true;
		s->aws_job.complete_all = true;
		fffa_file__run_empty(s);
		return;
	}
	s->ending = true;
	s->handles = 1;
	uv_close((uv_handle_t *)&s->timer, on_ended);
	if (s->epoll_fd >= 0) {
		s->handles++;
		uv_close((uv_handle_t *)&s->waiter, on_ended);
	}
}

void fffa_file__finish(struct fffa_sink *s, int result)
{
	struct fffa_delivery *d = s->delivery;
	struct fffa_outcome o = {.verdict = result ? FFFA_V_RETRY : FFFA_V_DELIVERED,
				 .cause = result};
	bool reopened = s->reopen && !s->closing;

	if (result == -EPIPE && s->job.to.nameless)
		o.verdict = FFFA_V_REJECTED; /* `fffa ... | head`: there is nobody to wait for */
	s->delivery = NULL;
	fffa_file__after_job(s, result);
	if (s->aws)
		o.records = s->aws_job.verdicts;
	remember(s, d ? fffa_delivery_batch(d) : NULL, result);
	if (reopened)
		reopen_now(s);
	if (d)
		s->env->done(s->env->pipe, d, &o); /* may submit the next batch, or close */
	if (s->closing) {
		fffa_file__end(s);
		return;
	}
	if (s->phase == FFFA_FILE_IDLE && s->refused) {
		s->refused = false;
		s->env->ready(s->env->pipe);
	}
	if (s->phase == FFFA_FILE_IDLE && reopened && !s->closing)
		write_owed(s);
}

static void set_job(struct fffa_sink *s)
{
	struct fffa_file_job *j = &s->job;

	j->to.fd = -1;
	j->sync = s->conf->sync == FFFA_FILE_SYNC_BATCH;
	j->path = s->conf->path;
	j->access = &s->access;
	j->preamble = s->env->preamble;
	j->rotation.size_bytes = s->conf->rotate.size_bytes;
	j->rotation.interval_s = s->conf->rotate.interval_ns / NS_PER_S;
}

static int create(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		  struct fffa_err *err)
{
	const struct fffa_sink_file_conf *c = conf;
	struct fffa_sink *s;
	int rc;

	if (c->layout && env->format != FFFA_FORMAT_VPC)
		return fffa_fail(err, EINVAL, "layout: aws and aws_hive need format vpc");
	s = calloc(1, sizeof(*s));

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	rc = uv_timer_init(env->loop, &s->timer);
	if (rc) {
		free(s);
		return fffa_fail(err, -rc, "cannot join the loop: %s", uv_strerror(rc));
	}
	s->env = env;
	s->conf = conf;
	s->work.data = s;
	s->timer.data = s;
	s->rotates =
		!s->conf->layout && (s->conf->rotate.size_bytes || s->conf->rotate.interval_ns);
	s->tidy.task.path = s->conf->path;
	s->tidy.task.keep = s->conf->rotate.keep;
	s->tidy.task.kind = (enum fffa_file_kind)s->conf->rotate.compress;
	atomic_init(&s->tidy.task.cancel, false);
	set_job(s);
	s->epoll_fd = -1;
	*out = s;
	return 0;
}

static int start_aws(struct fffa_sink *s, struct fffa_err *err)
{
	s->aws_conf = (struct fffa_aws_conf){
		.path = s->conf->path,
		.hive = s->conf->layout == FFFA_FILE_LAYOUT_AWS_HIVE,
		.sync = s->job.sync,
		.flow_log_id = s->conf->flow_log_id,
		.size_bytes = s->conf->rotate.size_bytes,
		.access = &s->access,
		.preamble = s->env->preamble,
	};
	return fffa_file__aws_new(&s->aws_conf, &s->aws, err);
}

static void mend(const struct fffa_sink *s, struct fffa_file_target *to)
{
	int64_t torn;

	if (s->env->format == FFFA_FORMAT_MSGPACK)
		return; /* has no border that can be seen from the end */
	torn = fffa_file__mend(to);
	if (torn > 0)
		fffa_warn(s->env->tag,
			  "%s ended within a record, as a crash leaves it: cut back by %" PRId64
			  " bytes",
			  s->conf->path, torn);
	else if (torn < 0)
		fffa_warn(s->env->tag, "%s: whether it ends within a record is not known: %s",
			  s->conf->path, strerror((int)-torn));
}

static int start_plain(struct fffa_sink *s, struct fffa_err *err)
{
	struct fffa_file_target to;
	int rc = fffa_file__open(s->conf->path, &s->access, s->job.sync, &to, err);

	if (rc)
		return rc;
	mend(s, &to);
	use_target(s, &to);
	write_owed(s);
	return 0;
}

static int start(struct fffa_sink *s, struct fffa_err *err)
{
	int rc = fffa_file__access(s->conf, &s->access, err);

	if (!rc)
		rc = s->conf->layout ? start_aws(s, err) : start_plain(s, err);
	if (rc)
		return rc;
	s->started = true;
	fffa_file__start_tidy(s);
	fffa_file__arm(s);
	return 0;
}

static int submit(struct fffa_sink *s, struct fffa_delivery *d)
{
	const struct fffa_batch *b = fffa_delivery_batch(d);
	struct fffa_file_job *j = &s->job;

	if (s->closing || !s->started)
		return -ECANCELED;
	if (s->phase != FFFA_FILE_IDLE) {
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
	fffa_file__run(s);
	return 0;
}

static void reopen(struct fffa_sink *s)
{
	if (s->closing || !s->started)
		return;
	if (s->phase != FFFA_FILE_IDLE) {
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
	atomic_store(&s->tidy.task.cancel, true);
	if (s->phase == FFFA_FILE_WAITING)
		fffa_file__stop_waiting(s);
	fffa_file__end(s);
}

static void report(const struct fffa_sink *s,
		   void (*put)(void *arg, const char *key, const char *value), void *arg)
{
	char text[32];

	put(arg, "path", s->conf->path);
	if (s->seen.file_bytes >= 0) {
		(void)snprintf(text, sizeof(text), "%" PRId64, s->seen.file_bytes);
		put(arg, "file_bytes", text);
	}
	if (s->seen.rotated_at_s) {
		char stamp[FFFA_FILE_STAMP_BYTES];

		fffa_file__stamp(s->seen.rotated_at_s, stamp);
		put(arg, "rotated_at", stamp);
	}
	(void)snprintf(text, sizeof(text), "%" PRIu64, s->seen.errors);
	put(arg, "errors", text);
	if (s->seen.last_error)
		put(arg, "last_error", strerror(-s->seen.last_error));
}

const struct fffa_sink_ops fffa_sink_file_ops = {
	.name = "file",
	.formats = ~0u, /* bytes are bytes */
	.conf_size = sizeof(struct fffa_sink_file_conf),
	.opts = fffa_file__options,
	.check = fffa_file__check,
	.create = create,
	.start = start,
	.submit = submit,
	.flush = NULL,
	.reopen = reopen,
	.report = report,
	.close = close_sink,
};
