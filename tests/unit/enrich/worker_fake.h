/* SPDX-License-Identifier: MIT */
/* In the place of the worker: a job that runs when the test says so. And of the C library's read. */
#ifndef FFFA_TESTS_UNIT_ENRICH_WORKER_FAKE_H
#define FFFA_TESTS_UNIT_ENRICH_WORKER_FAKE_H

#include <stdbool.h>

#include "agent/loop/worker.h"

struct worker_fake {
	struct fffa_worker_job *job; /* submitted, and not done */
	void (*closed)(void *arg);
	void *closed_arg;
	int open_error;
	unsigned int alive; /* what was made and not destroyed */
	int read_error;	    /* of the reads from now on; 0: none */
	int interrupted;    /* so many reads at first */
	bool bytewise;
};

extern struct worker_fake worker_fake;

#endif
