/* SPDX-License-Identifier: MIT */
/* What curl_loop.c, curl_queue.c and curl_socket.c share; nobody else includes this. */
#ifndef FFFA_AGENT_LOOP_CURL_INTERNAL_H
#define FFFA_AGENT_LOOP_CURL_INTERNAL_H

#include "agent/loop/curl_loop.h"

struct fffa_curl_loop {
	uv_loop_t *loop;
	CURLM *multi;			  /* NULL once closing */
	uv_timer_t timer;		  /* libcurl's */
	uv_timer_t queue_timer;		  /* of the requests that wait */
	long most;			  /* transfers that libcurl may have at a time */
	struct fffa_curl_request *active; /* doubly linked, the newest first */
	struct fffa_curl_socket *sockets; /* open ones, doubly linked */
	unsigned int handles;		  /* uv handles whose close callback has not run */
	bool broken; /* no memory for a socket's watcher: every transfer under way has failed */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Begins r if it need not wait. 0, or -ENOMEM or -EIO with nothing taken. */
int fffa_curl_queue_enter(struct fffa_curl_loop *c, struct fffa_curl_request *r);
/* Begins what need not wait any more, ends what has waited too long. Calls done. */
void fffa_curl_queue_run(struct fffa_curl_loop *c);
/* A request came or went: has the queue run when that is due, not from here. */
void fffa_curl_queue_wake(struct fffa_curl_loop *c);

/* CURLMOPT_SOCKETFUNCTION. */
int fffa_curl_socket_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp);
/* Stops watching and closes every socket's handle that is left. */
void fffa_curl_socket_close_all(struct fffa_curl_loop *c);

void fffa_curl_loop_link(struct fffa_curl_loop *c, struct fffa_curl_request *r);
void fffa_curl_loop_unlink(struct fffa_curl_loop *c, struct fffa_curl_request *r);
/* Calls done, which may start, cancel and close. */
void fffa_curl_loop_finish(struct fffa_curl_loop *c, struct fffa_curl_request *r, CURLcode result);
/* A socket or the timer is due: lets libcurl work, then reports what is finished. */
void fffa_curl_loop_act(struct fffa_curl_loop *c, curl_socket_t fd, int events);
/* Wakes the bridge on the loop's next turn. */
void fffa_curl_loop_wake(struct fffa_curl_loop *c);
/* A handle of c has died. */
void fffa_curl_loop_handle_gone(struct fffa_curl_loop *c);

#endif
