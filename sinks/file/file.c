// SPDX-License-Identifier: MIT
#include "sinks/file/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/log.h"
#include "agent/loop/disk.h"
#include "sinks/file/aws/aws_layout.h"
#include "sinks/file/layout/stamp.h"
#include "sinks/file/maintenance.h"
#include "sinks/file/options.h"
#include "sinks/file/plain/plain.h"
#include "sinks/file/writer.h"

#define CHECK_MAX_S   60   /* somebody may set the wall clock */
#define OPEN_AGAIN_MS 2000 /* later, when the path cannot be opened */

static const struct fffa_file_layout_ops *const layouts[] = {
	[FFFA_FILE_LAYOUT_PLAIN] = &fffa_file_plain_layout,
	[FFFA_FILE_LAYOUT_AWS] = &fffa_file_aws_layout,
	[FFFA_FILE_LAYOUT_AWS_HIVE] = &fffa_file_aws_layout,
};

struct fffa_sink {
	const struct fffa_sink_env *env;
	const struct fffa_file_layout_ops *ops;
	struct fffa_file_layout_env layout_env;
	struct fffa_file_layout *layout; /* NULL until it is open */
	struct fffa_file_writer writer;
	struct fffa_file_maintenance maintenance;
	uv_timer_t timer;		/* to finish a file that is due when no batch comes */
	struct fffa_delivery *delivery; /* borrowed until done; NULL: a write without a batch */
	bool refused; /* submit has returned -EAGAIN, and ready has not followed yet */
	bool reopen_due;
	struct {
		struct fffa_file_layout_status status; /* as of the last write */
		uint64_t errors;
		int last_error;
		int rotation_error; /* the one that was logged last */
	} seen;
	struct {
		bool begun;
		bool last_write;	   /* has begun */
		unsigned int open_handles; /* while they are being closed; 0 before */
		void (*closed)(void *arg);
		void *arg;
	} end;
};

static bool is_idle(const struct fffa_sink *s)
{
	return s->writer.phase == FFFA_FILE_WRITER_IDLE;
}

/* Lets the layout write what is due. */
static void write_without_batch(struct fffa_sink *s)
{
	s->ops->begin(s->layout, NULL);
	fffa_file_writer_start(&s->writer);
}

/* The header of a new file does not wait for the first batch. */
static void write_preamble(struct fffa_sink *s)
{
	if (s->seen.status.preamble_due)
		write_without_batch(s);
}

static void on_timer(uv_timer_t *t);

static void start_timer(struct fffa_sink *s)
{
	int64_t wait_s = s->ops->check_in_s(s->layout);

	if (s->end.begun || !wait_s)
		return;
	if (wait_s > CHECK_MAX_S)
		wait_s = CHECK_MAX_S;
	/* Cannot fail: the handle is open and there is a callback. */
	(void)uv_timer_start(&s->timer, on_timer, (uint64_t)wait_s * 1000, 0);
}

static void on_timer(uv_timer_t *t)
{
	struct fffa_sink *s = t->data;

	if (!s->layout) {
		if (is_idle(s))
			fffa_file_writer_open_files(&s->writer, &s->layout_env);
		return;
	}
	/* A write that is under way finishes what is due. */
	if (is_idle(s) && s->ops->is_due(s->layout))
		write_without_batch(s);
	start_timer(s);
}

static void on_handle_closed(void *arg)
{
	struct fffa_sink *s = arg;
	struct fffa_outcome o = {.verdict = FFFA_V_RETRY, .cause = -ECANCELED};
	void (*closed)(void *arg) = s->end.closed;
	void *closed_arg = s->end.arg;

	FFFA_ASSERT(s->end.open_handles);
	if (--s->end.open_handles)
		return;
	if (s->delivery)
		s->env->done(s->env->pipe, s->delivery, &o);
	free(s);
	closed(closed_arg);
}

static void on_timer_closed(uv_handle_t *h)
{
	on_handle_closed(h->data);
}

/*
 * Goes on with the end of the sink when no thread has anything of it: the last write, then the
 * layout and the handles.
 */
static void end_step(struct fffa_sink *s)
{
	if (s->end.open_handles || !is_idle(s) || s->maintenance.running)
		return;
	if (s->layout && s->ops->begin_last && !s->end.last_write) {
		s->end.last_write = true;
		s->ops->begin_last(s->layout);
		fffa_file_writer_start(&s->writer);
		return;
	}
	s->end.open_handles = 2;
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
	fffa_file_writer_close(&s->writer, on_handle_closed, s);
	if (fffa_file_maintenance_close(&s->maintenance, on_handle_closed, s))
		s->end.open_handles++;
}

static void on_maintenance_stopped(void *arg)
{
	end_step(arg);
}

static void look_at_layout(struct fffa_sink *s)
{
	s->ops->status(s->layout, &s->seen.status);
	if (s->seen.status.maintenance_due)
		fffa_file_maintenance_start(&s->maintenance);
}

static void note_result(struct fffa_sink *s, int rc)
{
	int error;

	if (rc) {
		s->seen.errors++;
		s->seen.last_error = rc;
	}
	look_at_layout(s);
	error = s->seen.status.rotation_error;
	if (error && error != s->seen.rotation_error)
		fffa_warn(s->env->tag, "%s: %s: %s", s->ops->rotation_error_text,
			  s->layout_env.conf->path, strerror(-error));
	s->seen.rotation_error = error;
}

static void reopen_now(struct fffa_sink *s)
{
	s->reopen_due = false;
	fffa_file_writer_reopen(&s->writer);
}

/* The thread is idle again, and the layout has what it came with. */
static void go_on(struct fffa_sink *s)
{
	if (s->end.begun) {
		end_step(s);
		return;
	}
	if (is_idle(s) && s->reopen_due)
		reopen_now(s);
	if (is_idle(s) && s->refused) {
		s->refused = false;
		s->env->ready(s->env->pipe); /* may submit the next batch, or close */
	}
}

/* If the new file cannot be opened, the old one stays in use and nothing is lost. */
static void on_reopened(void *arg, int rc, const struct fffa_err *err)
{
	struct fffa_sink *s = arg;

	if (rc)
		fffa_error(s->env->tag, "cannot reopen, the old file stays in use: %s", err->text);
	else
		look_at_layout(s);
	if (!s->refused || s->end.begun) /* else the batch that comes has it */
		write_preamble(s);
	go_on(s);
	if (is_idle(s) && !s->end.begun)
		write_preamble(s);
}

static void on_written(void *arg, int rc)
{
	struct fffa_sink *s = arg;
	struct fffa_delivery *d = s->delivery;
	struct fffa_outcome o = {.verdict = rc ? FFFA_V_RETRY : FFFA_V_DELIVERED, .cause = rc};

	s->delivery = NULL;
	s->ops->end(s->layout, &o);
	note_result(s, rc);
	if (s->reopen_due && !s->end.begun)
		reopen_now(s);
	if (d)
		s->env->done(s->env->pipe, d, &o); /* may submit the next batch, or close */
	go_on(s);
}

/* Only a sink that was added to a running agent tries again. */
static void note_open_failure(struct fffa_sink *s, int rc, const struct fffa_err *err)
{
	const struct fffa_outcome o = {.verdict = FFFA_V_RETRY,
				       .cause = rc,
				       .detail = err->text,
				       .reason = rc,
				       .repair = true};

	if (!s->env->running)
		return;
	s->seen.errors++;
	s->seen.last_error = rc;
	s->env->trouble(s->env->pipe, &o);
	(void)uv_timer_start(&s->timer, on_timer, OPEN_AGAIN_MS, 0);
}

static void on_opened(void *arg, int rc, const struct fffa_err *err)
{
	struct fffa_sink *s = arg;

	if (!rc) {
		s->layout = s->writer.layout;
		s->maintenance.layout = s->layout;
	}
	if (s->end.begun) {
		end_step(s);
		return;
	}
	if (rc) {
		note_open_failure(s, rc, err);
		return;
	}
	look_at_layout(s);
	if (!s->refused) /* else the batch that comes has it */
		write_preamble(s);
	start_timer(s);
	go_on(s);
}

static int start_threads(struct fffa_sink *s)
{
	const struct fffa_file_writer_events events = {
		.written = on_written, .reopened = on_reopened, .opened = on_opened, .arg = s};
	const struct fffa_sink_file_conf *c = s->layout_env.conf;
	bool maintains = c->layout != FFFA_FILE_LAYOUT_PLAIN || c->rotate.size_bytes ||
			 c->rotate.interval_ns;
	int rc = fffa_file_maintenance_open(&s->maintenance, s->env, c->path, s->ops, maintains,
					    on_maintenance_stopped, s);

	if (rc)
		return rc;
	rc = fffa_file_writer_open(&s->writer, s->env->loop, s->ops, &events);
	if (rc)
		(void)fffa_file_maintenance_close(&s->maintenance, NULL, NULL);
	return rc;
}

static int check_format(const void *conf, unsigned int format, struct fffa_err *err)
{
	const struct fffa_sink_file_conf *c = conf;
	const struct fffa_file_layout_ops *ops = layouts[c->layout];

	return ops->check_format ? ops->check_format(format, err) : 0;
}

static int create_sink(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		       struct fffa_err *err)
{
	const struct fffa_sink_file_conf *c = conf;
	const struct fffa_file_layout_ops *ops = layouts[c->layout];
	struct fffa_sink *s;
	int rc;

	if (check_format(conf, env->format, err))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	s->env = env;
	s->ops = ops;
	s->layout_env.sink = env;
	s->layout_env.conf = c;
	s->seen.status.file_bytes = -1;
	rc = start_threads(s);
	if (rc) {
		free(s);
		return fffa_fail(err, -rc, "cannot start a thread: %s", strerror(-rc));
	}
	(void)uv_timer_init(env->loop, &s->timer); /* cannot fail */
	s->timer.data = s;
	*out = s;
	return 0;
}

static int start_sink(struct fffa_sink *s, struct fffa_err *err)
{
	int rc;

	fffa_file_writer_open_files(&s->writer, &s->layout_env);
	if (s->env->running)
		return 0;
	rc = fffa_file_writer_await_files(&s->writer, FFFA_DISK_WAIT_NS, err);
	if (rc == -ETIMEDOUT)
		return fffa_fail(err, ETIMEDOUT,
				 "%s: cannot be opened within 10 s; its disk stands still",
				 s->layout_env.conf->path);
	return rc;
}

static int submit_delivery(struct fffa_sink *s, struct fffa_delivery *d)
{
	if (s->end.begun)
		return -ECANCELED;
	if (!s->layout || !is_idle(s)) {
		s->refused = true;
		return -EAGAIN;
	}
	s->delivery = d;
	s->ops->begin(s->layout, fffa_delivery_batch(d));
	fffa_file_writer_start(&s->writer);
	return 0;
}

static void reopen_sink(struct fffa_sink *s)
{
	if (s->end.begun || !s->layout || !s->ops->reopen)
		return;
	if (is_idle(s))
		reopen_now(s);
	else
		s->reopen_due = true;
}

static void close_sink(struct fffa_sink *s, void (*closed)(void *arg), void *arg)
{
	s->end.begun = true;
	s->end.closed = closed;
	s->end.arg = arg;
	fffa_file_maintenance_stop(&s->maintenance);
	fffa_file_writer_stop(&s->writer);
	end_step(s);
}

static void report_sink(const struct fffa_sink *s,
			void (*put)(void *arg, const char *key, const char *value), void *arg)
{
	const struct fffa_file_layout_status *status = &s->seen.status;
	char text[32], stamp[FFFA_STAMP_BYTES];

	put(arg, "path", s->layout_env.conf->path);
	if (status->file_bytes >= 0) {
		(void)snprintf(text, sizeof(text), "%" PRId64, status->file_bytes);
		put(arg, "file_bytes", text);
	}
	if (status->rotated_at_s) {
		fffa_stamp_write(status->rotated_at_s, stamp);
		put(arg, "rotated_at", stamp);
	}
	(void)snprintf(text, sizeof(text), "%" PRIu64, s->seen.errors);
	put(arg, "errors", text);
	if (s->seen.last_error)
		put(arg, "last_error", strerror(-s->seen.last_error));
}

const struct fffa_sink_ops fffa_sink_file_ops = {
	.name = "file",
	.formats = ~0u, /* it writes any bytes */
	.conf_size = sizeof(struct fffa_sink_file_conf),
	.opts = fffa_file_options,
	.check = fffa_file_options_check,
	.check_format = check_format,
	.probe = fffa_file_options_probe,
	.output = fffa_file_options_output,
	.create = create_sink,
	.start = start_sink,
	.submit = submit_delivery,
	.flush = NULL,
	.reopen = reopen_sink,
	.report = report_sink,
	.close = close_sink,
};
