// SPDX-License-Identifier: MIT
#include "sinks/file/plain/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/assert.h"
#include "agent/base/format.h"
#include "agent/base/log.h"
#include "sinks/file/plain/inspect.h"
#include "sinks/file/plain/retention.h"
#include "sinks/file/plain/write.h"

#define NS_PER_S INT64_C(1000000000)

struct fffa_file_layout {
	const struct fffa_file_layout_env *env;
	const struct fffa_batch *batch; /* of the write that is under way; may be NULL */
	struct fffa_plain_job job;
	bool rotates;
	bool maintenance_due;
	/*
	 * A batch that failed in part, and whose bytes could not be cut off again. If it comes
	 * again it goes on where it stopped. If another comes first, the rest of its torn record
	 * goes before that.
	 */
	struct {
		uint64_t first_seq, last_seq;
		size_t done_bytes; /* 0: there is none */
		uint8_t tail[FFFA_RECORD_BYTES_MAX];
	} partial;
};

static bool is_named_file(const struct fffa_file_layout *l)
{
	return l->job.to.regular && l->job.to.named;
}

static void use_target(struct fffa_file_layout *l, const struct fffa_plain_target *to)
{
	struct fffa_plain_job *j = &l->job;

	if (j->to.fd >= 0)
		(void)close(j->to.fd); /* what counted was synced; the rest the kernel has */
	j->to = *to;
	fffa_plain_write_preamble(j);
	j->file_bytes = to->size;
	if (j->rotation.interval_s)
		j->rotation.interval_number = to->mtime_s / j->rotation.interval_s;
	l->partial.done_bytes = 0;
}

static struct fffa_file_layout *new_layout(const struct fffa_file_layout_env *env)
{
	const struct fffa_sink_file_conf *conf = env->conf;
	struct fffa_file_layout *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->env = env;
	l->rotates = conf->rotate.size_bytes || conf->rotate.interval_ns;
	l->job.env = env;
	l->job.to.fd = -1;
	l->job.rotation.size_bytes = conf->rotate.size_bytes;
	l->job.rotation.interval_s = conf->rotate.interval_ns / NS_PER_S;
	return l;
}

/* Puts a file aside that holds records of another format or other fields. */
static void rotate_unfit(const struct fffa_file_layout_env *env, struct fffa_plain_target *to)
{
	const char *path = env->conf->path;
	int rc = fffa_plain_rotate(env, time(NULL), to);

	if (rc)
		fffa_error(env->sink->tag,
			   "%s holds records of another format or other fields and cannot be "
			   "rotated; records follow in it: %s",
			   path, strerror(-rc));
	else
		fffa_warn(env->sink->tag,
			  "%s held records of another format or other fields; it was rotated",
			  path);
}

/* Opens the path, and mends or rotates what is found there. */
static int open_target(const struct fffa_file_layout_env *env, struct fffa_plain_target *to,
		       struct fffa_err *err)
{
	bool sync = env->conf->sync == FFFA_FILE_SYNC_BATCH;
	int rc = fffa_plain_open(env->conf->path, &env->access, sync, to, err);

	if (!rc && fffa_plain_inspect(env, to))
		rotate_unfit(env, to);
	return rc;
}

static int open_plain(const struct fffa_file_layout_env *env, struct fffa_file_layout **out,
		      struct fffa_err *err)
{
	struct fffa_file_layout *l = new_layout(env);
	struct fffa_plain_target to;
	int rc;

	if (!l)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	rc = open_target(env, &to, err);
	if (rc) {
		free(l);
		return rc;
	}
	use_target(l, &to);
	l->maintenance_due = l->rotates && is_named_file(l);
	*out = l;
	return 0;
}

static void free_plain(struct fffa_file_layout *l)
{
	(void)close(l->job.to.fd); /* what counted was synced; the rest the kernel has */
	free(l);
}

static bool is_partial(const struct fffa_file_layout *l, const struct fffa_batch *b)
{
	return l->partial.done_bytes && l->partial.first_seq == fffa_batch_first_seq(b) &&
	       l->partial.last_seq == fffa_batch_last_seq(b);
}

static void begin_write(struct fffa_file_layout *l, const struct fffa_batch *b)
{
	struct fffa_plain_job *j = &l->job;

	l->batch = b;
	l->maintenance_due = false;
	j->rotation.done = false;
	j->body = (struct fffa_plain_output){.done = 0};
	if (b)
		j->body.bytes = fffa_batch_bytes(b);
	if (b && is_partial(l, b)) {
		j->body.done = l->partial.done_bytes;
		j->prefix = (struct fffa_plain_output){.done = 0};
	}
	/* A batch is never split over two files. */
	j->may_rotate = l->rotates && is_named_file(l) && !j->prefix.bytes.len && !j->body.done;
}

static int do_write(struct fffa_file_layout *l)
{
	return fffa_plain_write(&l->job);
}

static int wait_fd(const struct fffa_file_layout *l)
{
	return l->job.to.fd;
}

/* Copies the rest of the record in which the first done bytes of b end; returns its length. */
static size_t copy_tail(const struct fffa_batch *b, size_t done, uint8_t *tail)
{
	const uint8_t *stop = fffa_batch_bytes(b).ptr + done;
	uint32_t lo = 0, hi = fffa_batch_count(b);
	struct fffa_span r;
	size_t n;

	while (lo + 1 < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (fffa_batch_record(b, mid).ptr <= stop)
			lo = mid;
		else
			hi = mid;
	}
	r = fffa_batch_record(b, lo);
	if (stop == r.ptr || stop >= r.ptr + r.len)
		return 0;
	n = (size_t)(r.ptr + r.len - stop);
	if (n > FFFA_RECORD_BYTES_MAX)
		return 0;
	memcpy(tail, stop, n);
	return n;
}

/* Notes what the next write needs to know of this one. */
static void note_partial(struct fffa_file_layout *l, int rc)
{
	const struct fffa_batch *b = l->batch;
	struct fffa_plain_job *j = &l->job;

	if (j->prefix.done == j->prefix.bytes.len)
		j->prefix = (struct fffa_plain_output){.done = 0};
	l->partial.done_bytes = 0;
	if (!rc || !b || !j->body.done)
		return;
	FFFA_ASSERT(j->body.done <= j->body.bytes.len);
	l->partial.first_seq = fffa_batch_first_seq(b);
	l->partial.last_seq = fffa_batch_last_seq(b);
	l->partial.done_bytes = j->body.done;
	j->prefix.bytes.ptr = l->partial.tail;
	j->prefix.bytes.len = copy_tail(b, j->body.done, l->partial.tail);
	j->prefix.done = 0;
}

static void end_write(struct fffa_file_layout *l, struct fffa_outcome *o)
{
	if (o->cause == -EPIPE && l->job.to.anonymous)
		o->verdict = FFFA_V_REJECTED; /* `fffa ... | head`: nobody comes back to read */
	l->maintenance_due = l->job.rotation.done && is_named_file(l);
	note_partial(l, o->cause);
	l->batch = NULL;
}

static int reopen_path(struct fffa_file_layout *l, struct fffa_err *err)
{
	struct fffa_plain_target to;
	int rc;

	if (!strcmp(l->env->conf->path, "-") ||
	    fffa_plain_open_is_same(l->env->conf->path, l->job.to.fd))
		return 0;
	rc = open_target(l->env, &to, err);
	if (rc)
		return rc;
	l->maintenance_due = false;
	use_target(l, &to);
	return 0;
}

static bool is_rotation_due(const struct fffa_file_layout *l)
{
	const struct fffa_plain_job *j = &l->job;
	struct fffa_plain_rotation now = j->rotation;

	return !l->partial.done_bytes && !j->prefix.bytes.len && is_named_file(l) &&
	       fffa_plain_rotate_is_due(&now, j->file_bytes, l->env->sink->preamble.len, 0,
					time(NULL));
}

static int64_t check_in_s(const struct fffa_file_layout *l)
{
	int64_t interval_s = l->job.rotation.interval_s;

	return interval_s ? interval_s - time(NULL) % interval_s : 0;
}

static int apply_retention(const struct fffa_file_layout *l, const atomic_bool *cancel)
{
	const struct fffa_sink_file_conf *conf = l->env->conf;

	return fffa_plain_retention_apply(conf->path, conf->rotate.max_files,
					  (enum fffa_file_compression)conf->rotate.compress,
					  cancel);
}

static void read_status(const struct fffa_file_layout *l, struct fffa_file_layout_status *out)
{
	*out = (struct fffa_file_layout_status){
		.file_bytes = is_named_file(l) ? l->job.file_bytes : -1,
		.rotated_at_s = l->job.rotation.done_at_s,
		.rotation_error = l->job.rotation.error,
		/* The rest of a torn record waits for a batch: perhaps it is the same one again. */
		.preamble_due = l->job.prefix.bytes.len > 0 && !l->partial.done_bytes,
		.maintenance_due = l->maintenance_due,
	};
}

const struct fffa_file_layout_ops fffa_file_plain_layout = {
	.rotation_error_text = "cannot rotate the file, it stays in use",
	.open = open_plain,
	.free = free_plain,
	.begin = begin_write,
	.work = do_write,
	.wait_fd = wait_fd,
	.end = end_write,
	.reopen = reopen_path,
	.is_due = is_rotation_due,
	.check_in_s = check_in_s,
	.maintain = apply_retention,
	.status = read_status,
};
