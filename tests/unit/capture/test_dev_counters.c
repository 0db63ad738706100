// SPDX-License-Identifier: MIT
/* What the kernel says of devices, however much it is and in whatever pieces it comes, and when it says nothing. */
#include "agent/capture/devices/dev_counters.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/stubs/cmocka_all.h"

#define FD 1000

/* The kernel: the linker puts these functions in place of the C library's. */
static struct {
	const char *path; /* the last that was opened */
	char *text;
	size_t len, at, piece; /* read at most so much at once */
	int open_error, read_error, socket_error, option_error;
	int left_open;
} kernel;

int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *buf, size_t n);
int __wrap_close(int fd);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

static int fail_with(int error)
{
	errno = error;
	return -1;
}

int __wrap_open(const char *path, int flags, ...)
{
	assert_int_equal(flags, O_RDONLY | O_CLOEXEC);
	kernel.path = path;
	kernel.at = 0;
	if (kernel.open_error)
		return fail_with(kernel.open_error);
	kernel.left_open++;
	return FD;
}

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	assert_int_equal(fd, FD);
	assert_true(n > 0);
	if (n > kernel.piece)
		n = kernel.piece;
	if (n > kernel.len - kernel.at)
		n = kernel.len - kernel.at;
	if (!n && kernel.read_error) /* what came before is whole */
		return fail_with(kernel.read_error);
	memcpy(buf, kernel.text + kernel.at, n);
	kernel.at += n;
	return (ssize_t)n;
}

int __wrap_close(int fd)
{
	assert_int_equal(fd, FD);
	kernel.left_open--;
	return 0;
}

int __wrap_socket(int domain, int type, int protocol)
{
	assert_true(domain == AF_UNIX && type == (SOCK_DGRAM | SOCK_CLOEXEC) && !protocol);
	if (kernel.socket_error)
		return fail_with(kernel.socket_error);
	kernel.left_open++;
	return FD;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	const uint64_t cookie = 0x123456789a;

	assert_true(fd == FD && level == SOL_SOCKET && name == 71 && *len == sizeof(cookie));
	memcpy(value, &cookie, sizeof(cookie));
	*len = sizeof(cookie);
	return kernel.option_error ? fail_with(kernel.option_error) : 0;
}

static void set_text(size_t len, size_t piece)
{
	test_free(kernel.text);
	kernel.text = test_malloc(len + 1);
	for (size_t i = 0; i < len; i++)
		kernel.text[i] = (char)('a' + i % 23);
	kernel.len = len;
	kernel.piece = piece;
}

static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.text = test_malloc(1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_free(kernel.text);
	return kernel.left_open;
}

static void all_of_the_text_is_read(void **state)
{
	static const size_t lens[] = {0,    1,	   8190,  8191,	  8192,
				      8193, 16383, 16384, 100000, (4 << 20) - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		char *text;

		set_text(lens[i], i % 2 ? 4096 : SIZE_MAX);
		text = fffa_dev_counters_read();
		assert_string_equal(kernel.path, "/proc/self/net/dev");
		if (lens[i] == (4 << 20) - 1) { /* there would be no room for one byte more */
			assert_null(text);
			continue;
		}
		assert_non_null(text);
		assert_int_equal(strlen(text), lens[i]);
		assert_memory_equal(text, kernel.text, lens[i]);
		free(text);
	}
}

static void what_cannot_be_read(void **state)
{
	char *text;

	(void)state;
	set_text(5 << 20, SIZE_MAX);
	errno = 0;
	assert_null(fffa_dev_counters_read());
	assert_int_equal(errno, ENOMEM);
	kernel.open_error = EACCES;
	errno = 0;
	assert_null(fffa_dev_counters_read());
	assert_int_equal(errno, EACCES);
	kernel.open_error = 0;
	set_text(100, SIZE_MAX);
	kernel.read_error = EIO; /* what came before it counts */
	text = fffa_dev_counters_read();
	assert_int_equal(strlen(text), 100);
	free(text);
}

static void a_line_of_the_device(void **state)
{
	static const char text[] =
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n"
		"  eth1:  11 12 1 2 3 4 5 6 13 14 1 2 3 4 5 6\n"
		"eth10:21 22 1 2 3 4 5 6 23 24 1 2 3 4 5 6\n"
		"  eth:   31 32 1 2 3 4 5 6 33 34 1 2 3 4 5 6\n"
		" short:  1 2 3 4 5 6 7 8 9\n"
		"   big:  18446744073709551615 18446744073709551614 0 0 0 0 0 0 1 2 0 0 0 0 0 0";
	static const struct {
		const char *name;
		uint64_t first;
	} rows[] = {{"eth1", 11}, {"eth10", 21}, {"eth", 31}};
	struct fffa_dev_counters c, before;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(fffa_dev_counters_find(text, rows[i].name, &c), 0);
		assert_int_equal(c.dir[0].bytes, rows[i].first);
		assert_int_equal(c.dir[0].packets, rows[i].first + 1);
		assert_int_equal(c.dir[1].bytes, rows[i].first + 2);
		assert_int_equal(c.dir[1].packets, rows[i].first + 3);
	}
	assert_int_equal(fffa_dev_counters_find(text, "big", &c), 0);
	assert_int_equal(c.dir[0].bytes, UINT64_MAX);
	assert_int_equal(c.dir[0].packets, UINT64_MAX - 1);
	before = c;
	assert_int_equal(fffa_dev_counters_find(text, "et", &c), -ENODEV);
	assert_int_equal(fffa_dev_counters_find(text, "th1", &c), -ENODEV);
	assert_int_equal(fffa_dev_counters_find(text, "short", &c), -ENODEV);
	assert_int_equal(fffa_dev_counters_find("", "eth1", &c), -ENODEV);
	assert_memory_equal(&c, &before, sizeof(c));
}

static void the_namespace_has_a_number(void **state)
{
	(void)state;
	assert_int_equal(fffa_dev_counters_netns(), UINT64_C(0x123456789a));
	kernel.option_error = ENOPROTOOPT; /* before Linux 5.14 */
	assert_int_equal(fffa_dev_counters_netns(), 0);
	kernel.socket_error = EMFILE;
	assert_int_equal(fffa_dev_counters_netns(), 0);
}

static void set_id(const char *id)
{
	set_text(strlen(id), SIZE_MAX);
	memcpy(kernel.text, id, kernel.len);
}

static void this_boot_has_an_id(void **state)
{
	static const char uuid[] = "01234567-89ab-cdef-0123-456789abcdef";
	char id[40];

	(void)state;
	set_id("01234567-89ab-cdef-0123-456789abcdef\n");
	fffa_dev_counters_boot_id(id);
	assert_string_equal(kernel.path, "/proc/sys/kernel/random/boot_id");
	assert_string_equal(id, uuid);
	set_id("x");
	fffa_dev_counters_boot_id(id);
	assert_string_equal(id, "x");
	set_text(100, SIZE_MAX);
	fffa_dev_counters_boot_id(id);
	assert_int_equal(strlen(id), 39);
	set_text(0, SIZE_MAX);
	kernel.read_error = EIO;
	fffa_dev_counters_boot_id(id);
	assert_string_equal(id, "");
	kernel.open_error = ENOENT;
	memset(id, 'x', sizeof(id));
	fffa_dev_counters_boot_id(id);
	assert_string_equal(id, "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(all_of_the_text_is_read),    T(what_cannot_be_read), T(a_line_of_the_device),
		T(the_namespace_has_a_number), T(this_boot_has_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
