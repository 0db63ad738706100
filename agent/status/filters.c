// SPDX-License-Identifier: MIT
#include "agent/status/filters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/loop/worker.h"

struct fffa_filters_job {
	struct fffa_worker_job job;
	void (*done)(void *arg, struct fffa_filter *filter, const struct fffa_err *err);
	void *arg;
	int rc;
	struct fffa_filter *filter;
	struct fffa_err err;
	char text[FFFA_FILTER_BYTES_MAX + 2]; /* one byte too many is enough to be refused */
};

static void compile_text(void *arg)
{
	struct fffa_filters_job *j = arg;

	j->rc = fffa_filter_new(j->text, &j->filter, &j->err);
}

static void hand_over(void *arg)
{
	struct fffa_filters_job *j = arg;

	if (j->done)
		j->done(j->arg, j->filter, j->rc ? &j->err : NULL);
	else
		fffa_filter_free(j->filter);
	free(j);
}

int fffa_filters_compile(struct fffa_filters *s, const char *text,
			 void (*done)(void *arg, struct fffa_filter *filter,
				      const struct fffa_err *err),
			 void *arg, struct fffa_filters_job **job, struct fffa_err *err)
{
	int rc = s->worker ? 0 : fffa_worker_open(s->loop, "filters", &s->worker);
	struct fffa_filters_job *j;

	if (rc)
		return fffa_fail(err, -rc, "cannot start a thread: %s", strerror(-rc));
	j = calloc(1, sizeof(*j));
	if (!j)
		return fffa_fail(err, ENOMEM, "no memory for a filter");
	j->job = (struct fffa_worker_job){.work = compile_text, .done = hand_over, .arg = j};
	j->done = done;
	j->arg = arg;
	(void)snprintf(j->text, sizeof(j->text), "%s", text);
	*job = j;
	fffa_worker_submit(s->worker, &j->job);
	return 0;
}

void fffa_filters_give_up(struct fffa_filters_job *job)
{
	if (job)
		job->done = NULL;
}

void fffa_filters_close(struct fffa_filters *s)
{
	if (s->worker)
		fffa_worker_close(s->worker, NULL, NULL);
	s->worker = NULL;
}
