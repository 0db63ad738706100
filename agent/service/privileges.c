// SPDX-License-Identifier: MIT
#include "agent/service/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(cap) (UINT64_C(1) << (cap))

struct capabilities {
	uint64_t effective;
	uint64_t permitted;
};

static int read_capabilities(struct capabilities *out)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}, {0}};

	if (syscall(SYS_capget, &h, d))
		return -errno;
	out->effective = d[0].effective | (uint64_t)d[1].effective << 32;
	out->permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	return 0;
}

bool fffa_privileges_has(int capability)
{
	struct capabilities c = {0, 0};

	return !read_capabilities(&c) && c.effective & BIT(capability);
}

int fffa_privileges_check(struct fffa_err *err)
{
	struct capabilities c = {0, 0};
	bool bpf, net;

	if (read_capabilities(&c))
		return fffa_fail(err, errno, "cannot read this process's capabilities");
	bpf = c.effective & (BIT(CAP_BPF) | BIT(CAP_SYS_ADMIN));
	net = c.effective & BIT(CAP_NET_ADMIN);
	if (bpf && net)
		return 0;
	return fffa_fail(err, EPERM,
			 "lacking %s%s%s: run as root, or grant CAP_BPF, CAP_PERFMON and "
			 "CAP_NET_ADMIN (setcap, AmbientCapabilities= or --cap-add)",
			 bpf ? "" : "CAP_BPF", !bpf && !net ? " and " : "",
			 net ? "" : "CAP_NET_ADMIN");
}

static uint64_t choose_kept(enum fffa_privileges need, uint64_t permitted)
{
	uint64_t bpf = BIT(CAP_BPF) | (need == FFFA_PRIVILEGES_LOAD ? BIT(CAP_PERFMON) : 0);
	uint64_t kept = permitted & (bpf | BIT(CAP_NET_ADMIN));

	if ((kept & bpf) != bpf)
		kept |= permitted & BIT(CAP_SYS_ADMIN); /* it includes both */
	return kept;
}

/* A capability that is not in the bounding set cannot come back by running a file. */
static void drop_bounding(uint64_t kept)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (!(kept & BIT(cap)))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* needs CAP_SETPCAP */
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int write_capabilities(uint64_t caps)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}, {0}};

	for (int i = 0; i < 2; i++)
		d[i].effective = d[i].permitted = (uint32_t)(caps >> (32 * i));
	return syscall(SYS_capset, &h, d) ? -errno : 0;
}

void fffa_privileges_raise(void)
{
	struct capabilities c = {0, 0};

	if (!read_capabilities(&c) && c.effective != c.permitted)
		(void)write_capabilities(c.permitted); /* always allowed */
}

int fffa_privileges_restrict(enum fffa_privileges need, struct fffa_err *err)
{
	struct capabilities c = {0, 0};
	int rc = read_capabilities(&c);
	uint64_t kept;

	if (rc)
		return fffa_fail(err, -rc, "cannot read this process's capabilities: %s",
				 strerror(-rc));
	kept = choose_kept(need, c.permitted);
	drop_bounding(kept);
	rc = write_capabilities(kept);
	return rc ? fffa_fail(err, -rc, "cannot give up capabilities: %s", strerror(-rc)) : 0;
}

void fffa_privileges_forbid_new(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* fails only before Linux 3.5 */
}
