/* SPDX-License-Identifier: MIT */
/*
 * Runs libcurl transfers on a libuv loop without blocking it and without threads of ours: a multi
 * handle driven by readiness (curl_multi_socket_action), one uv_poll_t per socket and one timer.
 * Loop thread only. Nothing here may be called from inside a callback of libcurl itself (write,
 * header, ...).
 */
#ifndef FFFA_AGENT_LOOP_CURL_LOOP_H
#define FFFA_AGENT_LOOP_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct fffa_curl_loop;

/*
 * One transfer, in the caller's memory; zero it before the first start. It must stay where it is
 * while active. done is called on the loop, never from inside start or cancel; from within it the
 * request may be started again, others started or cancelled, and the loop closed. CURLOPT_PRIVATE,
 * CURLOPT_NOSIGNAL and CURLOPT_PREREQFUNCTION of easy belong to the bridge; with timeout_ms
 * CURLOPT_TIMEOUT_MS, too.
 */
struct fffa_curl_request {
	CURL *easy; /* borrowed */
	void (*done)(struct fffa_curl_request *r, CURLcode result);
	void *arg; /* the caller's own */
	/*
	 * The far end may take several requests on one connection (HTTP/2), which is known once a
	 * connection is there: until then the first request goes alone. Then the others join it,
	 * or have connections of their own.
	 */
	bool shares;
	/* From start to done, waiting included: CURLE_OPERATION_TIMEDOUT. 0: CURLOPT_TIMEOUT_MS
	 * as it is, from when the transfer begins. */
	uint32_t timeout_ms;

	/* The bridge's, to be read by done. */
	bool begun; /* if not, curl_easy_getinfo tells of the transfer before */

	/* The bridge's. */
	struct fffa_curl_request *next, *prev;
	uint64_t due_ms; /* of the loop's clock */
	bool active;
	bool connected;
};

/*
 * Borrows loop for its life. max_connections caps open connections, idle ones too, and transfers
 * under way; further ones wait for their turn, the oldest first. 0, or -ENOMEM or -EINVAL with
 * nothing left behind.
 */
int fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out);

/*
 * Starts the transfer that r->easy describes. 0: r->done follows exactly once, unless cancelled.
 * -EALREADY: r is active. -ECANCELED: closing. -ENOMEM, -EIO: libcurl refused. On failure nothing
 * was taken.
 */
int fffa_curl_loop_start(struct fffa_curl_loop *c, struct fffa_curl_request *r);

/* Drops the transfer; done is not called. Does nothing when r is not active. */
void fffa_curl_loop_cancel(struct fffa_curl_loop *c, struct fffa_curl_request *r);

/*
 * Asynchronous. On the loop, never from inside: each transfer under way gets its done with
 * CURLE_ABORTED_BY_CALLBACK, then closed is called, then c is freed. Easy handles must be cleaned
 * up by the end of closed (libcurl's global state may go with the last bridge). Call once.
 */
void fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg);

#endif
