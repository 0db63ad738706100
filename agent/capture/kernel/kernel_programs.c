// SPDX-License-Identifier: MIT
/* The loaded programs: descriptors, names, and which of two equal ones counts. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel.h"
#include "agent/capture/kernel/kernel_internal.h"
#include "fffa_bpf.skel.h"

#define LOOPBACK 1 /* its ifindex in every namespace */

static struct bpf_program *find_program(const struct fffa_kernel *k, enum fffa_program p)
{
	switch (p) {
	case FFFA_PROGRAM_TC_IN:
		return k->skel->progs.fffa_tc_in;
	case FFFA_PROGRAM_TC_OUT:
		return k->skel->progs.fffa_tc_out;
	case FFFA_PROGRAM_XDP_IN:
		return k->skel->progs.fffa_xdp_in;
	case FFFA_PROGRAM_TC_IN_2ND:
		return k->skel->progs.fffa_tc_in_2nd;
	case FFFA_PROGRAM_TC_OUT_2ND:
		return k->skel->progs.fffa_tc_out_2nd;
	case FFFA_PROGRAM_IP_IN:
		return k->skel->progs.fffa_tc_ip_in;
	case FFFA_PROGRAM_IP_OUT:
		return k->skel->progs.fffa_tc_ip_out;
	case FFFA_PROGRAM_IP_IN_2ND:
		return k->skel->progs.fffa_tc_ip_in2;
	case FFFA_PROGRAM_IP_OUT_2ND:
		return k->skel->progs.fffa_tc_ip_out2;
	case FFFA_PROGRAM_MAX:
		break;
	}
	return NULL;
}

static const struct {
	const char *name;
	enum fffa_program twin;
	bool egress, second;
} facts[FFFA_PROGRAM_MAX] = {
	[FFFA_PROGRAM_TC_IN] = {"tc_ingress", FFFA_PROGRAM_TC_IN_2ND, false, false},
	[FFFA_PROGRAM_TC_OUT] = {"tc_egress", FFFA_PROGRAM_TC_OUT_2ND, true, false},
	[FFFA_PROGRAM_XDP_IN] = {"xdp_ingress", FFFA_PROGRAM_MAX, false, false},
	[FFFA_PROGRAM_TC_IN_2ND] = {"tc_ingress_2nd", FFFA_PROGRAM_TC_IN, false, true},
	[FFFA_PROGRAM_TC_OUT_2ND] = {"tc_egress_2nd", FFFA_PROGRAM_TC_OUT, true, true},
	[FFFA_PROGRAM_IP_IN] = {"tc_ip_ingress", FFFA_PROGRAM_IP_IN_2ND, false, false},
	[FFFA_PROGRAM_IP_OUT] = {"tc_ip_egress", FFFA_PROGRAM_IP_OUT_2ND, true, false},
	[FFFA_PROGRAM_IP_IN_2ND] = {"tc_ip_ingress_2nd", FFFA_PROGRAM_IP_IN, false, true},
	[FFFA_PROGRAM_IP_OUT_2ND] = {"tc_ip_egress_2nd", FFFA_PROGRAM_IP_OUT, true, true},
};

bool fffa_kernel_program_is_egress(enum fffa_program p)
{
	return facts[p].egress;
}

enum fffa_program fffa_kernel_program_twin(enum fffa_program p)
{
	return facts[p].twin;
}

/* A kernel without TCX does not know the hook's number. */
static bool has_tcx(void)
{
	__u32 flags, n = 0;

	return bpf_prog_query(LOOPBACK, (enum bpf_attach_type)FFFA_BPF_TCX_INGRESS, 0, &flags, NULL,
			      &n) != -EINVAL;
}

void fffa_kernel__programs_set(struct fffa_kernel *k)
{
	bool twins = has_tcx();

	for (int p = 0; p < FFFA_PROGRAM_MAX; p++) {
		struct bpf_program *prog = find_program(k, (enum fffa_program)p);

		if (facts[p].second)
			(void)bpf_program__set_autoload(prog, twins);
		if (p == FFFA_PROGRAM_XDP_IN)
			continue;
		/* TCX wants its attach type at load; clsact does not mind it. */
		(void)bpf_program__set_expected_attach_type(
			prog,
			(enum bpf_attach_type)(fffa_kernel_program_is_egress((enum fffa_program)p)
						       ? FFFA_BPF_TCX_EGRESS
						       : FFFA_BPF_TCX_INGRESS));
	}
}

void fffa_kernel__programs_only(struct fffa_kernel *k, enum fffa_program only)
{
	for (int p = 0; p < FFFA_PROGRAM_MAX; p++)
		(void)bpf_program__set_autoload(find_program(k, (enum fffa_program)p),
						p == (int)only);
}

int fffa_kernel_program_fd(const struct fffa_kernel *k, enum fffa_program p)
{
	struct bpf_program *prog = find_program(k, p);

	return prog ? bpf_program__fd(prog) : -1;
}

static int read_info(const struct fffa_kernel *k, enum fffa_program p, struct bpf_prog_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fffa_kernel_program_fd(k, p), info, &len);
}

uint32_t fffa_kernel_program_id(const struct fffa_kernel *k, enum fffa_program p)
{
	struct bpf_prog_info info;

	return read_info(k, p, &info) ? 0 : info.id;
}

void fffa_kernel_program_mute(struct fffa_kernel *k, enum fffa_program p, uint32_t ifindex)
{
	uint64_t who = FFFA_MUTED(ifindex, facts[p].egress, facts[p].second);

	__atomic_store_n(&k->ctl->muted, ifindex ? who : 0, __ATOMIC_RELEASE);
}

void fffa_kernel_program_runs(const struct fffa_kernel *k, enum fffa_program p,
			      struct fffa_program_runs *out)
{
	struct bpf_prog_info info;

	*out = (struct fffa_program_runs){.name = facts[p].name};
	if (read_info(k, p, &info))
		return;
	out->run_ns = info.run_time_ns;
	out->runs = info.run_cnt;
}
