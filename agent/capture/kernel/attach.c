// SPDX-License-Identifier: MIT
#include "agent/capture/kernel/attach.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel_internal.h"

/* BPF_F_BEFORE, since Linux 6.6; older headers do not have it. */
#define F_BEFORE (1u << 3)

const char *fffa_attach_name(enum fffa_attach_how how)
{
	static const char *const names[] = {"none", "tcx", "clsact", "xdp"};

	return names[how];
}

/* First in the chain, so that packets which another program drops are counted, too. */
static int attach_tcx(int prog_fd, uint32_t ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = F_BEFORE);

	return bpf_link_create(
		prog_fd, (int)ifindex,
		(enum bpf_attach_type)(egress ? FFFA_BPF_TCX_EGRESS : FFFA_BPF_TCX_INGRESS), &opts);
}

static int attach_error(int rc, const char *what, const char *ifname, struct fffa_err *err)
{
	switch (rc) {
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
		return fffa_fail(err, -rc, "%s: cannot attach %s: %s", ifname, what, strerror(-rc));
	}
}

static int tc_error(int rc, bool egress, const char *ifname, struct fffa_err *err)
{
	if (rc == -EINVAL) /* an old `ingress` qdisc has no egress side */
		return fffa_fail(err, EINVAL,
				 "%s: cannot attach TC %s: an ingress qdisc is there instead of "
				 "clsact, or a filter of another kind at priority 1; look with "
				 "`tc qdisc show dev %s` and `tc filter show dev %s %s`",
				 ifname, egress ? "egress" : "ingress", ifname, ifname,
				 egress ? "egress" : "ingress");
	return attach_error(rc, egress ? "TC egress" : "TC ingress", ifname, err);
}

int fffa_attach_tc(const struct fffa_kernel *k, enum fffa_program program, uint32_t ifindex,
		   const char *ifname, bool allow_tcx, struct fffa_attachment *out,
		   struct fffa_err *err)
{
	bool egress = fffa_kernel_program_is_egress(program);
	int prog_fd = fffa_kernel_program_fd(k, program);
	struct fffa_attachment a = {.how = FFFA_ATTACH_TCX,
				    .program = program,
				    .ifindex = ifindex,
				    .prog_id = fffa_kernel_program_id(k, program)};
	int rc = -EINVAL;

	a.link_fd = allow_tcx ? attach_tcx(prog_fd, ifindex, egress) : -EINVAL;
	if (a.link_fd < 0) {
		/* A kernel without TCX answers EINVAL. Other errors would hit clsact, too. */
		rc = a.link_fd == -EINVAL ? fffa_clsact_attach(prog_fd, ifindex, egress, &a.clsact)
					  : a.link_fd;
		if (rc)
			return tc_error(rc, egress, ifname, err);
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
					.prog_id = fffa_kernel_program_id(k, FFFA_PROGRAM_XDP_IN),
					.link_fd = fd};
	return 0;
}

/*
 * The kernel reports ifindex 0 once a link's device is gone, for TCX at the same place as for XDP.
 */
static bool link_attached(int fd, uint32_t ifindex)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.xdp.ifindex == ifindex;
}

bool fffa_attach_is_in_place(const struct fffa_attachment *a)
{
	switch (a->how) {
	case FFFA_ATTACH_NONE:
		break;
	case FFFA_ATTACH_TCX:
	case FFFA_ATTACH_XDP:
		return link_attached(a->link_fd, a->ifindex);
	case FFFA_ATTACH_CLSACT:
		return fffa_clsact_attached(&a->clsact, a->ifindex,
					    fffa_kernel_program_is_egress(a->program));
	}
	return false;
}

static void detach(struct fffa_attachment *a)
{
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
		fffa_clsact_detach(&a->clsact, a->ifindex,
				   fffa_kernel_program_is_egress(a->program));
		break;
	}
	a->how = FFFA_ATTACH_NONE;
}

/* The twin comes first, muted; then the two change roles at one instant, and the old one goes. */
static int move_tcx(struct fffa_kernel *k, struct fffa_attachment *a)
{
	enum fffa_program twin = fffa_kernel_program_twin(a->program);
	int fd;

	fffa_kernel_program_mute(k, twin, a->ifindex);
	fd = attach_tcx(fffa_kernel_program_fd(k, twin), a->ifindex,
			fffa_kernel_program_is_egress(a->program));
	if (fd >= 0) {
		fffa_kernel_program_mute(k, a->program, a->ifindex);
		(void)bpf_link_detach(a->link_fd); /* waits until nothing runs the old chain */
		(void)close(a->link_fd);
		a->program = twin;
		a->prog_id = fffa_kernel_program_id(k, twin);
		a->link_fd = fd;
	}
	fffa_kernel_program_mute(k, twin, 0);
	return fd < 0 ? fd : 0;
}

static int attach_again(struct fffa_kernel *k, const struct fffa_attachment *was,
			const char *ifname, struct fffa_attachment *out, struct fffa_err *err)
{
	if (was->how == FFFA_ATTACH_XDP)
		return fffa_attach_xdp(k, was->ifindex, ifname, out, err);
	return fffa_attach_tc(k, was->program, was->ifindex, ifname, was->how == FFFA_ATTACH_TCX,
			      out, err);
}

int fffa_attach_put_back(struct fffa_kernel *k, struct fffa_attachment *a, const char *ifname,
			 struct fffa_err *err)
{
	struct fffa_attachment was = *a;
	int rc;

	if (a->how == FFFA_ATTACH_NONE)
		return 0;
	if (a->how == FFFA_ATTACH_TCX && link_attached(a->link_fd, a->ifindex) && !move_tcx(k, a))
		return 0;
	detach(a);
	rc = attach_again(k, &was, ifname, a, err);
	if (!rc) {
		a->clsact.made_qdisc |= was.clsact.made_qdisc;
		return 0;
	}
	*a = was;
	a->link_fd = -1;
	return rc;
}

void fffa_attach_undo(struct fffa_attachment *a, size_t n)
{
	uint32_t qdisc_ifindex = 0;

	for (size_t i = 0; i < n; i++) {
		if (a[i].how == FFFA_ATTACH_CLSACT && a[i].clsact.made_qdisc)
			qdisc_ifindex = a[i].ifindex;
		detach(&a[i]);
	}
	if (qdisc_ifindex)
		fffa_clsact_remove_unused_qdisc(qdisc_ifindex);
}
