/* SPDX-License-Identifier: MIT */
/*
 * Inside the bridge, for its files alone. curl_loop.c calls curl_queue.c and curl_socket.c; they
 * call back through the functions in struct fffa_curl_loop.
 */
#ifndef FFFA_AGENT_LOOP_CURL_INTERNAL_H
#define FFFA_AGENT_LOOP_CURL_INTERNAL_H

#include "agent/loop/curl_loop.h"

struct fffa_curl_loop {
	uv_loop_t *loop;
	CURLM *multi;			  /* NULL once closing */
	uv_timer_t timer;		  /* libcurl's */
	uv_timer_t queue_timer;		  /* for the requests that wait */
	long max_transfers;		  /* that libcurl may have at a time */
	struct fffa_curl_request *active; /* doubly linked, the newest first */
	struct fffa_curl_socket *sockets; /* open ones, doubly linked */
	unsigned int handles;		  /* uv handles whose close callback has not run */
	bool broken; /* a socket cannot be watched: every transfer under way fails */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;

	/* Lets libcurl work on a socket that is ready, then reports finished transfers. */
	void (*run)(struct fffa_curl_loop *c, curl_socket_t fd, int events);
	/* Runs the bridge on the loop's next turn. */
	void (*wake)(struct fffa_curl_loop *c);
	/* Counts a uv handle of c as closed; the last one ends c. */
	void (*handle_closed)(struct fffa_curl_loop *c);
};

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

/* For CURLMOPT_SOCKETFUNCTION. */
int fffa_curl_socket_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp);
/* Stops watching all sockets and closes their handles. */
void fffa_curl_socket_close_all(struct fffa_curl_loop *c);

#endif
