/* SPDX-License-Identifier: MIT */
/*
 * Compiles the filters of requests on a thread of its own, because a long one takes libpcap a tenth
 * of a second. The thread starts with the first filter. Loop thread only.
 */
#ifndef FFFA_AGENT_STATUS_FILTERS_H
#define FFFA_AGENT_STATUS_FILTERS_H

#include <uv.h>

#include "agent/base/err.h"
#include "agent/filter/filter.h"

struct fffa_worker;
struct fffa_filters_job;

/* All zero but loop: no thread yet. */
struct fffa_filters {
	uv_loop_t *loop;
	struct fffa_worker *worker;
};

/*
 * Compiles text. done(arg, filter, err) comes once, later on the loop: filter (NULL: text has no
 * words) is the callee's to free; err is NULL, or says what is wrong with the text. 0: *job can be
 * given up until done. -ENOMEM or -EAGAIN (no thread) with err; then nothing comes.
 */
int fffa_filters_compile(struct fffa_filters *s, const char *text,
			 void (*done)(void *arg, struct fffa_filter *filter,
				      const struct fffa_err *err),
			 void *arg, struct fffa_filters_job **job, struct fffa_err *err);
/* done does not come any more. job may be NULL. */
void fffa_filters_give_up(struct fffa_filters_job *job);
/* All jobs have been given up. The thread ends by itself. */
void fffa_filters_close(struct fffa_filters *s);

#endif
