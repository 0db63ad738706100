/* SPDX-License-Identifier: MIT */
/* Some records of a sealed batch as a batch of its own. Pure. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_PART_H
#define FFFA_AGENT_PIPELINE_QUEUE_PART_H

#include "sinks/sink.h"

/* n > 0 records from the first on, sealed, with the origin of b; NULL without memory. */
struct fffa_batch *fffa_part__range(const struct fffa_batch *b, uint32_t first, uint32_t n);
/* The n > 0 records whose verdict is v. verdicts: one enum fffa_verdict per record of b. */
struct fffa_batch *fffa_part__pick(const struct fffa_batch *b, const uint8_t *verdicts,
				   enum fffa_verdict v, uint32_t n);

#endif
