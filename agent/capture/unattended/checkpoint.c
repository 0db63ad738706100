// SPDX-License-Identifier: MIT
#include "agent/capture/unattended/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/io.h"
#include "agent/base/log.h"

#define TAG	 "restart"
#define EVERY_NS FFFA_NS_PER_S

static void note_counters(struct fffa_checkpoint_state *m, const struct fffa_hooked *hooks,
			  size_t n)
{
	char *text = fffa_dev_counters_read();

	m->n = 0;
	m->netns = fffa_dev_counters_netns();
	fffa_dev_counters_boot_id(m->boot_id);
	for (size_t i = 0; text && i < n && m->n < FFFA_DEVICES_MAX; i++) {
		struct fffa_checkpoint_device *d = &m->v[m->n];

		memset(d, 0, sizeof(*d));
		if (fffa_dev_counters_find(text, hooks[i].dev.name, &d->passed))
			continue;
		memcpy(d->name, hooks[i].dev.name, sizeof(d->name));
		memcpy(d->mac, hooks[i].dev.mac, sizeof(d->mac));
		d->ifindex = hooks[i].dev.ifindex;
		for (int way = 0; way < 2; way++)
			d->dirs[way] = hooks[i].at[way].how != FFFA_ATTACH_NONE;
		m->n++;
	}
	free(text);
}

static int load_file(const char *path, struct fffa_checkpoint_state *m)
{
	char text[FFFA_CHECKPOINT_TEXT_MAX];
	int fd = fffa_io_open_regular(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (got < 0)
		return -errno;
	text[got] = '\0';
	return fffa_checkpoint_state_parse(text, m);
}

struct fffa_amount fffa_checkpoint_gap(struct fffa_checkpoint *r, const struct fffa_hooked *hooks,
				       size_t n, int64_t *since_ms)
{
	struct fffa_amount none = {0, 0}, gap;
	struct fffa_checkpoint_state *before;
	int rc;

	if (!r->on)
		return none;
	note_counters(&r->next, hooks, n);
	before = calloc(1, sizeof(*before));
	rc = before ? load_file(r->path, before) : -ENOMEM;
	if (rc && rc != -ENOENT)
		fffa_warn(TAG, "%s: %s; packets that passed since are not counted", r->path,
			  rc == -EINVAL ? "damaged" : fffa_io_strerror(rc));
	if (rc) {
		free(before);
		return none;
	}
	gap = fffa_checkpoint_state_between(before, &r->next);
	if (gap.packets)
		*since_ms = before->unix_ms;
	free(before);
	return gap;
}

void fffa_checkpoint_note(struct fffa_checkpoint *r, const struct fffa_hooked *hooks, size_t n,
			  bool last)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system);

	if (!r->on || (!last && (r->saving || now - r->saved_ns < EVERY_NS)))
		return;
	note_counters(&r->next, hooks, n);
	r->changed = true;
	r->saved_ns = now;
}

/*
 * In place of the old one at once: a reader sees one or the other. No sync: a checkpoint is for the
 * next agent of this boot, and held is not worth a disk's seek each second.
 */
static int write_file(const struct fffa_checkpoint *r)
{
	int fd = fffa_io_open_regular(AT_FDCWD, r->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
	ssize_t put;
	int rc = 0;

	if (fd < 0)
		return fd;
	put = write(fd, r->text, r->len);
	if (put != (ssize_t)r->len)
		rc = put < 0 ? -errno : -ENOSPC;
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(r->tmp, r->path))
		rc = -errno;
	return rc;
}

static void work_save(void *arg)
{
	struct fffa_checkpoint *r = arg;

	r->error = write_file(r);
}

static void start_save(struct fffa_checkpoint *r);

static void on_saved(void *arg)
{
	struct fffa_checkpoint *r = arg;

	r->saving = false;
	if (r->error && !r->error_logged)
		fffa_warn(TAG, "%s: %s; what passes while no agent runs may not be counted", r->tmp,
			  fffa_io_strerror(r->error));
	r->error_logged = r->error != 0;
	if (r->save_again)
		start_save(r);
}

static void start_save(struct fffa_checkpoint *r)
{
	r->save_again = false;
	r->saving = true;
	r->len = fffa_checkpoint_state_format(&r->next, r->text);
	fffa_worker_submit(r->worker, &r->job);
}

void fffa_checkpoint_save(struct fffa_checkpoint *r, struct fffa_amount held, int64_t unix_ms)
{
	if (!r->changed)
		return;
	r->changed = false;
	r->next.held = held;
	r->next.unix_ms = unix_ms;
	if (r->saving)
		r->save_again = true;
	else
		start_save(r);
}

void fffa_checkpoint_close(struct fffa_checkpoint *r)
{
	if (!r->on)
		return;
	r->on = r->changed = false;
	fffa_worker_close(r->worker, NULL, NULL);
}

static void open_worker(struct fffa_checkpoint *r, struct uv_loop_s *loop)
{
	int rc = fffa_worker_open(loop, "checkpoint", &r->worker);

	r->on = !rc;
	if (rc)
		fffa_warn(
			TAG,
			"cannot start a thread: %s; packets that pass while no agent runs are not "
			"counted",
			strerror(-rc));
}

void fffa_checkpoint_init(struct fffa_checkpoint *r, struct uv_loop_s *loop, const char *dir)
{
	struct stat st;

	r->job = (struct fffa_worker_job){.work = work_save, .done = on_saved, .arg = r};
	if (!dir || !*dir)
		return;
	if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		fffa_info(
			TAG,
			"spool_dir %s is not there: packets that pass while no agent runs are not "
			"counted",
			dir);
		return;
	}
	if ((size_t)snprintf(r->path, sizeof(r->path), "%s/capture.mark", dir) >= sizeof(r->path))
		return;
	(void)snprintf(r->tmp, sizeof(r->tmp), "%s.new", r->path);
	open_worker(r, loop);
}
