/* SPDX-License-Identifier: MIT */
/* In the place of imds_http.c and of the bridge: the last request, which the test answers. */
#ifndef FFFA_TESTS_UNIT_ENRICH_IMDS_FAKE_H
#define FFFA_TESTS_UNIT_ENRICH_IMDS_FAKE_H

#include <stdint.h>

#include "agent/enrich/imds/imds_http.h"
#include "agent/enrich/imds/imds_round.h"

struct imds_fake {
	struct fffa_imds_http *http;
	char path[FFFA_IMDS_PATH_BYTES]; /* "": the token */
	char token[64];
	uint32_t ttl_s;
	uint64_t timeout_ms;
	unsigned int requests, answered;
	int init_error, send_error, bridge_error;
	unsigned int fini;
	void (*bridge_closed)(void *arg);
	void *bridge_arg;
};

extern struct imds_fake imds_fake;

#endif
