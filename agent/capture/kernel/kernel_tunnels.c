// SPDX-License-Identifier: MIT
/* The tunnels that the programs know, and what they are asked about them. */
#include "agent/capture/kernel/kernel_internal.h"

const struct fffa_tunnel *fffa_kernel_tunnel(const struct fffa_kernel *k, uint16_t id)
{
	if (!id || id > FFFA_TUNNELS_MAX || k->tunnels[id].type == FFFA_TUNNEL_NONE)
		return NULL;
	return &k->tunnels[id];
}

void fffa_kernel_tunnels_ask(struct fffa_kernel *k)
{
	uint32_t next = k->ctl->tunnel_epoch + 1;

	__atomic_store_n(&k->ctl->tunnel_epoch, next ? next : 1, __ATOMIC_RELEASE);
}

uint64_t fffa_kernel_tunnels_closed(const struct fffa_kernel *k)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < k->slices; i++)
		n += ((const volatile struct fffa_counts *)&k->counts[i])->no_receiver;
	return n;
}
