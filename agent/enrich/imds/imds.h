/* SPDX-License-Identifier: MIT */
/*
 * The IMDSv2 client: rounds of questions, one at a time, the token renewed at 80 % of its life,
 * growing waits with jitter after failures. A round goes on at the question that failed. Never
 * IMDSv1. Loop thread only. Source: AWS EC2 User Guide, "Use the Instance Metadata Service to
 * access instance metadata".
 */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/enrich/imds/imds_data.h"
#include "agent/enrich/imds/imds_policy.h"
#include "agent/enrich/imds/imds_round.h"

struct fffa_imds;

struct fffa_imds_failure {
	enum fffa_imds_error error;
	bool refused;	    /* the next try is far away */
	bool token_request; /* it was the PUT for a token */
	uint32_t in_a_row;  /* failures since the last useful answer */
	uint64_t wait_ns;   /* until the next try */
};

/* Both are called on the loop, never from inside open. */
struct fffa_imds_events {
	/* A round ended well; data is the client's and stays as it is until the next call. */
	void (*learned)(void *arg, const struct fffa_imds_data *data);
	/* A request failed and will be tried again. */
	void (*failed)(void *arg, const struct fffa_imds_failure *f);
	void *arg;
};

struct fffa_imds_options {
	const char *endpoint; /* base URL, shorter than FFFA_IMDS_ENDPOINT_MAX_BYTES; copied */
	uint64_t timeout_ns;
	uint64_t refresh_ns;
	/* Instance tags that are asked for, borrowed for the client's life; NULL: none. */
	const char *tag_keys[FFFA_IMDS_TAG_KEYS_MAX];
	const struct fffa_imds_timing *timing; /* copied */
	struct fffa_imds_events events;	       /* copied */
};

/* Borrows loop; the first question leaves on the loop's next turn. 0, or -errno with nothing left
 * behind. */
int fffa_imds_open(uv_loop_t *loop, const struct fffa_imds_options *o, struct fffa_imds **out);

/* There is reason to believe that something changed: asks soon, at least timing.min_interval_ns behind the
 * last round; when one is on (a wait after a failure, too), once more behind it. */
void fffa_imds_trigger(struct fffa_imds *i);

/* Requests and values that were of no use, by reason: FFFA_IE_MAX numbers. */
const uint64_t *fffa_imds_errors(const struct fffa_imds *i);

/* Asynchronous: requests under way are dropped, closed is called on the loop, then i is freed. Call
 * once. */
void fffa_imds_close(struct fffa_imds *i, void (*closed)(void *arg), void *arg);

#endif
