// SPDX-License-Identifier: MIT
/* Rotation as the loop sees it: the timer, the log, the background work. */
#include <string.h>
#include <time.h>

#include "agent/base/log.h"
#include "sinks/file/state.h"

#define WAKE_MAX_S 60 /* the wall clock may be set */
#define AWS_LOOK_S 10

static void on_tidy(uv_work_t *w)
{
	struct fffa_sink *s = w->data;

	if (s->aws)
		s->tidy.task.result = fffa_file__aws_salvage(&s->aws_conf, &s->tidy.task.cancel);
	else
		fffa_file__tidy(&s->tidy.task);
}

static void run_tidy(struct fffa_sink *s);

static void on_tidied(uv_work_t *w, int status)
{
	struct fffa_sink *s = w->data;
	int rc = status ? status : s->tidy.task.result;

	s->tidy.running = false;
	if (s->closing) {
		fffa_file__end(s);
		return;
	}
	if (rc && rc != s->tidy.error)
		fffa_warn(s->env->tag, "what is old in %s is not tidied: %s", s->conf->path,
			  strerror(-rc));
	s->tidy.error = rc;
	if (s->tidy.again)
		run_tidy(s);
}

static void run_tidy(struct fffa_sink *s)
{
	s->tidy.running = true;
	s->tidy.again = false;
	s->tidy.work.data = s;
	/* Fails only without a work callback. */
	(void)uv_queue_work(s->env->loop, &s->tidy.work, on_tidy, on_tidied);
}

void fffa_file__start_tidy(struct fffa_sink *s)
{
	bool rotates = s->rotates && s->job.to.regular && s->job.to.owned;

	if (s->closing || (!rotates && !s->aws))
		return;
	if (s->tidy.running)
		s->tidy.again = true;
	else
		run_tidy(s);
}

static void log_error(struct fffa_sink *s, const char *what, int error)
{
	if (error && error != s->rotation_error)
		fffa_warn(s->env->tag, "%s %s: %s", s->conf->path, what, strerror(-error));
	s->rotation_error = error;
}

void fffa_file__after_job(struct fffa_sink *s, int result)
{
	struct fffa_file_job *j = &s->job;

	if (result) {
		s->seen.errors++;
		s->seen.last_error = result;
	}
	if (s->aws) {
		s->aws_job.complete_all = false;
		s->seen.file_bytes = s->aws_job.open_bytes;
		s->seen.rotated_at_s = s->aws_job.completed_at_s;
		log_error(s, "has objects that are due and cannot be completed, they are kept",
			  s->aws_job.completion_error);
		return;
	}
	if (s->seen.file_bytes >= 0)
		s->seen.file_bytes = j->file_bytes;
	s->seen.rotated_at_s = j->rotated_at_s;
	log_error(s, "is not rotated, it goes on", j->rotation_error);
	if (j->rotated) {
		j->rotated = false;
		fffa_file__start_tidy(s);
	}
}

static bool is_due(const struct fffa_sink *s)
{
	struct fffa_file_rotation now = s->job.rotation;

	if (s->aws)
		return s->aws_job.open_bytes > 0; /* the pool knows each object's time */
	return !s->partial.done_bytes && !s->job.owed.len && s->seen.file_bytes >= 0 &&
	       fffa_file__rotation_due(&now, s->job.file_bytes, s->job.preamble.len, 0, time(NULL));
}

static void on_timer(uv_timer_t *t)
{
	struct fffa_sink *s = t->data;

	/* While a job runs it sees by itself what is due. */
	if (s->phase == FFFA_FILE_IDLE && is_due(s))
		fffa_file__run_empty(s);
	fffa_file__arm(s);
}

void fffa_file__arm(struct fffa_sink *s)
{
	int64_t interval_s = s->job.rotation.interval_s, wait_s;

	if (s->closing || (!s->aws && (!s->rotates || !interval_s)))
		return;
	wait_s = s->aws ? AWS_LOOK_S : interval_s - time(NULL) % interval_s;
	if (wait_s > WAKE_MAX_S)
		wait_s = WAKE_MAX_S;
	/* Never fails with a callback on an open handle. */
	(void)uv_timer_start(&s->timer, on_timer, (uint64_t)wait_s * 1000, 0);
}
