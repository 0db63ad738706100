/* SPDX-License-Identifier: MIT */
/*
 * The IMDSv2 client. It asks in rounds, one question at a time, renews the token at 80 % of its
 * life, and waits longer after each failure, with jitter. A round goes on with the question that
 * failed. It never uses IMDSv1. Loop thread only. Source: AWS EC2 User Guide, "Use the Instance
 * Metadata Service to access instance metadata".
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
	bool refused;	    /* IMDS said no: the wait is long */
	bool token_request; /* the PUT for a token failed */
	uint32_t in_a_row;  /* failures since the last useful answer */
	uint64_t wait_ns;   /* until the next try */
};

/* Both are called on the loop, never from inside open. */
struct fffa_imds_events {
	/* A round has ended. data is borrowed and does not change until the next call. */
	void (*learned)(void *arg, const struct fffa_imds_data *data);
	/* A request failed; it will be tried again. */
	void (*failed)(void *arg, const struct fffa_imds_failure *f);
	void *arg;
};

struct fffa_imds_options {
	const char *endpoint; /* base URL, shorter than FFFA_IMDS_ENDPOINT_MAX_BYTES; copied */
	uint64_t timeout_ns;
	uint64_t refresh_ns;
	/* Instance tags to ask for, borrowed for the client's life; NULL: none. */
	const char *tag_keys[FFFA_IMDS_TAG_KEYS_MAX];
	const struct fffa_imds_timing *timing; /* copied */
	struct fffa_imds_events events;	       /* copied */
};

/*
 * Borrows loop. The first question is sent on the loop's next turn. 0, or -errno with nothing
 * left behind.
 */
int fffa_imds_open(uv_loop_t *loop, const struct fffa_imds_options *o, struct fffa_imds **out);

/*
 * Something may have changed: begins a round at the earliest timing.min_interval_ns after the last
 * one. During a round, another one follows it.
 */
void fffa_imds_trigger(struct fffa_imds *i);

/* How many requests failed, or values were refused, by reason: FFFA_IE_MAX numbers. */
const uint64_t *fffa_imds_errors(const struct fffa_imds *i);

/* Asynchronous: drops requests under way, calls closed on the loop, then frees i. Call once. */
void fffa_imds_close(struct fffa_imds *i, void (*closed)(void *arg), void *arg);

#endif
