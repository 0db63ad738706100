// SPDX-License-Identifier: MIT
/* Facts about the kernel side for the status pages. */
#include <string.h>

#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel.h"
#include "agent/capture/kernel/kernel_internal.h"
#include "fffa_bpf.skel.h"

_Static_assert(sizeof(((struct fffa_counts *)0)->ring_events) ==
		       FFFA_RING_EVENT_KINDS * sizeof(uint64_t),
	       "every kind of ring event is shown");

void fffa_kernel_facts(const struct fffa_kernel *k, struct fffa_kernel_facts *out)
{
	*out = (struct fffa_kernel_facts){
		.table_entries = (uint64_t)k->slices * k->sets_per_slice * FFFA_WAYS,
		.slices = k->slices,
		.ring_bytes = bpf_map__max_entries(k->skel->maps.fffa_ring),
		.clock = fffa_kernel_clock_name(k),
		.grace_period = k->membarrier ? "membarrier" : "map_in_map",
	};
}

void fffa_kernel_ring_events(const struct fffa_kernel *k, uint64_t out[FFFA_RING_EVENT_KINDS])
{
	memset(out, 0, FFFA_RING_EVENT_KINDS * sizeof(*out));
	for (uint32_t i = 0; i <= k->slices; i++) {
		const volatile struct fffa_counts *c = &k->counts[i];

		for (int kind = 0; kind < FFFA_RING_EVENT_KINDS; kind++)
			out[kind] += c->ring_events[kind];
	}
}
