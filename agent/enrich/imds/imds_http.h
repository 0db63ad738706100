/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request to IMDS at a time, over one kept connection: never through a proxy, never
 * redirected, http only, with a time limit and a body cap. Knows nothing of what the answers mean.
 */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_HTTP_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/input/http_bounds.h"
#include "agent/enrich/imds/imds_endpoint.h"
#include "agent/enrich/imds/imds_parse.h"
#include "agent/loop/curl_loop.h"

struct fffa_imds_reply {
	CURLcode result;
	long status;	  /* HTTP; 0 without an answer */
	const char *body; /* valid for the call */
	size_t len;
	uint32_t token_ttl_s; /* echoed with a token; 0: not there */
};

struct fffa_imds_http {
	struct fffa_curl_loop *bridge; /* borrowed */
	struct fffa_curl_request request;
	struct curl_slist *headers;
	char endpoint[FFFA_IMDS_ENDPOINT_MAX_BYTES];
	/* On the loop, never from inside a request; the next request may be made from it. */
	void (*done)(void *arg, const struct fffa_imds_reply *reply);
	void *arg;
	struct fffa_http_body body;
	uint32_t token_ttl_s;
	char bytes[FFFA_IMDS_BODY_MAX_BYTES];
};

/*
 * h is in the caller's memory and must not move. endpoint, done and arg are already set, bridge is
 * before the first request; the rest is zero. 0 or -ENOMEM with nothing taken.
 */
int fffa_imds_http_init(struct fffa_imds_http *h, uint64_t timeout_ms);

/* Asks for a token that lives ttl_s. 0: done follows. -ENOMEM, -EIO, -EALREADY: nothing was sent.
 */
int fffa_imds_http_put_token(struct fffa_imds_http *h, uint32_t ttl_s);

/* GET of endpoint + path with the token, which must not be empty: there is no IMDSv1 here. As
 * above, and -EINVAL. */
int fffa_imds_http_get(struct fffa_imds_http *h, const char *path, const char *token);

/* Drops a request under way without calling done. */
void fffa_imds_http_fini(struct fffa_imds_http *h);

#endif
