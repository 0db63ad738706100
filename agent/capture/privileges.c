// SPDX-License-Identifier: MIT
#include "agent/capture/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has(const struct __user_cap_data_struct *d, int cap)
{
	return d[cap / 32].effective >> (cap % 32) & 1;
}

int fffa_privileges_check(struct fffa_err *err)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}, {0}};
	bool bpf, net;

	if (syscall(SYS_capget, &h, d))
		return fffa_fail(err, errno, "cannot read this process's capabilities");
	bpf = has(d, CAP_BPF) || has(d, CAP_SYS_ADMIN);
	net = has(d, CAP_NET_ADMIN);
	if (bpf && net)
		return 0;
	return fffa_fail(err, EPERM,
			 "lacking %s%s%s: run as root, or grant CAP_BPF and CAP_NET_ADMIN (setcap, "
			 "AmbientCapabilities= or --cap-add)",
			 bpf ? "" : "CAP_BPF", !bpf && !net ? " and " : "",
			 net ? "" : "CAP_NET_ADMIN");
}
