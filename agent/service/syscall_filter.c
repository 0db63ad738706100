// SPDX-License-Identifier: MIT
#include "agent/service/syscall_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(a)       (sizeof(a) / sizeof((a)[0]))
#define NAME_MAX_BYTES 32
#define REFUSE	       SCMP_ACT_ERRNO(EPERM)

/*
 * By name, because not every architecture has every call, and not every libseccomp knows each. What
 * is in none of these lists does not exist for the process. clone3 and io_uring are left out on
 * purpose: a filter cannot see what they ask for, and the C library and libuv do without them.
 */
static const char files[] =
	"access chmod chown close close_range copy_file_range dup dup2 dup3 faccessat "
	"faccessat2 fadvise64 fallocate fchmod fchmodat fchmodat2 fchown fchownat fcntl "
	"fdatasync flock fstat fstatfs fsync ftruncate getcwd getdents getdents64 "
	"inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown link "
	"linkat lseek lstat memfd_create mkdir mkdirat newfstatat open openat openat2 "
	"pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readlink "
	"readlinkat readv rename renameat renameat2 rmdir sendfile splice stat statfs "
	"statx symlink symlinkat sync_file_range syncfs truncate umask unlink unlinkat "
	"utime utimensat utimes write writev";

static const char memory[] =
	"brk madvise membarrier mincore mlock mlock2 mmap mprotect mremap mseal msync "
	"munlock munmap";

static const char threads[] =
	"arch_prctl exit exit_group futex futex_wait futex_waitv futex_wake "
	"get_robust_list getcpu getpriority gettid map_shadow_stack rseq "
	"sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
	"sched_getparam sched_getscheduler sched_setaffinity sched_setattr sched_setparam "
	"sched_setscheduler sched_yield set_robust_list set_tid_address setpriority";

static const char signals[] =
	"pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn "
	"rt_sigsuspend rt_sigtimedwait sigaltstack signalfd4";

static const char time_and_events[] =
	"clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl "
	"epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 gettimeofday nanosleep poll "
	"ppoll pselect6 select time timer_create timer_delete timer_settime "
	"timerfd_create timerfd_gettime timerfd_settime times";

static const char network[] =
	"accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom "
	"recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown socketpair";

static const char process[] =
	"capget capset getegid geteuid getgid getgroups getpgid getpgrp getpid getppid "
	"getrandom getresgid getresuid getrlimit getrusage getsid getuid prctl prlimit64 "
	"setrlimit sysinfo uname";

/* What an intruder would want. A library that tries it learns that it may not. */
static const char refused[] =
	"acct add_key chroot delete_module execve execveat finit_module fork init_module "
	"kexec_file_load kexec_load keyctl mount move_mount open_by_handle_at open_tree "
	"perf_event_open pidfd_getfd pivot_root process_vm_readv process_vm_writev ptrace "
	"reboot request_key setns swapoff swapon umount2 unshare userfaultfd vfork";

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

static int add_name(scmp_filter_ctx f, uint32_t action, const char *name, size_t len)
{
	char text[NAME_MAX_BYTES]; /* no call has a longer name */
	int number, rc;

	(void)snprintf(text, sizeof(text), "%.*s", (int)len, name);
	number = seccomp_syscall_resolve_name(text);
	if (number == __NR_SCMP_ERROR)
		return 0;
	rc = seccomp_rule_add(f, action, number, 0);
	return rc == -EDOM ? 0 : rc; /* not on this architecture */
}

static int add_names(scmp_filter_ctx f, uint32_t action, const char *names)
{
	int rc = 0;

	for (size_t len; !rc && *names; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		rc = add_name(f, action, names, len);
	}
	return rc;
}

/* Adds the call where its first argument compares so. mask: for SCMP_CMP_MASKED_EQ alone. */
static int add_if(scmp_filter_ctx f, uint32_t action, const char *name, enum scmp_compare op,
		  scmp_datum_t value, scmp_datum_t mask)
{
	bool masked = op == SCMP_CMP_MASKED_EQ;
	struct scmp_arg_cmp first = {.arg = 0,
				     .op = op,
				     .datum_a = masked ? mask : value,
				     .datum_b = masked ? value : 0};

	return seccomp_rule_add_array(f, action, seccomp_syscall_resolve_name(name), 1, &first);
}

/* Threads but no processes; signals to itself, as abort() sends one. */
static int add_processes(scmp_filter_ctx f)
{
	scmp_datum_t self = (scmp_datum_t)getpid();
	int rc = add_if(f, SCMP_ACT_ALLOW, "clone", SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);

	if (!rc)
		rc = add_if(f, REFUSE, "clone", SCMP_CMP_MASKED_EQ, 0, CLONE_THREAD);
	if (!rc)
		rc = add_if(f, SCMP_ACT_ALLOW, "tgkill", SCMP_CMP_EQ, self, 0);
	if (!rc)
		rc = add_if(f, SCMP_ACT_ALLOW, "kill", SCMP_CMP_EQ, self, 0);
	return rc;
}

/* Maps, links and queries: the programs that the process will attach are loaded. */
static int add_bpf(scmp_filter_ctx f)
{
	int rc = add_if(f, SCMP_ACT_ALLOW, "bpf", SCMP_CMP_LT, BPF_PROG_LOAD, 0);

	if (!rc)
		rc = add_if(f, SCMP_ACT_ALLOW, "bpf", SCMP_CMP_GT, BPF_PROG_LOAD, 0);
	if (!rc)
		rc = add_if(f, REFUSE, "bpf", SCMP_CMP_EQ, BPF_PROG_LOAD, 0);
	return rc;
}

static int add_sockets(scmp_filter_ctx f)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT(families) && !rc; i++)
		rc = add_if(f, SCMP_ACT_ALLOW, "socket", SCMP_CMP_EQ, (scmp_datum_t)families[i], 0);
	return rc;
}

static int add_lists(scmp_filter_ctx f)
{
	const char *const lists[] = {files,	      memory,  threads, signals,
				     time_and_events, network, process};
	int rc = add_names(f, REFUSE, refused);

	for (size_t i = 0; i < COUNT(lists) && !rc; i++)
		rc = add_names(f, SCMP_ACT_ALLOW, lists[i]);
	return rc;
}

static int fill(scmp_filter_ctx f)
{
	int rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!rc) /* a call by the number of another architecture */
		rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	/* A tree instead of a list, where libseccomp has it (2.5). */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!rc)
		rc = add_lists(f);
	if (!rc)
		rc = add_processes(f);
	if (!rc)
		rc = add_bpf(f);
	if (!rc)
		rc = add_sockets(f);
	return rc;
}

static int load_filter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int rc = f ? fill(f) : -ENOMEM;

	if (!rc)
		rc = seccomp_load(f);
	seccomp_release(f);
	return rc;
}

int fffa_syscall_filter_apply(struct fffa_err *err)
{
#ifdef FFFA_SANITIZED
	int rc = -ENOTSUP;

	(void)load_filter;
#else
	int rc = load_filter();

	/* libseccomp's word for it when a filter around this process refuses seccomp(2). */
	if (rc == -EOPNOTSUPP)
		rc = -EPERM;
#endif
	return rc ? fffa_fail(err, -rc, "cannot restrict system calls: %s",
			      rc == -ENOTSUP ? "this build has sanitizers, which need all of them"
					     : strerror(-rc))
		  : 0;
}
