// SPDX-License-Identifier: MIT
/*
 * Opens the directory and reads what an earlier run left there, into a spooler of its own that only
 * one thread touches. The loop then takes that over.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/loop/disk.h"
#include "agent/pipeline/spooler/spooler_internal.h"

#define AGAIN_NS (1 * FFFA_NS_PER_S)

/* What the scan tells a queue is noted, because the queue belongs to the loop. */

static void note_resumed(void *queue, uint64_t records)
{
	struct fffa_spooler_found *f = queue;

	f->resumed += records;
}

static void note_loss(void *queue, uint64_t records, const struct fffa_missing *m,
		      enum fffa_record_loss why)
{
	struct fffa_spooler_found *f = queue;
	size_t i = f->n;

	if (f->n < FFFA_SPOOLER_FOUND_MAX) {
		f->n++;
		f->v[i].m = *m;
		f->v[i].why = why;
		f->v[i].records = records;
		return;
	}
	/* So many damaged segments are told with the last one of their reason. */
	while (--i && f->v[i].why != why) {
	}
	f->v[i].records += records;
	f->v[i].m.records += m->records;
}

static const struct fffa_spooler_queue found_queue = {.resume = note_resumed,
						      .lose_unread = note_loss};

static void free_found(struct fffa_spooler_found *f)
{
	if (!f)
		return;
	fffa_spooler__free_segments(&f->spooler);
	fffa_store_close(f->spooler.store);
	free(f);
}

static struct fffa_spooler_found *new_found(const struct fffa_spooler_conf *conf)
{
	struct fffa_spooler_found *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->spooler.conf = *conf;
	f->spooler.conf.ops = &found_queue;
	f->spooler.conf.queue = f;
	TAILQ_INIT(&f->spooler.segments);
	TAILQ_INIT(&f->spooler.refs);
	return f;
}

/* Blocks. */
static void open_found(struct fffa_spooler_found *f)
{
	const struct fffa_spooler_conf *c = &f->spooler.conf;

	f->rc = fffa_store_open(c->spool_dir, c->name, &f->spooler.store, &f->err);
	if (!f->rc)
		f->rc = fffa_spooler__scan(&f->spooler, &f->err);
}

static void take_over(struct fffa_spooler *s, struct fffa_spooler_found *f)
{
	struct fffa_spooler *from = &f->spooler;

	TAILQ_CONCAT(&s->segments, &from->segments, link);
	s->store = s->job.store = from->store;
	from->store = NULL;
	s->disk_bytes = from->disk_bytes;
	s->next_id = from->next_id;
	s->epoch = from->epoch;
	s->unread = from->unread;
	s->losses = from->losses;
	fffa_spooler__account_adopt(s, &from->account);
	s->conf.ops->resume(s->conf.queue, f->resumed);
	for (size_t i = 0; i < f->n; i++)
		s->conf.ops->lose_unread(s->conf.queue, f->v[i].records, &f->v[i].m, f->v[i].why);
}

/* The folder may lie on another disk than spool_dir. */
static int await_folder(const struct fffa_spooler_conf *c, struct fffa_err *err)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", c->spool_dir, c->name) >= sizeof(path) ||
	    fffa_disk_await(path, FFFA_DISK_WAIT_NS) != -ETIMEDOUT)
		return 0;
	return fffa_fail(err, ETIMEDOUT, "spool %s: its disk does not answer within 10 s", path);
}

int fffa_spooler__open_now(struct fffa_spooler *s, struct fffa_err *err)
{
	struct fffa_spooler_found *f;
	int rc = await_folder(&s->conf, err);

	if (rc)
		return rc;
	f = new_found(&s->conf);
	if (!f)
		return fffa_fail(err, ENOMEM, "no memory for the spool");
	open_found(f);
	rc = f->rc;
	if (rc)
		(void)fffa_fail(err, -rc, "%s", f->err.text);
	else
		take_over(s, f);
	free_found(f);
	return rc;
}

static void work_open(void *arg)
{
	struct fffa_spooler *s = arg;

	open_found(s->found);
}

bool fffa_spooler__open_begin(struct fffa_spooler *s, void (*done)(void *arg))
{
	if (!s->closing && fffa_clock_mono_ns(&fffa_clock_system) < s->write_again_ns)
		return false;
	s->found = new_found(&s->conf);
	if (!s->found)
		return false;
	s->work = (struct fffa_worker_job){.work = work_open, .done = done, .arg = s};
	return true;
}

void fffa_spooler__open_end(struct fffa_spooler *s)
{
	struct fffa_spooler_found *f = s->found;

	s->found = NULL;
	if (!f->rc) {
		take_over(s, f);
		if (s->error)
			fffa_info(s->conf.tag, "the spool is open");
	} else {
		s->errors++;
		if (s->error != f->rc)
			fffa_error(s->conf.tag,
				   "%s; will try again, records go without the spool until then",
				   f->err.text);
		s->write_again_ns = fffa_clock_mono_ns(&fffa_clock_system) + AGAIN_NS;
	}
	s->error = f->rc;
	free_found(f);
}
