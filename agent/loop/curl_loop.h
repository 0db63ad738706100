/* SPDX-License-Identifier: MIT */
/*
 * The bridge between libcurl and libuv. It runs transfers on a loop without blocking it and
 * without threads of ours: a multi handle that readiness drives (curl_multi_socket_action), one
 * uv_poll_t for each socket, and timers. Loop thread only. Do not call it from a callback of
 * libcurl (write, header and so on).
 */
#ifndef FFFA_AGENT_LOOP_CURL_LOOP_H
#define FFFA_AGENT_LOOP_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct fffa_curl_loop;
struct fffa_curl_pool;

/*
 * One transfer, in the caller's memory. Zero it before the first start; while active it must
 * not move. done is called on the loop, never from inside start or cancel. It may start this
 * request again, start or cancel others, and close the bridge. CURLOPT_PRIVATE,
 * CURLOPT_NOSIGNAL, CURLOPT_PREREQFUNCTION and CURLOPT_SOCKOPTFUNCTION of easy belong to the
 * bridge, and with timeout_ms also CURLOPT_TIMEOUT_MS. After a transfer has timed out on a
 * connection, no transfer begins on a connection of before.
 */
struct fffa_curl_request {
	CURL *easy; /* borrowed */
	void (*done)(struct fffa_curl_request *r, CURLcode result);
	void *arg; /* the caller's own */
	/*
	 * The server may take several requests on one connection (HTTP/2). That is known once a
	 * connection is established, so until then the first request goes alone. Afterwards the
	 * others join it, or get connections of their own.
	 */
	bool shares;
	/*
	 * The time from start to done, waiting included; then the result is
	 * CURLE_OPERATION_TIMEDOUT. 0: CURLOPT_TIMEOUT_MS counts, from when the transfer begins.
	 */
	uint32_t timeout_ms;

	/* The bridge sets it, and done may read it. */
	bool begun; /* if false, curl_easy_getinfo is about the transfer before */

	/* Private to the bridge. */
	struct fffa_curl_request *next, *prev;
	uint64_t due_ms;	     /* of the loop's clock */
	struct fffa_curl_pool *pool; /* when begun */
	bool active;
	bool connected;
	bool failing;
};

/*
 * Opens a bridge that borrows loop for its life. max_connections bounds open connections, idle ones
 * too, and transfers under way; others wait for their turn, the oldest first. After a time-out the
 * connections of before come on top, until the transfers on them have ended. 0; -ENOMEM or -EINVAL
 * with nothing left behind.
 */
int fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out);

/*
 * Bounds the life of connections, busy ones too: once lifetime_ms have passed since the first
 * request on them, new requests begin on new connections, and the old ones end with the transfers
 * on them. 0, which is the default, is no bound.
 */
void fffa_curl_loop_limit_lifetime(struct fffa_curl_loop *c, uint64_t lifetime_ms);

/*
 * Starts the transfer that r->easy describes. 0: r->done follows exactly once, unless cancelled.
 * -EALREADY: r is active. -ECANCELED: closing. -ENOMEM, -EIO: libcurl refused. On failure nothing
 * was taken.
 */
int fffa_curl_loop_start(struct fffa_curl_loop *c, struct fffa_curl_request *r);

/* Drops the transfer; done is not called. Does nothing when r is not active. */
void fffa_curl_loop_cancel(struct fffa_curl_loop *c, struct fffa_curl_request *r);

/*
 * Asynchronous. On the loop, never from inside, it calls done of each request with
 * CURLE_ABORTED_BY_CALLBACK, then closed, then frees c. Clean easy handles up before closed
 * returns: libcurl's global state may end with the last bridge. Call once.
 */
void fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg);

#endif
