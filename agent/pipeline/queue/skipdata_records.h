/* SPDX-License-Identifier: MIT */
/*
 * What a sink's stream must still report of loss. Where N sequence numbers are missing for one
 * reason, a SKIPDATA record has the last of these numbers and says N. So (agent_id, epoch, seq)
 * stays unique, and N - 1 numbers are in no record.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SKIPDATA_RECORDS_H
#define FFFA_AGENT_PIPELINE_QUEUE_SKIPDATA_RECORDS_H

#include "agent/encode/encoder.h"
#include "agent/pipeline/spooler/origin.h"
#include "agent/pipeline/spooler/queued_batch.h"

struct fffa_skipdata_records {
	struct fffa_encoder *encoder;
	const struct fffa_origin_source *source;
	struct fffa_missing missing[FFFA_RL_MAX];
	bool any;	  /* something is missing */
	uint64_t last_ns; /* of the last report, monotonic */
};

/* Borrows both. */
void fffa_skipdata_records_init(struct fffa_skipdata_records *s, struct fffa_encoder *encoder,
				const struct fffa_origin_source *source);
/* True when numbers of another epoch are missing for why; report them before add. */
bool fffa_skipdata_records_clash(const struct fffa_skipdata_records *s, enum fffa_record_loss why,
				 const struct fffa_missing *add);
/* More numbers are missing. */
void fffa_skipdata_records_add(struct fffa_skipdata_records *s, enum fffa_record_loss why,
			       const struct fffa_missing *add);
/* How many numbers are missing for that reason. */
uint64_t fffa_skipdata_records_missing(const struct fffa_skipdata_records *s,
				       enum fffa_record_loss why);
/*
 * A batch of one SKIPDATA record that reports what is missing for that reason. The caller owns it.
 * NULL without memory. Call fffa_skipdata_records_reported when it is queued.
 */
struct fffa_queued_batch *fffa_skipdata_records_make(const struct fffa_skipdata_records *s,
						     enum fffa_record_loss why);
void fffa_skipdata_records_reported(struct fffa_skipdata_records *s, enum fffa_record_loss why);
/*
 * True when a report is due, and takes the time of this try. urgent: also within a second of the
 * last try. Then make a record for each reason. When one cannot be made, call
 * fffa_skipdata_records_report_later.
 */
bool fffa_skipdata_records_start_report(struct fffa_skipdata_records *s, bool urgent);
void fffa_skipdata_records_report_later(struct fffa_skipdata_records *s);
/* False when b is a SKIPDATA record whose loss would only make another one at once. */
bool fffa_skipdata_records_may_lose(const struct fffa_skipdata_records *s,
				    const struct fffa_queued_batch *b);
/* What is missing when all of b is lost. */
struct fffa_missing fffa_skipdata_records_of_batch(const struct fffa_batch *b);

#endif
