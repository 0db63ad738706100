// SPDX-License-Identifier: MIT
#include "tests/unit/sinks/fault.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "tests/stubs/cmocka_all.h"

struct fault fault;

void fault_arm(enum fault_call call, unsigned int turn, int error)
{
	memset(&fault, 0, sizeof(fault));
	fault.call = call;
	fault.turn = turn;
	fault.error = error;
}

static bool fails(enum fault_call call)
{
	fault.seen[call]++;
	if (fault.call != call || fault.seen[call] != fault.turn)
		return false;
	fault.fired = true;
	if (fault.error)
		errno = fault.error;
	return true;
}

ssize_t __real_read(int fd, void *dst, size_t n);
ssize_t __wrap_read(int fd, void *dst, size_t n);
ssize_t __real_pread(int fd, void *dst, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at);
ssize_t __real_pwrite(int fd, const void *src, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *src, size_t n, off_t at);
int __real_ftruncate(int fd, off_t n);
int __wrap_ftruncate(int fd, off_t n);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fchown(int fd, uid_t uid, gid_t gid);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_fffa_io_write_all(int fd, struct iovec *v, int n, off_t at, size_t *done);
int __wrap_fffa_io_write_all(int fd, struct iovec *v, int n, off_t at, size_t *done);

ssize_t __wrap_read(int fd, void *dst, size_t n)
{
	return fails(FAULT_READ) ? -1 : __real_read(fd, dst, n);
}

ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at)
{
	if (!fails(FAULT_PREAD))
		return __real_pread(fd, dst, n, at);
	return fault.error ? -1 : __real_pread(fd, dst, n / 2, at);
}

ssize_t __wrap_pwrite(int fd, const void *src, size_t n, off_t at)
{
	if (!fails(FAULT_PWRITE))
		return __real_pwrite(fd, src, n, at);
	return fault.error ? -1 : __real_pwrite(fd, src, n / 2, at);
}

int __wrap_ftruncate(int fd, off_t n)
{
	return fails(FAULT_FTRUNCATE) ? -1 : __real_ftruncate(fd, n);
}

int __wrap_fsync(int fd)
{
	return fails(FAULT_FSYNC) ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails(FAULT_RENAMEAT) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
	return fails(FAULT_UNLINKAT) ? -1 : __real_unlinkat(fd, name, flags);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails(FAULT_FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid)
{
	return fails(FAULT_FCHOWN) ? -1 : __real_fchown(fd, uid, gid);
}

int __wrap_flock(int fd, int operation)
{
	void (*before)(void *arg) = fault.before_flock;

	fault.before_flock = NULL;
	if (before)
		before(fault.arg);
	return fails(FAULT_FLOCK) ? -1 : __real_flock(fd, operation);
}

int __wrap_close(int fd)
{
	int rc = __real_close(fd);

	return fails(FAULT_CLOSE) ? -1 : rc;
}

int __wrap_fffa_io_write_all(int fd, struct iovec *v, int n, off_t at, size_t *done)
{
	if (!fails(FAULT_WRITE))
		return __real_fffa_io_write_all(fd, v, n, at, done);
	v->iov_len /= 2;
	(void)__real_fffa_io_write_all(fd, v, n, at, done);
	return -fault.error;
}

void fault_no_descriptors(bool on)
{
	static rlim_t kept;
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	if (on)
		kept = r.rlim_cur;
	r.rlim_cur = on ? STDERR_FILENO + 1 : kept;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
}
