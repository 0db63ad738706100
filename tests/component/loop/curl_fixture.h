/* SPDX-License-Identifier: MIT */
/* A bridge for four connections, eight transfers, and the server that they ask. */
#ifndef FFFA_TESTS_COMPONENT_LOOP_CURL_FIXTURE_H
#define FFFA_TESTS_COMPONENT_LOOP_CURL_FIXTURE_H

#include <stdbool.h>

#include "agent/loop/curl_loop.h"
#include "tests/component/loop/canned_server.h"

#define CONNECTIONS 4
#define REQUESTS    8

struct curl_fixture;

struct transfer {
	struct curl_fixture *fixture;
	struct fffa_curl_request request;
	unsigned int calls;
	CURLcode result;
	unsigned int order; /* of its done among all */
	char body[16];
	void (*then)(struct transfer *t); /* run from inside done */
};

struct curl_fixture {
	uv_loop_t loop;
	uv_timer_t tick;
	struct canned_server server;
	struct fffa_curl_loop *bridge;
	struct transfer t[REQUESTS];
	bool in_call; /* done must not come now */
	unsigned int dones;
	unsigned int closed;
	unsigned int done_before_closed;
};

/* For cmocka. Teardown asserts that nothing is left in the loop. */
int curl_fixture_setup(void **state);
int curl_fixture_teardown(void **state);

/* Start t at 127.0.0.1 and return what fffa_curl_loop_start does. */
int start_url(struct transfer *t, const char *scheme, int port, const char *path);
int start_at(struct transfer *t, int port, const char *path);
/* Starts t at the fixture's server. */
int start(struct transfer *t, const char *path);
void cancel(struct transfer *t);
/* Closes the bridge; r->closed is set when it is closed. */
void close_bridge(struct curl_fixture *r);

/* Runs the loop until cond holds; fails the test when that takes too long. */
void await_that(struct curl_fixture *r, bool (*cond)(struct curl_fixture *r, unsigned int arg),
		unsigned int arg);
bool is_closed(struct curl_fixture *r, unsigned int arg);
bool has_calls(struct curl_fixture *r, unsigned int n);
bool has_requests(struct curl_fixture *r, unsigned int n);
bool has_heard(struct curl_fixture *r, unsigned int n);

#endif
