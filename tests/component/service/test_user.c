// SPDX-License-Identifier: MIT
/* Which user is meant, and what is left of root once the process is that user. */
#include "agent/service/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/component/service/child.h"
#include "tests/stubs/cmocka_all.h"

#define NOBODY 64999U /* has no account */

/* user.c is linked with --wrap of both. */
static struct {
	bool no_groups;
	struct rlimit memlock; /* the last one that was asked for */
} kernel;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __real_setrlimit(__rlimit_resource_t what, const struct rlimit *l);
int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *l);
int __real_setgroups(size_t n, const gid_t *groups);
int __wrap_setgroups(size_t n, const gid_t *groups);

int __wrap_setrlimit(__rlimit_resource_t what, const struct rlimit *l)
{
	if (what == RLIMIT_MEMLOCK)
		kernel.memlock = *l;
	return __real_setrlimit(what, l);
}

int __wrap_setgroups(size_t n, const gid_t *groups)
{
	if (!kernel.no_groups)
		return __real_setgroups(n, groups);
	errno = ENOMEM;
	return -1;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void expect_user(const char *text, uid_t uid, gid_t gid)
{
	struct fffa_user u = {1, 1};
	struct fffa_err err = {""};

	assert_int_equal(fffa_user_find(text, &u, &err), 0);
	assert_int_equal(u.uid, uid);
	assert_int_equal(u.gid, gid);
	assert_string_equal(err.text, "");
}

static void expect_none(const char *text)
{
	struct fffa_user u = {1, 1};
	struct fffa_err err = {""};
	char wanted[96];

	assert_int_equal(fffa_user_find(text, &u, &err), -ENOENT);
	(void)snprintf(wanted, sizeof(wanted), "this host has no user \"%s\"", text);
	assert_string_equal(err.text, wanted);
	assert_int_equal(u.uid, 1);
}

static void test_names_and_numbers(void **state)
{
	char number[16];
	const struct passwd *p;

	(void)state;
	expect_user("root", 0, 0);
	expect_user("0", 0, 0);
	expect_user("64999", NOBODY, NOBODY);
	expect_user("4294967294", 4294967294U, 4294967294U);
	expect_none("4294967295"); /* -1: "leave it as it is" */
	expect_none("18446744073709551616");
	expect_none("64999x");
	expect_none("-1");
	expect_none("+1");
	expect_none("");
	expect_none("no-such-user");
	/* An account's group may have another number. */
	while ((p = getpwent()) && p->pw_uid == p->pw_gid)
		;
	if (p) {
		uid_t uid = p->pw_uid;
		gid_t gid = p->pw_gid;

		(void)snprintf(number, sizeof(number), "%u", (unsigned int)uid);
		expect_user(number, uid, gid);
	}
	endpwent();
}

static int become(void)
{
	const struct fffa_user user = {NOBODY, NOBODY - 1};
	const struct fffa_user root = {0, 0};
	const uint64_t load = CAP(BPF) | CAP(PERFMON) | CAP(NET_ADMIN);
	const bool raises =
		child_caps().effective & CAP(SYS_RESOURCE); /* a container may lack it */
	const gid_t some[] = {0, 1, 2};
	struct fffa_err err = {""};
	struct rlimit l;
	uid_t uid[3];
	gid_t gid[3];

	CHECK(setgroups(3, some) == 0);
	CHECK(fffa_user_is(&root) && !fffa_user_is(&user));
	(void)umask(070);
	CHECK(fffa_user_become(&user, &err) == 0);
	CHECK(!*err.text);
	CHECK(getresuid(&uid[0], &uid[1], &uid[2]) == 0);
	CHECK(getresgid(&gid[0], &gid[1], &gid[2]) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(uid[i] == user.uid && gid[i] == user.gid);
	CHECK(getgroups(0, NULL) == 0);
	CHECK(!fffa_user_is(&root) && fffa_user_is(&user));
	CHECK(umask(0) == 077); /* it was 070; no files for others */
	CHECK(getrlimit(RLIMIT_MEMLOCK, &l) == 0);
	CHECK(kernel.memlock.rlim_cur == RLIM_INFINITY && kernel.memlock.rlim_max == RLIM_INFINITY);
	CHECK(!raises || (l.rlim_cur == RLIM_INFINITY && l.rlim_max == RLIM_INFINITY));
	CHECK(child_caps().permitted == load && child_caps().effective == load);
	CHECK(prctl(PR_CAPBSET_READ, CAP_SETUID) == 0);
	return child_failures;
}

static void need_root(void)
{
	child_need_caps(CAP(BPF) | CAP(PERFMON) | CAP(NET_ADMIN) | CAP(SETUID) | CAP(SETGID) |
			CAP(SETPCAP));
}

static void test_the_process_is_that_user(void **state)
{
	(void)state;
	need_root();
	child_run(become);
}

static int become_in_part(void)
{
	const struct fffa_user user = {NOBODY, NOBODY};

	CHECK(setresuid((uid_t)-1, NOBODY, (uid_t)-1) == 0);
	CHECK(!fffa_user_is(&user)); /* root can come back */
	CHECK(setresuid((uid_t)-1, 0, (uid_t)-1) == 0);
	CHECK(setresuid(NOBODY, (uid_t)-1, (uid_t)-1) == 0);
	CHECK(!fffa_user_is(&user));
	return child_failures;
}

static void test_half_of_it_is_not_that_user(void **state)
{
	(void)state;
	need_root();
	child_run(become_in_part);
}

static int become_nobody_at_all(void)
{
	struct fffa_err err = {""};

	kernel.no_groups = true;
	CHECK(fffa_user_become(&(struct fffa_user){NOBODY, NOBODY}, &err) == -ENOMEM);
	CHECK(!strcmp(err.text, "cannot become user 64999: Cannot allocate memory"));
	CHECK(getuid() == 0 && getgid() == 0);
	return child_failures;
}

static void test_the_kernel_refuses(void **state)
{
	(void)state;
	need_root();
	child_run(become_nobody_at_all);
}

static uint64_t case_lost;
static const char *case_lacks;
static int become_without(void)
{
	struct child_caps c = child_caps();
	struct fffa_err err = {""};

	c.effective &= ~case_lost;
	CHECK(child_set_caps(&c));
	CHECK(fffa_user_become(&(struct fffa_user){NOBODY, NOBODY}, &err) == -EPERM);
	CHECK(!strncmp(err.text, case_lacks, strlen(case_lacks)));
	CHECK(!strcmp(err.text + strlen(case_lacks),
		      "start as root, or as that user with CAP_BPF, CAP_PERFMON and "
		      "CAP_NET_ADMIN"));
	CHECK(getuid() == 0 && getgid() == 0);
	return child_failures;
}

static void expect_lacks(uint64_t lost, const char *lacks)
{
	case_lost = lost;
	case_lacks = lacks;
	child_run(become_without);
}

static void test_what_is_lacking_is_named(void **state)
{
	(void)state;
	need_root();
	expect_lacks(CAP(SETUID), "lacking CAP_SETUID to become user 64999: ");
	expect_lacks(CAP(SETGID), "lacking CAP_SETGID to become user 64999: ");
	expect_lacks(CAP(SETUID) | CAP(SETGID),
		     "lacking CAP_SETUID and CAP_SETGID to become user 64999: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_numbers),
		cmocka_unit_test(test_the_process_is_that_user),
		cmocka_unit_test(test_half_of_it_is_not_that_user),
		cmocka_unit_test(test_the_kernel_refuses),
		cmocka_unit_test(test_what_is_lacking_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
