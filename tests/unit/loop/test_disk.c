// SPDX-License-Identifier: MIT
/* A disk that answers, that refuses, and that stands still until the test lets it go on. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "agent/loop/disk.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"

#define LONG_NS	 UINT64_C(20000000000)
#define SHORT_NS UINT64_C(100000000)
#define ASKED	 8

/* What the thread asks of the kernel; disk.c is linked with --wrap=open. */
static struct fake_disk {
	uv_mutex_t lock;
	uv_cond_t changed;
	char asked[ASKED][64]; /* the paths, in order */
	unsigned int asked_count;
	const char *exists; /* the only directory that there is */
	bool stuck, signals_open, no_threads, no_lock, no_cond;
	unsigned int joined, detached;
	int flags;
	mode_t mode;
	int open_fd; /* that it returned, or -1 */
} disk;

/* Locks and conditions that are not destroyed, also by a thread that is left behind. */
static atomic_int open_locks, open_conds;

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's name */
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	bool found = !strcmp(path, disk.exists);
	sigset_t blocked;
	va_list ap;
	int fd = -1;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	uv_mutex_lock(&disk.lock);
	if (disk.asked_count < ASKED)
		(void)snprintf(disk.asked[disk.asked_count], sizeof(disk.asked[0]), "%s", path);
	disk.asked_count++;
	disk.flags |= flags;
	va_start(ap, flags);
	disk.mode = va_arg(ap, mode_t);
	va_end(ap);
	disk.signals_open |= !sigismember(&blocked, SIGTERM);
	uv_cond_broadcast(&disk.changed);
	while (disk.stuck)
		uv_cond_wait(&disk.changed, &disk.lock);
	if (found)
		fd = disk.open_fd = dup(STDERR_FILENO);
	uv_mutex_unlock(&disk.lock);
	errno = found ? 0 : ENOENT;
	return fd;
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
	return disk.no_threads ? EAGAIN : __real_pthread_create(t, a, run, arg);
}

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __real_pthread_join(pthread_t t, void **result);
int __wrap_pthread_join(pthread_t t, void **result);
int __real_pthread_detach(pthread_t t);
int __wrap_pthread_detach(pthread_t t);
int __real_uv_mutex_init(uv_mutex_t *m);
int __wrap_uv_mutex_init(uv_mutex_t *m);
void __real_uv_mutex_destroy(uv_mutex_t *m);
void __wrap_uv_mutex_destroy(uv_mutex_t *m);
int __real_uv_cond_init(uv_cond_t *c);
int __wrap_uv_cond_init(uv_cond_t *c);
void __real_uv_cond_destroy(uv_cond_t *c);
void __wrap_uv_cond_destroy(uv_cond_t *c);

int __wrap_pthread_join(pthread_t t, void **result)
{
	disk.joined++;
	return __real_pthread_join(t, result);
}

int __wrap_pthread_detach(pthread_t t)
{
	disk.detached++;
	return __real_pthread_detach(t);
}

int __wrap_uv_mutex_init(uv_mutex_t *m)
{
	if (disk.no_lock)
		return UV_ENOMEM;
	atomic_fetch_add(&open_locks, 1);
	return __real_uv_mutex_init(m);
}

void __wrap_uv_mutex_destroy(uv_mutex_t *m)
{
	atomic_fetch_sub(&open_locks, 1);
	__real_uv_mutex_destroy(m);
}

int __wrap_uv_cond_init(uv_cond_t *c)
{
	if (disk.no_cond)
		return UV_ENOMEM;
	atomic_fetch_add(&open_conds, 1);
	return __real_uv_cond_init(c);
}

void __wrap_uv_cond_destroy(uv_cond_t *c)
{
	atomic_fetch_sub(&open_conds, 1);
	__real_uv_cond_destroy(c);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static int setup(void **state)
{
	(void)state;
	memset(&disk, 0, sizeof(disk));
	disk.open_fd = -1;
	return uv_mutex_init(&disk.lock) || uv_cond_init(&disk.changed);
}

static int teardown(void **state)
{
	(void)state;
	/* Whoever leaves last destroys the question: those of the fake disk are left. */
	while (atomic_load(&open_locks) > 1 || atomic_load(&open_conds) > 1)
		uv_sleep(1);
	assert_int_equal(atomic_load(&open_locks), 1);
	assert_int_equal(atomic_load(&open_conds), 1);
	uv_cond_destroy(&disk.changed);
	uv_mutex_destroy(&disk.lock);
	return 0;
}

static void expect_asked(const char *path, const char *exists, const char *const *asked)
{
	unsigned int n = 0;

	disk.exists = exists;
	disk.asked_count = 0;
	assert_int_equal(fffa_disk_await(path, LONG_NS), 0);
	for (; asked[n]; n++)
		assert_string_equal(disk.asked[n], asked[n]);
	assert_int_equal(disk.asked_count, n);
	assert_int_equal(disk.flags, O_TMPFILE | O_RDWR | O_CLOEXEC);
	assert_int_equal(disk.mode, 0600);
	/* The file without a name is closed. */
	assert_true(disk.open_fd < 0 || (fcntl(disk.open_fd, F_GETFD) < 0 && errno == EBADF));
}

/* A directory that is still to be made: its nearest parent is on the same disk. */
static void test_the_nearest_parent_is_asked(void **state)
{
	(void)state;
	expect_asked("/a/b", "/a/b", (const char *const[]){"/a/b", NULL});
	expect_asked("/a//b/", "/", (const char *const[]){"/a//b/", "/a", "/", NULL});
	expect_asked("a/b", ".", (const char *const[]){"a/b", "a", ".", NULL});
	expect_asked("x", ".", (const char *const[]){"x", ".", NULL});
	/* Nothing is left to ask: the disk has answered all the same. */
	expect_asked("/a", "none", (const char *const[]){"/a", "/", NULL});
	expect_asked("a", "none", (const char *const[]){"a", ".", NULL});
	expect_asked("", ".", (const char *const[]){"", ".", NULL});
}

/* The kernel takes no longer one, either. */
static void test_a_path_as_long_as_it_may_be(void **state)
{
	char path[PATH_MAX + 1];

	(void)state;
	memset(path, 'a', PATH_MAX);
	path[PATH_MAX] = '\0';
	disk.exists = ".";
	assert_int_equal(fffa_disk_await(path, LONG_NS), -ENAMETOOLONG);
	assert_int_equal(disk.asked_count, 0);
	assert_int_equal(fffa_disk_await(path + 1, LONG_NS), 0);
	assert_int_equal(disk.asked_count, 2); /* it, and its parent */
}

/* They are for the loop's thread, whose mask stays as it was. */
static void test_the_thread_takes_no_signals(void **state)
{
	sigset_t before, after;

	(void)state;
	disk.exists = "/";
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	assert_int_equal(fffa_disk_await("/", LONG_NS), 0);
	assert_false(disk.signals_open);
	assert_int_equal(disk.joined, 1); /* it has ended */
	assert_int_equal(disk.detached, 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

/* The file that the disk gave at last; -1: none yet. */
static int disk_fd(void)
{
	int fd;

	uv_mutex_lock(&disk.lock);
	fd = disk.open_fd;
	uv_mutex_unlock(&disk.lock);
	return fd;
}

static bool is_closed(void)
{
	int fd = disk_fd();

	return fd >= 0 && fcntl(fd, F_GETFD) < 0;
}

static void test_a_disk_that_stands_still(void **state)
{
	uint64_t began = uv_hrtime();

	(void)state;
	disk.exists = "/";
	disk.stuck = true;
	assert_int_equal(fffa_disk_await("/", SHORT_NS), -ETIMEDOUT);
	assert_true(uv_hrtime() - began >= SHORT_NS);
	assert_int_equal(disk.detached, 1); /* nobody waits for its end */
	assert_int_equal(disk.joined, 0);
	/* The thread that is left behind ends with the disk's answer. */
	uv_mutex_lock(&disk.lock);
	while (!disk.asked_count)
		uv_cond_wait(&disk.changed, &disk.lock);
	disk.stuck = false;
	uv_cond_broadcast(&disk.changed);
	uv_mutex_unlock(&disk.lock);
	while (!is_closed())
		uv_sleep(1);
}

static int add_one(void *arg)
{
	int *n = arg;

	return ++*n;
}

static int wait_for_disk(void *arg)
{
	(void)arg;
	return open("/", O_RDONLY);
}

/* Its copy of the argument is its own. */
static void test_work_on_a_thread(void **state)
{
	int arg = 41, result = 0;

	(void)state;
	disk.exists = "/";
	assert_int_equal(fffa_disk_run(add_one, &arg, sizeof(arg), LONG_NS, &result), 0);
	assert_int_equal(result, 42);
	assert_int_equal(arg, 41);
	disk.stuck = true;
	assert_int_equal(fffa_disk_run(wait_for_disk, &arg, sizeof(arg), SHORT_NS, &result),
			 -ETIMEDOUT);
	assert_int_equal(result, 42);
	uv_mutex_lock(&disk.lock);
	disk.stuck = false;
	uv_cond_broadcast(&disk.changed);
	uv_mutex_unlock(&disk.lock);
	while (disk_fd() < 0)
		uv_sleep(1);
	assert_int_equal(close(disk_fd()), 0);
}

static void test_without_a_thread_nobody_is_asked(void **state)
{
	(void)state;
	disk.exists = "/";
	disk.no_threads = true;
	assert_int_equal(fffa_disk_await("/", LONG_NS), -EAGAIN);
	assert_int_equal(disk.asked_count, 0);
	assert_int_equal(disk.detached + disk.joined, 0);
}

static void test_without_memory_nobody_is_asked(void **state)
{
	(void)state;
	disk.exists = "/";
	failing_alloc_arm(1);
	assert_int_equal(fffa_disk_await("/", LONG_NS), -ENOMEM);
	assert_true(failing_alloc_fired());
	disk.no_lock = true;
	assert_int_equal(fffa_disk_await("/", LONG_NS), -ENOMEM);
	disk.no_lock = false;
	disk.no_cond = true;
	assert_int_equal(fffa_disk_await("/", LONG_NS), -ENOMEM);
	assert_int_equal(disk.asked_count, 0);
}

/* It is not even waited for. */
static void test_no_time_at_all(void **state)
{
	(void)state;
	disk.exists = "/";
	disk.stuck = true;
	assert_int_equal(fffa_disk_await("/", 0), -ETIMEDOUT);
	uv_mutex_lock(&disk.lock);
	disk.stuck = false;
	uv_cond_broadcast(&disk.changed);
	uv_mutex_unlock(&disk.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_nearest_parent_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_path_as_long_as_it_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_thread_takes_no_signals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_disk_that_stands_still, setup, teardown),
		cmocka_unit_test_setup_teardown(test_work_on_a_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_thread_nobody_is_asked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_without_memory_nobody_is_asked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_time_at_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
