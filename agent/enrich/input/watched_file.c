// SPDX-License-Identifier: MIT
#include "agent/enrich/input/watched_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/loop/worker.h"

#define TAG	    "metadata"
#define LOOK_MAX_NS (10 * FFFA_NS_PER_S)

/* A file has changed when its stamp has. */
struct stamp {
	int64_t mtime_s;
	int64_t mtime_ns;
	uint64_t inode;
	int64_t bytes;
};

/* One reading of the file. The worker owns it while it runs, the loop otherwise. */
struct reading {
	const struct fffa_watched_kind *kind;
	struct stamp stamp; /* in: of the reading before; out: of this one */
	void *made;
	struct fffa_err err;
	int error;     /* 0: made is new, or NULL when nothing has changed */
	bool is_fresh; /* the file was read, or could not be opened */
};

struct fffa_watched_file {
	uv_timer_t timer;
	struct fffa_worker *worker;
	struct fffa_worker_job job;
	uint64_t look_ms;
	void (*changed)(void *arg);
	void *arg;
	void *made; /* NULL: no file could be used yet */
	struct reading reading;
	struct fffa_err logged; /* the last problem that was logged */
	uint64_t errors;
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
	const struct fffa_watched_kind *kind = reading->kind;
	struct stamp now;
	struct stat st;
	char *text = NULL;
	int rc;

	if (fstat(fd, &st) != 0)
		return fffa_fail(&reading->err, errno, "%s", strerror(errno));
	now = stamp_of(&st);
	reading->is_fresh = !is_same_stamp(&now, &reading->stamp);
	if (!reading->is_fresh)
		return reading->error; /* nothing has changed */
	reading->stamp = now;
	if ((uint64_t)st.st_size > kind->bytes_max)
		return fffa_fail(&reading->err, EFBIG, "larger than %zu bytes", kind->bytes_max);
	if (!st.st_size) /* a shell's > makes it so, seconds before the first line comes */
		return fffa_fail(&reading->err, ENODATA, "is empty");
	rc = read_whole(fd, (size_t)st.st_size, &text);
	if (rc) {
		memset(&reading->stamp, 0, sizeof(reading->stamp)); /* read it again */
		return fffa_fail(&reading->err, -rc, "%s", strerror(-rc));
	}
	rc = kind->parse(text, (size_t)st.st_size, &reading->made, &reading->err);
	free(text);
	return rc;
}

static void read_path(const char *path, struct reading *reading)
{
	int fd = fffa_io_open_regular(AT_FDCWD, path, O_RDONLY);

	if (fd < 0) {
		memset(&reading->stamp, 0, sizeof(reading->stamp));
		reading->is_fresh = true;
		reading->error = fffa_fail(&reading->err, -fd, "%s", fffa_io_strerror(fd));
		return;
	}
	reading->error = read_open(fd, reading);
	if (!reading->error)
		reading->err.text[0] = '\0';
	(void)close(fd);
}

int fffa_watched_file_read(const struct fffa_watched_kind *kind, const char *path, void **made,
			   struct fffa_err *err)
{
	struct reading reading = {.kind = kind};

	read_path(path, &reading);
	*made = reading.made;
	*err = reading.err;
	return reading.error;
}

static void on_work(void *arg)
{
	struct fffa_watched_file *w = arg;

	read_path(w->path, &w->reading);
}

static void on_one_closed(void *arg)
{
	struct fffa_watched_file *w = arg;

	if (--w->open_handles)
		return;
	w->closed(w->closed_arg);
	w->reading.kind->destroy(w->reading.made);
	w->reading.kind->destroy(w->made);
	free(w);
}

/* Logs and counts a reading that failed; a problem that stays the same counts once. */
static void report_error(struct fffa_watched_file *w)
{
	const struct reading *reading = &w->reading;
	bool is_news = strcmp(w->logged.text, reading->err.text) != 0;

	w->logged = reading->err;
	if (!reading->error || !(is_news || (reading->is_fresh && reading->stamp.inode)))
		return;
	w->errors++;
	if (is_news)
		fffa_warn(TAG, "%s: %s: %s; %s", reading->kind->key, w->path, reading->err.text,
			  w->made ? "the last good file stays in use" : reading->kind->missing);
}

static void on_timer(uv_timer_t *timer);

static void on_read(void *arg)
{
	struct fffa_watched_file *w = arg;
	bool is_news = !w->settled || w->reading.made;

	if (w->closing)
		return;
	report_error(w);
	if (w->reading.made) {
		w->reading.kind->destroy(w->made);
		w->made = w->reading.made;
		w->reading.made = NULL;
		w->reading.kind->log_use(w->made, w->path);
	}
	w->settled = true;
	(void)uv_timer_start(&w->timer, on_timer, w->look_ms, 0); /* fails only when closing */
	if (is_news)
		w->changed(w->arg);
}

static void on_timer(uv_timer_t *timer)
{
	struct fffa_watched_file *w = timer->data;

	fffa_worker_submit(w->worker, &w->job);
}

int fffa_watched_file_open(uv_loop_t *loop, const struct fffa_watched_kind *kind, const char *path,
			   uint64_t refresh_ns, void (*changed)(void *arg), void *arg,
			   struct fffa_watched_file **out)
{
	size_t len = strlen(path) + 1;
	struct fffa_watched_file *w = calloc(1, sizeof(*w) + len);
	int rc;

	if (!w)
		return -ENOMEM;
	rc = fffa_worker_open(loop, kind->thread, &w->worker);
	if (rc) {
		free(w);
		return rc;
	}
	memcpy(w->path, path, len);
	w->look_ms = (refresh_ns < LOOK_MAX_NS ? refresh_ns : LOOK_MAX_NS) / FFFA_NS_PER_MS;
	w->changed = changed;
	w->arg = arg;
	w->reading.kind = kind;
	w->job = (struct fffa_worker_job){.work = on_work, .done = on_read, .arg = w};
	(void)uv_timer_init(loop, &w->timer); /* always 0 */
	w->timer.data = w;
	on_timer(&w->timer);
	*out = w;
	return 0;
}

void fffa_watched_file_inherit(struct fffa_watched_file *to, struct fffa_watched_file *from)
{
	if (to->made)
		return;
	to->made = from->made;
	from->made = NULL;
	if (to->made)
		fffa_warn(TAG, "%s: what was read before stays in use", to->reading.kind->key);
}

const void *fffa_watched_file_made(const struct fffa_watched_file *w)
{
	return w->made;
}

bool fffa_watched_file_settled(const struct fffa_watched_file *w)
{
	return w->settled;
}

uint64_t fffa_watched_file_errors(const struct fffa_watched_file *w)
{
	return w->errors;
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_one_closed(handle->data);
}

void fffa_watched_file_close(struct fffa_watched_file *w, void (*closed)(void *arg), void *arg)
{
	w->closing = true;
	w->closed = closed;
	w->closed_arg = arg;
	w->open_handles = 2;
	uv_close((uv_handle_t *)&w->timer, on_timer_closed);
	fffa_worker_close(w->worker, on_one_closed, w);
}
