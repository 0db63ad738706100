// SPDX-License-Identifier: MIT
/* AWS's layout: names, slots, objects that are full, late or torn by a crash. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "sinks/file/aws.h"
#include "sinks/file/aws_names.h"
#include "sinks/file/part.h"
#include "sinks/sink.h"

#define T0_S	INT64_C(1778494500) /* 2026-05-11T10:15:00Z, where a slot begins */
#define SLOT_MS (FFFA_AWS_SLOT_S * INT64_C(1000))
#define HEAD	"head er\n"
#define ACCESS                                                                                     \
	{                                                                                          \
		.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1                                   \
	}

static const struct fffa_file_access access_640 = ACCESS;

struct place {
	char dir[64];
	struct fffa_aws_conf conf;
	struct fffa_aws *aws;
	struct fffa_aws_job job;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "fffa-aws-XXXXXX");
	if (!mkdtemp(p->dir)) {
		free(p);
		return -1;
	}
	p->conf = (struct fffa_aws_conf){.path = p->dir,
					 .flow_log_id = "fl-0123456789abcdef0",
					 .access = &access_640,
					 .preamble = {(const uint8_t *)HEAD, strlen(HEAD)}};
	p->job.now_s = T0_S + 10;
	*state = p;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct place *p = *state;

	fffa_file__aws_free(p->aws);
	(void)nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

static void open_aws(struct place *p)
{
	struct fffa_err err;

	assert_int_equal(fffa_file__aws_new(&p->conf, &p->aws, &err), 0);
}

/* n records "SEQ T ...\n"; the i-th ends at times[i % n_times] ms. */
static struct fffa_batch *batch_at(uint64_t first, uint32_t n, const int64_t *times, size_t n_times)
{
	static const struct fffa_batch_origin origin = {
		.agent_id = "i-1", .account_id = "123456789012", .region = "us-east-1"};
	struct fffa_batch *b = fffa_batch_new(n * (size_t)64, n);

	for (uint32_t i = 0; i < n; i++) {
		int64_t t = times[i % n_times];
		uint8_t *dst = fffa_batch_room(b, 64);
		int len = snprintf((char *)dst, 64, "%" PRIu64 " %" PRId64 " some more text\n",
				   first + i, t / SLOT_MS);

		assert_non_null(dst);
		fffa_batch_commit(b, (size_t)len,
				  &(struct fffa_batch_mark){.seq = first + i, .time_ms = t});
	}
	fffa_batch_set_origin(b, &origin);
	fffa_batch_seal(b);
	return b;
}

/* Takes the batch. */
static int work(struct place *p, struct fffa_batch *b)
{
	p->job.batch = b;
	fffa_file__aws_work(p->aws, &p->job);
	fffa_batch_unref(b);
	p->job.batch = NULL;
	return p->job.result;
}

static void complete_all(struct place *p)
{
	p->job.complete_all = true;
	assert_int_equal(work(p, NULL), 0);
	assert_int_equal(p->job.completion_error, 0);
	p->job.complete_all = false;
}

/* What find prints for the folder; the caller frees. */
static char *find(const struct place *p, const char *options)
{
	char command[400], *text = calloc(1, 65536);
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "find %s %s -name '*.log.gz' | sort", p->dir,
		       options);
	pipe = popen(command, "r"); /* NOLINT: a fixed command on a folder of ours */
	assert_non_null(pipe);
	(void)!fread(text, 1, 65535, pipe);
	assert_int_equal(pclose(pipe), 0);
	return text;
}

static size_t count(const struct place *p, const char *options)
{
	char *text = find(p, options);
	size_t n = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	free(text);
	return n;
}

/* Every complete object: header, then records of its own slot only. Marks each seq in seen. */
static void read_objects(const struct place *p, uint8_t *seen, size_t max)
{
	char *list = find(p, "-path '*AWSLogs*'"), *save = NULL;

	for (char *path = strtok_r(list, "\n", &save); path; path = strtok_r(NULL, "\n", &save)) {
		struct fffa_aws_object o;
		char line[128], *end;
		gzFile in = gzopen(path, "rb");
		char stamp[16] = "";

		assert_non_null(in);
		assert_true(fffa_file__aws_object_parse(strrchr(path, '/') + 1, &o));
		assert_string_equal(gzgets(in, line, sizeof(line)), HEAD);
		while (gzgets(in, line, sizeof(line))) {
			uint64_t seq = strtoull(line, &end, 10);
			struct fffa_aws_object want;

			assert_true(seq < max);
			seen[seq]++;
			fffa_file__aws_object_init(&want,
						   &(struct fffa_batch_origin){.agent_id = ""},
						   NULL, strtoll(end, NULL, 10), 0);
			assert_string_equal(want.stamp, o.stamp);
			strcpy(stamp, want.stamp);
			assert_non_null(strchr(line, '\n'));
		}
		assert_true(stamp[0]);		     /* no object without a record */
		assert_int_equal(gzclose(in), Z_OK); /* CRC and length were right */
	}
	free(list);
}

static void expect_once(const struct place *p, uint64_t first, uint64_t last)
{
	uint8_t *seen = calloc(1, last + 2);

	read_objects(p, seen, last + 2);
	for (uint64_t i = 0; i <= last + 1; i++)
		assert_int_equal(seen[i], i >= first && i <= last);
	free(seen);
}

static void names_are_as_aws_writes_them(void **state)
{
	struct fffa_batch_origin origin = {
		.agent_id = "i-1", .account_id = "123456789012", .region = "us-east-1"};
	char text[FFFA_AWS_NAME_BYTES];
	struct fffa_aws_object o, back;

	(void)state;
	fffa_file__aws_object_init(&o, &origin, "fl-1234abcd", T0_S / 300 + 1, 0xabcdef);
	assert_int_equal(fffa_file__aws_object_name(&o, text, sizeof(text)), 0);
	assert_string_equal(text, "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20260511T1020Z_"
				  "0000000000abcdef.log.gz");
	assert_true(fffa_file__aws_object_parse(text, &back));
	assert_memory_equal(&o, &back, sizeof(o));
	assert_int_equal(fffa_file__aws_object_folder(&o, false, text, sizeof(text)), 0);
	assert_string_equal(text, "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/11");
	assert_int_equal(fffa_file__aws_object_folder(&o, true, text, sizeof(text)), 0);
	assert_string_equal(text, "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/"
				  "aws-region=us-east-1/year=2026/month=05/day=11");
	assert_int_equal(fffa_file__aws_object_name(&o, text, 20), -ENAMETOOLONG);
	assert_int_equal(fffa_file__aws_object_folder(&o, true, text, 20), -ENAMETOOLONG);
}

/* What an instance says of itself must not lead out of the folder. */
static void hostile_origin_stays_in_the_folder(void **state)
{
	struct fffa_batch_origin origin = {
		.agent_id = "x", .account_id = "../../etc", .region = "a_b/../c"};
	char text[FFFA_AWS_NAME_BYTES];
	struct fffa_aws_object o;

	(void)state;
	fffa_file__aws_object_init(&o, &origin, NULL, 0, 1);
	assert_int_equal(fffa_file__aws_object_folder(&o, false, text, sizeof(text)), 0);
	assert_string_equal(text, "AWSLogs/------etc/vpcflowlogs/a-b----c/1970/01/01");
	assert_true(fffa_file__is_flow_log_id(o.flow_log_id));
	origin = (struct fffa_batch_origin){.agent_id = ""};
	fffa_file__aws_object_init(&o, &origin, NULL, INT64_MAX, 1);
	assert_string_equal(o.account, "unknown");
	assert_string_equal(o.region, "unknown");
	assert_string_equal(o.stamp, "99991231T2359Z");
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
		assert_false(fffa_file__aws_object_parse(names[i], &o));
}

static void slots_are_of_five_minutes(void **state)
{
	(void)state;
	assert_int_equal(fffa_file__aws_slot(T0_S * 1000), T0_S / 300);
	assert_int_equal(fffa_file__aws_slot(T0_S * 1000 + SLOT_MS - 1), T0_S / 300);
	assert_int_equal(fffa_file__aws_slot(T0_S * 1000 + SLOT_MS), T0_S / 300 + 1);
	assert_int_equal(fffa_file__aws_slot(-1), 0);
}

static void each_slot_has_its_object(void **state)
{
	struct place *p = *state;
	const int64_t times[] = {T0_S * 1000, T0_S * 1000 + SLOT_MS, T0_S * 1000 + 5,
				 T0_S * 1000 - 1};

	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 400, times, 4)), 0);
	assert_int_equal(work(p, batch_at(401, 100, times, 3)), 0);
	assert_int_equal(count(p, "-path '*AWSLogs*'"), 0);
	assert_int_equal(count(p, "-path '*.part*'"), 3);
	complete_all(p);
	assert_int_equal(
		count(p, "-path '*AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/05/11/*'"), 3);
	assert_int_equal(count(p, "-path '*.part*'"), 0);
	assert_int_equal(p->job.completed, 3);
	expect_once(p, 1, 500);
}

static void an_object_is_completed_after_its_slot(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000, late = t - 10 * SLOT_MS;

	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 10, &t, 1)), 0);
	assert_int_equal(work(p, batch_at(11, 10, &late, 1)), 0);
	p->job.now_s = T0_S + 10 + FFFA_AWS_GRACE_S - 1;
	(void)work(p, NULL);
	assert_int_equal(p->job.completed, 0);
	p->job.now_s++; /* what came late has had its time too */
	(void)work(p, NULL);
	assert_int_equal(p->job.completed, 1);
	p->job.now_s = T0_S + FFFA_AWS_SLOT_S + FFFA_AWS_GRACE_S - 1;
	(void)work(p, NULL);
	assert_int_equal(p->job.completed, 1);
	p->job.now_s++;
	(void)work(p, NULL);
	assert_int_equal(p->job.completed, 2);
	assert_int_equal(p->job.open_bytes, 0);
	/* A record that comes even later: a further object of the same slot. */
	assert_int_equal(work(p, batch_at(21, 1, &t, 1)), 0);
	complete_all(p);
	assert_int_equal(count(p, "-name '*_20260511T1015Z_*'"), 2);
	expect_once(p, 1, 21);
}

static void a_full_object_is_followed_by_another(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;

	p->conf.size_bytes = 6000;
	open_aws(p);
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(work(p, batch_at(1 + 50 * i, 50, &t, 1)), 0);
	complete_all(p);
	expect_once(p, 1, 2000);
	assert_true(count(p, "-size -6000c") >= 2);
	assert_int_equal(count(p, "-size +6000c"), 0);
}

/* More slots than objects may be open: the oldest make way. */
static void many_slots_in_a_batch(void **state)
{
	struct place *p = *state;
	int64_t times[40];

	for (size_t i = 0; i < 40; i++)
		times[i] = T0_S * 1000 + (int64_t)(i * 7 % 40) * SLOT_MS;
	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 400, times, 40)), 0);
	assert_int_equal(p->job.completed, 32);
	complete_all(p);
	assert_int_equal(count(p, "-path '*AWSLogs*'"), 40);
	expect_once(p, 1, 400);
}

static void set_file_limit(rlim_t bytes)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* The first slot's object takes its records, the second's does not: a verdict for each. */
static void some_slots_without_room(void **state)
{
	struct place *p = *state;
	const int64_t times[] = {T0_S * 1000 + SLOT_MS, T0_S * 1000};
	uint64_t again[10];
	size_t n = 0;

	open_aws(p);
	for (uint64_t i = 0; i < 20; i++) /* the later slot's is much longer */
		assert_int_equal(work(p, batch_at(1 + 50 * i, 50, times, 1)), 0);
	set_file_limit((rlim_t)p->job.open_bytes + 8);
	assert_int_equal(work(p, batch_at(1001, 10, times, 2)), -EFBIG);
	assert_non_null(p->job.verdicts);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(p->job.verdicts[i], i % 2 ? FFFA_V_DELIVERED : FFFA_V_RETRY);
		if (p->job.verdicts[i] == FFFA_V_RETRY)
			again[n++] = 1001 + i;
	}
	assert_int_equal(work(p, batch_at(again[0], 1, times, 1)), -EFBIG);
	assert_null(p->job.verdicts);
	set_file_limit(RLIM_INFINITY);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(work(p, batch_at(again[i], 1, times, 1)), 0);
	complete_all(p);
	expect_once(p, 1, 1010);
}

/* Without room for the end of the stream an object waits, and goes on taking records. */
static void completion_is_tried_again(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;

	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 50, &t, 1)), 0);
	set_file_limit((rlim_t)p->job.open_bytes + 4);
	p->job.complete_all = true;
	(void)work(p, NULL);
	assert_int_equal(p->job.completion_error, -EFBIG);
	assert_int_equal(p->job.completed, 0);
	p->job.complete_all = false;
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(work(p, batch_at(51, 50, &t, 1)), 0);
	complete_all(p);
	assert_int_equal(p->job.completed, 1);
	expect_once(p, 1, 100);
}

static void nothing_is_left_of_a_batch_without_room(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;

	open_aws(p);
	set_file_limit(20);
	assert_int_equal(work(p, batch_at(1, 50, &t, 1)), -EFBIG);
	complete_all(p);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(count(p, ""), 0); /* not even an empty object */
	assert_int_equal(work(p, batch_at(1, 50, &t, 1)), 0);
	complete_all(p);
	expect_once(p, 1, 50);
}

static char *slurp(const char *path, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	text = malloc(*len + 1);
	assert_int_equal(read(fd, text, *len), st.st_size);
	(void)close(fd);
	return text;
}

static void spill(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	(void)close(fd);
}

static void salvage(const struct place *p)
{
	atomic_bool cancel = false;

	assert_int_equal(fffa_file__aws_salvage(&p->conf, &cancel), 0);
}

/* The file of a crash, cut at every byte: the whole batches before the cut are all there. */
static void torn_at_every_byte(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;
	size_t borders[5] = {0}, len;
	char *path, *whole;

	open_aws(p);
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(work(p, batch_at(1 + 10 * i, 10, &t, 1)), 0);
		borders[i + 1] = (size_t)p->job.open_bytes;
	}
	fffa_file__aws_free(p->aws); /* as a crash leaves it */
	p->aws = NULL;
	path = find(p, "-path '*.part*'");
	path[strcspn(path, "\n")] = '\0';
	whole = slurp(path, &len);
	assert_int_equal(len, borders[4]);
	for (size_t cut = 0; cut <= len; cut++) {
		uint64_t batches = 0;
		char *done;

		while (batches < 4 && borders[batches + 1] <= cut)
			batches++;
		spill(path, whole, cut);
		salvage(p);
		assert_int_equal(count(p, "-path '*.part*'"), 0);
		assert_int_equal(count(p, "-path '*AWSLogs*'"), batches ? 1 : 0);
		if (batches)
			expect_once(p, 1, 10 * batches);
		done = find(p, "-path '*AWSLogs*'");
		done[strcspn(done, "\n")] = '\0';
		(void)unlink(done);
		free(done);
	}
	free(whole);
	free(path);
}

/* Also in what completion adds, and with zeros behind, as some file systems leave them. */
static void torn_in_the_end_of_the_stream(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;
	size_t border, len;
	char *path, *whole, part[300];

	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 30, &t, 1)), 0);
	border = (size_t)p->job.open_bytes;
	complete_all(p);
	path = find(p, "-path '*AWSLogs*'");
	path[strcspn(path, "\n")] = '\0';
	whole = slurp(path, &len);
	assert_int_equal(len, border + 10);
	(void)snprintf(part, sizeof(part), "%s/.part/%s", p->dir, strrchr(path, '/') + 1);
	for (size_t cut = border; cut <= len; cut++) {
		spill(part, whole, cut);
		salvage(p);
		expect_once(p, 1, 30);
	}
	whole = realloc(whole, len + 4096);
	memset(whole + border, 0, 4096);
	spill(part, whole, border + 4096);
	salvage(p);
	expect_once(p, 1, 30);
	free(whole);
	free(path);
}

static void damage_ends_at_the_last_good_batch(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;
	size_t first, len;
	char *path, *whole;

	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 30, &t, 1)), 0);
	first = (size_t)p->job.open_bytes;
	assert_int_equal(work(p, batch_at(31, 30, &t, 1)), 0);
	fffa_file__aws_free(p->aws);
	p->aws = NULL;
	path = find(p, "-path '*.part*'");
	path[strcspn(path, "\n")] = '\0';
	whole = slurp(path, &len);
	whole[first] = (char)0xff; /* a block of the kind that does not exist */
	spill(path, whole, len);
	salvage(p);
	expect_once(p, 1, 30);
	free(whole);
	free(path);
}

/* What this process, or another one, still writes is left alone. */
static void open_objects_are_not_salvaged(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;

	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 10, &t, 1)), 0);
	salvage(p);
	assert_int_equal(count(p, "-path '*.part*'"), 1);
	assert_int_equal(work(p, batch_at(11, 10, &t, 1)), 0);
	complete_all(p);
	expect_once(p, 1, 20);
}

static void folders_and_modes(void **state)
{
	struct place *p = *state;
	const int64_t t = T0_S * 1000;
	char path[200], *object;
	struct stat st;
	mode_t old = umask(077);

	p->conf.hive = true;
	p->conf.sync = true;
	open_aws(p);
	assert_int_equal(work(p, batch_at(1, 10, &t, 1)), 0);
	complete_all(p);
	(void)umask(old);
	(void)snprintf(path, sizeof(path), "%s/AWSLogs/aws-account-id=123456789012", p->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	object = find(p, "-path '*/year=2026/month=05/day=11/*'");
	object[strcspn(object, "\n")] = '\0';
	assert_int_equal(stat(object, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	free(object);
	expect_once(p, 1, 10);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_aws_writes_them),
		cmocka_unit_test(hostile_origin_stays_in_the_folder),
		cmocka_unit_test(other_names_are_not_ours),
		cmocka_unit_test(slots_are_of_five_minutes),
		CASE(each_slot_has_its_object),
		CASE(an_object_is_completed_after_its_slot),
		CASE(a_full_object_is_followed_by_another),
		CASE(many_slots_in_a_batch),
		CASE(some_slots_without_room),
		CASE(completion_is_tried_again),
		CASE(nothing_is_left_of_a_batch_without_room),
		CASE(torn_at_every_byte),
		CASE(torn_in_the_end_of_the_stream),
		CASE(damage_ends_at_the_last_good_batch),
		CASE(open_objects_are_not_salvaged),
		CASE(folders_and_modes),
	};

	(void)signal(SIGXFSZ, SIG_IGN); /* as main does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
