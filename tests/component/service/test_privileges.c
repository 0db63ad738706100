// SPDX-License-Identifier: MIT
/* Which capabilities are asked for, kept and given up. */
#include "agent/service/privileges.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/component/service/child.h"
#include "tests/stubs/cmocka_all.h"

#define ALL                                                                                        \
	(CAP(BPF) | CAP(PERFMON) | CAP(NET_ADMIN) | CAP(SYS_ADMIN) | CAP(SETPCAP) | CAP(CHOWN) |   \
	 CAP(CHECKPOINT_RESTORE))

/* A call that the kernel refuses; privileges.c is linked with --wrap=syscall. 0: none. */
static long refused_call;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, void *header, void *data);

long __wrap_syscall(long number, void *header, void *data)
{
	if (number != refused_call)
		return __real_syscall(number, header, data);
	errno = ENOMEM;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void have(uint64_t effective, uint64_t permitted)
{
	CHECK(child_set_caps(&(struct child_caps){effective, permitted, 0}));
}

/* caps in a child of this one, so that the next case has all of them again. */
static uint64_t case_caps;
static const char *case_lacks;
static int check_caps(void)
{
	struct fffa_err err = {""};

	have(case_caps, ALL);
	if (!case_lacks) {
		CHECK(fffa_privileges_check(&err) == 0);
		return child_failures;
	}
	CHECK(fffa_privileges_check(&err) == -EPERM);
	CHECK(!strncmp(err.text, case_lacks, strlen(case_lacks)));
	CHECK(!strcmp(err.text + strlen(case_lacks),
		      "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN (setcap, "
		      "AmbientCapabilities= or --cap-add)"));
	return child_failures;
}

static void expect_lacks(uint64_t caps, const char *lacks)
{
	case_caps = caps;
	case_lacks = lacks;
	child_run(check_caps);
}

static void test_what_is_lacking_is_named(void **state)
{
	(void)state;
	child_need_caps(ALL);
	expect_lacks(CAP(BPF) | CAP(NET_ADMIN), NULL);
	expect_lacks(CAP(SYS_ADMIN) | CAP(NET_ADMIN), NULL);
	expect_lacks(CAP(NET_ADMIN) | CAP(CHOWN), "lacking CAP_BPF: ");
	expect_lacks(CAP(BPF) | CAP(SYS_ADMIN), "lacking CAP_NET_ADMIN: ");
	expect_lacks(CAP(CHOWN) | CAP(CHECKPOINT_RESTORE), "lacking CAP_BPF and CAP_NET_ADMIN: ");
}

static int has_each(void)
{
	have(CAP(NET_ADMIN) | CAP(BPF), ALL);
	CHECK(fffa_privileges_has(CAP_NET_ADMIN));
	CHECK(fffa_privileges_has(CAP_BPF));
	CHECK(!fffa_privileges_has(CAP_CHOWN)); /* permitted is not enough */
	CHECK(!fffa_privileges_has(CAP_PERFMON));
	fffa_privileges_raise();
	CHECK(child_caps().effective == ALL);
	CHECK(child_caps().permitted == ALL);
	CHECK(fffa_privileges_has(CAP_CHOWN));
	CHECK(fffa_privileges_has(CAP_PERFMON));
	return child_failures;
}

static void test_permitted_ones_are_raised(void **state)
{
	(void)state;
	child_need_caps(ALL);
	child_run(has_each);
}

static enum fffa_privileges case_need;
static uint64_t case_kept;
static int restrict_to_need(void)
{
	struct fffa_err err = {""};

	have(case_caps, case_caps);
	CHECK(fffa_privileges_restrict(case_need, &err) == 0);
	CHECK(child_caps().permitted == case_kept);
	CHECK(child_caps().effective == case_kept);
	CHECK(child_caps().inheritable == 0);
	if (!(case_caps & CAP(SETPCAP)))
		return child_failures;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) /* what is given up cannot come back */
		CHECK(prctl(PR_CAPBSET_READ, cap) == !!(case_kept & UINT64_C(1) << cap));
	return child_failures;
}

static void expect_kept(enum fffa_privileges need, uint64_t caps, uint64_t kept)
{
	case_need = need;
	case_caps = caps;
	case_kept = kept;
	child_run(restrict_to_need);
}

static void test_the_rest_is_given_up(void **state)
{
	const uint64_t attach = CAP(BPF) | CAP(NET_ADMIN), load = attach | CAP(PERFMON);

	(void)state;
	child_need_caps(ALL);
	expect_kept(FFFA_PRIVILEGES_LOAD, ALL, load);
	expect_kept(FFFA_PRIVILEGES_ATTACH, ALL, attach);
	/* The greater one in place of a missing one alone. */
	expect_kept(FFFA_PRIVILEGES_LOAD, CAP(SYS_ADMIN) | CAP(NET_ADMIN) | CAP(CHOWN),
		    CAP(SYS_ADMIN) | CAP(NET_ADMIN));
	expect_kept(FFFA_PRIVILEGES_LOAD, attach | CAP(SYS_ADMIN), attach | CAP(SYS_ADMIN));
	expect_kept(FFFA_PRIVILEGES_ATTACH, attach | CAP(SYS_ADMIN), attach);
	expect_kept(FFFA_PRIVILEGES_ATTACH, CAP(BPF) | CAP(CHOWN), CAP(BPF));
	expect_kept(FFFA_PRIVILEGES_LOAD, CAP(CHOWN), 0);
}

static int ask_in_vain(void)
{
	struct fffa_err err = {""};

	refused_call = SYS_capget;
	CHECK(!fffa_privileges_has(CAP_BPF));
	CHECK(fffa_privileges_check(&err) == -ENOMEM);
	CHECK(!strcmp(err.text, "cannot read this process's capabilities"));
	CHECK(fffa_privileges_restrict(FFFA_PRIVILEGES_LOAD, &err) == -ENOMEM);
	CHECK(!strcmp(err.text, "cannot read this process's capabilities: "
				"Cannot allocate memory"));
	refused_call = SYS_capset;
	CHECK(fffa_privileges_restrict(FFFA_PRIVILEGES_LOAD, &err) == -ENOMEM);
	CHECK(!strcmp(err.text, "cannot give up capabilities: Cannot allocate memory"));
	return child_failures;
}

static void test_the_kernel_refuses(void **state)
{
	(void)state;
	child_need_caps(ALL);
	child_run(ask_in_vain);
}

static int forbid(void)
{
	CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	CHECK(child_set_caps(&(struct child_caps){ALL, ALL, CAP(NET_ADMIN)}));
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0);
	CHECK(fffa_privileges_restrict(FFFA_PRIVILEGES_LOAD, NULL) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_ADMIN, 0, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	fffa_privileges_forbid_new();
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return child_failures;
}

/* A program that this process ran would have them. */
static void test_nothing_is_handed_on(void **state)
{
	(void)state;
	child_need_caps(ALL);
	child_run(forbid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_lacking_is_named),
		cmocka_unit_test(test_permitted_ones_are_raised),
		cmocka_unit_test(test_the_rest_is_given_up),
		cmocka_unit_test(test_the_kernel_refuses),
		cmocka_unit_test(test_nothing_is_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
