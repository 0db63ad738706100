// SPDX-License-Identifier: MIT
#include "tests/component/service/child.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

int child_failures;

void child_run(int (*body)(void))
{
	pid_t pid;
	int status;

	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct child_caps child_caps(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}, {0}};

	CHECK(syscall(SYS_capget, &h, d) == 0);
	return (struct child_caps){
		.effective = d[0].effective | (uint64_t)d[1].effective << 32,
		.permitted = d[0].permitted | (uint64_t)d[1].permitted << 32,
		.inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32,
	};
}

bool child_set_caps(const struct child_caps *c)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {
		{(uint32_t)c->effective, (uint32_t)c->permitted, (uint32_t)c->inheritable},
		{(uint32_t)(c->effective >> 32), (uint32_t)(c->permitted >> 32),
		 (uint32_t)(c->inheritable >> 32)},
	};

	return syscall(SYS_capset, &h, d) == 0;
}

void child_need_caps(uint64_t caps)
{
	if ((child_caps().effective & caps) == caps)
		return;
	print_message("this process lacks capabilities: run it as root\n");
	skip();
}
