// SPDX-License-Identifier: MIT
/* The kernel's host name: when it is read, which names are taken, and with which handles. */
#include "agent/enrich/host_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"
#include "tests/unit/enrich/fake_loop.h"

#define WATCHED_FD 0 /* the least there is */

/* In the place of the kernel, and of libuv's watch of a descriptor. */
static struct {
	const char *name; /* NULL: uname fails */
	bool no_file, no_poll;
	int open_files, unreferenced;
	uv_poll_t *poll;
	uv_poll_cb on_poll;
	unsigned int changes, closed;
} fake;

int __wrap_uname(struct utsname *out);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *p, int fd);
int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb call);
void __wrap_uv_unref(uv_handle_t *h);

int __wrap_uname(struct utsname *out)
{
	memset(out, 0, sizeof(*out));
	if (!fake.name)
		return -1;
	(void)snprintf(out->nodename, sizeof(out->nodename), "%s", fake.name);
	return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	assert_string_equal(path, "/proc/sys/kernel/hostname");
	assert_int_equal(flags, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fake.no_file) {
		errno = ENOENT;
		return -1;
	}
	fake.open_files++;
	return WATCHED_FD;
}

int __wrap_close(int fd)
{
	assert_int_equal(fd, WATCHED_FD);
	fake.open_files--;
	return 0;
}

int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *p, int fd)
{
	assert_ptr_equal(loop, &fake_loop.loop);
	assert_int_equal(fd, WATCHED_FD);
	fake.poll = p;
	return fake.no_poll ? UV_EPERM : 0;
}

int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb call)
{
	assert_ptr_equal(p, fake.poll);
	assert_int_equal(events, UV_PRIORITIZED);
	fake.on_poll = call;
	return 0;
}

void __wrap_uv_unref(uv_handle_t *h)
{
	assert_non_null(h);
	fake.unreferenced++;
}

static void on_changed(void *arg)
{
	assert_ptr_equal(arg, &fake);
	fake.changes++;
}

static void on_closed(void *arg)
{
	assert_ptr_equal(arg, &fake);
	fake.closed++;
}

static struct fffa_host_name *start(const char *name)
{
	struct fffa_host_name *h = NULL;

	fake.name = name;
	assert_int_equal(fffa_host_name_open(&fake_loop.loop, on_changed, &fake, &h), 0);
	return h;
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake_loop_reset();
	fake_loop.repeat_ms = 10000;
	return 0;
}

/* The watch, where there is one, is closed before the timer, and the file is open until then. */
static void stop(struct fffa_host_name *h, bool watched)
{
	fffa_host_name_close(h, on_closed, &fake);
	assert_int_equal(fake_loop.closing_n, 1);
	assert_int_equal(fake_loop.closing[0].handle == (uv_handle_t *)fake.poll, watched);
	if (watched) {
		uv_handle_t *first = fake_loop.closing[0].handle;

		fake_loop.closing_n = 0;
		fake_loop.closing[0].call(first);
		assert_int_equal(fake_loop.closing_n, 1);
		assert_int_equal(fake.open_files, 1);
	}
	assert_int_equal(fake.closed, 0);
	fake_loop_close();
	assert_int_equal(fake.closed, 1);
	assert_int_equal(fake.open_files, 0);
}

static void a_change_that_is_reported(void **state)
{
	struct fffa_host_name *h = start("web-1");

	(void)state;
	assert_string_equal(fffa_host_name_text(h), "web-1");
	assert_int_equal(strlen(fake_loop.log), 0);
	assert_int_equal(fake.unreferenced, 2); /* neither of them holds the loop */
	fake.on_poll(fake.poll, 0, UV_PRIORITIZED);
	assert_int_equal(fake.changes, 0);
	fake.name = "web-2";
	fake.on_poll(fake.poll, UV_EBADF, 0); /* the kernel reports it as an error, too */
	assert_string_equal(fffa_host_name_text(h), "web-2");
	assert_int_equal(fake.changes, 1);
	assert_int_equal(fake_loop_logged("I the host's name changed: host_name=web-2"), 1);
	stop(h, true);
}

static void a_change_that_is_not_reported(void **state)
{
	struct fffa_host_name *h = start("web-1");

	(void)state;
	assert_int_equal(fake_loop_due_in_ms(), 1000);
	fake.name = "web-2";
	fake_loop_fire();
	assert_string_equal(fffa_host_name_text(h), "web-2");
	assert_int_equal(fake_loop_due_in_ms(), 10000);
	fake_loop_fire();
	assert_int_equal(fake.changes, 1);
	assert_int_equal(fake_loop_due_in_ms(), 10000);
	stop(h, true);
}

static void names_of_no_use(void **state)
{
	static const char *const names[] = {"(none)", "two words", "", NULL};
	struct fffa_host_name *h;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)setup(state);
		h = start(names[i]);
		assert_string_equal(fffa_host_name_text(h), "");
		assert_int_equal(fake_loop_logged("W the kernel's host name is not set"), 1);
		fake.name = "web-1";
		fake_loop_fire();
		assert_string_equal(fffa_host_name_text(h), "web-1");
		fake.name = names[i];
		fake_loop_fire();
		assert_string_equal(fffa_host_name_text(h), "");
		assert_int_equal(fake.changes, 2);
		assert_int_equal(fake_loop_logged("W the kernel's host name is not set"), 2);
		stop(h, true);
	}
}

static void a_kernel_that_reports_nothing(void **state)
{
	struct fffa_host_name *h;

	for (int i = 0; i < 2; i++) {
		(void)setup(state);
		fake.no_file = i == 0;
		fake.no_poll = i == 1;
		h = start("web-1");
		assert_int_equal(fake.open_files, 0);
		assert_int_equal(fake.unreferenced, 1);
		assert_null(fake.on_poll);
		assert_int_equal(fake_loop_logged("D /proc/sys/kernel/hostname cannot be watched"),
				 1);
		stop(h, false);
	}
}

static void no_memory(void **state)
{
	struct fffa_host_name *h = NULL;

	(void)state;
	failing_alloc_arm(1);
	assert_int_equal(fffa_host_name_open(&fake_loop.loop, on_changed, &fake, &h), -ENOMEM);
	failing_alloc_arm(0);
	assert_null(h);
	assert_int_equal(fake.open_files, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_change_that_is_reported),
		T(a_change_that_is_not_reported),
		T(names_of_no_use),
		T(a_kernel_that_reports_nothing),
		T(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
