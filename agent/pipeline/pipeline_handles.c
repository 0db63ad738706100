// SPDX-License-Identifier: MIT
/* What must be closed before a pipeline can be freed. */
#include <stdlib.h>

#include "agent/pipeline/pipeline_internal.h"

void fffa_pipeline__one_closed(void *arg)
{
	struct fffa_pipeline *p = arg;

	if (--p->still_open || p->phase != FFFA_PP_CLOSING)
		return;
	if (p->closed)
		p->closed(p->closed_arg, p);
	for (size_t i = 0; i < p->queue_count; i++)
		fffa_sink_queue_free(p->queues[i]);
	fffa_stream_close(&p->stream);
	free(p->queues);
	free(p->batchers);
	free(p);
}

static void on_timer_closed(uv_handle_t *h)
{
	fffa_pipeline__one_closed(h->data);
}

void fffa_pipeline__close_timer(struct fffa_pipeline *p, uv_timer_t *t)
{
	t->data = p; /* a closing timer does not fire */
	p->still_open++;
	uv_close((uv_handle_t *)t, on_timer_closed);
}
