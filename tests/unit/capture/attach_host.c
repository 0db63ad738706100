// SPDX-License-Identifier: MIT
#include "tests/unit/capture/attach_host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/stubs/cmocka_all.h"

#define BEFORE 8 /* BPF_F_BEFORE */

struct attach_host attach_host;

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	size_t len = strlen(attach_host.steps);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(attach_host.steps + len, sizeof(attach_host.steps) - len, fmt, ap);
	va_end(ap);
}

void attach_host_expect(const char *want)
{
	assert_string_equal(attach_host.steps, want);
	attach_host.steps[0] = '\0';
}

int __wrap_fffa_kernel_program_fd(const struct fffa_kernel *k, enum fffa_program p);
uint32_t __wrap_fffa_kernel_program_id(const struct fffa_kernel *k, enum fffa_program p);
void __wrap_fffa_kernel_program_mute(struct fffa_kernel *k, enum fffa_program p, uint32_t ifindex);
int __wrap_fffa_clsact_attach(int prog_fd, uint32_t ifindex, bool egress, struct fffa_clsact *out);
bool __wrap_fffa_clsact_attached(const struct fffa_clsact *c, uint32_t ifindex, bool egress);
void __wrap_fffa_clsact_detach(const struct fffa_clsact *c, uint32_t ifindex, bool egress);
void __wrap_fffa_clsact_remove_unused_qdisc(uint32_t ifindex);
int __wrap_fffa_clsact_read_order(const struct fffa_clsact *c, uint32_t ifindex, bool egress,
				  struct fffa_clsact_order *out);
int __wrap_bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type type,
			   const struct bpf_link_create_opts *opts);
int __wrap_bpf_link_detach(int link_fd);
int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len);
int __wrap_bpf_prog_query_opts(int target, enum bpf_attach_type type,
			       struct bpf_prog_query_opts *opts);
int __wrap_bpf_xdp_query_id(int ifindex, int flags, __u32 *prog_id);
int __wrap_bpf_prog_get_fd_by_id(__u32 id);

int __wrap_fffa_kernel_program_fd(const struct fffa_kernel *k, enum fffa_program p)
{
	(void)k;
	return 100 + (int)p;
}

uint32_t __wrap_fffa_kernel_program_id(const struct fffa_kernel *k, enum fffa_program p)
{
	(void)k;
	return 1000 + p;
}

void __wrap_fffa_kernel_program_mute(struct fffa_kernel *k, enum fffa_program p, uint32_t ifindex)
{
	(void)k;
	note("mute %d on %u, ", (int)p, ifindex);
}

int __wrap_fffa_clsact_attach(int prog_fd, uint32_t ifindex, bool egress, struct fffa_clsact *out)
{
	if (attach_host.clsact_error)
		return -attach_host.clsact_error;
	note("+clsact %d %u %s, ", prog_fd, ifindex, egress ? "out" : "in");
	*out = (struct fffa_clsact){.prog_id = (uint32_t)prog_fd + 900,
				    .made_qdisc = attach_host.makes_qdisc};
	return 0;
}

bool __wrap_fffa_clsact_attached(const struct fffa_clsact *c, uint32_t ifindex, bool egress)
{
	note("clsact? %u %s, ", ifindex, egress ? "out" : "in");
	return c->prog_id == attach_host.clsact_id;
}

void __wrap_fffa_clsact_detach(const struct fffa_clsact *c, uint32_t ifindex, bool egress)
{
	note("-clsact %u %u %s, ", c->prog_id, ifindex, egress ? "out" : "in");
}

void __wrap_fffa_clsact_remove_unused_qdisc(uint32_t ifindex)
{
	note("-qdisc %u, ", ifindex);
}

int __wrap_fffa_clsact_read_order(const struct fffa_clsact *c, uint32_t ifindex, bool egress,
				  struct fffa_clsact_order *out)
{
	note("order of %u %u %s, ", c->prog_id, ifindex, egress ? "out" : "in");
	*out = attach_host.order;
	return -attach_host.order_error;
}

int __wrap_bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type type,
			   const struct bpf_link_create_opts *opts)
{
	bool xdp = type == BPF_XDP;
	int error = xdp ? attach_host.xdp_error : attach_host.tcx_error;

	assert_int_equal(opts->flags, xdp ? XDP_FLAGS_DRV_MODE : BEFORE);
	if (error)
		return -error;
	note("+link %d %d %s, ", prog_fd, target_fd,
	     xdp	       ? "xdp"
	     : (int)type == 46 ? "in"
	     : (int)type == 47 ? "out"
			       : "?");
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_bpf_link_detach(int link_fd)
{
	note(fcntl(link_fd, F_GETFD) < 0 ? "-link that is none, " : "-link, ");
	return 0;
}

int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	if (*len == sizeof(struct bpf_link_info))
		((struct bpf_link_info *)info)->xdp.ifindex = attach_host.link_ifindex;
	else
		(void)snprintf(((struct bpf_prog_info *)info)->name, BPF_OBJ_NAME_LEN, "other");
	*len = 1; /* as the kernel, which tells how much it wrote */
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int __wrap_bpf_prog_query_opts(int target, enum bpf_attach_type type,
			       struct bpf_prog_query_opts *opts)
{
	note("chain %d %s, ", target, (int)type == 46 ? "in" : "out");
	assert_int_equal(opts->prog_cnt, 64);
	memcpy(opts->prog_ids, attach_host.ids, sizeof(attach_host.ids));
	opts->prog_cnt = attach_host.n;
	return -attach_host.query_error;
}

int __wrap_bpf_xdp_query_id(int ifindex, int flags, __u32 *prog_id)
{
	assert_int_equal(ifindex, IFINDEX);
	attach_host.xdp_flags = (uint32_t)flags;
	*prog_id = attach_host.xdp_id;
	return -attach_host.xdp_query_error;
}

/* Of the programs with ids from 5000 on; others may not be asked. */
int __wrap_bpf_prog_get_fd_by_id(__u32 id)
{
	return id >= 5000 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -EPERM;
}

int attach_host_setup(void **state)
{
	(void)state;
	memset(&attach_host, 0, sizeof(attach_host));
	attach_host.link_ifindex = IFINDEX;
	return 0;
}

int attach_host_attach(enum fffa_program p, bool allow_tcx, struct fffa_attachment *a,
		       struct fffa_err *err)
{
	memset(a, 0, sizeof(*a));
	return fffa_attach_tc(NULL, p, IFINDEX, "da", allow_tcx, a, err);
}

struct fffa_attachment attach_host_attached(enum fffa_program p, bool allow_tcx)
{
	struct fffa_attachment a;
	struct fffa_err err;

	assert_int_equal(attach_host_attach(p, allow_tcx, &a, &err), 0);
	attach_host.steps[0] = '\0';
	return a;
}
