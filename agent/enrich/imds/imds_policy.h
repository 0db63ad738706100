/* SPDX-License-Identifier: MIT */
/*
 * What an answer of IMDS means. Pure. Source: AWS EC2 User Guide, "Retrieve instance metadata".
 */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_POLICY_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_POLICY_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* Why a request failed, or a value was refused. */
enum fffa_imds_error {
	FFFA_IE_NONE,
	FFFA_IE_TIMEOUT,
	FFFA_IE_CONNECT,
	FFFA_IE_TRANSFER,     /* cut off, or not HTTP */
	FFFA_IE_UNAUTHORIZED, /* 401 */
	FFFA_IE_FORBIDDEN,    /* 403: off, or not allowed */
	FFFA_IE_THROTTLED,    /* 429 */
	FFFA_IE_SERVER,	      /* 5xx */
	FFFA_IE_UNEXPECTED,   /* any other status, redirects too: this is not IMDSv2 */
	FFFA_IE_TOO_BIG,
	FFFA_IE_BAD_BODY,  /* 200, but no token or no JSON object */
	FFFA_IE_BAD_VALUE, /* a value that may not enter a record; it counts as absent */
	FFFA_IE_MAX,
};

/* The name, as in fffa_metadata_errors_total{reason}; static. */
const char *fffa_imds_error_name(enum fffa_imds_error e);

enum fffa_imds_verdict {
	FFFA_IV_USE,	   /* 200 */
	FFFA_IV_ABSENT,	   /* 404 */
	FFFA_IV_NEW_TOKEN, /* 401: get a token, then ask again */
	FFFA_IV_RETRY,	   /* ask again after a short, growing wait */
	FFFA_IV_REFUSED,   /* ask again after a long wait */
};

struct fffa_imds_judgement {
	enum fffa_imds_verdict verdict;
	enum fffa_imds_error error;
};

/* token_request: the PUT for a token, where asking again does not help against 401 and 404. */
struct fffa_imds_judgement fffa_imds_judge(CURLcode result, long status, bool token_request);

/* All times of the client; tests shorten them. */
struct fffa_imds_timing {
	uint32_t token_ttl_s; /* asked for; 1..21600 */
	uint64_t backoff_min_ns;
	uint64_t backoff_max_ns;
	uint64_t refused_ns;	  /* wait after FFFA_IV_REFUSED */
	uint64_t min_interval_ns; /* from the end of a round to one that a change triggers */
};

extern const struct fffa_imds_timing fffa_imds_timing_default;

#endif
