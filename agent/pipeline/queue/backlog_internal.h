/* SPDX-License-Identifier: MIT */
/*
 * Inside of the backlog. Each file calls those before it only:
 *   backlog.c        queue, memory and ledger
 *   backlog_loss.c   what is lost, and what the stream reports of it
 *   backlog_spool.c  the spool: what the spooler calls
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_INTERNAL_H
#define FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_INTERNAL_H

#include "agent/pipeline/queue/backlog.h"

/* backlog.c */
/* New batches go over the disk. */
static inline bool fffa_backlog__spools(const struct fffa_backlog *q)
{
	return q->spooler && !q->spool_leaves;
}
/* Counts the batch's memory in held_bytes. */
void fffa_backlog__hold(struct fffa_backlog *q, const struct fffa_batch *batch);
/* Stops counting it. */
void fffa_backlog__let_go(struct fffa_backlog *q, const struct fffa_batch *batch);
/* There is room for bytes more. */
bool fffa_backlog__fits(const struct fffa_backlog *q, size_t bytes);
/* Queues a new batch, or gives it to the spooler. */
void fffa_backlog__enqueue(struct fffa_backlog *q, struct fffa_queued_batch *b);
/* Frees b, which is neither queued nor held. */
void fffa_backlog__free_batch(struct fffa_backlog *q, struct fffa_queued_batch *b);
void fffa_backlog__count_lost(struct fffa_backlog *q, uint64_t records, enum fffa_record_loss why);

/* backlog_loss.c */
/* Counts the records of b as lost and frees it. b is neither queued nor held. */
void fffa_backlog__lose_waiting(struct fffa_backlog *q, struct fffa_queued_batch *b,
				enum fffa_record_loss why);
/* Counts records that are in no batch as lost. m says what is missing in the stream. */
void fffa_backlog__lose_unread(struct fffa_backlog *q, uint64_t records,
			       const struct fffa_missing *m, enum fffa_record_loss why);

#endif
