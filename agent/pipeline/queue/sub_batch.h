/* SPDX-License-Identifier: MIT */
/* A new batch of some records of a sealed one. Pure. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SUB_BATCH_H
#define FFFA_AGENT_PIPELINE_QUEUE_SUB_BATCH_H

#include "sinks/sink.h"

/*
 * The n > 0 records from the first on. The batch is sealed and has the origin of b; the caller owns
 * its reference. NULL without memory.
 */
struct fffa_batch *fffa_sub_batch_range(const struct fffa_batch *b, uint32_t first, uint32_t n);
/*
 * The same of the n > 0 records whose verdict is v. verdicts: one enum fffa_verdict per record
 * of b.
 */
struct fffa_batch *fffa_sub_batch_pick(const struct fffa_batch *b, const uint8_t *verdicts,
				       enum fffa_verdict v, uint32_t n);

#endif
