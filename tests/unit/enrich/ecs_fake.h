/* SPDX-License-Identifier: MIT */
/* In the place of libcurl and of the bridge, for the client of the ECS task metadata. */
#ifndef FFFA_TESTS_UNIT_ENRICH_ECS_FAKE_H
#define FFFA_TESTS_UNIT_ENRICH_ECS_FAKE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/enrich/input/http_bounds.h"
#include "agent/loop/curl_loop.h"

/* One of the two requests: of the task, and of the ECS agent. */
struct fake_request {
	CURL *easy;
	struct fffa_http_body *body;
	struct fffa_curl_request *r;
	char url[512];
	bool active, cancelled;
};

struct ecs_fake {
	struct fake_request v[2];
	size_t n;
	uint64_t timeout_ms;
	long status;
	int open_error, start_error, globals, easies, bound_error;
	unsigned int init_fails, global_fails, url_fails; /* from 1; 0: never */
	unsigned int inits, global_inits, urls;
	void (*bridge_closed)(void *arg);
	void *bridge_arg;
};

extern struct ecs_fake ecs_fake;

#endif
