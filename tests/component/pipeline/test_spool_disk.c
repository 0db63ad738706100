// SPDX-License-Identifier: MIT
/* What the spool asks of the disk, and what it makes of its answers: syncs, bytes, errors, acks. */
#include "tests/component/pipeline/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool/frame.h"
#include "agent/spool/segment.h"

#define MIB	  (1 << 20)
#define TURNS_MAX 6000 /* of 5 ms: a busy disk takes seconds for a sync */

/* The system calls below, which the linker puts in place of those of the C library. */
static struct {
	_Atomic unsigned int syncs;
	_Atomic int sync_errors; /* so many of the next calls fail */
	_Atomic int read_errors;
} disk;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_pread(int fd, void *dst, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at);

static bool take(_Atomic int *errors)
{
	int left = *errors;

	if (left > 0)
		*errors = left - 1;
	return left > 0;
}

int __wrap_fdatasync(int fd)
{
	disk.syncs++;
	if (take(&disk.sync_errors)) {
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}

ssize_t __wrap_pread(int fd, void *dst, size_t n, off_t at)
{
	if (take(&disk.read_errors)) {
		errno = EIO;
		return -1;
	}
	return __real_pread(fd, dst, n, at);
}

static uint64_t segment_bytes(const struct spool_fixture *r)
{
	return spool_fixture_disk_bytes(r, ".seg");
}

static uint64_t counted_bytes(struct fixture *f)
{
	struct fffa_sink_status s;

	fffa_pipeline_sink_status(f->p, 0, &s);
	return s.spool_bytes;
}

static void feed_and_wait(struct fixture *f, size_t n)
{
	while (n) {
		size_t some = n < 50 ? n : 50;

		fixture_feed(f, some);
		do {
			fixture_turn(f);
		} while (!fffa_pipeline_has_room(f->p));
		n -= some;
	}
}

static struct fixture *open_refused(struct spool_fixture *r)
{
	struct fixture *f = spool_fixture_life(r, MIB);

	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 65536;
	f->sinks[0].common.retry_min_ns = f->sinks[0].common.retry_max_ns = 5 * MS;
	fixture_open(f, 1);
	return f;
}

/* No sink gets a batch before the disk has confirmed it. */
static struct fffa_outcome expect_synced(void *arg, const struct fffa_batch *b)
{
	(void)b;
	*(bool *)arg = disk.syncs > 0;
	return outcome(FFFA_V_DELIVERED, 0);
}

static void a_batch_is_synced_before_it_is_sent(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	bool synced = false;

	f->peers[0].judge = expect_synced;
	f->peers[0].arg = &synced;
	fixture_open(f, 1);
	disk.syncs = 0;
	fixture_feed(f, 10);
	fixture_settle(f);
	assert_true(synced);
	assert_uint_in_range(disk.syncs, 1, 2);
	fixture_close(f, 0);
}

/* A batch that the disk did not confirm is written once more, and nothing is sent twice. */
static void a_failed_sync_is_tried_again(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = open_refused(r);
	struct stream_epoch e[1];

	feed_and_wait(f, 100);
	disk.sync_errors = 1;
	feed_and_wait(f, 100);
	fixture_run_for(f, 1100);
	spool_fixture_await_rest(r);
	feed_and_wait(f, 100);
	fixture_close(f, 5 * MS);
	assert_int_equal(f->last[0].spooled, 300);
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records, 300);
	assert_int_equal(e[0].repeats, 0);
	assert_int_equal(e[0].lost, 0);
}

/* The bytes of frames that could not be written do not count: else the spool is full for ever. */
static void bytes_are_right_after_failed_writes(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = open_refused(r);
	struct rlimit was, tiny;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	feed_and_wait(f, 300);
	spool_fixture_await_rest(r);
	tiny = was;
	for (rlim_t limit = 100; limit < 20000; limit *= 5) {
		tiny.rlim_cur = limit;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
		fixture_feed(f, 50);
		fixture_run_for(f, 1100);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		fixture_run_for(f, 1100);
		spool_fixture_await_rest(r);
	}
	f->peers[0].judge = NULL;
	fixture_settle(f);
	spool_fixture_await_rest(r);
	assert_int_equal(fffa_ledger_sink_lost(fixture_ledger(f, 0)), 0);
	fixture_close(f, 0);
	assert_int_equal(segment_bytes(r), 0);
}

static void bytes_are_right_over_a_restart_and_to_the_end(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = open_refused(r);
	uint64_t left;

	feed_and_wait(f, 3000);
	spool_fixture_await_rest(r);
	fixture_close(f, 5 * MS);
	left = segment_bytes(r);
	assert_true(left > 100000);
	f = open_refused(r);
	assert_int_equal(counted_bytes(f), left);
	f->peers[0].judge = NULL;
	while (fixture_ledger(f, 0)->in_flight)
		fixture_turn(f);
	/* Segments go once their acks are on disk, after the last delivery. */
	for (int i = 0; i < TURNS_MAX && counted_bytes(f) >= left / 4; i++)
		fixture_run_for(f, 5);
	assert_true(counted_bytes(f) < left / 4);
	spool_fixture_await_rest(r);
	fixture_close(f, 0);
}

/* The time from the seal to the delivery counts over a restart. */
static void latency_counts_from_the_seal_over_a_restart(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = open_refused(r);
	struct fffa_sink_status s;

	feed_and_wait(f, 10);
	fixture_close(f, 5 * MS);
	(void)usleep(300000); /* the outage itself is under test */
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	fixture_settle(f);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_int_equal(s.latency->count, 1);
	assert_uint_in_range(s.latency->sum_ns, 300 * MS, 60000 * MS);
	fixture_close(f, 0);
}

/* Fails the next reads of frames while the sink works. Returns what was lost. */
static uint64_t lose_to_read_errors(struct spool_fixture *r, int errors)
{
	struct fixture *f = open_refused(r);
	struct stream_epoch e[2];

	feed_and_wait(f, 200);
	fixture_close(f, 5 * MS);
	f = spool_fixture_life(r, MIB);
	f->sinks[0].common.queue_memory = 8192; /* many reads */
	fixture_open(f, 1);
	disk.read_errors = errors;
	fixture_settle(f);
	fixture_feed(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(disk.read_errors, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 2), 2);
	assert_int_equal(e[0].records + e[0].lost + e[1].records + e[1].lost, 210);
	return f->last[0].lost[FFFA_RL_SPOOL_DAMAGED];
}

static void a_read_error_is_tried_again(void **state)
{
	assert_int_equal(lose_to_read_errors(*state, 2), 0);
}

static void reads_that_fail_three_times_are_given_up(void **state)
{
	assert_uint_in_range(lose_to_read_errors(*state, 3), 10, 200);
}

static void ack_path(const struct spool_fixture *r, char *dst, size_t cap)
{
	(void)snprintf(dst, cap, "%s/a/ack", r->dir);
}

static void damage_slot(const struct spool_fixture *r, off_t at)
{
	char path[256], byte;
	int fd;

	ack_path(r, path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(__real_pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

/* 100 records are delivered, 100 are held and stay in the spool. */
static void deliver_half(struct spool_fixture *r)
{
	struct fixture *f = spool_fixture_life(r, MIB);

	fixture_open(f, 1);
	fixture_feed(f, 100);
	fixture_settle(f);
	fixture_run_for(f, 50);
	f->peers[0].hold = true;
	fixture_feed(f, 100);
	fixture_run_for(f, 50);
	fixture_close(f, 5 * MS);
	assert_int_equal(f->last[0].spooled, 100);
}

/* Whichever slot is torn, the other one counts: nothing is lost, nothing is reported. */
static void a_torn_ack_leaves_the_other(void **state)
{
	for (off_t slot = 0; slot < 8192; slot += 4096) {
		void *own;
		struct spool_fixture *r;
		struct fixture *f;

		(void)state;
		assert_int_equal(spool_fixture_setup(&own), 0);
		r = own;
		deliver_half(r);
		damage_slot(r, slot + 70);
		f = spool_fixture_life(r, MIB);
		fixture_open(f, 1);
		assert_uint_in_range(fixture_ledger(f, 0)->resumed, 100, 200);
		assert_int_equal(fffa_ledger_sink_lost(fixture_ledger(f, 0)), 0);
		fixture_settle(f);
		fixture_close(f, 0);
		assert_int_equal(f->last[0].delivered, f->last[0].resumed);
		assert_int_equal(spool_fixture_teardown(&own), 0);
	}
}

/* Without any ack all that is on disk is sent again. */
static void two_torn_acks_repeat_and_lose_nothing(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f;
	struct stream_epoch e[1];

	deliver_half(r);
	damage_slot(r, 10);
	damage_slot(r, 4096 + 10);
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(fffa_ledger_sink_lost(&f->last[0]), 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records, 200);
}

/* Each ack goes to the slot of the older one, also after a restart. */
static void acks_are_written_in_turn(void **state)
{
	struct spool_fixture *r = *state;
	uint64_t turns[2], before[2] = {0, 0};
	char path[256];
	int fd;

	for (int life = 0; life < 4; life++) {
		deliver_half(r);
		ack_path(r, path, sizeof(path));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		for (int i = 0; i < 2; i++)
			assert_int_equal(__real_pread(fd, &turns[i], 8, i * 4096), 8);
		(void)close(fd);
		assert_true(turns[0] + 1 == turns[1] || turns[1] + 1 == turns[0]);
		assert_true(turns[0] > before[0] && turns[1] > before[1]);
		memcpy(before, turns, sizeof(turns));
		spool_fixture_life(r, MIB);
		fixture_open(r->f, 1);
		fixture_settle(r->f);
		fixture_close(r->f, 0);
	}
}

static uint64_t last_turn(const struct spool_fixture *r)
{
	uint64_t turns[2] = {0, 0};
	char path[256];
	int fd;

	ack_path(r, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(__real_pread(fd, &turns[i], 8, i * 4096), 8);
	(void)close(fd);
	return turns[0] > turns[1] ? turns[0] : turns[1];
}

/* However fast the sink is, the account is written every 5 ms at most. */
static void acks_are_not_written_too_often(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, 16 * MIB);
	uint64_t begin, before, acks;

	f->sinks[0].common.batch_records = 1;
	fixture_open(f, 1);
	feed_and_wait(f, 10);
	fixture_run_for(f, 20);
	before = last_turn(r);
	begin = uv_hrtime();
	do {
		fixture_feed(f, 1);
		fixture_settle(f);
		fixture_run_for(f, 1);
		acks = last_turn(r) - before;
	} while (!acks || uv_hrtime() - begin < 200 * (uint64_t)MS);
	assert_uint_in_range(acks, 1, (uv_hrtime() - begin) / (5 * MS) + 1);
	fixture_close(f, 0);
}

static void leave_flowlog(struct spool_fixture *r, int envelope)
{
	struct fixture *f = spool_fixture_life(r, MIB);

	f->sinks[0].common.format = (char *)(uintptr_t) "flowlog";
	f->sinks[0].common.fields = NULL;
	f->sinks[0].common.envelope = envelope;
	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	fixture_feed(f, 50);
	fixture_run_for(f, 30);
	fixture_close(f, 5 * MS);
}

/* Records with and without an envelope do not mix in one stream. */
static void another_envelope_is_another_format(void **state)
{
	struct spool_fixture *r = *state;

	leave_flowlog(r, FFFA_ENVELOPE_NONE);
	leave_flowlog(r, FFFA_ENVELOPE_FIREHOSE);
	assert_int_equal(r->f->last[0].lost[FFFA_RL_SPOOL_FORMAT], 50);
	leave_flowlog(r, FFFA_ENVELOPE_NONE);
	assert_int_equal(r->f->last[0].lost[FFFA_RL_SPOOL_FORMAT], 51); /* and a SKIPDATA record */
	assert_int_equal(spool_fixture_files(r, ".aside"), 3);		/* each epoch has its own */
}

/* Makes the segments and their frames those of a version to come. */
static void make_newer(const struct spool_fixture *r, bool head_too)
{
	char path[512];
	size_t n = spool_fixture_files(r, ".seg");

	assert_uint_in_range(n, 1, 10);
	for (size_t i = 0; i < n; i++) {
		int fd = open(spool_fixture_segment(r, i, path, sizeof(path)), O_RDWR);
		uint8_t bytes[65536], version = 2;
		ssize_t len = pread(fd, bytes, sizeof(bytes), 0);

		assert_uint_in_range(len, FFFA_SPOOL_SEGMENT_HEAD + 8, sizeof(bytes) - 1);
		for (size_t at = FFFA_SPOOL_SEGMENT_HEAD; at + 8 <= (size_t)len; at++) {
			if (!memcmp(bytes + at, fffa_spool_frame_magic, 8))
				assert_int_equal(pwrite(fd, &version, 1, (off_t)at + 7), 1);
		}
		if (head_too)
			assert_int_equal(pwrite(fd, &version, 1, 7), 1);
		(void)close(fd);
	}
}

/* After a downgrade: it is kept for the newer version, its records are counted, and new ones pass. */
static void what_a_newer_version_wrote_is_set_aside(void **state)
{
	struct spool_fixture *r = *state;

	for (int head_too = 0; head_too < 2; head_too++) {
		struct fixture *f;
		size_t aside, segments;

		leave_flowlog(r, FFFA_ENVELOPE_NONE);
		aside = spool_fixture_files(r, ".aside");
		segments = spool_fixture_files(r, ".seg");
		make_newer(r, head_too);
		f = spool_fixture_life(r, MIB);
		fixture_open(f, 1);
		fixture_feed(f, 10);
		fixture_settle(f);
		fixture_close(f, 0);
		assert_int_equal(spool_fixture_files(r, ".aside"), aside + segments);
		assert_int_equal(fffa_ledger_sink_lost(&f->last[0]), 50);
		assert_true(f->last[0].delivered >= 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_CASE(a_batch_is_synced_before_it_is_sent),
		SPOOL_CASE(a_failed_sync_is_tried_again),
		SPOOL_CASE(bytes_are_right_after_failed_writes),
		SPOOL_CASE(bytes_are_right_over_a_restart_and_to_the_end),
		SPOOL_CASE(latency_counts_from_the_seal_over_a_restart),
		SPOOL_CASE(a_read_error_is_tried_again),
		SPOOL_CASE(reads_that_fail_three_times_are_given_up),
		SPOOL_CASE(a_torn_ack_leaves_the_other),
		SPOOL_CASE(two_torn_acks_repeat_and_lose_nothing),
		SPOOL_CASE(acks_are_written_in_turn),
		SPOOL_CASE(acks_are_not_written_too_often),
		SPOOL_CASE(another_envelope_is_another_format),
		SPOOL_CASE(what_a_newer_version_wrote_is_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
