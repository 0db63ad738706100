/* SPDX-License-Identifier: MIT */
/* What an answer means: from an HTTP status or libcurl's result to a verdict. */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_VERDICT_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_VERDICT_H

#include <curl/curl.h>

#include "sinks/sink.h"

struct fffa_http_verdict {
	enum fffa_verdict verdict;
	int cause;	  /* -errno; 0 when delivered */
	const char *text; /* for the log, static; NULL: the status says all */
	bool configured;  /* a person must repair a configuration, so the log gets an error */
	bool transient;	  /* a connection ended that had served other requests */
};

/* The verdict of a complete answer with this status. */
struct fffa_http_verdict fffa_http_verdict_of_status(long status);

/*
 * The verdict of a transfer that failed with code. status: what the server had answered before, 0
 * for nothing. A status of 300 and above counts, because a server may refuse early and stop
 * reading. reused: the connection had served another request.
 */
struct fffa_http_verdict fffa_http_verdict_of_failure(CURLcode code, long status, bool reused);

#endif
