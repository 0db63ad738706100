// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/aws/aws_folder.h"
#include "sinks/file/aws/aws_object.h"
#include "sinks/file/aws/aws_slots.h"
#include "sinks/file/aws/gzip_member.h"
#include "sinks/sink.h"

#define OPEN_OBJECTS_MAX 8
#define NEW_NAMES_MAX	 8
#define OBJECT_MAX_BYTES INT64_C(75000000)

struct open_object {
	struct fffa_gzip_member *member; /* NULL: this entry of the table is free */
	bool ended;			 /* the stream is finished; only the move is left */
	struct fffa_aws_object identity;
	int64_t slot;
	int64_t opened_s;
};

struct fffa_aws {
	const struct fffa_aws_conf *conf;
	int64_t size_bytes;
	struct open_object v[OPEN_OBJECTS_MAX];
	uint64_t unique; /* starts at random, so the names of two agents differ */
	uint8_t *verdicts;
};

int fffa_aws_new(const struct fffa_aws_conf *conf, struct fffa_aws **out, struct fffa_err *err)
{
	struct fffa_aws *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	a->conf = conf;
	a->size_bytes = conf->size_bytes && conf->size_bytes < OBJECT_MAX_BYTES ? conf->size_bytes
										: OBJECT_MAX_BYTES;
	rc = fffa_aws_folder_make(conf);
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

void fffa_aws_free(struct fffa_aws *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < OPEN_OBJECTS_MAX; i++)
		fffa_gzip_member_close(a->v[i].member);
	free(a->verdicts);
	free(a);
}

static int delete_object(struct fffa_aws *a, const char *name)
{
	int dir_fd = fffa_aws_folder_open_staging(a->conf), rc = 0;

	if (dir_fd < 0)
		return dir_fd;
	if (unlinkat(dir_fd, name, 0) && errno != ENOENT)
		rc = -errno;
	(void)close(dir_fd); /* nothing was written to it */
	return rc;
}

/* Moves the object to its place, or deletes one without a record. */
static int finish_object(struct fffa_aws *a, struct open_object *o, const char *name)
{
	int rc = 0;

	if (!o->member->committed.bytes)
		return delete_object(a, name);
	if (!o->ended)
		rc = fffa_gzip_member_finish(o->member);
	if (rc)
		return rc;
	o->ended = true;
	return fffa_aws_folder_publish(a->conf, name);
}

/* On failure the object stays open, and this is tried again. */
static int complete_object(struct fffa_aws *a, struct open_object *o, struct fffa_aws_job *job)
{
	char name[FFFA_AWS_NAME_BYTES];
	int rc = fffa_aws_object_name(&o->identity, name, sizeof(name));

	if (!rc)
		rc = finish_object(a, o, name);
	if (rc)
		return rc;
	if (o->ended) {
		job->completed++;
		job->completed_at_s = job->now_s;
	}
	fffa_gzip_member_close(o->member);
	memset(o, 0, sizeof(*o));
	return 0;
}

/* The object of a slot long past stays open for a while too: late records come together. */
static bool is_object_due(const struct open_object *o, int64_t now_s)
{
	int64_t end_s = (o->slot + 1) * FFFA_AWS_SLOT_S;

	if (end_s < o->opened_s)
		end_s = o->opened_s;
	return o->ended || now_s >= end_s + FFFA_AWS_GRACE_S ||
	       now_s < o->opened_s - FFFA_AWS_SLOT_S; /* the clock was set back */
}

/* Forgets objects that somebody has deleted: nothing more goes into them. */
static void drop_removed(struct fffa_aws *a, struct fffa_aws_job *job)
{
	struct stat st;

	job->removed = 0;
	for (size_t i = 0; i < OPEN_OBJECTS_MAX; i++) {
		struct open_object *o = &a->v[i];

		if (!o->member || fstat(o->member->fd, &st) || st.st_nlink)
			continue;
		fffa_gzip_member_close(o->member);
		memset(o, 0, sizeof(*o));
		job->removed++;
	}
}

static void complete_due(struct fffa_aws *a, struct fffa_aws_job *job)
{
	job->completion_error = 0;
	for (size_t i = 0; i < OPEN_OBJECTS_MAX; i++) {
		struct open_object *o = &a->v[i];
		int rc = 0;

		if (o->member && (job->complete_all || is_object_due(o, job->now_s)))
			rc = complete_object(a, o, job);
		if (rc)
			job->completion_error = rc;
	}
}

/* Finds a free place in the table; if there is none, completes the oldest object. */
static int free_entry(struct fffa_aws *a, struct fffa_aws_job *job, struct open_object **out)
{
	struct open_object *oldest = &a->v[0];

	for (size_t i = 0; i < OPEN_OBJECTS_MAX; i++) {
		if (!a->v[i].member) {
			*out = &a->v[i];
			return 0;
		}
		if (a->v[i].opened_s < oldest->opened_s)
			oldest = &a->v[i];
	}
	*out = oldest;
	return complete_object(a, oldest, job);
}

static void identify_object(struct fffa_aws *a, const struct fffa_aws_job *job, int64_t slot,
			    struct fffa_aws_object *out)
{
	fffa_aws_object_init(out, fffa_batch_origin(job->batch), a->conf->flow_log_id, slot,
			     a->unique++);
}

/*
 * Whoever recovers objects, this process too, can find a new file before it is locked, and deletes
 * it as one without a record. So another name is tried then.
 */
static int create_file(struct fffa_aws *a, const struct fffa_aws_job *job, int64_t slot, int dir_fd,
		       struct open_object *o)
{
	char name[FFFA_AWS_NAME_BYTES];
	unsigned int names = 0;
	int rc;

	do {
		identify_object(a, job, slot, &o->identity);
		rc = fffa_aws_object_name(&o->identity, name, sizeof(name));
		if (!rc)
			rc = fffa_gzip_member_open(dir_fd, name, a->conf->access, a->conf->sync,
						   &o->member);
	} while (rc == -EAGAIN && ++names < NEW_NAMES_MAX);
	return rc;
}

static int start_object(struct fffa_aws *a, struct fffa_aws_job *job, int64_t slot,
			struct open_object **out)
{
	struct open_object *o;
	int rc = free_entry(a, job, &o), dir_fd;

	if (rc)
		return rc;
	dir_fd = fffa_aws_folder_open_staging(a->conf);
	if (dir_fd < 0)
		return dir_fd;
	rc = create_file(a, job, slot, dir_fd, o);
	(void)close(dir_fd); /* nothing was written to it */
	if (rc)
		return rc;
	o->slot = slot;
	o->opened_s = job->now_s;
	*out = o;
	return 0;
}

static bool is_same_series(const struct fffa_aws_object *a, const struct fffa_aws_object *b)
{
	return !strcmp(a->account, b->account) && !strcmp(a->region, b->region) &&
	       !strcmp(a->flow_log_id, b->flow_log_id);
}

/* Finds or starts an object of the slot with room for these bytes, even uncompressed. */
static int find_object(struct fffa_aws *a, struct fffa_aws_job *job, int64_t slot, size_t bytes,
		       struct open_object **out)
{
	int64_t most = (int64_t)(bytes + bytes / 1000 + a->conf->preamble.len + 64);
	struct fffa_aws_object identity;
	int rc;

	identify_object(a, job, slot, &identity);
	for (size_t i = 0; i < OPEN_OBJECTS_MAX; i++) {
		struct open_object *o = &a->v[i];

		if (!o->member || o->slot != slot || !is_same_series(&o->identity, &identity))
			continue;
		if (!o->ended && (!o->member->committed.bytes ||
				  o->member->committed.bytes + most <= a->size_bytes)) {
			*out = o;
			return 0;
		}
		rc = complete_object(a, o, job);
		if (rc)
			return rc;
	}
	return start_object(a, job, slot, out);
}

static int add_records(struct fffa_gzip_member *p, const struct fffa_batch *b,
		       const struct fffa_aws_slots *s, uint32_t from, uint32_t to)
{
	int rc = 0;

	while (!rc && from < to) {
		struct fffa_span run = fffa_batch_record(b, fffa_aws_slots_record(s, from++));

		/* Records that follow each other in memory are added in one go. */
		for (; from < to; from++) {
			struct fffa_span next =
				fffa_batch_record(b, fffa_aws_slots_record(s, from));

			if (next.ptr != run.ptr + run.len)
				break;
			run.len += next.len;
		}
		rc = fffa_gzip_member_add(p, run);
	}
	return rc;
}

static int write_slot(struct fffa_aws *a, struct fffa_aws_job *job, const struct fffa_aws_slots *s,
		      uint32_t from, uint32_t to)
{
	size_t bytes = 0;
	struct open_object *o;
	int rc;

	for (uint32_t i = from; i < to; i++)
		bytes += fffa_batch_record(job->batch, fffa_aws_slots_record(s, i)).len;
	rc = find_object(a, job, fffa_aws_slots_slot(s, from), bytes, &o);
	if (rc)
		return rc;
	if (!o->member->committed.bytes && a->conf->preamble.len)
		rc = fffa_gzip_member_add(o->member, a->conf->preamble);
	if (!rc)
		rc = add_records(o->member, job->batch, s, from, to);
	if (!rc)
		rc = fffa_gzip_member_commit(o->member);
	if (rc)
		fffa_gzip_member_rollback(o->member);
	return rc;
}

static void write_batch(struct fffa_aws *a, struct fffa_aws_job *job)
{
	uint32_t n = fffa_batch_count(job->batch), from = 0, to;
	struct fffa_aws_slots s;

	free(a->verdicts);
	a->verdicts = NULL;
	job->rc = fffa_aws_slots_init(&s, job->batch);
	while (!job->rc && from < n) {
		for (to = from + 1;
		     to < n && fffa_aws_slots_slot(&s, to) == fffa_aws_slots_slot(&s, from);)
			to++;
		if (from == 0 && to < n && !(a->verdicts = malloc(n)))
			job->rc = -ENOMEM;
		else
			job->rc = write_slot(a, job, &s, from, to);
		if (job->rc)
			break;
		from = to;
	}
	if (job->rc && from) {
		for (uint32_t i = 0; i < n; i++)
			a->verdicts[fffa_aws_slots_record(&s, i)] =
				i < from ? FFFA_V_DELIVERED : FFFA_V_RETRY;
		job->verdicts = a->verdicts;
	}
	fffa_aws_slots_fini(&s);
}

void fffa_aws_write(struct fffa_aws *a, struct fffa_aws_job *job)
{
	job->rc = 0;
	job->verdicts = NULL;
	drop_removed(a, job);
	complete_due(a, job);
	if (job->batch)
		write_batch(a, job);
	job->open_bytes = 0;
	for (size_t i = 0; i < OPEN_OBJECTS_MAX; i++)
		if (a->v[i].member)
			job->open_bytes += a->v[i].member->committed.bytes;
}
