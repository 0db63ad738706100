// SPDX-License-Identifier: MIT
/* For LD_PRELOAD: bpf(2) answers EINVAL to whatever names a TCX hook, as before Linux 6.6. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_INGRESS 46
#define TCX_EGRESS  47

static int names_tcx(long cmd, const union bpf_attr *attr)
{
	__u32 type = 0;

	if (cmd == BPF_LINK_CREATE)
		type = attr->link_create.attach_type;
	else if (cmd == BPF_PROG_QUERY)
		type = attr->query.attach_type;
	return type == TCX_INGRESS || type == TCX_EGRESS;
}

long syscall(long number, ...) // NOLINT(readability-inconsistent-declaration-parameter-name)
{
	long (*next)(long, ...);
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_bpf && names_tcx(a[0], (const union bpf_attr *)a[1])) {
		errno = EINVAL;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
