// SPDX-License-Identifier: MIT
/* What a filtered process may not do, in each of its threads, and that it goes on. */
#include "agent/service/syscall_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/component/service/syscall_lists.h"
#include "tests/stubs/cmocka_all.h"

#define NO_SUCH_CALL 9999
#define OTHER_ABI    0x40000000 /* x32's getpid */
#define SIGNALLED    100

static int failures; /* of this child */

static void expect_errno(const char *what, long result, int wanted)
{
	if (result == -1 && errno == wanted)
		return;
	failures++;
	(void)fprintf(stderr, "%s: result %ld, errno %d, not errno %d\n", what, result, errno,
		      wanted);
}

static void expect_success(const char *what, long result)
{
	if (result != -1)
		return;
	failures++;
	(void)fprintf(stderr, "%s: errno %d\n", what, errno);
}

static void try_refused(void)
{
	char *none[] = {NULL};
	union bpf_attr attr;
	pid_t child;

	memset(&attr, 0, sizeof(attr));
	/* Should it run, its exit status tells. */
	expect_errno("execve", execve("/bin/false", none, none), EPERM);
	child = fork();
	if (!child)
		_exit(0);
	expect_errno("fork", child, EPERM);
	expect_errno("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM);
	expect_errno("unshare", unshare(CLONE_NEWNS), EPERM);
	expect_errno("mount", mount("none", "/tmp", "tmpfs", 0, NULL), EPERM);
	expect_errno("BPF_PROG_LOAD", syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)), EPERM);
	expect_errno("packet socket", socket(AF_PACKET, SOCK_RAW, 0), ENOSYS);
	expect_errno("kill another", kill(getppid(), 0), ENOSYS);
	expect_errno("a call that nobody knows", syscall(NO_SUCH_CALL), ENOSYS);
#ifdef __x86_64__
	expect_errno("io_uring", syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
	expect_errno("another ABI", syscall(OTHER_ABI + SYS_getpid), ENOSYS);
#endif
}

/* What of libseccomp fails; syscall_filter.c is linked with --wrap of each. */
static struct {
	unsigned int calls, bad_call; /* from 1; 0: none fails */
	unsigned int loads, releases;
	bool no_filter;
} seccomp;

static int count_call(void)
{
	return ++seccomp.calls == seccomp.bad_call ? -ENOSPC : 0;
}

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
scmp_filter_ctx __real_seccomp_init(uint32_t action);
scmp_filter_ctx __wrap_seccomp_init(uint32_t action);
int __real_seccomp_attr_set(scmp_filter_ctx f, enum scmp_filter_attr attr, uint32_t value);
int __wrap_seccomp_attr_set(scmp_filter_ctx f, enum scmp_filter_attr attr, uint32_t value);
int __real_seccomp_rule_add(scmp_filter_ctx f, uint32_t action, int call, unsigned int args, ...);
int __wrap_seccomp_rule_add(scmp_filter_ctx f, uint32_t action, int call, unsigned int args, ...);
int __real_seccomp_rule_add_array(scmp_filter_ctx f, uint32_t action, int call, unsigned int n,
				  const struct scmp_arg_cmp *args);
int __wrap_seccomp_rule_add_array(scmp_filter_ctx f, uint32_t action, int call, unsigned int n,
				  const struct scmp_arg_cmp *args);
int __real_seccomp_load(scmp_filter_ctx f);
int __wrap_seccomp_load(scmp_filter_ctx f);
void __real_seccomp_release(scmp_filter_ctx f);
void __wrap_seccomp_release(scmp_filter_ctx f);

scmp_filter_ctx __wrap_seccomp_init(uint32_t action)
{
	return seccomp.no_filter ? NULL : __real_seccomp_init(action);
}

int __wrap_seccomp_attr_set(scmp_filter_ctx f, enum scmp_filter_attr attr, uint32_t value)
{
	/* Not every libseccomp knows how to optimise. */
	int rc = attr == SCMP_FLTATR_CTL_OPTIMIZE ? -EINVAL : count_call();

	return rc ? rc : __real_seccomp_attr_set(f, attr, value);
}

int __wrap_seccomp_rule_add(scmp_filter_ctx f, uint32_t action, int call, unsigned int args, ...)
{
	int rc = count_call();

	return rc ? rc : __real_seccomp_rule_add(f, action, call, args);
}

int __wrap_seccomp_rule_add_array(scmp_filter_ctx f, uint32_t action, int call, unsigned int n,
				  const struct scmp_arg_cmp *args)
{
	int rc = count_call();

	return rc ? rc : __real_seccomp_rule_add_array(f, action, call, n, args);
}

int __wrap_seccomp_load(scmp_filter_ctx f)
{
	seccomp.loads++;
	return __real_seccomp_load(f);
}

void __wrap_seccomp_release(scmp_filter_ctx f)
{
	seccomp.releases++;
	__real_seccomp_release(f);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static int apply(void)
{
	struct fffa_err err = {""};
	int rc;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	rc = fffa_syscall_filter_apply(&err);
	if (rc)
		(void)fprintf(stderr, "%s\n", err.text);
	return rc;
}

/* No argument is one that a call can use. */
static long try_call(const struct call *c)
{
	errno = 0;
	return syscall(c->number, -1L, -1L, -1L, -1L, -1L, -1L);
}

static void expect_kept(const struct call *c, bool there)
{
	if (!there || try_call(c) != -1 || (errno != ENOSYS && errno != EPERM))
		return;
	failures++;
	(void)fprintf(stderr, "%s: errno %d\n", c->name, errno);
}

/* Asked before and after: what neither kernel nor libseccomp refuses goes on. */
static bool is_known(const struct call *c)
{
	int number = seccomp_syscall_resolve_name(c->name);

	return number == c->number && (try_call(c) != -1 || errno != ENOSYS);
}

static int each_call(void)
{
	bool there[sizeof(newer) / sizeof(newer[0])];

	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
		there[i] = is_known(&newer[i]);
	if (apply())
		return 1;
	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
		expect_kept(&newer[i], there[i]);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		expect_kept(&allowed[i], true);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		expect_errno(forbidden[i].name, try_call(&forbidden[i]), EPERM);
	expect_success("self", (long)syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), 0));
	expect_errno("signal of another", syscall(SYS_tgkill, getppid(), getppid(), 0), ENOSYS);
	return failures;
}

static void *run_thread(void *arg)
{
	(void)sem_wait(arg);
	try_refused();
	return NULL;
}

static void try_allowed(void)
{
	struct addrinfo *found = NULL;
	pthread_t thread;
	sem_t now;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	expect_success("socket", fd);
	(void)close(fd);
	expect_success("kill itself", kill(getpid(), 0));
	(void)sem_init(&now, 0, 1);
	expect_success("thread", pthread_create(&thread, NULL, run_thread, &now) ? -1 : 0);
	(void)pthread_join(thread, NULL);
	expect_success("localhost", getaddrinfo("localhost", "80", NULL, &found) ? -1 : 0);
	freeaddrinfo(found);
}

/* The exit status of a child that runs body; SIGNALLED and the number: a signal ended it. */
static int run_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

#ifndef FFFA_SANITIZED
static int every_thread(void)
{
	pthread_t thread;
	sem_t now;

	(void)sem_init(&now, 0, 0);
	if (pthread_create(&thread, NULL, run_thread, &now) || apply())
		return 1;
	try_refused();
	(void)sem_post(&now);
	(void)pthread_join(thread, NULL);
	try_allowed();
	return failures;
}

static void test_each_call(void **state)
{
	(void)state;
	assert_int_equal(run_child(each_call), 0);
}

static void test_every_thread(void **state)
{
	(void)state;
	assert_int_equal(run_child(every_thread), 0);
}

static int abort_filtered(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return apply() ? 1 : (abort(), 2);
}

/* A broken assertion ends the process as without the filter. */
static void test_abort(void **state)
{
	(void)state;
	assert_int_equal(run_child(abort_filtered), SIGNALLED + SIGABRT);
}

/* A filter with a hole is none: it is not loaded. */
static int expect_unloaded(int rc)
{
	struct fffa_err err = {""};

	seccomp.calls = seccomp.loads = seccomp.releases = 0;
	return fffa_syscall_filter_apply(&err) != rc || seccomp.loads || seccomp.releases != 1;
}

static int apply_in_part(void)
{
	unsigned int all;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	seccomp.no_filter = true;
	if (expect_unloaded(-ENOMEM))
		return 1;
	seccomp.no_filter = false;
	seccomp.bad_call = 1;
	if (expect_unloaded(-ENOSPC) || seccomp.calls != 1)
		return 2;
	seccomp.bad_call = 0;
	seccomp.calls = 0;
	if (apply() || seccomp.loads != 1 || seccomp.releases != 2)
		return 3;
	all = seccomp.calls;
	for (seccomp.bad_call = 2; seccomp.bad_call <= all; seccomp.bad_call++) {
		if (expect_unloaded(-ENOSPC) || seccomp.calls != seccomp.bad_call)
			return 4;
	}
	return all < 100 ? 5 : 0;
}

static void test_no_filter_with_holes(void **state)
{
	(void)state;
	assert_int_equal(run_child(apply_in_part), 0);
}

/* As a service manager or a container engine may have it. */
static int apply_within_another(void)
{
	struct sock_filter refuse_seccomp[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct fffa_err err = {""};
	struct sock_fprog program = {sizeof(refuse_seccomp) / sizeof(refuse_seccomp[0]),
				     refuse_seccomp};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return SIGNALLED;
	return fffa_syscall_filter_apply(&err) != -EPERM ||
	       strcmp(err.text, "cannot restrict system calls: Operation not permitted");
}

/* It is no build with sanitizers, of which nobody is warned. */
static void test_within_another_filter(void **state)
{
	(void)state;
	assert_int_equal(run_child(apply_within_another), 0);
}
#else
static void test_sanitizers(void **state)
{
	(void)state;
	(void)try_allowed;
	(void)each_call;
	assert_int_equal(run_child(apply), (uint8_t)-ENOTSUP);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef FFFA_SANITIZED
		cmocka_unit_test(test_each_call),
		cmocka_unit_test(test_every_thread),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_no_filter_with_holes),
		cmocka_unit_test(test_within_another_filter),
#else
		cmocka_unit_test(test_sanitizers),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
