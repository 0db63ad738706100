// SPDX-License-Identifier: MIT
/* Outage, restart, bounds: what is on disk is delivered in order, and the bound is kept. */
#include "tests/component/pipeline/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "agent/pipeline/pipeline_internal.h"

#define MIB	    (1 << 20)
#define PATIENCE_NS (UINT64_C(60) * 1000 * 1000 * 1000)

/* Runs the loop until the records are on disk, or have nowhere to go. */
static void feed_slowly(struct fixture *f, size_t n)
{
	while (n) {
		size_t some = n < 100 ? n : 100;

		fixture_feed(f, some);
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		n -= some;
	}
}

static void a_healthy_sink_leaves_nothing_on_disk(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct stream_epoch e[1];

	fixture_open(f, 2);
	feed_slowly(f, 5000);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, 5000);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records, 5000);
	assert_int_equal(e[0].repeats, 0);
	assert_int_equal(f->last[0].spooled, 0);
	assert_int_equal(spool_fixture_files(r, ".seg"), 0);
}

static void an_outage_outlives_the_agent(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct stream_epoch e[3];

	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 2);
	feed_slowly(f, 555);
	fixture_close(f, 20 * MS);
	assert_int_equal(f->last[0].spooled, 555);
	assert_int_equal(f->last[0].delivered, 0);
	assert_int_equal(fffa_ledger_sink_lost(&f->last[0]), 0);
	assert_int_equal(f->last[1].delivered, 555);

	f = spool_fixture_life(r, MIB);
	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->resumed, 555);
	feed_slowly(f, 100);
	fixture_close(f, 20 * MS);
	assert_int_equal(f->last[0].spooled, 655);

	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->resumed, 655);
	feed_slowly(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, 665);
	assert_int_equal(spool_fixture_read(f, 0, e, 3), 3);
	for (size_t i = 0; i < 3; i++) {
		static const uint64_t want[] = {555, 100, 10};

		assert_int_equal(e[i].epoch, 100 + i); /* the oldest first */
		assert_int_equal(e[i].records, want[i]);
		assert_int_equal(e[i].last_seq, want[i]);
		assert_true(e[i].in_order);
		assert_int_equal(e[i].repeats, 0);
	}
	assert_int_equal(spool_fixture_files(r, ".seg"), 0);
}

/* When the clock was set back, no earlier epoch is used again. */
static void set_clock_back(struct spool_fixture *r, bool forgets)
{
	struct fixture *f = spool_fixture_life(r, MIB);
	struct fffa_record rec = {.ident = NULL};
	char page[64], path[128];

	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	feed_slowly(f, 20);
	(void)snprintf(page, sizeof(page), "%s", f->p->stream.page_path);
	fixture_close(f, 1 * MS);
	(void)snprintf(path, sizeof(path), "%s/agent.epoch", r->dir);
	if (forgets) { /* nothing but the spool itself knows it then */
		(void)unlink(page);
		assert_int_equal(unlink(path), 0);
	}
	f = spool_fixture_life(r, MIB);
	f->epoch = 5;
	fixture_open(f, 1);
	rec.ident = &f->ident;
	f->fed++;
	fffa_pipeline_record(f->p, &rec);
	assert_int_equal(rec.epoch, 101);
	fixture_close(f, 0);
}

static void an_epoch_is_above_all_on_disk(void **state)
{
	set_clock_back(*state, false);
}

static void an_epoch_is_above_that_of_a_spool(void **state)
{
	set_clock_back(*state, true);
}

static void memory_is_bounded_while_the_disk_takes_all(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, 16 * MIB);
	struct stream_epoch e[1];
	struct fffa_sink_status s;

	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 65536;
	f->sinks[0].common.batch_records = 100;
	f->sinks[0].common.retry_min_ns = f->sinks[0].common.retry_max_ns = 10 * MS;
	fixture_open(f, 1);
	for (int i = 0; i < 500; i++) {
		fixture_feed(f, 100);
		do {
			fffa_pipeline_sink_status(f->p, 0, &s);
			assert_true(s.queue_bytes <= 65536 + 8192);
			(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		} while (!fffa_pipeline_has_room(f->p));
	}
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_true(s.spool_bytes > 20 * 65536);
	assert_int_equal(fixture_ledger(f, 0)->in_flight, 50000);
	f->peers[0].judge = NULL;
	while (fixture_ledger(f, 0)->in_flight) {
		fixture_turn(f);
		fffa_pipeline_sink_status(f->p, 0, &s);
		assert_true(s.queue_bytes <= 65536 + 8192);
	}
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records, 50000);
	assert_int_equal(e[0].repeats, 0);
}

/* Feeds many more records than there is room for, then lets the sink work. */
static void overflow(struct spool_fixture *r, int when_full)
{
	struct fixture *f = spool_fixture_life(r, 262144);
	struct stream_epoch e[1];

	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 32768;
	f->sinks[0].common.queue_when_full = when_full;
	f->sinks[0].common.retry_min_ns = f->sinks[0].common.retry_max_ns = 5 * MS;
	fixture_open(f, 2);
	for (int i = 0; i < 300; i++) {
		fixture_feed(f, 100);
		do /* the disk keeps pace until it is full, however slow it is */
			fixture_turn(f);
		while (fffa_pipeline_should_wait(f->p, PATIENCE_NS));
		assert_true(spool_fixture_disk_bytes(r, "") <= 262144);
	}
	assert_true(fixture_ledger(f, 0)->lost[FFFA_RL_SPOOL_FULL] > 10000);
	f->peers[0].judge = NULL;
	fixture_settle(f);
	feed_slowly(f, 50);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records + e[0].lost, f->fed);
	assert_true(e[0].records > 2000);
	assert_int_equal(e[0].repeats, 0);
	assert_int_equal(f->last[1].delivered, f->fed);
}

static void full_drops_the_newest(void **state)
{
	overflow(*state, FFFA_WHEN_FULL_DROP_NEWEST);
}

static void full_drops_the_oldest(void **state)
{
	overflow(*state, FFFA_WHEN_FULL_DROP_OLDEST);
}

/* No file may grow, so the disk takes nothing, but the sink gets everything. */
static void a_full_disk_does_not_stop_deliveries(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct rlimit was, tiny;
	struct fffa_sink_status s;
	struct stream_epoch e[1];

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	fixture_open(f, 1);
	tiny = was;
	tiny.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	feed_slowly(f, 1000);
	fixture_settle(f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_true(s.spool_errors > 0);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 1000);
	f->peers[0].judge = spool_fixture_refuse;
	fixture_run_for(f, 1050); /* the disk is asked again after a second */
	feed_slowly(f, 500);
	fixture_close(f, 20 * MS);
	assert_int_equal(f->last[0].spooled, 500);
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records, 500);
}

/*
 * The disk is full while the sink is down: the memory fills up, then records are lost, and each
 * loss is recorded.
 */
static void neither_disk_nor_sink_works(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct rlimit was, tiny;
	struct stream_epoch e[1];

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 32768;
	fixture_open(f, 1);
	feed_slowly(f, 1000);
	tiny = was;
	tiny.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	feed_slowly(f, 5000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_true(fixture_ledger(f, 0)->lost[FFFA_RL_QUEUE_FULL] > 1000);
	f->peers[0].judge = NULL;
	fixture_settle(f);
	feed_slowly(f, 50);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records + e[0].lost, f->fed);
	assert_int_equal(e[0].repeats, 0);
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

/* 20 frames of ten records; damage in the head of one and in the body of another. */
static void damage_is_counted_recorded_and_skipped(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct stream_epoch e[1];
	char path[256];
	off_t frame;

	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	feed_slowly(f, 200);
	fixture_close(f, 5 * MS);
	frame = ((off_t)spool_fixture_disk_bytes(r, "") - 128) / 20;
	(void)spool_fixture_segment(r, 0, path, sizeof(path));
	flip(path, 128 + 5 * frame + 30);   /* a head */
	flip(path, 128 + 11 * frame + 400); /* a body */
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->resumed, 200);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].lost[FFFA_RL_SPOOL_DAMAGED], 20);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records, 180);
	assert_int_equal(e[0].lost, 20);
	assert_string_equal(e[0].reason, "spool_damaged");
}

static void only_one_agent_may_use_a_spool(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct fffa_pipeline *p = NULL;
	struct fffa_err err = {""};
	char want[128];

	fixture_open(f, 1);
	assert_int_equal(fffa_pipeline_open(&f->loop, &f->conf, 1, &f->env, &p, &err), -EBUSY);
	(void)snprintf(want, sizeof(want), "spool_dir %s: another agent uses it", r->dir);
	assert_string_equal(err.text, want);
	fixture_close(f, 0);
}

static void leave_some(struct spool_fixture *r, const char *format, const char *fields)
{
	struct fixture *f = spool_fixture_life(r, MIB);

	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.format = (char *)(uintptr_t)format;
	f->sinks[0].common.fields = (char *)(uintptr_t)fields;
	fixture_open(f, 1);
	feed_slowly(f, 50);
	fixture_close(f, 5 * MS);
	assert_int_equal(f->last[0].spooled, 50);
}

/* JSON names its values, so records with other fields may follow each other. */
static void json_of_other_fields_is_sent(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f;
	struct stream_epoch e[2];

	leave_some(r, "json", "seq epoch");
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	feed_slowly(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 2), 2);
	assert_int_equal(e[0].records, 50);
}

static void frames_of_another_format_are_skipped_and_recorded(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f;
	struct stream_epoch e[2];

	leave_some(r, "vpc", "${version} ${srcaddr}");
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	feed_slowly(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].lost[FFFA_RL_SPOOL_FORMAT], 50);
	assert_int_equal(spool_fixture_files(r, ".aside"), 1);
	assert_int_equal(spool_fixture_read(f, 0, e, 2), 2);
	assert_int_equal(e[0].records + e[1].records, 10);
	assert_int_equal(e[0].lost + e[1].lost, 50);
}

/* Records that an earlier run left are dropped, too, and recorded as lost with their own epoch. */
static void each_epoch_has_its_own_skipdata(void **state)
{
	struct spool_fixture *r = *state;
	struct stream_epoch e[4];
	struct fixture *f;
	uint64_t fed[3];
	size_t n;

	for (int life = 0; life < 3; life++) {
		f = spool_fixture_life(r, 65536);
		f->peers[0].judge = spool_fixture_refuse;
		f->sinks[0].common.queue_memory = life < 2 ? 1 << 20 : 16384;
		f->sinks[0].common.queue_when_full = FFFA_WHEN_FULL_DROP_OLDEST;
		fixture_open(f, 1);
		for (int i = 0; i < (life < 2 ? 4 : 60); i++) {
			feed_slowly(f, 70);
			fixture_run_for(f, 2);
		}
		fed[life] = f->fed;
		if (life == 2)
			break;
		fixture_close(f, 5 * MS);
		assert_int_equal(f->last[0].spooled, f->last[0].records);
	}
	f->peers[0].judge = NULL;
	fixture_settle(f);
	fixture_feed(f, 10);
	fed[2] += 10;
	fixture_settle(f);
	fixture_close(f, 0);
	n = spool_fixture_read(f, 0, e, 4);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		assert_uint_in_range(e[i].epoch, 100, 102);
		assert_int_equal(e[i].records + e[i].lost, fed[e[i].epoch - 100]);
	}
	assert_true(fffa_ledger_sink_lost(&f->last[0]) > 560);
}

/* A batch larger than the whole spool is lost, and the others pass. */
static void a_frame_that_never_fits_does_not_block_others(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, 8192 + 4096);

	f->sinks[0].common.batch_records = 300;
	f->sinks[0].common.batch_age_ns = 5 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 350);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].lost[FFFA_RL_SPOOL_FULL], 300);
	assert_int_equal(f->last[0].delivered, 50 + f->last[0].skipdata_records);
}

/*
 * The oldest segment is dropped while the sink has batches of it. At the end they are lost and
 * not spooled.
 */
static void a_queued_batch_of_a_dropped_segment_is_not_on_disk(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, 65536);
	uint64_t spooled;

	f->peers[0].hold = true;
	f->peers[0].max_open = 1;
	f->sinks[0].common.queue_when_full = FFFA_WHEN_FULL_DROP_OLDEST;
	fixture_open(f, 1);
	feed_slowly(f, 10);
	while (!spy_open(&f->peers[0])) /* until it is on disk */
		fixture_turn(f);
	while (!fixture_ledger(f, 0)->lost[FFFA_RL_SPOOL_FULL]) {
		fixture_feed(f, 10);
		fixture_turn(f);
	}
	fixture_close(f, 5 * MS);
	spooled = f->last[0].spooled;
	assert_true(spooled > 100);
	f = spool_fixture_life(r, 65536);
	fixture_open(f, 1);
	/* What was lost when the stream had ended is reported now. */
	assert_int_equal(fixture_ledger(f, 0)->resumed,
			 spooled + fixture_ledger(f, 0)->lost[FFFA_RL_UNSAVED]);
	assert_int_equal(fixture_ledger(f, 0)->lost[FFFA_RL_UNSAVED], 10);
	fixture_settle(f);
	fixture_close(f, 0);
}

/*
 * Settled frames of the segment being written give way to a frame that needs nearly all the room.
 */
static void a_frame_that_just_fits_finds_room(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, 16384 + 4096);

	f->sinks[0].common.batch_records = 243;
	f->sinks[0].common.batch_age_ns = 1 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 1);
	fixture_settle(f);
	fixture_feed(f, 243);
	/* A busy disk takes seconds for a sync. */
	for (int i = 0; i < 6000 && fixture_ledger(f, 0)->delivered < 244; i++)
		fixture_run_for(f, 5);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 244);
	fixture_close(f, 0);
}

/* Every second, a segment is begun that has no room for a frame. These segments do not pile up. */
static void empty_segments_are_removed(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct rlimit was, tiny;
	size_t before;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 65536;
	fixture_open(f, 1);
	for (int i = 0; i < 30; i++) { /* more than memory holds */
		fixture_feed(f, 100);
		do {
			fixture_turn(f);
		} while (!fffa_pipeline_has_room(f->p));
	}
	spool_fixture_await_rest(r);
	before = spool_fixture_files(r, ".seg");
	assert_true(before > 0);
	tiny = was;
	tiny.rlim_cur = 300; /* a segment's head, no frame */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	feed_slowly(f, 100);
	fixture_run_for(f, 3200);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_uint_in_range(spool_fixture_files(r, ".seg"), before, before + 1);
	f->peers[0].judge = NULL;
	fixture_settle(f);
	fixture_close(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_CASE(a_healthy_sink_leaves_nothing_on_disk),
		SPOOL_CASE(an_outage_outlives_the_agent),
		SPOOL_CASE(an_epoch_is_above_all_on_disk),
		SPOOL_CASE(an_epoch_is_above_that_of_a_spool),
		SPOOL_CASE(memory_is_bounded_while_the_disk_takes_all),
		SPOOL_CASE(full_drops_the_newest),
		SPOOL_CASE(full_drops_the_oldest),
		SPOOL_CASE(a_full_disk_does_not_stop_deliveries),
		SPOOL_CASE(neither_disk_nor_sink_works),
		SPOOL_CASE(damage_is_counted_recorded_and_skipped),
		SPOOL_CASE(only_one_agent_may_use_a_spool),
		SPOOL_CASE(json_of_other_fields_is_sent),
		SPOOL_CASE(each_epoch_has_its_own_skipdata),
		SPOOL_CASE(a_frame_that_never_fits_does_not_block_others),
		SPOOL_CASE(frames_of_another_format_are_skipped_and_recorded),
		SPOOL_CASE(a_queued_batch_of_a_dropped_segment_is_not_on_disk),
		SPOOL_CASE(a_frame_that_just_fits_finds_room),
		SPOOL_CASE(empty_segments_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
