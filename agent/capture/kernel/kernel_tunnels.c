// SPDX-License-Identifier: MIT
/* The tunnels that the programs know, and what they are asked about them. */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel_internal.h"
#include "fffa_bpf.skel.h"

const struct fffa_tunnel *fffa_kernel_tunnel(const struct fffa_kernel *k, uint16_t id)
{
	if (!id || id > FFFA_TUNNELS_MAX || k->tunnels[id].type == FFFA_TUNNEL_NONE)
		return NULL;
	return &k->tunnels[id];
}

bool fffa_kernel_tunnels_retire(struct fffa_kernel *k, uint16_t id)
{
	int fd = bpf_map__fd(k->skel->maps.fffa_tun_ids);
	struct fffa_tunnel facts = k->tunnels[id];
	uint16_t known;

	/* A program that came second leaves facts with an id that it puts back. */
	return !bpf_map_lookup_elem(fd, &facts, &known) && known == id &&
	       !bpf_map_delete_elem(fd, &facts);
}

void fffa_kernel_tunnels_release(struct fffa_kernel *k, uint16_t id)
{
	int fd = bpf_map__fd(k->skel->maps.fffa_tun_free);

	memset(&k->tunnels[id], 0, sizeof(k->tunnels[id]));
	(void)bpf_map_update_elem(fd, NULL, &id, 0); /* there is room for all ids */
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
