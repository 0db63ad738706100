// SPDX-License-Identifier: MIT
/* The directory of a spool: its files, what is synced, and which errors come back. */
#include "agent/spool/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool/wire.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"

/* The system calls below, which the linker puts in place of those of the C library. */
static struct {
	unsigned int data_syncs, syncs;
	ino_t synced; /* the last one that was synced */
	int error;    /* of the next call */
} disk;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static int answer_sync(int fd)
{
	struct stat st;
	int error = disk.error;

	assert_int_equal(fstat(fd, &st), 0);
	disk.synced = st.st_ino;
	disk.error = 0;
	errno = error;
	return error ? -1 : 0;
}

int __wrap_fdatasync(int fd)
{
	disk.data_syncs++;
	return answer_sync(fd);
}

int __wrap_fsync(int fd)
{
	disk.syncs++;
	return answer_sync(fd);
}

struct place {
	char base[64], path[256];
	struct fffa_store *s;
};

static const char *path_of(struct place *p, const char *name)
{
	(void)snprintf(p->path, sizeof(p->path), "%s/x/%s", p->base, name);
	return p->path;
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct fffa_err err = {""};

	strcpy(p->base, "/tmp/fffa-store.XXXXXX");
	*state = p;
	if (!mkdtemp(p->base) || fffa_store_open(p->base, "x", &p->s, &err))
		return -1;
	memset(&disk, 0, sizeof(disk));
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	fffa_store_close(p->s);
	files_remove(p->base);
	free(p);
	return 0;
}

static off_t size_of(struct place *p, const char *name)
{
	struct stat st;

	return stat(path_of(p, name), &st) ? -1 : st.st_size;
}

static ino_t inode_of(struct place *p, const char *name)
{
	struct stat st;

	assert_int_equal(stat(path_of(p, name), &st), 0);
	return st.st_ino;
}

static mode_t mode_of(struct place *p, const char *name)
{
	struct stat st;

	assert_int_equal(stat(path_of(p, name), &st), 0);
	return st.st_mode & 07777;
}

static void touch(struct place *p, const char *name)
{
	files_write(path_of(p, name), "x", 1);
}

static int begin(struct place *p, uint64_t id)
{
	return fffa_store_write_begin(
		p->s, &(struct fffa_spool_segment){
			      .id = id, .epoch = 5, .identity = 6, .format = "json"});
}

/* Appends n records of len bytes and moves *at behind them. */
static int append(struct place *p, uint64_t *at, uint32_t n, size_t len)
{
	struct fffa_batch *b = make_batch(1, n, len);
	struct fffa_spool_frame f = {.identity = 6, .numbers = n};
	int rc;

	fffa_spool_frame_describe(&f, b);
	rc = fffa_store_write_append(p->s, *at, &f, b);
	if (!rc)
		*at += fffa_spool_frame_len(b);
	fffa_batch_unref(b);
	return rc;
}

static void directories_are_private_and_locked(void **state)
{
	struct place *p = *state;
	struct fffa_store *other = NULL;
	struct fffa_err err = {""};
	char want[128], base[80];

	assert_int_equal(mode_of(p, "."), 0700);
	assert_int_equal(mode_of(p, "lock"), 0600);
	assert_int_equal(fffa_store_open(p->base, "x", &other, &err), -EBUSY);
	assert_null(other);
	(void)snprintf(want, sizeof(want), "spool %s/x: another agent uses it", p->base);
	assert_string_equal(err.text, want);
	(void)snprintf(base, sizeof(base), "%s/new", p->base);
	disk.syncs = 0;
	assert_int_equal(fffa_store_open(base, "y", &other, &err), 0);
	assert_int_equal(disk.syncs, 2); /* of both parents */
	fffa_store_close(other);
	assert_int_equal(fffa_store_open(base, "y", &other, &err), 0);
	assert_int_equal(disk.syncs, 2); /* nothing is new */
	fffa_store_close(other);
	fffa_store_close(NULL);
}

static void a_directory_that_cannot_be_is_an_error(void **state)
{
	struct place *p = *state;
	struct fffa_store *s = NULL;
	struct fffa_err err = {""};
	char *name = calloc(1, 5000), want[400];

	touch(p, "file");
	assert_int_equal(fffa_store_open(p->path, "y", &s, &err), -ENOTDIR);
	(void)snprintf(want, sizeof(want), "spool %s/y: Not a directory", p->path);
	assert_string_equal(err.text, want);
	memset(name, 'n', 4999);
	assert_int_equal(fffa_store_open(p->base, name, &s, &err), -ENAMETOOLONG);
	free(name);
	assert_int_equal(mkdir(path_of(p, "z"), 0700), 0);
	assert_int_equal(mkdir(path_of(p, "z/lock"), 0700), 0);
	assert_int_equal(fffa_store_open(path_of(p, "."), "z", &s, &err), -EISDIR);
	assert_int_equal(fffa_store_open_read(path_of(p, "none"), &s, &err), -ENOENT);
	(void)snprintf(want, sizeof(want), "%s: No such file or directory", p->path);
	assert_string_equal(err.text, want);
	assert_null(s);
}

static void a_reader_locks_nothing(void **state)
{
	struct place *p = *state;
	struct fffa_store *s, *t;
	struct fffa_err err = {""};

	assert_int_equal(fffa_store_open_read(path_of(p, "."), &s, &err), 0);
	assert_int_equal(fffa_store_open_read(path_of(p, "."), &t, &err), 0);
	fffa_store_close(s);
	fffa_store_close(t);
}

static void only_segments_are_listed_in_their_order(void **state)
{
	static const char *const aliens[] = {
		"ack.old",
		"0000000000000000.seg",
		"00000000000000001.seg",
		"000000000000001.seg",
		"000000000000000A.seg",
		"0000000000000001.segx",
		"0000000000000001.aside",
		"0000000000000001.1.aside",
		"7fffffffffffffff.seg",
		"ffffffffffffffff.seg",
		"000000000000001g.seg",
		"8000000000000000.seg",
	};
	struct place *p = *state;
	struct fffa_spool_account account;
	uint64_t *ids;
	size_t n;

	assert_int_equal(fffa_store_list(p->s, &ids, &n, &account), 0);
	assert_int_equal(n, 0);
	assert_int_equal(account.n, 0);
	assert_int_equal(account.ack.segment, 0);
	free(ids);
	for (size_t i = 0; i < sizeof(aliens) / sizeof(aliens[0]); i++)
		touch(p, aliens[i]);
	for (uint64_t i = 1; i <= 150; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%016lx.seg", i * 37 % 151 * 1000);
		touch(p, name);
	}
	touch(p, "7ffffffffffffffe.seg");
	assert_int_equal(fffa_store_list(p->s, &ids, &n, &account), 0);
	assert_int_equal(n, 151);
	for (uint64_t i = 1; i <= 150; i++)
		assert_int_equal(ids[i - 1], i * 1000);
	assert_int_equal(ids[150], INT64_MAX - 1);
	free(ids);
}

static void a_segment_is_begun_once(void **state)
{
	struct place *p = *state;
	struct fffa_spool_segment head;
	uint64_t at = FFFA_SPOOL_SEGMENT_HEAD;
	char *bytes;
	size_t len;

	assert_int_equal(append(p, &at, 1, 30), -EBADF);
	assert_int_equal(begin(p, 0x1f), 0);
	assert_int_equal(disk.syncs, 1);
	assert_int_equal(disk.synced, inode_of(p, "."));
	assert_int_equal(mode_of(p, "000000000000001f.seg"), 0600);
	bytes = files_read(path_of(p, "000000000000001f.seg"), &len);
	assert_int_equal(len, FFFA_SPOOL_SEGMENT_HEAD);
	assert_int_equal(fffa_spool_segment_get(&head, (uint8_t *)bytes), 0);
	assert_int_equal(head.id, 0x1f);
	assert_int_equal(head.epoch, 5);
	assert_int_equal(head.identity, 6);
	assert_string_equal(head.format, "json");
	free(bytes);
	assert_int_equal(begin(p, 0x1f), -EEXIST);
	assert_int_equal(append(p, &at, 1, 30), -EBADF); /* none is begun now */
}

static void a_segment_that_is_not_sure_is_not_begun(void **state)
{
	struct place *p = *state;
	uint64_t at = FFFA_SPOOL_SEGMENT_HEAD;

	disk.error = EIO;
	assert_int_equal(begin(p, 1), -EIO);
	assert_int_equal(size_of(p, "0000000000000001.seg"), -1);
	assert_int_equal(append(p, &at, 1, 30), -EBADF);
	(void)signal(SIGXFSZ, SIG_IGN);
	files_limit_size(FFFA_SPOOL_SEGMENT_HEAD - 1);
	assert_int_equal(begin(p, 1), -EFBIG);
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(size_of(p, "0000000000000001.seg"), -1);
	assert_int_equal(begin(p, 1), 0);
}

static void frames_come_back_as_written(void **state)
{
	static const uint32_t counts[] = {1, 40, 3, 400};
	struct place *p = *state;
	uint64_t at = FFFA_SPOOL_SEGMENT_HEAD;
	struct fffa_spool_source src;
	struct fffa_spool_pos pos = fffa_spool_walk_begin();
	struct fffa_spool_found found;

	assert_int_equal(begin(p, 1), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(append(p, &at, counts[i], 30), 0);
	assert_int_equal(size_of(p, "0000000000000001.seg"), at);
	assert_int_equal(fffa_store_source(p->s, 1, &src), 0);
	assert_int_equal(src.size, at);
	for (size_t i = 0; i < 4; i++) {
		struct fffa_batch *b;

		assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), 1);
		assert_int_equal(found.begin.at, pos.at);
		assert_int_equal(fffa_spool_walk_load(&src, &found, &b), 0);
		assert_int_equal(fffa_batch_count(b), counts[i]);
		fffa_batch_unref(b);
		pos = found.end;
	}
	assert_int_equal(fffa_spool_walk_next(&src, &pos, &found), 0);
}

/* A frame that does not fit leaves nothing behind. */
static void a_failed_append_is_cut_back(void **state)
{
	struct place *p = *state;
	uint64_t at = FFFA_SPOOL_SEGMENT_HEAD;

	assert_int_equal(begin(p, 1), 0);
	assert_int_equal(append(p, &at, 2, 30), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	for (rlim_t more = 0; more < 300; more += 50) {
		files_limit_size(at + more);
		assert_int_equal(append(p, &at, 2, 30), -EFBIG);
		files_limit_size(RLIM_INFINITY);
		assert_int_equal(size_of(p, "0000000000000001.seg"), at);
	}
	assert_int_equal(append(p, &at, 2, 30), 0);
}

static void a_sync_goes_to_the_segment(void **state)
{
	struct place *p = *state;
	uint64_t at = FFFA_SPOOL_SEGMENT_HEAD;

	assert_int_equal(fffa_store_write_sync(p->s), 0); /* nothing to sync */
	assert_int_equal(disk.data_syncs, 0);
	assert_int_equal(begin(p, 1), 0);
	assert_int_equal(begin(p, 2), 0);
	assert_int_equal(append(p, &at, 2, 30), 0);
	assert_int_equal(disk.data_syncs, 0);
	assert_int_equal(fffa_store_write_sync(p->s), 0);
	assert_int_equal(disk.data_syncs, 1);
	assert_int_equal(disk.synced, inode_of(p, "0000000000000002.seg"));
	disk.error = ENOSPC;
	assert_int_equal(fffa_store_write_sync(p->s), -ENOSPC);
	fffa_store_write_end(p->s);
	fffa_store_write_end(p->s);
	assert_int_equal(fffa_store_write_sync(p->s), 0);
	assert_int_equal(disk.data_syncs, 2);
	assert_int_equal(append(p, &at, 2, 30), -EBADF);
}

static void write_ack(struct place *p, uint64_t segment, bool sync, int want)
{
	const struct fffa_spool_account a = {.ack = {.segment = segment, .pos = {.at = segment}}};

	assert_int_equal(fffa_store_ack_write(p->s, &a, sync), want);
}

static uint64_t ack_segment(struct place *p)
{
	struct fffa_spool_account a;
	uint64_t *ids;
	size_t n;

	assert_int_equal(fffa_store_list(p->s, &ids, &n, &a), 0);
	free(ids);
	assert_int_equal(a.ack.pos.at, a.ack.segment);
	return a.ack.segment;
}

static uint64_t turn_of(struct place *p, size_t slot)
{
	char *bytes = files_read(path_of(p, "ack"), NULL);
	const uint8_t *at = (uint8_t *)bytes + slot * FFFA_SPOOL_ACCOUNT_BYTES;
	uint64_t turn = fffa_wire_get64(&at);

	free(bytes);
	return turn;
}

static void acks_are_written_in_turn(void **state)
{
	struct place *p = *state;

	assert_int_equal(ack_segment(p), 0);
	write_ack(p, 7, false, 0);
	assert_int_equal(disk.data_syncs, 0);
	assert_int_equal(mode_of(p, "ack"), 0600);
	assert_int_equal(ack_segment(p), 7);
	write_ack(p, 8, true, 0);
	assert_int_equal(disk.data_syncs, 1);
	assert_int_equal(disk.synced, inode_of(p, "ack"));
	assert_int_equal(size_of(p, "ack"), FFFA_STORE_ACK_BYTES);
	assert_int_equal(turn_of(p, 0), 1);
	assert_int_equal(turn_of(p, 1), 2);
	assert_int_equal(ack_segment(p), 8);
	write_ack(p, 9, true, 0);
	assert_int_equal(turn_of(p, 0), 3);
	assert_int_equal(turn_of(p, 1), 2);
	assert_int_equal(ack_segment(p), 9);
}

/* An ack that is not sure leaves the one that is: the next goes to the same slot. */
static void a_failed_ack_does_not_take_its_turn(void **state)
{
	struct place *p = *state;

	write_ack(p, 7, true, 0);
	disk.error = EIO;
	write_ack(p, 8, true, -EIO);
	write_ack(p, 9, true, 0);
	assert_int_equal(turn_of(p, 0), 1);
	assert_int_equal(turn_of(p, 1), 2);
	assert_int_equal(ack_segment(p), 9);
}

/* The slots of earlier versions have a turn, a position and a checksum. */
static void an_earlier_ack_is_read(void **state)
{
	struct place *p = *state;
	uint8_t slots[128] = {0};

	for (size_t i = 0; i < 2; i++) {
		uint8_t *at = slots + i * 64;

		fffa_wire_put64(&at, 9 - i);
		fffa_wire_put64(&at, 40 + i);
		fffa_wire_put64(&at, 40 + i);
		fffa_wire_put_crc(slots + i * 64, 64);
	}
	files_write(path_of(p, "ack"), slots, sizeof(slots));
	assert_int_equal(ack_segment(p), 40);
	slots[10] ^= 1;
	files_write(path_of(p, "ack"), slots, sizeof(slots));
	assert_int_equal(ack_segment(p), 41);
	write_ack(p, 50, false, 0);
	assert_int_equal(ack_segment(p), 50);
}

static void an_ack_that_is_no_file_is_an_error(void **state)
{
	struct place *p = *state;
	struct fffa_spool_account a;
	uint64_t *ids;
	size_t n;

	assert_int_equal(mkdir(path_of(p, "ack"), 0700), 0);
	assert_int_equal(fffa_store_list(p->s, &ids, &n, &a), -EISDIR);
	assert_int_equal(fffa_store_ack_write(p->s, &(struct fffa_spool_account){.n = 0}, true),
			 -EISDIR);
}

static void a_source_reads_what_is_there(void **state)
{
	struct place *p = *state;
	struct fffa_spool_source src;
	char text[8] = "";

	files_write(path_of(p, "0000000000000001.seg"), "one", 3);
	files_write(path_of(p, "0000000000000002.seg"), "three", 5);
	assert_int_equal(fffa_store_source(p->s, 1, &src), 0);
	assert_int_equal(src.size, 3);
	assert_int_equal(fffa_store_source(p->s, 2, &src), 0);
	assert_int_equal(src.size, 5);
	assert_int_equal(src.read(src.arg, 1, text, 4), 0);
	assert_string_equal(text, "hree");
	assert_int_equal(src.read(src.arg, 1, text, 5), -EIO); /* the file is shorter */
	files_write(path_of(p, "0000000000000002.seg"), "longer", 6);
	assert_int_equal(fffa_store_source(p->s, 2, &src), 0);
	assert_int_equal(src.size, 6);
	assert_int_equal(fffa_store_remove(p->s, 2), 0);
	assert_int_equal(fffa_store_source(p->s, 2, &src), -ENOENT);
	assert_int_equal(symlink("0000000000000001.seg", path_of(p, "0000000000000003.seg")), 0);
	assert_int_equal(fffa_store_source(p->s, 3, &src), -ELOOP);
	assert_int_equal(mkfifo(path_of(p, "0000000000000004.seg"), 0600), 0);
	assert_int_equal(fffa_store_source(p->s, 4, &src), -EMEDIUMTYPE);
}

static void a_segment_is_cut(void **state)
{
	struct place *p = *state;

	files_write(path_of(p, "0000000000000001.seg"), "abcdef", 6);
	assert_int_equal(fffa_store_cut(p->s, 1, 4), 0);
	assert_int_equal(size_of(p, "0000000000000001.seg"), 4);
	assert_int_equal(fffa_store_cut(p->s, 2, 4), -ENOENT);
	assert_int_equal(fffa_store_cut(p->s, 1, UINT64_C(1) << 63), -EINVAL);
}

static void a_removed_segment_is_closed(void **state)
{
	struct place *p = *state;
	uint64_t at = FFFA_SPOOL_SEGMENT_HEAD;

	assert_int_equal(begin(p, 1), 0);
	touch(p, "0000000000000002.seg");
	assert_int_equal(fffa_store_remove(p->s, 2), 0);
	assert_int_equal(append(p, &at, 2, 30), 0); /* another one is written */
	assert_int_equal(fffa_store_remove(p->s, 1), 0);
	assert_int_equal(size_of(p, "0000000000000001.seg"), -1);
	assert_int_equal(append(p, &at, 2, 30), -EBADF);
	assert_int_equal(fffa_store_remove(p->s, 1), 0); /* it is gone already */
	assert_int_equal(mkdir(path_of(p, "0000000000000003.seg"), 0700), 0);
	assert_int_equal(fffa_store_remove(p->s, 3), -EISDIR);
}

static void what_is_set_aside_is_never_replaced(void **state)
{
	static const char *const names[] = {"0000000000000001.aside", "0000000000000001.1.aside",
					    "0000000000000001.2.aside"};
	struct place *p = *state;
	struct fffa_spool_source src;

	for (size_t i = 0; i < 3; i++) {
		files_write(path_of(p, "0000000000000001.seg"), "xxx", i + 1);
		assert_int_equal(fffa_store_source(p->s, 1, &src), 0);
		assert_int_equal(src.size, i + 1);
		assert_int_equal(fffa_store_set_aside(p->s, 1), 0);
		assert_int_equal(fffa_store_source(p->s, 1, &src), -ENOENT);
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(size_of(p, names[k]), k + 1);
	}
	assert_int_equal(fffa_store_set_aside(p->s, 1), -ENOENT);
}

/* A thousand of one number is enough. */
static void too_many_set_aside_are_an_error(void **state)
{
	struct place *p = *state;

	files_write(path_of(p, "0000000000000001.seg"), "x", 1);
	touch(p, "0000000000000001.aside");
	for (int i = 1; i < 999; i++) {
		char name[40], from[256];

		(void)snprintf(name, sizeof(name), "0000000000000001.%d.aside", i);
		(void)snprintf(from, sizeof(from), "%s/x/lock", p->base);
		assert_int_equal(link(from, path_of(p, name)), 0);
	}
	assert_int_equal(fffa_store_set_aside(p->s, 1), 0);
	assert_int_equal(size_of(p, "0000000000000001.999.aside"), 1);
	files_write(path_of(p, "0000000000000001.seg"), "x", 1);
	assert_int_equal(fffa_store_set_aside(p->s, 1), -EEXIST);
	assert_int_equal(size_of(p, "0000000000000001.seg"), 1);
}

#define PLACE_CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_CASE(directories_are_private_and_locked),
		PLACE_CASE(a_directory_that_cannot_be_is_an_error),
		PLACE_CASE(a_reader_locks_nothing),
		PLACE_CASE(only_segments_are_listed_in_their_order),
		PLACE_CASE(a_segment_is_begun_once),
		PLACE_CASE(a_segment_that_is_not_sure_is_not_begun),
		PLACE_CASE(frames_come_back_as_written),
		PLACE_CASE(a_failed_append_is_cut_back),
		PLACE_CASE(a_sync_goes_to_the_segment),
		PLACE_CASE(acks_are_written_in_turn),
		PLACE_CASE(a_failed_ack_does_not_take_its_turn),
		PLACE_CASE(an_earlier_ack_is_read),
		PLACE_CASE(an_ack_that_is_no_file_is_an_error),
		PLACE_CASE(a_source_reads_what_is_there),
		PLACE_CASE(a_segment_is_cut),
		PLACE_CASE(a_removed_segment_is_closed),
		PLACE_CASE(what_is_set_aside_is_never_replaced),
		PLACE_CASE(too_many_set_aside_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
