// SPDX-License-Identifier: MIT
#include "tests/stubs/death.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

static _Noreturn void run_child(void (*body)(void *arg), void *arg, int err)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
	(void)dup2(err, STDERR_FILENO);
	body(arg);
	_exit(0);
}

void death_expect(void (*body)(void *arg), void *arg, char *said, size_t cap)
{
	int fds[2], status;
	size_t len = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		run_child(body, arg, fds[1]);
	(void)close(fds[1]);
	while ((got = read(fds[0], said + len, cap - 1 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}
