// SPDX-License-Identifier: MIT
#include "agent/capture/host.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/base/err.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/service/privileges.h"

#define TEXT_OF(x)  #x
#define TEXT(x)	    TEXT_OF(x)
#define TCX_INGRESS 46 /* since Linux 6.6; older headers do not have it */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static const char *yes_no(int rc, const char *no)
{
	return rc == 1 ? "yes" : rc == 0 ? no : "unknown (not allowed to look)";
}

/* 1, 0, or negative when it cannot be told. Asks which programs lo holds: changes nothing. */
static int has_tcx(void)
{
	__u32 ids[64], n = 64;
	int rc = bpf_prog_query(1, (enum bpf_attach_type)TCX_INGRESS, 0, NULL, ids, &n);

	if (!rc || rc == -ENOENT)
		return 1;
	return rc == -EPERM ? -1 : 0;
}

void fffa_host_report(FILE *out)
{
	struct utsname u;
	struct fffa_err err;
	int rc = fffa_privileges_check(&err);
	bool allowed = !rc;

	(void)libbpf_set_print(quiet);
	if (!uname(&u))
		(void)fprintf(out, "kernel: %s %s %s\n", u.sysname, u.release, u.machine);
	if (!rc)
		rc = fffa_kernel_try(&err); /* the capabilities may not be all that it takes */
	allowed = allowed && rc != -EPERM;
	(void)fprintf(out, "privileges: %s\n", allowed ? "sufficient" : err.text);
	if (!allowed)
		return; /* the probes below would only say "not allowed" */
	(void)fprintf(out, "programs: %s\n", rc ? err.text : "accepted");
	(void)fprintf(out, "ring buffer: %s\n",
		      yes_no(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL),
			     "no: Linux 5.8 or newer is needed"));
	(void)fprintf(out, "tc: %s\n", has_tcx() == 1 ? "tcx" : "clsact (TCX needs Linux 6.6)");
	(void)fprintf(out, "xdp: %s\n",
		      yes_no(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL), "no"));
}

const char *fffa_host_library(void)
{
	return "libbpf " TEXT(LIBBPF_MAJOR_VERSION) "." TEXT(LIBBPF_MINOR_VERSION);
}
