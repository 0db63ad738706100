// SPDX-License-Identifier: MIT
#include "agent/capture/attach.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* Since Linux 6.6; older headers do not have them. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47
#define F_BEFORE    (1u << 3)

/* How our clsact filter is known again: its place and its program's name. */
#define FILTER_HANDLE	0xfffa
#define FILTER_PRIORITY 1
#define PROGRAM_PREFIX	"fffa_tc_"

const char *fffa_attach_name(enum fffa_attach_how how)
{
	static const char *const names[] = {"none", "tcx", "clsact", "xdp"};

	return names[how];
}

static bool is_ours(uint32_t prog_id)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);
	bool ours;

	if (fd < 0)
		return false;
	ours = !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       !strncmp(info.name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX));
	(void)close(fd);
	return ours;
}

static int attach_clsact(int prog_fd, uint32_t ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		    .prog_fd = prog_fd);
	int r = bpf_tc_hook_create(&hook);

	if (r && r != -EEXIST)
		return r;
	if (!bpf_tc_query(&hook, &query)) {
		if (!is_ours(query.prog_id))
			return -EEXIST;
		opts.flags = BPF_TC_F_REPLACE; /* left behind by a crash */
	}
	return bpf_tc_attach(&hook, &opts);
}

/* First in the chain: what another program drops or passes on early is counted, too. */
static int attach_tcx(int prog_fd, uint32_t ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = F_BEFORE);

	return bpf_link_create(prog_fd, (int)ifindex,
			       (enum bpf_attach_type)(egress ? TCX_EGRESS : TCX_INGRESS), &opts);
}

static int attach_error(int r, const char *what, const char *ifname, struct fffa_err *err)
{
	switch (r) {
	case -EPERM:
		return fffa_fail(err, EPERM,
				 "%s: not allowed to attach %s: CAP_NET_ADMIN is missing", ifname,
				 what);
	case -ENODEV:
		return fffa_fail(err, ENODEV, "%s: the interface is gone", ifname);
	case -EEXIST:
	case -EBUSY:
		return fffa_fail(err, EBUSY,
				 "%s: another program is attached at %s; detach it or set "
				 "capture.hook to the other hook",
				 ifname, what);
	case -EOPNOTSUPP:
		return fffa_fail(err, EOPNOTSUPP,
				 "%s: its driver has no native %s; set capture.hook: tc", ifname,
				 what);
	default:
		return fffa_fail(err, -r, "%s: cannot attach %s: %s", ifname, what, strerror(-r));
	}
}

int fffa_attach_tc(const struct fffa_kernel *k, enum fffa_program program, uint32_t ifindex,
		   const char *ifname, bool allow_tcx, struct fffa_attachment *out,
		   struct fffa_err *err)
{
	bool egress = program == FFFA_PROGRAM_TC_OUT;
	int prog_fd = fffa_kernel_program_fd(k, program);
	struct fffa_attachment a = {.how = FFFA_ATTACH_TCX, .program = program, .ifindex = ifindex};
	int r = -EINVAL;

	a.link_fd = allow_tcx ? attach_tcx(prog_fd, ifindex, egress) : -EINVAL;
	if (a.link_fd < 0) {
		/* A kernel without TCX answers EINVAL; other errors hold for clsact just the same.
		 */
		r = a.link_fd == -EINVAL ? attach_clsact(prog_fd, ifindex, egress) : a.link_fd;
		if (r)
			return attach_error(r, egress ? "TC egress" : "TC ingress", ifname, err);
		a.how = FFFA_ATTACH_CLSACT;
	}
	*out = a;
	return 0;
}

int fffa_attach_xdp(const struct fffa_kernel *k, uint32_t ifindex, const char *ifname,
		    struct fffa_attachment *out, struct fffa_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(fffa_kernel_program_fd(k, FFFA_PROGRAM_XDP_IN), (int)ifindex,
				 BPF_XDP, &opts);

	if (fd < 0)
		return attach_error(fd, "XDP", ifname, err);
	*out = (struct fffa_attachment){.how = FFFA_ATTACH_XDP,
					.program = FFFA_PROGRAM_XDP_IN,
					.ifindex = ifindex,
					.link_fd = fd};
	return 0;
}

void fffa_detach(struct fffa_attachment *a)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)a->ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	switch (a->how) {
	case FFFA_ATTACH_NONE:
		return;
	case FFFA_ATTACH_TCX:
	case FFFA_ATTACH_XDP:
		(void)bpf_link_detach(
			a->link_fd); /* fails when the device is gone: then it is detached */
		(void)close(a->link_fd);
		break;
	case FFFA_ATTACH_CLSACT:
		hook.attach_point =
			a->program == FFFA_PROGRAM_TC_OUT ? BPF_TC_EGRESS : BPF_TC_INGRESS;
		(void)bpf_tc_detach(&hook, &opts);
		break;
	}
	a->how = FFFA_ATTACH_NONE;
}
