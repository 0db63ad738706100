// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/pause.h"

#include "agent/base/clock.h"
#include "agent/base/minmax.h"
#include "agent/base/random.h"

void fffa_pause_init(struct fffa_pause *p, uv_loop_t *loop, const struct fffa_retry *retry,
		     void (*over)(void *arg), void *arg)
{
	*p = (struct fffa_pause){
		.retry = *retry, .random = fffa_random_seed(), .over = over, .arg = arg};
	(void)uv_timer_init(loop, &p->timer); /* never fails */
	p->timer.data = p;
}

static void on_timer(uv_timer_t *t)
{
	struct fffa_pause *p = t->data;

	p->active = false;
	p->over(p->arg);
}

void fffa_pause_begin(struct fffa_pause *p, uint64_t first_fail_ns, uint64_t hint_ns)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system), delay;

	if (p->active) {
		/*
		 * Another delivery of the same round: it does not double the wait, but may ask
		 * for more.
		 */
		delay = fffa_min_u64(hint_ns, FFFA_RETRY_HINT_MAX_NS);
	} else {
		p->fails++;
		delay = fffa_retry_delay_ns(&p->retry, p->fails, hint_ns,
					    (uint32_t)(fffa_random_next(&p->random) >> 32));
	}
	delay = fffa_retry_clip_ns(&p->retry, first_fail_ns, now, delay);
	if (p->active && now + delay <= p->until_ns)
		return;
	p->active = true;
	p->until_ns = now + delay;
	uv_update_time(p->timer.loop);
	(void)uv_timer_start(&p->timer, on_timer, (delay + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS, 0);
}

void fffa_pause_set_retry(struct fffa_pause *p, const struct fffa_retry *retry)
{
	p->retry = *retry;
}

void fffa_pause_forget_failures(struct fffa_pause *p)
{
	p->fails = 0;
}

bool fffa_pause_is_active(const struct fffa_pause *p)
{
	return p->active;
}

bool fffa_pause_gives_up(const struct fffa_pause *p, uint64_t first_ns, uint64_t now_ns)
{
	return fffa_retry_gives_up(&p->retry, first_ns, now_ns);
}

void fffa_pause_stop(struct fffa_pause *p)
{
	(void)uv_timer_stop(&p->timer);
}

static void on_closed(uv_handle_t *h)
{
	struct fffa_pause *p = h->data;

	p->closed(p->closed_arg);
}

void fffa_pause_close(struct fffa_pause *p, void (*closed)(void *arg), void *arg)
{
	p->closed = closed;
	p->closed_arg = arg;
	uv_close((uv_handle_t *)&p->timer, on_closed);
}
