/* SPDX-License-Identifier: MIT */
/*
 * Makes one HTTP request to IMDS at a time, over one connection that stays open, within the
 * bounds of input/http_bounds.h. It does not know what the answers mean.
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
	uint32_t token_ttl_s; /* of the header that comes with a token; 0: absent */
};

struct fffa_imds_http {
	struct fffa_curl_loop *bridge; /* borrowed */
	struct fffa_curl_request request;
	struct curl_slist *headers;
	char endpoint[FFFA_IMDS_ENDPOINT_MAX_BYTES];
	/* Called on the loop, never from inside a request; it may make the next one. */
	void (*done)(void *arg, const struct fffa_imds_reply *reply);
	void *arg;
	struct fffa_http_body body;
	uint32_t token_ttl_s;
	char bytes[FFFA_IMDS_BODY_MAX_BYTES];
};

/*
 * h is the caller's memory and must not move. Set endpoint, done and arg before, zero the rest, and
 * set bridge before the first request. 0, or -ENOMEM with nothing left behind.
 */
int fffa_imds_http_init(struct fffa_imds_http *h, uint64_t timeout_ms);

/* Asks for a token that lives ttl_s. 0: done follows. -ENOMEM, -EIO, -EALREADY: nothing is sent. */
int fffa_imds_http_put_token(struct fffa_imds_http *h, uint32_t ttl_s);

/*
 * GET of endpoint and path with the token, which must not be empty: that would be IMDSv1. As above,
 * and -EINVAL.
 */
int fffa_imds_http_get(struct fffa_imds_http *h, const char *path, const char *token);

/* Drops a request under way, without done, and frees what h holds. */
void fffa_imds_http_fini(struct fffa_imds_http *h);

#endif
