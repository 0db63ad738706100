/* SPDX-License-Identifier: MIT */
/*
 * Loss is part of the data: for every N numbers that are missing in a sink's stream for one reason,
 * a SKIPDATA record with the last of these numbers says N. So (agent_id, epoch, seq) stays unique,
 * and N - 1 numbers are in no record. Here is what the stream still has to say.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SKIPDATA_RECORDS_H
#define FFFA_AGENT_PIPELINE_QUEUE_SKIPDATA_RECORDS_H

#include "agent/encode/encoder.h"
#include "agent/pipeline/queue/origin.h"
#include "agent/pipeline/spooler/queued_batch.h"

struct fffa_skipdata_records {
	struct fffa_encoder *encoder;
	const struct fffa_origin_source *source;
	struct fffa_missing missing[FFFA_RL_MAX];
	bool any; /* of missing */
	uint64_t last_ns;
};

/* Borrows both. */
void fffa_skipdata_records_init(struct fffa_skipdata_records *s, struct fffa_encoder *encoder,
				const struct fffa_origin_source *source);
/* Numbers of another epoch are missing for that reason: they must be said before add. */
bool fffa_skipdata_records_clash(const struct fffa_skipdata_records *s, enum fffa_record_loss why,
				 const struct fffa_missing *add);
/* So many numbers more are missing. */
void fffa_skipdata_records_add(struct fffa_skipdata_records *s, enum fffa_record_loss why,
			       const struct fffa_missing *add);
/* How many numbers are missing for that reason. */
uint64_t fffa_skipdata_records_missing(const struct fffa_skipdata_records *s,
				       enum fffa_record_loss why);
/*
 * A batch of one SKIPDATA record that says what is missing for that reason; the caller's, free its
 * batch and itself. NULL without memory. Nothing is missing any more once it is marked as said.
 */
struct fffa_queued_batch *fffa_skipdata_records_make(const struct fffa_skipdata_records *s,
						     enum fffa_record_loss why);
void fffa_skipdata_records_reported(struct fffa_skipdata_records *s, enum fffa_record_loss why);
/*
 * True when something is to be said now; the caller then makes a record for each reason and calls
 * fffa_skipdata_records_report_later when that failed for one. hurry: else, where that was tried within the
 * last second, not now.
 */
bool fffa_skipdata_records_start_report(struct fffa_skipdata_records *s, bool urgent);
void fffa_skipdata_records_report_later(struct fffa_skipdata_records *s);
/* Losing b frees memory. False for a SKIPDATA record that would only give way to another one. */
bool fffa_skipdata_records_may_lose(const struct fffa_skipdata_records *s,
				    const struct fffa_queued_batch *b);
/* All of b. */
struct fffa_missing fffa_skipdata_records_of_batch(const struct fffa_batch *b);

#endif
