// SPDX-License-Identifier: MIT
/* Visits the flows that are held, a slice at a time. */
#include "agent/base/clock.h"
#include "agent/flow/flow_internal.h"

static int64_t unix_ms(const struct fffa_flow_table *t, uint64_t mono_ns)
{
	return ((int64_t)mono_ns + (int64_t)(t->unix_ns - t->now_ns)) / (int64_t)FFFA_NS_PER_MS;
}

uint32_t fffa_flow_walk(const struct fffa_flow_table *t, uint32_t from, uint32_t budget,
			const uint64_t *min_bytes,
			void (*fn)(void *arg, const struct fffa_flow_window *w), void *arg)
{
	uint32_t end = t->high_water - from > budget ? from + budget : t->high_water;

	for (uint32_t i = from; i < end; i++) {
		const struct fffa_flow *f = &t->flows[i];
		struct fffa_flow_window w;

		if (!f->packets || f->slot == FFFA_NIL || f->bytes < *min_bytes)
			continue;
		w = (struct fffa_flow_window){.key = &f->key,
					      .packets = f->packets,
					      .bytes = f->bytes,
					      .start_ms = unix_ms(t, f->first_ns),
					      .end_ms = unix_ms(t, f->last_ns),
					      .flags = f->flags};
		fn(arg, &w);
	}
	return end < t->high_water ? end : 0;
}
