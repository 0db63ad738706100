// SPDX-License-Identifier: MIT
/* What a filtered process may not do, in each of its threads, and that it goes on. */
#include "agent/service/syscall_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
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
	expect_errno("execve", execve("/bin/true", none, none), EPERM);
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
#else
static void test_sanitizers(void **state)
{
	(void)state;
	(void)try_allowed;
	assert_int_equal(run_child(apply), (uint8_t)-ENOTSUP);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef FFFA_SANITIZED
		cmocka_unit_test(test_every_thread),
		cmocka_unit_test(test_abort),
#else
		cmocka_unit_test(test_sanitizers),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
