// SPDX-License-Identifier: MIT
#include "tests/component/pipeline/spool_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEQS_MAX       200000
#define REST_TURNS_MAX 12000 /* of 5 ms: a busy disk takes seconds for a sync */

int spool_fixture_setup(void **state)
{
	struct spool_fixture *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	r->epoch = 100;
	strcpy(r->dir, "/tmp/fffa-spool.XXXXXX");
	*state = r;
	return mkdtemp(r->dir) ? 0 : -1;
}

static void end_life(struct spool_fixture *r)
{
	void *state = r->f;

	if (r->f)
		(void)fixture_teardown(&state);
	r->f = NULL;
}

static void clear(const char *dir)
{
	char path[512];
	const struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_type == DT_DIR)
			clear(path);
		else
			(void)unlink(path);
	}
	if (d)
		(void)closedir(d);
	(void)rmdir(dir);
}

/* The page of a run that did not end. The folder's number is given to others, who would read it. */
static void remove_page(const char *dir)
{
	char page[64];
	struct stat st;

	if (stat(dir, &st))
		return;
	(void)snprintf(page, sizeof(page), "/dev/shm/fffa-%lx-%lx", st.st_dev, st.st_ino);
	(void)unlink(page);
}

int spool_fixture_teardown(void **state)
{
	struct spool_fixture *r = *state;

	end_life(r);
	remove_page(r->dir);
	clear(r->dir);
	free(r);
	return 0;
}

struct fixture *spool_fixture_life(struct spool_fixture *r, int64_t spool_bytes)
{
	void *state;

	end_life(r);
	assert_int_equal(fixture_setup(&state), 0);
	r->f = state;
	r->f->epoch = r->epoch++;
	r->f->conf.spool_dir = r->dir;
	for (size_t i = 0; i < FIXTURE_SINKS; i++)
		r->f->sinks[i].common.fields = (char *)(uintptr_t)SPOOL_FIXTURE_FIELDS;
	r->f->sinks[0].common.queue_spool = spool_bytes;
	return r->f;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int list(const struct spool_fixture *r, struct dirent ***names)
{
	char path[128];
	int n;

	(void)snprintf(path, sizeof(path), "%s/a", r->dir);
	n = scandir(path, names, NULL, by_name);
	assert_true(n >= 0);
	return n;
}

static void free_list(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && !strcmp(name + n - m, suffix);
}

uint64_t spool_fixture_disk_bytes(const struct spool_fixture *r, const char *suffix)
{
	struct dirent **names;
	uint64_t sum = 0;
	int n = list(r, &names);

	/*
	 * The newest first: what the disk's thread deletes or appends meanwhile makes the sum
	 * smaller than what was there at its begin, never larger.
	 */
	for (int i = n - 1; i >= 0; i--) {
		char path[512];
		struct stat st;

		(void)snprintf(path, sizeof(path), "%s/a/%s", r->dir, names[i]->d_name);
		if (ends_with(path, suffix) && !stat(path, &st) && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	}
	free_list(names, n);
	return sum;
}

size_t spool_fixture_files(const struct spool_fixture *r, const char *suffix)
{
	struct dirent **names;
	int n = list(r, &names);
	size_t count = 0;

	for (int i = 0; i < n; i++)
		count += ends_with(names[i]->d_name, suffix);
	free_list(names, n);
	return count;
}

const char *spool_fixture_segment(const struct spool_fixture *r, size_t i, char *dst, size_t cap)
{
	struct dirent **names;
	int n = list(r, &names);
	bool found = false;

	for (int k = 0; k < n && !found; k++) {
		if (!ends_with(names[k]->d_name, ".seg") || i--)
			continue;
		(void)snprintf(dst, cap, "%s/a/%s", r->dir, names[k]->d_name);
		found = true;
	}
	free_list(names, n);
	assert_true(found);
	return dst;
}

void spool_fixture_await_rest(struct spool_fixture *r)
{
	struct fffa_sink_status s;
	int turns = REST_TURNS_MAX;

	for (int same = 0; same < 10; turns--) {
		assert_true(turns > 0);
		fixture_run_for(r->f, 5);
		fffa_pipeline_sink_status(r->f->p, 0, &s);
		same = s.spool_bytes == spool_fixture_disk_bytes(r, ".seg") ? same + 1 : 0;
	}
}

static uint64_t number(const char *line, const char *name)
{
	char key[32];
	const char *at;

	(void)snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(line, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static struct stream_epoch *find_epoch(struct stream_epoch *v, size_t *n, size_t cap,
				       uint64_t epoch)
{
	for (size_t i = 0; i < *n; i++) {
		if (v[i].epoch == epoch)
			return &v[i];
	}
	assert_true(*n < cap);
	v[*n] = (struct stream_epoch){.epoch = epoch, .in_order = true};
	return &v[(*n)++];
}

static void note_line(struct stream_epoch *e, const char *line, bool *seen)
{
	uint64_t seq = number(line, "seq"), lost = number(line, "lost_records");
	const char *why = strstr(line, "\"lost_reason\":\"");

	assert_uint_in_range(seq, 1, SEQS_MAX - 1);
	if (seen[seq]) {
		e->repeats++;
		return;
	}
	seen[seq] = true;
	if (lost) {
		e->skips++;
		e->lost += lost;
		assert_non_null(why);
		(void)sscanf(why, "\"lost_reason\":\"%31[a-z_]", e->reason);
	} else {
		e->records++;
		e->in_order = e->in_order && seq > e->last_seq;
	}
	e->last_seq = seq > e->last_seq ? seq : e->last_seq;
}

size_t spool_fixture_read(const struct fixture *f, size_t i, struct stream_epoch *out, size_t n)
{
	const char *at = (const char *)f->peers[i].bytes, *end = at + f->peers[i].len;
	bool *seen = calloc(n * SEQS_MAX, sizeof(*seen));
	size_t count = 0;

	assert_non_null(seen);
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		char line[256] = "";
		struct stream_epoch *e;

		assert_non_null(stop);
		assert_uint_in_range(stop - at, 9, sizeof(line) - 1);
		memcpy(line, at, (size_t)(stop - at));
		at = stop + 1;
		e = find_epoch(out, &count, n, number(line, "epoch"));
		note_line(e, line, seen + (size_t)(e - out) * SEQS_MAX);
	}
	free(seen);
	return count;
}

struct fffa_outcome spool_fixture_refuse(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return outcome(FFFA_V_RETRY, -ECONNREFUSED);
}
