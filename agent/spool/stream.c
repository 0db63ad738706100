// SPDX-License-Identifier: MIT
#include "agent/spool/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/base/minmax.h"
#include "agent/loop/disk.h"
#include "agent/spool/store.h"

#define TAG	   "stream"
#define PAGE_BYTES 4096
#define MAGIC	   UINT64_C(0x31736d6661666666) /* "fffafms1" */

struct fffa_stream_page {
	uint64_t magic, epoch, seq;
	struct fffa_stream_own own[FFFA_STREAM_OWN_MAX];
};
_Static_assert(sizeof(struct fffa_stream_page) <= PAGE_BYTES, "one page");

/* The last number in shared memory. */

static bool is_ours(int fd)
{
	struct statfs fs;
	struct stat st;

	/* A page of a disk's file would have the loop wait for the disk. */
	return !fstatfs(fd, &fs) && fs.f_type == TMPFS_MAGIC && !fstat(fd, &st) &&
	       S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1;
}

static struct fffa_stream_page *map_page(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	/* The room is taken now, as a store to the page cannot fail. */
	if (is_ours(fd) && !posix_fallocate(fd, 0, PAGE_BYTES))
		p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static void open_page(struct fffa_stream *s)
{
	struct stat st;

	if (fstat(s->dir, &st))
		return;
	(void)snprintf(s->page_path, sizeof(s->page_path), "/dev/shm/fffa-%" PRIx64 "-%" PRIx64,
		       (uint64_t)st.st_dev, (uint64_t)st.st_ino);
	s->page = map_page(s->page_path);
}

static void begin_page(struct fffa_stream *s, uint64_t epoch)
{
	if (!s->page)
		return;
	/* Whoever is killed here leaves an epoch of which no number was given out. */
	s->page->magic = MAGIC;
	memcpy(s->page->own, s->own, sizeof(s->own));
	__atomic_store_n(&s->page->seq, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&s->page->epoch, epoch, __ATOMIC_RELEASE);
}

/* FNV-1a, never 0. */
static uint64_t hash_name(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

void fffa_stream_last(const struct fffa_stream *s, const char *name, uint64_t *epoch, uint64_t *seq)
{
	bool known = s->page && !s->begun && s->page->magic == MAGIC;
	uint64_t hash = hash_name(name);

	*epoch = known ? s->page->epoch : 0;
	*seq = known ? s->page->seq : 0;
	for (size_t i = 0; known && i < FFFA_STREAM_OWN_MAX; i++) {
		if (s->page->own[i].name == hash)
			*seq = s->page->own[i].seq;
	}
}

/* Into the page, the number before the name: a name in it has its number. */
static void save_own(const struct fffa_stream *s, const struct fffa_stream_own *own)
{
	struct fffa_stream_own *kept = s->page && s->begun ? &s->page->own[own - s->own] : NULL;

	if (!kept)
		return;
	__atomic_store_n(&kept->seq, own->seq, __ATOMIC_RELEASE);
	__atomic_store_n(&kept->name, own->name, __ATOMIC_RELEASE);
}

/* The place of the stream with this name, or else the first free one; FFFA_STREAM_OWN_MAX: none. */
static size_t find_own(const struct fffa_stream *s, uint64_t name)
{
	size_t i = 0;

	while (i < FFFA_STREAM_OWN_MAX && s->own[i].name && s->own[i].name != name)
		i++;
	return i;
}

struct fffa_stream_own *fffa_stream_own(struct fffa_stream *s, const char *name)
{
	uint64_t hash = hash_name(name);
	size_t i = find_own(s, hash);

	if (i == FFFA_STREAM_OWN_MAX)
		return NULL;
	if (!s->own[i].name)
		s->own[i] = (struct fffa_stream_own){.name = hash, .seq = s->seq};
	save_own(s, &s->own[i]);
	return &s->own[i];
}

bool fffa_stream_has_own(const struct fffa_stream *s, const char *name)
{
	size_t i = find_own(s, hash_name(name));

	return i < FFFA_STREAM_OWN_MAX && s->own[i].name;
}

void fffa_stream_own_raise(struct fffa_stream *s, struct fffa_stream_own *own)
{
	own->seq = fffa_max_u64(own->seq, s->seq);
	save_own(s, own);
}

uint64_t fffa_stream_own_next(struct fffa_stream *s, struct fffa_stream_own *own)
{
	own->seq++;
	save_own(s, own);
	return own->seq;
}

uint64_t fffa_stream_next(struct fffa_stream *s)
{
	s->seq++;
	if (s->page)
		__atomic_store_n(&s->page->seq, s->seq, __ATOMIC_RELAXED);
	return s->seq;
}

/* The epoch on disk. */

static uint64_t read_epoch(int dir)
{
	char text[32] = "";
	int fd = openat(dir, "agent.epoch", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		(void)close(fd);
	return got > 0 ? strtoull(text, NULL, 10) : 0;
}

static int write_epoch(int dir, uint64_t epoch)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", epoch);
	struct iovec v = {text, (size_t)len};
	int fd = fffa_io_open_regular(dir, "agent.epoch.new",
				      O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
	int rc;

	if (fd < 0)
		return fd;
	rc = fffa_io_write_all(fd, &v, 1, 0, NULL);
	if (!rc && fsync(fd))
		rc = -errno;
	(void)close(fd); /* it was synced */
	if (!rc && renameat(dir, "agent.epoch.new", dir, "agent.epoch"))
		rc = -errno;
	if (!rc && fsync(dir))
		rc = -errno;
	return rc;
}

/* What a thread of its own gets: it may outlive the wait for it. */
struct saved_epoch {
	uint64_t epoch;
	int dir;
};

static int save_epoch(void *arg)
{
	const struct saved_epoch *k = arg;
	int rc = write_epoch(k->dir, k->epoch);

	(void)close(k->dir); /* what was written is synced */
	return rc;
}

/* A sync may take long, and each second of the start costs what passes meanwhile. */
static int save_epoch_in_time(const struct fffa_stream *s, uint64_t epoch)
{
	const struct saved_epoch k = {.epoch = epoch, .dir = fcntl(s->dir, F_DUPFD_CLOEXEC, 0)};
	int result, rc;

	if (k.dir < 0)
		return -errno;
	rc = fffa_disk_run(save_epoch, &k, sizeof(k), FFFA_DISK_WAIT_NS, &result);
	if (rc && rc != -ETIMEDOUT) /* no thread has it */
		return save_epoch((void *)(uintptr_t)&k);
	return rc ? rc : result;
}

uint64_t fffa_stream_boot_epoch(void)
{
	char id[40] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, id, sizeof(id) - 1);
	uint32_t h = 2166136261u; /* FNV-1a */
	struct timespec t;

	if (fd >= 0)
		(void)close(fd);
	for (ssize_t i = 0; i < got; i++)
		h = (h ^ (uint8_t)id[i]) * 16777619u;
	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	/* 37 bits of milliseconds are four years. Bit 52 keeps it above every Unix time. */
	return UINT64_C(1) << 52 | (uint64_t)(h >> 17) << 37 |
	       (((uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000) &
		((UINT64_C(1) << 37) - 1));
}

uint64_t fffa_stream_begin(struct fffa_stream *s, uint64_t wanted, uint64_t above, bool boot)
{
	uint64_t epoch = fffa_max_u64(wanted, fffa_max_u64(above, s->kept) + 1);
	int rc = s->lock >= 0 ? save_epoch_in_time(s, epoch) : -ENOENT;

	if (rc && s->lock >= 0)
		fffa_warn(TAG, "cannot save the epoch in spool_dir: %s",
			  rc == -ETIMEDOUT ? "its disk does not answer" : fffa_io_strerror(rc));
	if (rc && boot)
		epoch = fffa_max_u64(fffa_stream_boot_epoch(), above + 1);
	begin_page(s, epoch);
	s->begun = true;
	return epoch;
}

/* Opening and closing. */

static int lock_dir(struct fffa_stream *s)
{
	s->lock = openat(s->dir, "agent.lock",
			 O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return 0; /* nothing can be kept here */
	return flock(s->lock, LOCK_EX | LOCK_NB) ? -errno : 0;
}

int fffa_stream_open(struct fffa_stream *s, const char *dir, bool makes_dir, struct fffa_err *err)
{
	int rc = 0;

	*s = (struct fffa_stream){.dir = -1, .lock = -1};
	if (!dir || !*dir)
		return 0;
	if (makes_dir)
		rc = fffa_store_make_dir(dir);
	if (rc)
		return fffa_fail(err, -rc, "spool_dir %s: %s", dir, strerror(-rc));
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return 0;
	rc = lock_dir(s);
	if (rc == -EWOULDBLOCK)
		return fffa_fail(err, EBUSY, "spool_dir %s: another agent uses it", dir);
	if (rc)
		return fffa_fail(err, -rc, "spool_dir %s: %s", dir, strerror(-rc));
	s->kept = read_epoch(s->dir);
	if (s->lock >= 0)
		open_page(s);
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing was written that is not synced */
	*fd = -1;
}

void fffa_stream_close(struct fffa_stream *s)
{
	if (s->page) {
		(void)munmap(s->page, PAGE_BYTES);
		if (s->begun) /* the spools' accounts have the last number now */
			(void)unlink(s->page_path);
	}
	s->page = NULL;
	close_fd(&s->lock);
	close_fd(&s->dir);
}
