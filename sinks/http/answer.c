// SPDX-License-Identifier: MIT
#include "sinks/http/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORD_REASONS 1000 /* reasons of single records lie above those of answers */

void fffa_http__answer_fini(struct fffa_http_answer *a)
{
	free(a->records);
	a->records = NULL;
	a->held = 0;
}

static uint8_t *reset_records(struct fffa_http_answer *a, uint32_t count)
{
	uint8_t *p;

	if (count > a->held) {
		p = realloc(a->records, count);
		if (!p)
			return NULL;
		a->records = p;
		a->held = count;
	}
	memset(a->records, FFFA_V_DELIVERED, count);
	return a->records;
}

/* "HTTP 404 from URL: what that means; it said: the beginning of the body" */
static void describe(struct fffa_http_answer *a, const struct fffa_http_target *t,
		     const struct fffa_http_exchange *x, long status, const char *text)
{
	char said[FFFA_HTTP_EXCERPT_BYTES * 4 + 1];

	fffa_http_reply_excerpt(&x->reply, said, sizeof(said));
	(void)snprintf(a->detail, sizeof(a->detail), "HTTP %ld from %.200s%s%s%s%s", status,
		       t->shown, text ? ": " : "", text ? text : "", said[0] ? "; it said: " : "",
		       said);
}

/* The same of a 2xx answer that did not take every record. */
static void describe_records(struct fffa_http_answer *a, const struct fffa_http_target *t,
			     const struct fffa_http_exchange *x, long status,
			     const struct fffa_http_judged *j)
{
	char text[256];

	if (j->unreadable)
		(void)snprintf(text, sizeof(text), "the answer cannot be read");
	else
		(void)snprintf(text, sizeof(text), "it did not take every record: %d %.64s%s%.120s",
			       j->status, j->type, j->type[0] && j->text ? ", " : "",
			       j->text ? j->text : "");
	describe(a, t, x, status, text);
}

/* Reads from the body of a 2xx answer what became of single records. */
static void judge_records(struct fffa_http_answer *a, const struct fffa_http_target *t,
			  const struct fffa_http_exchange *x, uint32_t count, long status,
			  struct fffa_outcome *o)
{
	struct fffa_http_judged j = {.status = 0};
	uint8_t *records = reset_records(a, count);

	if (!records) {
		o->verdict = FFFA_V_RETRY;
		o->cause = -ENOMEM;
		return;
	}
	o->verdict = t->shape->judge(&x->reply, count, records, &j);
	if (o->verdict == FFFA_V_DELIVERED)
		return;
	describe_records(a, t, x, status, &j);
	o->detail = a->detail;
	o->cause = o->verdict == FFFA_V_TOO_BIG ? -EMSGSIZE : -EBADMSG;
	o->repair = j.repair;
	o->reason = RECORD_REASONS + j.status;
	if (o->verdict == FFFA_V_RETRY && !j.unreadable)
		o->records = records;
}

void fffa_http__answer_judge(struct fffa_http_answer *a, const struct fffa_http_target *t,
			     const struct fffa_http_exchange *x, uint32_t count, CURLcode result,
			     long status, struct fffa_outcome *o)
{
	struct fffa_http_verdict v = result == CURLE_OK || status < 300
					     ? fffa_http_verdict_of_status(status)
					     : fffa_http_verdict_of_failure(result, status, false);

	if (t->shape->refine)
		t->shape->refine(&x->reply, &v);
	fffa_http_shape__refine_size(&x->reply, &v);
	*o = (struct fffa_outcome){.verdict = v.verdict,
				   .cause = v.cause,
				   .repair = v.configured,
				   .reason = (int)status};
	if (v.verdict == FFFA_V_DELIVERED) {
		if (t->shape->judge)
			judge_records(a, t, x, count, status, o);
		return;
	}
	describe(a, t, x, status, v.text);
	o->detail = a->detail;
	if (v.verdict == FFFA_V_RETRY)
		o->retry_after_ms = fffa_http_retry_after_ms(x->reply.retry_after, time(NULL));
}

void fffa_http__answer_judge_failure(struct fffa_http_answer *a, const struct fffa_http_target *t,
				     const struct fffa_http_exchange *x, CURLcode result,
				     bool reused, struct fffa_outcome *o)
{
	struct fffa_http_verdict v = fffa_http_verdict_of_failure(result, 0, reused);
	const char *what = x->error[0] ? x->error : curl_easy_strerror(result);
	char said[64] = "";

	if (!x->error[0] && !x->request.begun && result == CURLE_OPERATION_TIMEDOUT)
		what = "timed out while waiting for a connection";
	if (x->reply.ended)
		what = "the headers of the answer have no end";
	if (x->reply.status >= 100 && x->reply.status < 200)
		(void)snprintf(said, sizeof(said), "; it sent HTTP %ld and no final answer",
			       x->reply.status);
	(void)snprintf(a->detail, sizeof(a->detail), "%s (%.200s)%s", what, t->shown, said);
	*o = (struct fffa_outcome){.verdict = v.verdict,
				   .cause = v.cause,
				   .repair = v.configured,
				   .transient = v.transient,
				   .reason = -(int)result,
				   .detail = a->detail};
}
