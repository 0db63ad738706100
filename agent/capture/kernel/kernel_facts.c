// SPDX-License-Identifier: MIT
/* Facts about the kernel side for the status pages. */
#include <string.h>

#include <bpf/bpf.h>
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

void fffa_kernel_program_runs(const struct fffa_kernel *k, enum fffa_program p,
			      struct fffa_program_runs *out)
{
	static const char *const names[FFFA_PROGRAM_MAX] = {
		[FFFA_PROGRAM_TC_IN] = "tc_ingress",
		[FFFA_PROGRAM_TC_OUT] = "tc_egress",
		[FFFA_PROGRAM_XDP_IN] = "xdp_ingress",
	};
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	*out = (struct fffa_program_runs){.name = names[p]};
	if (bpf_obj_get_info_by_fd(fffa_kernel_program_fd(k, p), &info, &len))
		return;
	out->run_ns = info.run_time_ns;
	out->runs = info.run_cnt;
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
