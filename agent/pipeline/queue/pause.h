/* SPDX-License-Identifier: MIT */
/* After a failure nothing is submitted for a while, longer with each failure in a row. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_PAUSE_H
#define FFFA_AGENT_PIPELINE_QUEUE_PAUSE_H

#include <uv.h>

#include "agent/pipeline/queue/retry.h"

struct fffa_pause {
	struct fffa_retry retry;
	unsigned int fails; /* rounds of failure since something was delivered */
	bool active;
	uint64_t until_ns;
	uint64_t random; /* spreads the retries of a fleet */
	uv_timer_t timer;
	void (*over)(void *arg);
	void *arg;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Calls over at the end of each pause. Close with fffa_pause_close. */
void fffa_pause_init(struct fffa_pause *p, uv_loop_t *loop, const struct fffa_retry *retry,
		     void (*over)(void *arg), void *arg);
/* first_fail_ns: of the delivery that failed; hint_ns: the least wait that the sink asks for. */
void fffa_pause_begin(struct fffa_pause *p, uint64_t first_fail_ns, uint64_t hint_ns);
/* Something was delivered: the next pause is short again. */
void fffa_pause_forget_failures(struct fffa_pause *p);
bool fffa_pause_is_active(const struct fffa_pause *p);
/* True when a delivery that failed first at first_ns and again at now_ns is not to be tried again. */
bool fffa_pause_gives_up(const struct fffa_pause *p, uint64_t first_ns, uint64_t now_ns);
/* over is not called any more. */
void fffa_pause_stop(struct fffa_pause *p);
/* Calls closed later, on the loop; then p's memory may go. */
void fffa_pause_close(struct fffa_pause *p, void (*closed)(void *arg), void *arg);

#endif
