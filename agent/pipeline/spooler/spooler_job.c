// SPDX-License-Identifier: MIT
/*
 * Does the job that spooler_plan.c has planned, in a worker thread. Touches nothing but the job,
 * the store, and sealed batches.
 */
#include <errno.h>
#include <stdio.h>

#include "agent/pipeline/spooler/spooler_internal.h"

static void fail_from(struct fffa_spooler_job *j, size_t first, size_t end, int rc)
{
	for (size_t i = first; i < end; i++)
		j->writes[i].rc = rc;
}

/*
 * Syncs the writes from first to end, which are in one segment. On failure all of them have failed.
 */
static int sync_group(struct fffa_spooler_job *j, size_t first, size_t end)
{
	int rc;

	if (first == end)
		return 0;
	rc = fffa_store_write_sync(j->store);
	if (!rc)
		return 0;
	fffa_store_write_end(j->store);
	fail_from(j, first, end, rc);
	/* Cuts off what was not synced: these batches are written again to another segment. */
	(void)fffa_store_cut(j->store, j->writes[first].seg->id, j->writes[first].begin.at);
	return rc;
}

static int write_one(struct fffa_spooler_job *j, struct fffa_spooler_write *w)
{
	int rc = w->begins ? fffa_store_write_begin(j->store, &w->head) : 0;

	if (rc)
		return rc;
	fffa_spool_frame_describe(&w->frame, w->b->d.batch);
	return fffa_store_write_append(j->store, w->begin.at, &w->frame, w->b->d.batch);
}

/* Makes one fdatasync for all that goes into the same segment. */
static void write_batches(struct fffa_spooler_job *j)
{
	size_t first = 0, i = 0;
	int rc = 0;

	for (; i < j->write_count; i++) {
		if (j->writes[i].begins) {
			rc = sync_group(j, first, i);
			first = i;
		}
		if (!rc)
			rc = write_one(j, &j->writes[i]);
		if (rc)
			break;
	}
	fail_from(j, i, j->write_count, rc);
	if (rc) {
		if (i > first)
			(void)sync_group(j, first, i);
		fffa_store_write_end(j->store);
	} else {
		(void)sync_group(j, first, i);
	}
}

/* 0, or -errno. A damaged body is 0 with a batch of NULL. */
static int load_body(const char *name, const struct fffa_spool_source *src,
		     struct fffa_spooler_read *r)
{
	struct fffa_batch_origin *origin = &r->found.frame.origin;
	int rc;

	r->batch = NULL;
	if (r->found.frame.has_stream)
		(void)snprintf(origin->stream, sizeof(origin->stream), "%s", name);
	rc = fffa_spool_walk_load(src, &r->found, &r->batch);
	return rc == -EBADMSG ? 0 : rc;
}

static int read_some(struct fffa_spooler_job *j)
{
	struct fffa_spool_pos pos = j->read_from;
	struct fffa_spool_source src;
	size_t taken = 0;
	int rc = fffa_store_source(j->store, j->read_id, &src);

	if (rc)
		return rc;
	src.size = src.size < j->read_limit ? src.size : j->read_limit;
	while (j->read_count < FFFA_SPOOLER_READS) {
		struct fffa_spooler_read *r = &j->reads[j->read_count];

		rc = fffa_spool_walk_next(&src, &pos, &r->found);
		if (rc <= 0) {
			j->read_ended = !rc;
			return rc;
		}
		taken += (size_t)fffa_spool_frame_body_len(&r->found.frame);
		if (j->read_count && taken > j->read_budget)
			return 0;
		rc = load_body(j->name, &src, r);
		if (rc)
			return rc;
		j->read_count++;
		pos = r->found.end;
	}
	return 0;
}

void fffa_spooler__work(struct fffa_spooler_job *j)
{
	/* on failure the older one counts, and more records are sent twice */
	if (j->acks)
		(void)fffa_store_ack_write(j->store, &j->account, j->syncs_ack);
	/*
	 * After the account, which says that their records are settled. On failure the next start
	 * removes it by the ack, or sends it again.
	 */
	for (size_t i = 0; i < j->remove_count; i++)
		(void)fffa_store_remove(j->store, j->removes[i]);
	write_batches(j);
	if (j->read_seg)
		j->read_rc = read_some(j);
}
