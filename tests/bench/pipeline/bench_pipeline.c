// SPDX-License-Identifier: MIT
/*
 * Measures records per second from fffa_pipeline_record to the file sink's "delivered": the vpc
 * encoder, batches, the queue, the write on a worker thread. Usage: bench_pipeline [RECORDS
 * [DIRECTORY]]. File and spool lie in a new folder in DIRECTORY (default /tmp), which is
 * removed afterwards.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/pipeline/pipeline.h"
#include "sinks/file/file.h"
#include "tests/bench/measure.h"
#include "tests/bench/records.h"

#define FLOWS	    4096
#define SPOOL_BYTES ((int64_t)1 << 30)
#define CHUNK	    256 /* records between two turns of the loop */

struct run {
	const char *title;
	const char *fields;
	const char *path;
	enum fffa_file_sync sync;
	int64_t spool_bytes;
};

struct feed {
	struct fffa_ident_host host;
	struct fffa_ident ident;
	struct fffa_record records[FLOWS];
};

static void fill_feed(struct feed *f)
{
	bench_fill_identity(&f->host, &f->ident);
	for (uint32_t i = 0; i < FLOWS; i++) {
		bench_fill_record(&f->records[i], i);
		f->records[i].ident = &f->ident;
	}
}

static void on_closed(void *arg, struct fffa_pipeline *p)
{
	*(struct fffa_sink_ledger *)arg = *fffa_pipeline_sink_ledger(p, 0);
}

static void identify(void *arg, struct fffa_record *r)
{
	struct feed *f = arg;

	r->ident = &f->ident;
}

static int run_case(const struct run *what, struct feed *feed, uint64_t n, const char *spool_dir)
{
	struct fffa_sink_file_conf own = {.path = (char *)(uintptr_t)what->path,
					  .sync = what->sync};
	struct fffa_sink_conf sink = {
		.common = {.name = (char[]){"bench"},
			   .format = (char[]){"vpc"},
			   .fields = (char *)(uintptr_t)what->fields,
			   .header = true,
			   .batch_records = 1000,
			   .batch_bytes = 1 << 20,
			   .batch_age_ns = INT64_C(1000000000),
			   .queue_memory = 32 << 20,
			   .queue_spool = what->spool_bytes,
			   .retry_min_ns = INT64_C(500000000),
			   .retry_max_ns = INT64_C(30000000000)},
		.ops = &fffa_sink_file_ops,
		.own = &own,
	};
	struct fffa_config conf = {
		.sinks = &sink, .sink_count = 1, .spool_dir = (char *)(uintptr_t)spool_dir};
	struct fffa_sink_ledger end = {0};
	struct fffa_pipeline *p;
	struct fffa_pipeline_env env = {.identify = identify, .arg = feed};
	struct fffa_err err;
	uint64_t begin = uv_hrtime();
	double all = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID),
	       own_thread = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID), wall;
	uv_loop_t loop;

	if (uv_loop_init(&loop))
		return 1;
	if (fffa_pipeline_open(&loop, &conf, 1, &env, &p, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (i % CHUNK == 0) {
			while (!fffa_pipeline_has_room(p))
				(void)uv_run(&loop, UV_RUN_ONCE);
			(void)uv_run(&loop, UV_RUN_NOWAIT);
		}
		fffa_pipeline_record(p, &feed->records[i % FLOWS]);
	}
	fffa_pipeline_close(p, 0, on_closed, &end);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	wall = (double)(uv_hrtime() - begin) / 1e9;
	all = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - all;
	own_thread = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - own_thread;
	printf("%-34s %6.2f M rec/s  %6.2f M rec/s and core  loop thread %4.0f ns/rec  all threads "
	       "%4.0f ns/rec\n",
	       what->title, (double)n / wall / 1e6, (double)n / all * 1e3, own_thread / (double)n,
	       all / (double)n);
	if (end.delivered != n || !fffa_ledger_sink_balances(&end))
		(void)fprintf(stderr, "only %" PRIu64 " of %" PRIu64 " delivered\n", end.delivered,
			      n);
	return uv_loop_close(&loop) || end.delivered != n;
}

/* Removes the files that a drained spool has on disk. */
static void remove_spool(const char *dir)
{
	static const char *const left[] = {"bench/ack", "bench/lock", "bench"};
	char path[4096];

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, left[i]);
		(void)remove(path);
	}
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 4000000;
	const char *parent = argc > 2 ? argv[2] : "/tmp";
	struct feed *feed = calloc(1, sizeof(*feed));
	char dir[4000], path[4096];
	int rc = 0;

	(void)snprintf(dir, sizeof(dir), "%s/bench_pipeline.XXXXXX", parent);
	if (!feed || !n || !mkdtemp(dir)) {
		free(feed);
		return 2;
	}
	fill_feed(feed);
	(void)snprintf(path, sizeof(path), "%s/out", dir);
	const struct run runs[] = {
		{"vpc default, /dev/null", "default", "/dev/null", FFFA_FILE_SYNC_NONE, 0},
		{"vpc default, file", "default", path, FFFA_FILE_SYNC_NONE, 0},
		{"vpc default, file, sync: batch", "default", path, FFFA_FILE_SYNC_BATCH, 0},
		{"vpc all, /dev/null", "all", "/dev/null", FFFA_FILE_SYNC_NONE, 0},
		{"vpc all, file", "all", path, FFFA_FILE_SYNC_NONE, 0},
		{"vpc default, /dev/null, spool", "default", "/dev/null", FFFA_FILE_SYNC_NONE,
		 SPOOL_BYTES},
		{"vpc default, file, spool", "default", path, FFFA_FILE_SYNC_NONE, SPOOL_BYTES},
	};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		rc |= run_case(&runs[i], feed, n, dir);
		(void)unlink(path);
	}
	remove_spool(dir);
	(void)rmdir(dir);
	free(feed);
	return rc;
}
