// SPDX-License-Identifier: MIT
#include "agent/capture/kernel/chain.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel_internal.h"

#define CHAIN_MAX 64 /* programs of one hook: BPF_MPROG_MAX of the kernel */

/* Needs CAP_SYS_ADMIN; without it the id has to do. */
static void read_name(uint32_t prog_id, char *dst, size_t cap)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		(void)snprintf(dst, cap, "%s", info.name);
	(void)close(fd);
}

static void set_head(struct fffa_chain_head *head, uint32_t prog_id)
{
	*head = (struct fffa_chain_head){.prog_id = prog_id};
	if (prog_id)
		read_name(prog_id, head->name, sizeof(head->name));
}

static enum fffa_place place_tcx(const struct fffa_attachment *a, struct fffa_chain_head *head)
{
	enum bpf_attach_type type = (enum bpf_attach_type)(fffa_kernel_program_is_egress(a->program)
								   ? FFFA_BPF_TCX_EGRESS
								   : FFFA_BPF_TCX_INGRESS);
	__u32 ids[CHAIN_MAX] = {0};
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids, .prog_cnt = CHAIN_MAX);
	int rc = bpf_prog_query_opts((int)a->ifindex, type, &query);

	if (rc == -ENOENT)
		return FFFA_PLACE_NONE;
	if (rc)
		return FFFA_PLACE_UNKNOWN;
	for (uint32_t i = 0; i < query.prog_cnt && i < CHAIN_MAX; i++) {
		if (ids[i] != a->prog_id)
			continue;
		if (!i)
			return FFFA_PLACE_FIRST;
		set_head(head, ids[0]);
		return FFFA_PLACE_BEHIND;
	}
	return FFFA_PLACE_NONE;
}

void fffa_chain_xdp(uint32_t ifindex, struct fffa_chain_head *out)
{
	__u32 id = 0;

	if (bpf_xdp_query_id((int)ifindex, 0, &id))
		id = 0;
	set_head(out, id);
}

static enum fffa_place place_xdp(const struct fffa_attachment *a, struct fffa_chain_head *head)
{
	__u32 id = 0;

	if (bpf_xdp_query_id((int)a->ifindex, XDP_FLAGS_DRV_MODE, &id))
		return FFFA_PLACE_UNKNOWN;
	if (id == a->prog_id)
		return FFFA_PLACE_FIRST;
	set_head(head, id);
	return FFFA_PLACE_NONE;
}

static enum fffa_place place_clsact(const struct fffa_attachment *a, struct fffa_chain_head *head)
{
	struct fffa_clsact_order order;
	int rc = fffa_clsact_read_order(&a->clsact, a->ifindex,
					fffa_kernel_program_is_egress(a->program), &order);

	if (rc)
		return FFFA_PLACE_UNKNOWN;
	if (!order.attached)
		return FFFA_PLACE_NONE;
	if (order.first)
		return FFFA_PLACE_FIRST;
	set_head(head, order.first_prog_id);
	if (!head->name[0])
		(void)snprintf(head->name, sizeof(head->name), "%s", order.first_name);
	return FFFA_PLACE_BEHIND;
}

enum fffa_place fffa_chain_place(const struct fffa_attachment *a, struct fffa_chain_head *head)
{
	memset(head, 0, sizeof(*head));
	switch (a->how) {
	case FFFA_ATTACH_NONE:
		break;
	case FFFA_ATTACH_TCX:
		return place_tcx(a, head);
	case FFFA_ATTACH_CLSACT:
		return place_clsact(a, head);
	case FFFA_ATTACH_XDP:
		return place_xdp(a, head);
	}
	return FFFA_PLACE_UNKNOWN;
}
