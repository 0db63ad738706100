/* SPDX-License-Identifier: MIT */
/* What an answer means: HTTP status or libcurl's result -> verdict. Pure. */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_VERDICT_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_VERDICT_H

#include <curl/curl.h>

#include "sinks/sink.h"

struct fffa_http_verdict {
	enum fffa_verdict verdict;
	int cause;	  /* -errno; 0 when delivered */
	const char *text; /* what a person should know; NULL: nothing beyond the status */
	bool configured;  /* the configuration is to be repaired, here or at the far end: worth an
			     error in the log */
};

/* Of a whole answer with this status. */
struct fffa_http_verdict fffa_http_verdict_of_status(long status);

/*
 * Of a transfer that failed with code; status is what had been answered by then, 0: nothing.
 * A server may refuse early and stop reading, so a status of 300 and above counts.
 */
struct fffa_http_verdict fffa_http_verdict_of_failure(CURLcode code, long status);

#endif
