// SPDX-License-Identifier: MIT
#include "agent/enrich/services/ip_ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/enrich/services/aws_service.h"
#include "agent/loop/worker.h"

#define TAG "metadata"

/* A file has changed when its stamp has. */
struct stamp {
	int64_t mtime_s;
	int64_t mtime_ns;
	uint64_t inode;
	int64_t bytes;
};

/* One reading of the file. The worker owns it while it runs, the loop otherwise. */
struct reading {
	struct stamp stamp; /* in: of the reading before; out: of this one */
	struct fffa_ip_table *table;
	struct fffa_ip_ranges_facts facts;
	struct fffa_err err;
	int error; /* 0: table is new, or NULL when nothing has changed */
};

struct fffa_ip_ranges {
	uv_timer_t timer;
	struct fffa_worker *worker;
	struct fffa_worker_job job;
	uint64_t refresh_ms;
	void (*changed)(void *arg);
	void *arg;
	struct fffa_ip_table *table; /* NULL: no file could be used yet */
	struct reading reading;
	struct fffa_err logged; /* the last problem that was logged */
	bool settled;
	bool closing;
	unsigned int open_handles;
	void (*closed)(void *arg);
	void *closed_arg;
	char path[];
};

static int read_whole(int fd, size_t len, char **out)
{
	char *text = malloc(len + 1);
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	while (n < len) {
		ssize_t got = read(fd, text + n, len - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			int rc = got < 0 ? -errno : -EIO; /* the file has become shorter */

			free(text);
			return rc;
		}
		n += (size_t)got;
	}
	*out = text;
	return 0;
}

static struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){
		.mtime_s = st->st_mtim.tv_sec,
		.mtime_ns = st->st_mtim.tv_nsec,
		.inode = st->st_ino,
		.bytes = st->st_size,
	};
}

static bool is_same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns && a->inode == b->inode &&
	       a->bytes == b->bytes;
}

static int read_open(int fd, struct reading *reading)
{
	struct stamp now;
	struct stat st;
	char *text = NULL;
	int rc;

	if (fstat(fd, &st) != 0)
		return fffa_fail(&reading->err, errno, "%s", strerror(errno));
	now = stamp_of(&st);
	if (is_same_stamp(&now, &reading->stamp))
		return reading->error; /* nothing has changed */
	reading->stamp = now;
	if (st.st_size > FFFA_IP_RANGES_BYTES_MAX)
		return fffa_fail(&reading->err, EFBIG, "larger than %d bytes",
				 FFFA_IP_RANGES_BYTES_MAX);
	rc = read_whole(fd, (size_t)st.st_size, &text);
	if (rc) {
		memset(&reading->stamp, 0, sizeof(reading->stamp)); /* read it again */
		return fffa_fail(&reading->err, -rc, "%s", strerror(-rc));
	}
	rc = fffa_ip_ranges_parse(text, (size_t)st.st_size, &reading->table, &reading->facts,
				  &reading->err);
	free(text);
	return rc;
}

static void read_path(const char *path, struct reading *reading)
{
	int fd = fffa_io_open_regular(AT_FDCWD, path, O_RDONLY);

	if (fd < 0) {
		memset(&reading->stamp, 0, sizeof(reading->stamp));
		reading->error = fffa_fail(&reading->err, -fd, "%s", fffa_io_strerror(fd));
		return;
	}
	reading->error = read_open(fd, reading);
	if (!reading->error)
		reading->err.text[0] = '\0';
	(void)close(fd);
}

int fffa_ip_ranges_check(const char *path, struct fffa_ip_ranges_facts *facts, struct fffa_err *err)
{
	struct reading reading = {.error = 0};

	read_path(path, &reading);
	fffa_ip_table_free(reading.table);
	*facts = reading.facts;
	*err = reading.err;
	return reading.error;
}

static void on_work(void *arg)
{
	struct fffa_ip_ranges *r = arg;

	read_path(r->path, &r->reading);
}

static void on_one_closed(void *arg)
{
	struct fffa_ip_ranges *r = arg;

	if (--r->open_handles)
		return;
	r->closed(r->closed_arg);
	fffa_ip_table_free(r->reading.table);
	fffa_ip_table_free(r->table);
	free(r);
}

/* Logs what the reading gave; a problem that stays the same is logged once. */
static void log_outcome(struct fffa_ip_ranges *r)
{
	const struct reading *reading = &r->reading;
	bool is_news = strcmp(r->logged.text, reading->err.text) != 0;

	r->logged = reading->err;
	if (reading->error && is_news)
		fffa_warn(TAG, "metadata.ip_ranges: %s: %s; %s", r->path, reading->err.text,
			  r->table ? "the last good file stays in use"
				   : "AWS services of addresses stay unknown");
	if (!reading->table)
		return;
	fffa_info(TAG, "read the AWS services of addresses: prefixes=%zu created=%s path=%s",
		  reading->facts.prefixes, reading->facts.created, r->path);
	if (reading->facts.rejected)
		fffa_warn(TAG,
			  "metadata.ip_ranges: %s: ignored entries that are no prefixes: count=%zu",
			  r->path, reading->facts.rejected);
}

static void on_timer(uv_timer_t *timer);

static void on_read(void *arg)
{
	struct fffa_ip_ranges *r = arg;
	bool is_news = !r->settled || r->reading.table;

	if (r->closing)
		return;
	log_outcome(r);
	if (r->reading.table) {
		fffa_ip_table_free(r->table);
		r->table = r->reading.table;
		r->reading.table = NULL;
	}
	r->settled = true;
	(void)uv_timer_start(&r->timer, on_timer, r->refresh_ms, 0); /* fails only when closing */
	if (is_news)
		r->changed(r->arg);
}

static void on_timer(uv_timer_t *timer)
{
	struct fffa_ip_ranges *r = timer->data;

	fffa_worker_submit(r->worker, &r->job);
}

int fffa_ip_ranges_open(uv_loop_t *loop, const char *path, uint64_t refresh_ns,
			void (*changed)(void *arg), void *arg, struct fffa_ip_ranges **out)
{
	size_t len = strlen(path) + 1;
	struct fffa_ip_ranges *r = calloc(1, sizeof(*r) + len);
	int rc;

	if (!r)
		return -ENOMEM;
	rc = fffa_worker_open(loop, "ip_ranges", &r->worker);
	if (rc) {
		free(r);
		return rc;
	}
	memcpy(r->path, path, len);
	r->refresh_ms = refresh_ns / FFFA_NS_PER_MS;
	r->changed = changed;
	r->arg = arg;
	r->job = (struct fffa_worker_job){.work = on_work, .done = on_read, .arg = r};
	(void)uv_timer_init(loop, &r->timer); /* always 0 */
	r->timer.data = r;
	on_timer(&r->timer);
	*out = r;
	return 0;
}

void fffa_ip_ranges_inherit(struct fffa_ip_ranges *to, struct fffa_ip_ranges *from)
{
	if (to->table)
		return;
	to->table = from->table;
	from->table = NULL;
}

bool fffa_ip_ranges_settled(const struct fffa_ip_ranges *r)
{
	return r->settled;
}

void fffa_ip_ranges_apply(const struct fffa_ip_ranges *r, struct fffa_record *rec)
{
	if (!r->table)
		return;
	rec->src_service = fffa_aws_service_name(fffa_ip_table_find(r->table, rec->key.src));
	rec->dst_service = fffa_aws_service_name(fffa_ip_table_find(r->table, rec->key.dst));
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_one_closed(handle->data);
}

void fffa_ip_ranges_close(struct fffa_ip_ranges *r, void (*closed)(void *arg), void *arg)
{
	r->closing = true;
	r->closed = closed;
	r->closed_arg = arg;
	r->open_handles = 2;
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
	fffa_worker_close(r->worker, on_one_closed, r);
}
