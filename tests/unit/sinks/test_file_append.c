// SPDX-License-Identifier: MIT
/*
 * Another process appends to the output file while a delivery is written that then fails. Its bytes
 * stay, and each record of ours comes once. Linked with --wrap=writev.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/file_fixture.h"

#define THEIRS "theirs\n"
#define CUT    250 /* within a record of ours */

/*
 * When the other process appends: before or behind the bytes that we could write. Or it removes or
 * empties the file before them, once.
 */
static enum { NEVER, BEFORE, BEHIND, REMOVED, EMPTIED } when;
static int other_fd, writes;
static const char *changed_path;

ssize_t __real_writev(int fd, const struct iovec *v, int n);
ssize_t __wrap_writev(int fd, const struct iovec *v, int n);

static void append_theirs(void)
{
	assert_int_equal(write(other_fd, THEIRS, strlen(THEIRS)), strlen(THEIRS));
}

/* While armed: the first write is cut short, the second one finds no room. */
ssize_t __wrap_writev(int fd, const struct iovec *v, int n)
{
	struct iovec some = {.iov_base = v->iov_base, .iov_len = CUT};
	ssize_t put;

	if (when == REMOVED)
		assert_int_equal(unlink(changed_path), 0);
	if (when == EMPTIED)
		assert_int_equal(truncate(changed_path, 0), 0);
	if (when == REMOVED || when == EMPTIED)
		when = NEVER;
	if (when == NEVER)
		return __real_writev(fd, v, n);
	if (writes++) {
		errno = ENOSPC;
		return -1;
	}
	if (when == BEFORE)
		append_theirs();
	put = __real_writev(fd, &some, 1);
	if (when == BEHIND)
		append_theirs();
	return put;
}

static void check_append(struct file_fixture *p, int at)
{
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	struct fffa_span ours;
	char *text, *theirs;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), 0);
	other_fd = open(p->path, O_WRONLY | O_APPEND);
	assert_true(other_fd >= 0);
	writes = 0;
	when = at;
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 5, 100)).verdict, FFFA_V_RETRY);
	assert_int_equal(a.outcome.cause, -ENOSPC);
	when = NEVER;
	assert_int_equal(sink_fixture_again(&r, &a), 0);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_DELIVERED);
	text = files_read(p->path, NULL);
	theirs = strstr(text, THEIRS);
	assert_non_null(theirs);
	ours = fffa_batch_bytes(a.d.batch);
	memmove(theirs, theirs + strlen(THEIRS), strlen(theirs + strlen(THEIRS)) + 1);
	assert_int_equal(strlen(text), ours.len);
	assert_memory_equal(text, ours.ptr, ours.len);
	free(text);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	(void)close(other_fd);
}

static void appended_before_our_bytes(void **state)
{
	check_append(*state, BEFORE);
}

static void appended_behind_our_bytes(void **state)
{
	check_append(*state, BEHIND);
}

/* rm or truncate comes between the check of the file and the write to it. */
static void check_change(struct file_fixture *p, const char *head, int change)
{
	struct sink_fixture r;
	struct fixture_delivery a = {0}, b = {0};

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, head);
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 2, 100)).verdict,
			 FFFA_V_DELIVERED);
	changed_path = p->path;
	when = change;
	assert_int_equal(sink_fixture_send(&r, &b, make_batch(3, 5, 100)).verdict,
			 FFFA_V_DELIVERED);
	when = NEVER;
	file_fixture_expect(p->path, head, &b, NULL);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
	assert_int_equal(unlink(p->path), 0);
}

static void a_file_that_goes_during_a_write_is_written_again(void **state)
{
	check_change(*state, "h\n", REMOVED);
	check_change(*state, "", REMOVED);
	check_change(*state, "h\n", EMPTIED);
	check_change(*state, "", EMPTIED);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(appended_before_our_bytes),
		CASE(appended_behind_our_bytes),
		CASE(a_file_that_goes_during_a_write_is_written_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
