/* SPDX-License-Identifier: MIT */
/* What an answer, or a transfer without one, means for the records of its batch, and in words. */
#ifndef FFFA_SINKS_HTTP_ANSWER_H
#define FFFA_SINKS_HTTP_ANSWER_H

#include "sinks/http/exchange.h"

/* What an outcome lends to the pipeline; one is enough for a sink. All zero at first. */
struct fffa_http_answer {
	uint8_t *records;
	size_t held;
	char detail[2048];
};

void fffa_http__answer_fini(struct fffa_http_answer *a);

/*
 * Judges the answer that x has, of a request with count records. result: of the transfer, which may
 * have failed behind the status. *o refers to a until its next use.
 */
void fffa_http__answer_judge(struct fffa_http_answer *a, const struct fffa_http_target *t,
			     const struct fffa_http_exchange *x, uint32_t count, CURLcode result,
			     long status, struct fffa_outcome *o);

/* The same of a transfer that failed without an answer. reused: its connection was not new. */
void fffa_http__answer_judge_failure(struct fffa_http_answer *a, const struct fffa_http_target *t,
				     const struct fffa_http_exchange *x, CURLcode result,
				     bool reused, struct fffa_outcome *o);

#endif
