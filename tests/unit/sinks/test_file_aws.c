// SPDX-License-Identifier: MIT
/* The AWS layout: names, slots, objects that are full, late or find no room on the disk. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/aws/aws_object.h"
#include "sinks/file/aws/aws_slots.h"
#include "sinks/sink.h"
#include "tests/stubs/files.h"
#include "tests/unit/sinks/aws_fixture.h"

static void names_are_as_aws_writes_them(void **state)
{
	struct fffa_batch_origin origin = {
		.agent_id = "i-1", .account_id = "123456789012", .region = "us-east-1"};
	char text[FFFA_AWS_NAME_BYTES];
	struct fffa_aws_object o, back;

	(void)state;
	fffa_aws_object_init(&o, &origin, "fl-1234abcd", T0_S / 300 + 1, 0xabcdef);
	assert_int_equal(fffa_aws_object_name(&o, text, sizeof(text)), 0);
	assert_string_equal(text, "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20260511T1020Z_"
				  "0000000000abcdef.log.gz");
	assert_true(fffa_aws_object_parse(text, &back));
	assert_memory_equal(&o, &back, sizeof(o));
	assert_int_equal(fffa_aws_object_folder(&o, false, text, sizeof(text)), 0);
	assert_string_equal(text, "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/11");
	assert_int_equal(fffa_aws_object_folder(&o, true, text, sizeof(text)), 0);
	assert_string_equal(text, "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/"
				  "aws-region=us-east-1/year=2026/month=05/day=11");
	assert_int_equal(fffa_aws_object_name(&o, text, 20), -ENAMETOOLONG);
	assert_int_equal(fffa_aws_object_folder(&o, true, text, 20), -ENAMETOOLONG);
}

/* Whatever the metadata service says, no object lies outside of the folder. */
static void hostile_origin_stays_in_the_folder(void **state)
{
	struct fffa_batch_origin origin = {
		.agent_id = "x", .account_id = "../../etc", .region = "a_b/../c"};
	char text[FFFA_AWS_NAME_BYTES];
	struct fffa_aws_object o;

	(void)state;
	fffa_aws_object_init(&o, &origin, NULL, 0, 1);
	assert_int_equal(fffa_aws_object_folder(&o, false, text, sizeof(text)), 0);
	assert_string_equal(text, "AWSLogs/------etc/vpcflowlogs/a-b----c/1970/01/01");
	assert_true(fffa_aws_object_is_flow_log_id(o.flow_log_id));
	origin = (struct fffa_batch_origin){.agent_id = ""};
	fffa_aws_object_init(&o, &origin, NULL, INT64_MAX, 1);
	assert_string_equal(o.account, "unknown");
	assert_string_equal(o.region, "unknown");
	assert_string_equal(o.stamp, "99991231T2359Z");
}

/* Each field as long as it may be; the ID that is made of the agent's, and one that is cut. */
static void names_at_their_bounds(void **state)
{
	struct fffa_batch_origin origin = {.agent_id = "i-0123456789abcdef0",
					   .account_id = "0123456789abcde",
					   .region = "r123456789012345678901234567890"};
	char text[FFFA_AWS_NAME_BYTES], longer[FFFA_AWS_NAME_BYTES + 1];
	struct fffa_aws_object o, back;

	(void)state;
	fffa_aws_object_init(&o, &origin, "", 1, UINT64_MAX);
	assert_string_equal(o.account, "0123456789abcde");
	assert_string_equal(o.region, "r123456789012345678901234567890");
	assert_string_equal(o.flow_log_id, "fl-852a5730939dc4156");
	assert_string_equal(o.stamp, "19700101T0005Z");
	assert_string_equal(o.hash, "ffffffffffffffff");
	assert_int_equal(fffa_aws_object_name(&o, text, sizeof(text)), 0);
	assert_true(fffa_aws_object_parse(text, &back));
	assert_memory_equal(&o, &back, sizeof(o));
	assert_int_equal(fffa_aws_object_name(&o, longer, strlen(text)), -ENAMETOOLONG);
	assert_int_equal(fffa_aws_object_name(&o, longer, strlen(text) + 1), 0);
	(void)snprintf(longer, sizeof(longer), "x%s", text);
	assert_false(fffa_aws_object_parse(longer, &back));
	assert_int_equal(fffa_aws_object_folder(&o, false, text, sizeof(text)), 0);
	assert_int_equal(fffa_aws_object_folder(&o, false, longer, strlen(text)), -ENAMETOOLONG);
	assert_int_equal(fffa_aws_object_folder(&o, false, longer, strlen(text) + 1), 0);
	strcpy(origin.agent_id, "i-1");
	fffa_aws_object_init(&o, &origin, NULL, INT64_MAX / 300, 0);
	assert_string_equal(o.flow_log_id, "fl-2ac33c192b19564ee");
	assert_string_equal(o.stamp, "99991231T2359Z");
	fffa_aws_object_init(&o, &origin, "fl-\x80/Zz09", 0, 0);
	assert_string_equal(o.flow_log_id, "fl---Zz09");
	fffa_aws_object_init(&o, &origin, "fl-01234567890123456789xyz", 0, 0);
	assert_string_equal(o.flow_log_id, "fl-01234567890123456789");
}

static void other_names_are_not_ours(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		"1_vpcflowlogs_r_fl-1_20260511T1020Z_h.log",
		"1_vpcflowlogs_r_fl-1_20260511T1020Z_h.log.gz.tmp",
		"1_vpcflowlogs_r_fl-1_20260511T1020Z_.log.gz",
		"1_cloudtrail_r_fl-1_20260511T1020Z_h.log.gz",
		"1_vpcflowlogs_r_fl-1_20260511T10200_h.log.gz",
		"1_vpcflowlogs_r_fl-1_2026-0511T1020Z_h.log.gz",
		"1_vpcflowlogs_.._fl-1_20260511T1020Z_h.log.gz",
		"1_vpcflowlogs_r_x_fl-1_20260511T1020Z_h.log.gz",
		"12345678901234567_vpcflowlogs_r_fl-1_20260511T1020Z_h.log.gz",
	};
	struct fffa_aws_object o;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(fffa_aws_object_parse(names[i], &o));
}

static void slots_are_of_five_minutes(void **state)
{
	(void)state;
	assert_int_equal(fffa_aws_slots_at(T0_S * 1000), T0_S / 300);
	assert_int_equal(fffa_aws_slots_at(T0_S * 1000 + SLOT_MS - 1), T0_S / 300);
	assert_int_equal(fffa_aws_slots_at(T0_S * 1000 + SLOT_MS), T0_S / 300 + 1);
	assert_int_equal(fffa_aws_slots_at(-1), 0);
	assert_int_equal(fffa_aws_slots_at(-10 * SLOT_MS), 0);
}

static void each_slot_has_its_object(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t times[] = {T0_S * 1000, T0_S * 1000 + SLOT_MS, T0_S * 1000 + 5,
				 T0_S * 1000 - 1};

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 400, times, 4)), 0);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(401, 100, times, 3)), 0);
	assert_int_equal(aws_fixture_count(p, "-path '*AWSLogs*'"), 0);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 3);
	aws_fixture_complete_all(p);
	assert_int_equal(
		aws_fixture_count(
			p, "-path '*AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/11/*'"),
		3);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 0);
	assert_int_equal(p->job.completed, 3);
	aws_fixture_expect_once(p, 1, 500);
}

static void an_object_is_completed_after_its_slot(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000, late = t - 10 * SLOT_MS;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &late, 1)), 0);
	p->job.now_s = T0_S + 10 + FFFA_AWS_GRACE_S - 1;
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completed, 0);
	p->job.now_s++; /* now the object of the late records is due */
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completed, 1);
	p->job.now_s = T0_S + FFFA_AWS_SLOT_S + FFFA_AWS_GRACE_S - 1;
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completed, 1);
	p->job.now_s++;
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completed, 2);
	assert_int_equal(p->job.open_bytes, 0);
	/* A record that comes even later gets a further object of the same slot. */
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(21, 1, &t, 1)), 0);
	aws_fixture_complete_all(p);
	assert_int_equal(aws_fixture_count(p, "-name '*_20260511T1015Z_*'"), 2);
	aws_fixture_expect_once(p, 1, 21);
}

/* After a clock was set back an object is not kept open until the old time comes again. */
static void a_clock_set_back_completes_the_object(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000, earlier = t - 20 * SLOT_MS;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	p->job.now_s -= FFFA_AWS_SLOT_S; /* a small step: the object goes on */
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completed, 0);
	p->job.now_s--;
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completed, 1);
	assert_int_equal(aws_fixture_count(p, "-name '*_20260511T1015Z_*'"), 1);
	p->job.now_s = T0_S - 20 * FFFA_AWS_SLOT_S;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &earlier, 1)), 0);
	assert_int_equal(p->job.completed, 1);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 20);
}

/* A ninth object closes the one that was opened first, wherever it lies in the table. */
static void the_object_opened_first_makes_room(void **state)
{
	static const int opened_after_s[] = {3, 1, 4, 0, 7, 5, 2, 6};
	struct aws_fixture *p = *state;
	int64_t t;

	aws_fixture_open(p);
	for (uint64_t i = 0; i < 8; i++) {
		t = (T0_S + (int64_t)i * FFFA_AWS_SLOT_S) * 1000;
		p->job.now_s = T0_S + 10 + opened_after_s[i];
		assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1 + i, 1, &t, 1)), 0);
	}
	assert_int_equal(p->job.completed, 0);
	p->job.now_s = T0_S + 20;
	t = T0_S * 1000 - SLOT_MS;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(9, 1, &t, 1)), 0);
	assert_int_equal(p->job.completed, 1);
	assert_int_equal(aws_fixture_count(p, "-path '*AWSLogs*' -name '*_20260511T1030Z_*'"), 1);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 9);
}

static void a_full_object_is_followed_by_another(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;

	p->conf.size_bytes = 6000;
	aws_fixture_open(p);
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1 + 50 * i, 50, &t, 1)), 0);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 2000);
	assert_true(aws_fixture_count(p, "-size -6000c") >= 2);
	assert_int_equal(aws_fixture_count(p, "-size +6000c"), 0);
}

/* rm of the folder while an object grows: what comes later goes into a new one. */
static void a_removed_object_is_replaced(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 50, &t, 1)), 0);
	files_remove(p->dir);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(51, 50, &t, 1)), 0);
	assert_int_equal(p->job.removed, 1);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(101, 50, &t, 1)), 0);
	assert_int_equal(p->job.removed, 0);
	aws_fixture_complete_all(p);
	assert_int_equal(p->job.completion_error, 0);
	aws_fixture_expect_once(p, 51, 150);
}

/* With more slots than objects may be open, the oldest objects are completed. */
static void many_slots_in_a_batch(void **state)
{
	struct aws_fixture *p = *state;
	int64_t times[40];

	for (size_t i = 0; i < 40; i++)
		times[i] = T0_S * 1000 + (int64_t)(i * 7 % 40) * SLOT_MS;
	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 400, times, 40)), 0);
	assert_int_equal(p->job.completed, 32);
	aws_fixture_complete_all(p);
	assert_int_equal(aws_fixture_count(p, "-path '*AWSLogs*'"), 40);
	aws_fixture_expect_once(p, 1, 400);
}

/* The object of one slot has room, that of the other has none: each record gets its verdict. */
static void some_slots_without_room(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t times[] = {T0_S * 1000 + SLOT_MS, T0_S * 1000};
	uint64_t again[10];
	size_t n = 0;

	aws_fixture_open(p);
	for (uint64_t i = 0; i < 20; i++) /* the object of the later slot is much longer */
		assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1 + 50 * i, 50, times, 1)),
				 0);
	files_limit_size((rlim_t)p->job.open_bytes + 8);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1001, 10, times, 2)), -EFBIG);
	assert_non_null(p->job.verdicts);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(p->job.verdicts[i], i % 2 ? FFFA_V_DELIVERED : FFFA_V_RETRY);
		if (p->job.verdicts[i] == FFFA_V_RETRY)
			again[n++] = 1001 + i;
	}
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(again[0], 1, times, 1)), -EFBIG);
	assert_null(p->job.verdicts);
	files_limit_size(RLIM_INFINITY);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(aws_fixture_work(p, aws_fixture_batch(again[i], 1, times, 1)), 0);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 1010);
}

/* An object without room for the end of its stream stays open and takes more records. */
static void completion_is_retried(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 50, &t, 1)), 0);
	files_limit_size((rlim_t)p->job.open_bytes + 4);
	p->job.complete_all = true;
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completion_error, -EFBIG);
	assert_int_equal(p->job.completed, 0);
	p->job.complete_all = false;
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(51, 50, &t, 1)), 0);
	aws_fixture_complete_all(p);
	assert_int_equal(p->job.completed, 1);
	aws_fixture_expect_once(p, 1, 100);
}

static void nothing_is_left_of_a_batch_without_room(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;

	aws_fixture_open(p);
	files_limit_size(20);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 50, &t, 1)), -EFBIG);
	aws_fixture_complete_all(p);
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(aws_fixture_count(p, ""), 0); /* not even an empty object */
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 50, &t, 1)), 0);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 50);
}

static void folders_and_modes(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;
	char path[200], *object;
	struct stat st;
	mode_t old = umask(077);

	p->conf.hive = true;
	p->conf.sync = true;
	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	aws_fixture_complete_all(p);
	(void)umask(old);
	(void)snprintf(path, sizeof(path), "%s/AWSLogs/aws-account-id=123456789012", p->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	object = aws_fixture_find(p, "-path '*/year=2026/month=05/day=11/*'");
	object[strcspn(object, "\n")] = '\0';
	assert_int_equal(stat(object, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	free(object);
	aws_fixture_expect_once(p, 1, 10);
}

static void folders_that_cannot_be_made(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;
	struct fffa_aws *none = NULL;
	struct fffa_err err;
	char path[600], text[800];

	(void)snprintf(path, sizeof(path), "%s/file", p->dir);
	files_write(path, "x", 1);
	p->conf.path = path;
	assert_int_equal(fffa_aws_new(&p->conf, &none, &err), -ENOTDIR);
	(void)snprintf(text, sizeof(text),
		       "path: cannot make folders in %s: Not a directory; change path or give this "
		       "user write access",
		       path);
	assert_string_equal(err.text, text);
	memset(path, 'n', 256);
	path[256] = '\0';
	assert_int_equal(fffa_aws_new(&p->conf, &none, NULL), -ENAMETOOLONG);
	path[255] = '\0'; /* as long as a name may be */
	assert_int_equal(fffa_aws_new(&p->conf, &none, NULL), 0);
	fffa_aws_free(none);
	files_remove(path);
	assert_non_null(realpath(p->dir, path)); /* from the root, with needless slashes */
	(void)snprintf(path + strlen(path), 20, "//sub/");
	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	(void)snprintf(text, sizeof(text), "%s/sub/AWSLogs", p->dir);
	files_write(text, "x", 1); /* in the way: the object waits */
	p->job.complete_all = true;
	(void)aws_fixture_work(p, NULL);
	assert_int_equal(p->job.completion_error, -ENOTDIR);
	assert_int_equal(p->job.completed, 0);
	assert_int_equal(p->job.completed_at_s, 0);
	assert_int_equal(unlink(text), 0);
	aws_fixture_complete_all(p);
	assert_int_equal(p->job.completed, 1);
	assert_int_equal(p->job.completed_at_s, p->job.now_s);
	p->conf.path = p->dir;
	aws_fixture_expect_once(p, 1, 10);
}

/* The next batch finds it with its end written: it goes first, and another one follows. */
static void an_ended_object_takes_no_more(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;
	char text[100];

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	(void)snprintf(text, sizeof(text), "%s/AWSLogs", p->dir);
	files_write(text, "x", 1);
	p->job.complete_all = true;
	(void)aws_fixture_work(p, NULL);
	p->job.complete_all = false;
	assert_int_equal(p->job.completion_error, -ENOTDIR);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &t, 1)), -ENOTDIR);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 1);
	assert_int_equal(unlink(text), 0);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &t, 1)), 0);
	assert_int_equal(p->job.completed, 1);
	aws_fixture_complete_all(p);
	assert_int_equal(p->job.completed, 2);
	aws_fixture_expect_once(p, 1, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_are_as_aws_writes_them),
		CASE(hostile_origin_stays_in_the_folder),
		CASE(other_names_are_not_ours),
		CASE(slots_are_of_five_minutes),
		CASE(each_slot_has_its_object),
		CASE(an_object_is_completed_after_its_slot),
		CASE(a_clock_set_back_completes_the_object),
		CASE(the_object_opened_first_makes_room),
		CASE(a_full_object_is_followed_by_another),
		CASE(a_removed_object_is_replaced),
		CASE(many_slots_in_a_batch),
		CASE(some_slots_without_room),
		CASE(completion_is_retried),
		CASE(nothing_is_left_of_a_batch_without_room),
		CASE(folders_and_modes),
		CASE(names_at_their_bounds),
		CASE(folders_that_cannot_be_made),
		CASE(an_ended_object_takes_no_more),
	};

	(void)signal(SIGXFSZ, SIG_IGN); /* as main does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
