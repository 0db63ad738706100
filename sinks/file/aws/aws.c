// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "sinks/file/aws/aws_folder.h"
#include "sinks/file/aws/aws_names.h"
#include "sinks/file/aws/aws_sort.h"
#include "sinks/file/aws/part.h"
#include "sinks/sink.h"

#define OPEN_MAX_PARTS	 8
#define OBJECT_MAX_BYTES INT64_C(75000000)

struct object {
	struct fffa_part *part; /* NULL: free */
	bool ended;		/* its stream; only the move is left */
	struct fffa_aws_object what;
	int64_t slot;
	int64_t opened_s;
};

struct fffa_aws {
	const struct fffa_aws_conf *conf;
	int64_t size_bytes;
	struct object v[OPEN_MAX_PARTS];
	uint64_t unique; /* random at the start: the names of two agents differ */
	uint8_t *verdicts;
};

int fffa_file__aws_new(const struct fffa_aws_conf *conf, struct fffa_aws **out,
		       struct fffa_err *err)
{
	struct fffa_aws *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	a->conf = conf;
	a->size_bytes = conf->size_bytes && conf->size_bytes < OBJECT_MAX_BYTES ? conf->size_bytes
										: OBJECT_MAX_BYTES;
	rc = fffa_file__aws_make_folders(conf);
	if (!rc && getrandom(&a->unique, sizeof(a->unique), 0) != (ssize_t)sizeof(a->unique))
		rc = -EIO;
	if (rc) {
		free(a);
		return fffa_fail(err, -rc,
				 "path: cannot make folders in %s: %s; change path or "
				 "give this user write access",
				 conf->path, strerror(-rc));
	}
	*out = a;
	return 0;
}

void fffa_file__aws_free(struct fffa_aws *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < OPEN_MAX_PARTS; i++)
		fffa_file__part_close(a->v[i].part);
	free(a->verdicts);
	free(a);
}

static int drop(struct fffa_aws *a, const char *name)
{
	int dir_fd = fffa_file__aws_open_parts(a->conf), rc = 0;

	if (dir_fd < 0)
		return dir_fd;
	if (unlinkat(dir_fd, name, 0) && errno != ENOENT)
		rc = -errno;
	(void)close(dir_fd); /* a directory */
	return rc;
}

/* To its place; nothing is placed of which no record could be written. */
static int end_object(struct fffa_aws *a, struct object *o, const char *name)
{
	int rc = 0;

	if (!o->part->kept.bytes)
		return drop(a, name);
	if (!o->ended)
		rc = fffa_file__part_finish(o->part);
	if (rc)
		return rc;
	o->ended = true;
	return fffa_file__aws_place(a->conf, name);
}

/* It stays open when that fails, and is tried again. */
static int complete(struct fffa_aws *a, struct object *o, struct fffa_aws_job *job)
{
	char name[FFFA_AWS_NAME_BYTES];
	int rc = fffa_file__aws_object_name(&o->what, name, sizeof(name));

	if (!rc)
		rc = end_object(a, o, name);
	if (rc)
		return rc;
	if (o->ended) {
		job->completed++;
		job->completed_at_s = job->now_s;
	}
	fffa_file__part_close(o->part);
	memset(o, 0, sizeof(*o));
	return 0;
}

/* A slot long past is kept open for a while too: late records come together. */
static bool is_due(const struct object *o, int64_t now_s)
{
	int64_t end_s = (o->slot + 1) * FFFA_AWS_SLOT_S;

	if (end_s < o->opened_s)
		end_s = o->opened_s;
	return o->ended || now_s >= end_s + FFFA_AWS_GRACE_S ||
	       now_s < o->opened_s - FFFA_AWS_SLOT_S; /* the clock was set back */
}

static void complete_due(struct fffa_aws *a, struct fffa_aws_job *job)
{
	job->completion_error = 0;
	for (size_t i = 0; i < OPEN_MAX_PARTS; i++) {
		struct object *o = &a->v[i];
		int rc = 0;

		if (o->part && (job->complete_all || is_due(o, job->now_s)))
			rc = complete(a, o, job);
		if (rc)
			job->completion_error = rc;
	}
}

/* A free place; the oldest object makes way when there is none. */
static int make_room(struct fffa_aws *a, struct fffa_aws_job *job, struct object **out)
{
	struct object *oldest = &a->v[0];

	for (size_t i = 0; i < OPEN_MAX_PARTS; i++) {
		if (!a->v[i].part) {
			*out = &a->v[i];
			return 0;
		}
		if (a->v[i].opened_s < oldest->opened_s)
			oldest = &a->v[i];
	}
	*out = oldest;
	return complete(a, oldest, job);
}

static int open_object(struct fffa_aws *a, struct fffa_aws_job *job,
		       const struct fffa_aws_object *what, int64_t slot, struct object **out)
{
	char name[FFFA_AWS_NAME_BYTES];
	struct object *o;
	int rc = make_room(a, job, &o), dir_fd;

	if (!rc)
		rc = fffa_file__aws_object_name(what, name, sizeof(name));
	if (rc)
		return rc;
	dir_fd = fffa_file__aws_open_parts(a->conf);
	if (dir_fd < 0)
		return dir_fd;
	rc = fffa_file__part_open(dir_fd, name, a->conf->access, a->conf->sync, &o->part);
	(void)close(dir_fd); /* a directory */
	if (rc)
		return rc;
	o->what = *what;
	o->slot = slot;
	o->opened_s = job->now_s;
	*out = o;
	return 0;
}

static bool is_same(const struct fffa_aws_object *a, const struct fffa_aws_object *b)
{
	return !strcmp(a->account, b->account) && !strcmp(a->region, b->region) &&
	       !strcmp(a->flow_log_id, b->flow_log_id);
}

/* The object of the slot with room for so many bytes, also when they do not compress. */
static int find_object(struct fffa_aws *a, struct fffa_aws_job *job, int64_t slot, size_t bytes,
		       struct object **out)
{
	int64_t most = (int64_t)(bytes + bytes / 1000 + a->conf->preamble.len + 64);
	struct fffa_aws_object what;
	int rc;

	fffa_file__aws_object_init(&what, fffa_batch_origin(job->batch), a->conf->flow_log_id, slot,
				   a->unique++);
	for (size_t i = 0; i < OPEN_MAX_PARTS; i++) {
		struct object *o = &a->v[i];

		if (!o->part || o->slot != slot || !is_same(&o->what, &what))
			continue;
		if (!o->ended &&
		    (!o->part->kept.bytes || o->part->kept.bytes + most <= a->size_bytes)) {
			*out = o;
			return 0;
		}
		rc = complete(a, o, job);
		if (rc)
			return rc;
	}
	return open_object(a, job, &what, slot, out);
}

static int add_records(struct fffa_part *p, const struct fffa_batch *b, const struct fffa_slots *s,
		       uint32_t from, uint32_t to)
{
	int rc = 0;

	while (!rc && from < to) {
		struct fffa_span run = fffa_batch_record(b, fffa_file__slots_record(s, from++));

		/* Neighbours in the batch are neighbours in memory. */
		for (; from < to; from++) {
			struct fffa_span next =
				fffa_batch_record(b, fffa_file__slots_record(s, from));

			if (next.ptr != run.ptr + run.len)
				break;
			run.len += next.len;
		}
		rc = fffa_file__part_add(p, run);
	}
	return rc;
}

static int write_slot(struct fffa_aws *a, struct fffa_aws_job *job, const struct fffa_slots *s,
		      uint32_t from, uint32_t to)
{
	size_t bytes = 0;
	struct object *o;
	int rc;

	for (uint32_t i = from; i < to; i++)
		bytes += fffa_batch_record(job->batch, fffa_file__slots_record(s, i)).len;
	rc = find_object(a, job, fffa_file__slots_slot(s, from), bytes, &o);
	if (rc)
		return rc;
	if (!o->part->kept.bytes && a->conf->preamble.len)
		rc = fffa_file__part_add(o->part, a->conf->preamble);
	if (!rc)
		rc = add_records(o->part, job->batch, s, from, to);
	if (!rc)
		rc = fffa_file__part_commit(o->part);
	if (rc)
		fffa_file__part_undo(o->part);
	return rc;
}

/* Each slot's records are there as a whole or not at all. */
static void write_batch(struct fffa_aws *a, struct fffa_aws_job *job)
{
	uint32_t n = fffa_batch_count(job->batch), from = 0, to;
	struct fffa_slots s;

	free(a->verdicts);
	a->verdicts = NULL;
	job->result = fffa_file__slots_init(&s, job->batch);
	while (!job->result && from < n) {
		for (to = from + 1;
		     to < n && fffa_file__slots_slot(&s, to) == fffa_file__slots_slot(&s, from);)
			to++;
		if (from == 0 && to < n && !(a->verdicts = malloc(n)))
			job->result = -ENOMEM;
		else
			job->result = write_slot(a, job, &s, from, to);
		if (job->result)
			break;
		from = to;
	}
	if (job->result && from) {
		for (uint32_t i = 0; i < n; i++)
			a->verdicts[fffa_file__slots_record(&s, i)] =
				i < from ? FFFA_V_DELIVERED : FFFA_V_RETRY;
		job->verdicts = a->verdicts;
	}
	fffa_file__slots_fini(&s);
}

void fffa_file__aws_work(struct fffa_aws *a, struct fffa_aws_job *job)
{
	job->result = 0;
	job->verdicts = NULL;
	complete_due(a, job);
	if (job->batch)
		write_batch(a, job);
	job->open_bytes = 0;
	for (size_t i = 0; i < OPEN_MAX_PARTS; i++)
		if (a->v[i].part)
			job->open_bytes += a->v[i].part->kept.bytes;
}
