// SPDX-License-Identifier: MIT
/*
 * Compares the HTTP sink with the least that the same work costs: ZSTD_compress2 at level 1 and one
 * blocking easy handle of libcurl. Both send the same batches to the same server, a process of its
 * own that drops them. bench_http [RECORDS] prints both, round by round, and their ratio.
 * bench_http serve PORT runs only the server, for bench_path -c. CPU time is user and system time
 * of all threads.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>
#include <zstd.h>

#include "agent/encode/encoder.h"
#include "sinks/delivery.h"
#include "sinks/http/http.h"
#include "tests/bench/http/discard.h"
#include "tests/bench/measure.h"
#include "tests/bench/records.h"

#define PER_BATCH 1000
#define BATCHES	  32
#define ROUNDS	  5

struct bench {
	char url[64];
	enum fffa_format format;
	struct fffa_batch *batches[BATCHES];
	size_t posts; /* in one run */
	size_t sent, done, failed;
	struct fffa_delivery deliveries[64];
	size_t idle[64], idle_count;
	struct fffa_sink *sink;
};

static int make_batches(struct bench *b)
{
	struct fffa_ident_host host;
	struct fffa_ident ident;
	struct fffa_encoder *e;
	struct fffa_record r;

	if (fffa_encoder_new(b->format, NULL, &e, NULL))
		return -1;
	bench_fill_identity(&host, &ident);
	for (uint32_t i = 0; i < BATCHES; i++) {
		struct fffa_batch *batch = fffa_batch_new(PER_BATCH * 4096, PER_BATCH);

		for (uint32_t k = 0; k < PER_BATCH; k++) {
			uint8_t *dst = fffa_batch_room(batch, FFFA_RECORD_BYTES_MAX);

			bench_fill_record(&r, i * PER_BATCH + k);
			r.ident = &ident;
			r.seq = i * PER_BATCH + k + 1;
			fffa_batch_commit(batch,
					  fffa_encoder_write(e, &r, dst, FFFA_RECORD_BYTES_MAX),
					  &(struct fffa_record_info){.seq = r.seq});
		}
		fffa_batch_seal(batch);
		b->batches[i] = batch;
	}
	fffa_encoder_free(e);
	return 0;
}

/* Returns the CPU time; negative on failure. */
static double run_floor(struct bench *b)
{
	double begin = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	ZSTD_CCtx *z = ZSTD_createCCtx();
	CURL *e = curl_easy_init();
	size_t most = 0;
	CURLcode rc = CURLE_OK;
	uint8_t *out;

	for (size_t i = 0; i < BATCHES; i++) {
		size_t bound = ZSTD_compressBound(fffa_batch_bytes(b->batches[i]).len);

		most = bound > most ? bound : most;
	}
	out = malloc(most);
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, 1);
	(void)curl_easy_setopt(e, CURLOPT_URL, b->url);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, "");
	for (size_t i = 0; rc == CURLE_OK && i < b->posts; i++) {
		struct fffa_span in = fffa_batch_bytes(b->batches[i % BATCHES]);
		size_t n = ZSTD_compress2(z, out, most, in.ptr, in.len);

		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, out);
		rc = curl_easy_perform(e);
	}
	free(out);
	curl_easy_cleanup(e);
	(void)ZSTD_freeCCtx(z);
	return rc == CURLE_OK ? bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin : -1;
}

static void submit_more(struct bench *b)
{
	while (b->sent < b->posts && b->idle_count) {
		struct fffa_delivery *d = &b->deliveries[b->idle[b->idle_count - 1]];

		d->batch = b->batches[b->sent % BATCHES];
		if (fffa_sink_http_ops.submit(b->sink, d))
			return;
		b->idle_count--;
		b->sent++;
	}
}

static void on_done(void *pipe, struct fffa_delivery *d, const struct fffa_outcome *o)
{
	struct bench *b = pipe;

	b->done++;
	b->failed += o->verdict != FFFA_V_DELIVERED;
	b->idle[b->idle_count++] = (size_t)(d - b->deliveries);
	submit_more(b);
}

static void on_ready(void *pipe)
{
	submit_more(pipe);
}

static void on_closed(void *arg)
{
	(void)arg;
}

static double run_sink(struct bench *b, enum fffa_http_shape_id shape)
{
	struct fffa_sink_http_conf conf = {.url = b->url,
					   .shape = (int)shape,
					   .compress = FFFA_HTTP_ZSTD,
					   .tls.verify = true,
					   .timeout_ns = INT64_C(30000000000),
					   .requests = 4};
	double begin = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct fffa_sink_env env = {.tag = "bench",
				    .pipe = b,
				    .done = on_done,
				    .ready = on_ready,
				    .format = b->format,
				    .content_type = "text/plain"};
	struct fffa_err err = {""};
	uv_loop_t loop;

	b->sent = b->done = b->failed = b->idle_count = 0;
	for (size_t i = 0; i < 64; i++)
		b->idle[b->idle_count++] = i;
	if (uv_loop_init(&loop))
		return -1;
	env.loop = &loop;
	if (fffa_sink_http_ops.create(&env, &conf, &b->sink, &err) ||
	    fffa_sink_http_ops.start(b->sink, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	submit_more(b);
	while (b->done < b->posts)
		(void)uv_run(&loop, UV_RUN_ONCE);
	fffa_sink_http_ops.close(b->sink, on_closed, NULL);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop) || b->failed)
		return -1;
	return bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

static int compare(struct bench *b, enum fffa_format format, size_t records)
{
	double floor_ns[ROUNDS], sink_ns[ROUNDS], wall = 0;
	size_t bytes = 0;

	b->format = format;
	b->posts = records / PER_BATCH + !(records / PER_BATCH);
	records = b->posts * PER_BATCH;
	if (make_batches(b))
		return 1;
	for (size_t i = 0; i < ROUNDS; i++) {
		uint64_t begin;

		floor_ns[i] = run_floor(b);
		begin = uv_hrtime();
		sink_ns[i] = run_sink(b, FFFA_HTTP_PLAIN);
		wall += (double)(uv_hrtime() - begin);
		if (floor_ns[i] < 0 || sink_ns[i] < 0) {
			(void)fprintf(stderr, "a post failed\n");
			return 1;
		}
	}
	for (size_t i = 0; i < BATCHES; i++) {
		bytes += fffa_batch_bytes(b->batches[i]).len;
		fffa_batch_unref(b->batches[i]);
	}
	wall /= ROUNDS;
	double f = bench_median(floor_ns, ROUNDS) / (double)records,
	       s = bench_median(sink_ns, ROUNDS) / (double)records;

	printf("%-8s %4zu bytes/record  floor %5.0f ns/record  sink %5.0f ns/record  ratio %.2f  "
	       "%5.2f "
	       "M rec/s and core, %5.2f M rec/s by the clock\n",
	       fffa_format_name(format), bytes / BATCHES / PER_BATCH, f, s, s / f, 1e3 / s,
	       (double)records * 1e3 / wall);
	return 0;
}

int main(int argc, char **argv)
{
	static const enum fffa_format formats[] = {FFFA_FORMAT_VPC, FFFA_FORMAT_JSON,
						   FFFA_FORMAT_MSGPACK};
	bool serve = argc == 3 && !strcmp(argv[1], "serve");
	int port = serve ? atoi(argv[2]) : 0, listener = discard_listen(&port), rc = 0;
	size_t records = argc == 2 ? strtoul(argv[1], NULL, 10) : 1000000;
	struct bench *b;
	pid_t server;

	if (listener < 0 || !records) {
		perror("cannot listen");
		return 1;
	}
	if (serve) {
		discard_serve(listener);
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	server = fork();
	if (server <= 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!server)
			discard_serve(listener);
		return 1;
	}
	(void)close(listener);
	b = calloc(1, sizeof(*b));
	if (!b)
		return 1;
	(void)snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d/in", port);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	for (size_t i = 0; !rc && i < sizeof(formats) / sizeof(formats[0]); i++)
		rc = compare(b, formats[i], records);
	curl_global_cleanup();
	free(b);
	(void)kill(server, SIGKILL);
	return rc;
}
