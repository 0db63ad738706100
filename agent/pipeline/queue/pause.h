/* SPDX-License-Identifier: MIT */
/* After a failure nothing is submitted for a while. The pause grows with each failure in a row. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_PAUSE_H
#define FFFA_AGENT_PIPELINE_QUEUE_PAUSE_H

#include <uv.h>

#include "agent/pipeline/queue/retry.h"

struct fffa_pause {
	struct fffa_retry retry;
	unsigned int fails; /* rounds of failures since the last delivery */
	bool active;
	uint64_t until_ns;
	uint64_t random; /* state of the generator that spreads the retries of a fleet */
	uv_timer_t timer;
	void (*over)(void *arg);
	void *arg;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Calls over(arg) at the end of each pause. Copies retry. Close with fffa_pause_close. */
void fffa_pause_init(struct fffa_pause *p, uv_loop_t *loop, const struct fffa_retry *retry,
		     void (*over)(void *arg), void *arg);
/*
 * Begins a pause, or extends one. first_fail_ns: when the delivery failed first (monotonic).
 * hint_ns: the least wait that the sink asks for, 0: none.
 */
void fffa_pause_begin(struct fffa_pause *p, uint64_t first_fail_ns, uint64_t hint_ns);
/* Other times, from the next failure on. */
void fffa_pause_set_retry(struct fffa_pause *p, const struct fffa_retry *retry);
/* After a delivery: the next pause is a short one again. */
void fffa_pause_forget_failures(struct fffa_pause *p);
bool fffa_pause_is_active(const struct fffa_pause *p);
/* See fffa_retry_gives_up. */
bool fffa_pause_gives_up(const struct fffa_pause *p, uint64_t first_ns, uint64_t now_ns);
/* Ends the pause without a call of over. */
void fffa_pause_stop(struct fffa_pause *p);
/* Calls closed later, on the loop. Then the memory of p may be freed. */
void fffa_pause_close(struct fffa_pause *p, void (*closed)(void *arg), void *arg);

#endif
