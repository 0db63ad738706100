/* SPDX-License-Identifier: MIT */
/*
 * Inside of the backlog. backlog.c has queue, memory and ledger; above it backlog_loss.c loses
 * batches; above both backlog_spool.c is what the spooler calls.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_INTERNAL_H
#define FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_INTERNAL_H

#include "agent/pipeline/queue/backlog.h"

/* backlog.c */
/* The memory of a batch counts here from now on; not any more. */
void fffa_backlog__hold(struct fffa_backlog *q, const struct fffa_batch *batch);
void fffa_backlog__let_go(struct fffa_backlog *q, const struct fffa_batch *batch);
/* The bound allows bytes more. */
bool fffa_backlog__fits(const struct fffa_backlog *q, size_t bytes);
/* A new batch, not held: goes into the queue, or to the spooler. */
void fffa_backlog__enqueue(struct fffa_backlog *q, struct fffa_queued_batch *b);
/* Frees b, which is neither queued nor held any more. */
void fffa_backlog__free_batch(struct fffa_backlog *q, struct fffa_queued_batch *b);
void fffa_backlog__count_lost(struct fffa_backlog *q, uint64_t records, enum fffa_record_loss why);

/* backlog_loss.c */
/* Loses a batch that is neither queued nor held, and ends it. */
void fffa_backlog__lose_waiting(struct fffa_backlog *q, struct fffa_queued_batch *b,
				enum fffa_record_loss why);
/* Loses records that are in no batch; m is missing then. */
void fffa_backlog__lose_unread(struct fffa_backlog *q, uint64_t records,
			       const struct fffa_missing *m, enum fffa_record_loss why);

#endif
