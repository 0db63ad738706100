/* SPDX-License-Identifier: MIT */
/*
 * Inside the bridge, for its files alone. Each calls only those behind it: curl_loop.c,
 * curl_queue.c, curl_pool.c, curl_socket.c. They call back through the functions in struct
 * fffa_curl_loop (run, wake, handle_closed).
 */
#ifndef FFFA_AGENT_LOOP_CURL_INTERNAL_H
#define FFFA_AGENT_LOOP_CURL_INTERNAL_H

#include "agent/loop/curl_loop.h"

/* A multi handle of libcurl with its connections. */
struct fffa_curl_pool {
	struct fffa_curl_loop *owner;
	CURLM *multi;			  /* NULL once closing */
	uv_timer_t timer;		  /* libcurl's */
	struct fffa_curl_socket *sockets; /* open ones, doubly linked */
	bool broken; /* a socket cannot be watched: every transfer under way fails */
	bool used;   /* it has had a request */
	uint64_t first_used_ms;
	struct fffa_curl_pool *next;
};

struct fffa_curl_loop {
	uv_loop_t *loop;
	/*
	 * The first takes new requests. The others end what they have begun: they are too old, or
	 * a request timed out there. libcurl would use their connections again.
	 */
	struct fffa_curl_pool *pools;
	uv_timer_t queue_timer;		  /* for the requests that wait */
	long max_transfers;		  /* that libcurl may have at a time */
	uint64_t lifetime_ms;		  /* of a pool, from its first request; 0: no limit */
	struct fffa_curl_request *active; /* doubly linked, the newest first */
	unsigned int handles;		  /* uv handles whose close callback has not run */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;

	/* Lets libcurl work on a socket that is ready, then reports finished transfers. */
	void (*run)(struct fffa_curl_pool *p, curl_socket_t fd, int events);
	/* Runs the bridge for p on the loop's next turn. */
	void (*wake)(struct fffa_curl_pool *p);
	/* Counts a uv handle of c as closed; the last one ends c. */
	void (*handle_closed)(struct fffa_curl_loop *c);
};

/* Makes the pool for new requests. 0, or -ENOMEM or -EINVAL; then c is as before. */
int fffa_curl_pool_open(struct fffa_curl_loop *c);
/* For fffa_curl_loop.wake. */
void fffa_curl_pool_wake(struct fffa_curl_pool *p);
/* Closes the pools that have no request any more, but for the first. */
void fffa_curl_pool_trim(struct fffa_curl_loop *c);
/* Closes all pools. No request may be in one. */
void fffa_curl_pool_close_all(struct fffa_curl_loop *c);

/* Begins r, or lets it wait for its turn. 0; -ENOMEM or -EIO, and nothing was taken. */
int fffa_curl_queue_enter(struct fffa_curl_loop *c, struct fffa_curl_request *r);
/* Begins the requests whose turn has come, and ends those that waited too long. Calls done. */
void fffa_curl_queue_run(struct fffa_curl_loop *c);
/* Call it after a request came or went: runs the queue when that is due. */
void fffa_curl_queue_wake(struct fffa_curl_loop *c);
/* Takes r off the list of active requests. */
void fffa_curl_queue_remove(struct fffa_curl_loop *c, struct fffa_curl_request *r);
/* Removes r and calls done, which may start, cancel and close. */
void fffa_curl_queue_finish(struct fffa_curl_loop *c, struct fffa_curl_request *r, CURLcode result);

/* For CURLMOPT_SOCKETFUNCTION; arg is the pool. */
int fffa_curl_socket_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp);
/* Stops watching all sockets of p and closes their handles. */
void fffa_curl_socket_close_all(struct fffa_curl_pool *p);

#endif
