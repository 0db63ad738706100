// SPDX-License-Identifier: MIT
/* What `fffa check` says of the host, with the privileges of root and without any. */
#include "agent/capture/host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "tests/component/service/child.h"
#include "tests/stubs/cmocka_all.h"

/* In memory; the caller frees. */
static char *report(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fffa_host_report(out);
	(void)fclose(out);
	return text;
}

static int report_without(void)
{
	struct child_caps caps = child_caps();
	char *text;

	caps.effective = 0;
	CHECK(child_set_caps(&caps));
	text = report();
	CHECK(text && strstr(text, "\nprivileges: lacking CAP_BPF and CAP_NET_ADMIN: run as root"));
	CHECK(text && !strstr(text, "programs:") && !strstr(text, "tc:"));
	free(text);
	return child_failures;
}

/* What is missing is named, and nothing is said of what could not be tried. */
static void test_without_privileges(void **state)
{
	(void)state;
	child_run(report_without);
}

static bool has_tcx(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	assert_int_equal(uname(&u), 0);
	assert_int_equal(sscanf(u.release, "%d.%d", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 6);
}

static int report_all(void)
{
	struct utsname u;
	char *text = report(), first[512];

	CHECK(uname(&u) == 0);
	(void)snprintf(first, sizeof(first), "kernel: %s %s %s\n", u.sysname, u.release, u.machine);
	CHECK(text && !strncmp(text, first, strlen(first)));
	CHECK(text && strstr(text, "\nprivileges: sufficient\nprograms: accepted\n"));
	CHECK(text && strstr(text, "\nring buffer: yes\n"));
	CHECK(text &&
	      (strstr(text, "\ntc: tcx\n") || !has_tcx())); /* older ones may have it, too */
	CHECK(text && strstr(text, "\nxdp: yes\n"));
	free(text);
	return child_failures;
}

static void test_as_root(void **state)
{
	(void)state;
	child_need_caps(CAP(BPF) | CAP(NET_ADMIN) | CAP(PERFMON) | CAP(SYS_ADMIN));
	child_run(report_all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_privileges),
		cmocka_unit_test(test_as_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
