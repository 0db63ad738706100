// SPDX-License-Identifier: MIT
/*
 * Measures a record's way through the agent on one loop:
 * deltas -> fffa_flow_merge -> expire -> identity -> fffa_pipeline_record -> sink
 *
 * bench_path [FLOWS [DIRECTORY]] writes vpc records to a file in DIRECTORY. One case has FLOWS
 * flows with one delta each, the other a tenth as many with ten deltas each.
 * bench_path -c FILE [FLOWS] uses the sinks of a configuration instead.
 * bench_path -x [FLOWS [DIRECTORY]] measures what filters and metadata.networks add, to /dev/null.
 *
 * CPU time is user and system time of all threads. The program fails unless every packet is in a
 * record and every record is delivered.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/daemon/registry.h"
#include "agent/enrich/networks/network_traffic.h"
#include "agent/enrich/networks/networks.h"
#include "agent/filter/filter.h"
#include "agent/flow/flow_table.h"
#include "agent/pipeline/pipeline.h"
#include "tests/bench/measure.h"
#include "tests/bench/records.h"

#define START_NS  (1000 * FFFA_NS_PER_S)
#define UNIX_NS	  (1700000000 * FFFA_NS_PER_S)
#define IDLE_NS	  (15 * FFFA_NS_PER_S)
#define ROUND_NS  FFFA_NS_PER_S
#define TURN	  8192 /* flows read in one turn of the loop, as in the agent */
#define PER_CHECK 256  /* records between two checks of the queue */
#define ROUNDS	  7    /* of the rows of -x */
#define NETWORKS  4096 /* of 256 addresses: each source of a million flows has one */

/* Every flow passes it, after all of its conditions. */
#define FILTER "tcp dst port 443 and net 10.0.0.0/8 and not host 10.255.255.255"

struct bench {
	uint32_t flows, merges;
	const struct fffa_config *conf;	    /* NULL: records are only counted */
	struct fffa_filter *filter;	    /* capture.filter; NULL: there is none */
	struct fffa_watched_file *networks; /* NULL: there are none */
	struct fffa_network_traffic *traffic;
	struct fffa_delta *deltas;
	struct fffa_ident_host host;
	struct fffa_ident ident;
	uv_loop_t loop;
	struct fffa_flow_table *table;
	struct fffa_ledger ledger;
	struct fffa_pipeline *pipeline;
	uint64_t delivered; /* of the sink that delivered least */
	bool balanced;
	uint64_t records;
};

struct spent {
	double cpu_ns, wall_ns;
};

static struct spent spent_now(void)
{
	return (struct spent){bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID),
			      bench_clock_ns(CLOCK_MONOTONIC)};
}

static struct spent spent_since(struct spent s)
{
	struct spent n = spent_now();

	return (struct spent){n.cpu_ns - s.cpu_ns, n.wall_ns - s.wall_ns};
}

/* One delta of each flow, in an order that is not that of the flow table. */
static struct fffa_delta *make_deltas(uint32_t flows)
{
	struct fffa_delta *v = calloc(flows, sizeof(*v));
	uint64_t x = 42;

	for (uint32_t i = 0; v && i < flows; i++) {
		struct fffa_delta *d = &v[i];

		memcpy(d->key.src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a", 13);
		memcpy(d->key.dst, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xac\x1f\x10\x8b", 16);
		d->key.src[13] = (uint8_t)(i >> 16);
		d->key.src[14] = (uint8_t)(i >> 8);
		d->key.src[15] = (uint8_t)i;
		d->key.sport = (__be16)(i * 31);
		d->key.dport = (__be16)0xbb01;
		d->key.proto = 6;
		d->key.ifindex = 2;
		d->packets = 1 + i % 50;
		d->bytes = (uint64_t)d->packets * 783;
		d->flags = FFFA_F_SYN | FFFA_F_ACK;
	}
	for (uint32_t i = flows - 1; v && i; i--) {
		struct fffa_delta t = v[i];
		uint32_t j;

		x = x * 6364136223846793005u + 1442695040888963407u;
		j = (uint32_t)((x >> 33) % (i + 1));
		v[i] = v[j];
		v[j] = t;
	}
	return v;
}

static void fill_identity(struct bench *b)
{
	bench_fill_identity(&b->host, &b->ident);
	b->ident.ifindex = 2;
}

static void on_record(void *arg, struct fffa_record *r)
{
	struct bench *b = arg;

	b->records++;
	if (!b->pipeline)
		return;
	/* Unlike the agent, the bench can wait for room, so that nothing is lost. */
	if (b->records % PER_CHECK == 0) {
		while (!fffa_pipeline_has_room(b->pipeline))
			(void)uv_run(&b->loop, UV_RUN_ONCE);
	}
	r->ident = &b->ident;
	if (b->networks) {
		fffa_networks_apply(b->networks, r);
		fffa_network_traffic_add(b->traffic, r);
	}
	fffa_pipeline_record(b->pipeline, r);
}

static void on_closed(void *arg, struct fffa_pipeline *p)
{
	struct bench *b = arg;

	b->delivered = UINT64_MAX;
	b->balanced = true;
	for (size_t i = 0; i < fffa_pipeline_sink_count(p); i++) {
		const struct fffa_sink_ledger *l = fffa_pipeline_sink_ledger(p, i);

		b->delivered = l->delivered < b->delivered ? l->delivered : b->delivered;
		b->balanced = b->balanced && fffa_ledger_sink_balances(l);
	}
}

static struct spent merge_all(struct bench *b)
{
	struct spent s = spent_now();

	for (uint32_t m = 0; m < b->merges; m++) {
		uint64_t now = START_NS + m * ROUND_NS;

		fffa_flow_set_time(b->table, now, UNIX_NS + m * ROUND_NS);
		for (uint32_t i = 0; i < b->flows; i++) {
			struct fffa_delta *d = &b->deltas[i];

			if (i + FFFA_FLOW_AHEAD < b->flows)
				fffa_flow_expect(b->table, d + FFFA_FLOW_AHEAD);
			d->first_ns = now - ROUND_NS / 2 - i % 1024;
			d->last_ns = now - i % 1024;
			/* The agent asks first, too, whether it is to be asked now. */
			if (b->filter && !fffa_filter_reads_flags(b->filter) &&
			    !fffa_filter_passes(b->filter, &d->key, 0))
				continue;
			fffa_flow_merge(b->table, d);
		}
	}
	return spent_since(s);
}

static void on_networks_closed(void *arg)
{
	(void)arg;
}

static struct spent expire_all(struct bench *b)
{
	uint64_t late = b->merges * ROUND_NS + 2 * IDLE_NS;
	struct spent s = spent_now();

	fffa_flow_set_time(b->table, START_NS + late, UNIX_NS + late);
	while (fffa_flow_expire(b->table, TURN))
		(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	if (b->networks)
		fffa_watched_file_close(b->networks, on_networks_closed, NULL);
	if (b->pipeline) {
		fffa_pipeline_close(b->pipeline, 0, on_closed, b);
		(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	}
	return spent_since(s);
}

static bool all_there(const struct bench *b)
{
	const struct fffa_ledger *l = &b->ledger;
	bool ok = b->records == b->flows && l->recorded.packets == l->merged.packets &&
		  l->recorded.bytes == l->merged.bytes && !fffa_flow_count(b->table);

	if (b->conf)
		ok = ok && b->delivered == b->records && b->balanced;
	if (!ok)
		(void)fprintf(stderr,
			      "of %" PRIu32 " flows %" PRIu64 " recorded, %" PRIu64 " delivered\n",
			      b->flows, b->records, b->delivered);
	return ok;
}

static void print_row(const struct bench *b, const char *title, struct spent merge,
		      struct spent expire)
{
	double records = b->flows, deltas = records * b->merges;

	printf("%-26s %8" PRIu32 " x %-2" PRIu32
	       " %6.0f ns/merge %6.0f ns/record after %6.0f ns/record in all  %5.2f M rec/s and "
	       "core  wall %5.2f s\n",
	       title, b->flows, b->merges, merge.cpu_ns / deltas, expire.cpu_ns / records,
	       (merge.cpu_ns + expire.cpu_ns) / records,
	       records * 1e3 / (merge.cpu_ns + expire.cpu_ns),
	       (merge.wall_ns + expire.wall_ns) / 1e9);
}

static void identify(void *arg, struct fffa_record *r)
{
	struct bench *b = arg;

	r->ident = &b->ident;
}

static int open_all(struct bench *b)
{
	struct fffa_flow_conf flows = {.idle_ns = IDLE_NS,
				       .active_ns = 60 * FFFA_NS_PER_S,
				       .linger_ns = FFFA_NS_PER_S,
				       .max_flows = b->flows};
	struct fffa_pipeline_env env = {.identify = identify, .arg = b};
	struct fffa_err err;

	if (uv_loop_init(&b->loop))
		return -1;
	if (b->conf && fffa_pipeline_open(&b->loop, b->conf, 1, &env, &b->pipeline, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return fffa_flow_table_new(&flows, &b->ledger, on_record, b, &b->table);
}

static void on_networks(void *arg)
{
	(void)arg;
}

/* What is between capture and the sinks in a row of -x. */
struct way {
	const char *title, *filter, *networks;
	const char *sink; /* keys of the sink */
};

static int open_way(struct bench *b, const struct way *w)
{
	struct fffa_err err = {""};

	if (fffa_filter_new(w->filter, &b->filter, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	if (!w->networks)
		return 0;
	b->traffic = fffa_network_traffic_new();
	if (!b->traffic || fffa_watched_file_open(&b->loop, &fffa_networks_file_kind, w->networks,
						  FFFA_NS_PER_S, on_networks, NULL, &b->networks))
		return -1;
	while (!fffa_watched_file_settled(b->networks))
		(void)uv_run(&b->loop, UV_RUN_ONCE);
	return fffa_watched_file_made(b->networks) ? 0 : -1;
}

static void free_all(struct bench *b)
{
	fffa_filter_free(b->filter);
	free(b->traffic);
	free(b->deltas);
	free(b);
}

/* Fails unless every packet is in a record, and every record is delivered. */
static int measure(const struct way *w, uint32_t flows, uint32_t merges,
		   const struct fffa_config *conf, bool print, struct spent *all)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct spent merge, expire;
	int rc;

	if (!b)
		return 1;
	b->flows = flows;
	b->merges = merges;
	b->conf = conf;
	b->deltas = make_deltas(flows);
	fill_identity(b);
	if (!b->deltas || open_all(b) || open_way(b, w)) {
		(void)fprintf(stderr, "cannot set up\n");
		exit(1);
	}
	merge = merge_all(b);
	expire = expire_all(b);
	if (print)
		print_row(b, w->title, merge, expire);
	all->cpu_ns = merge.cpu_ns + expire.cpu_ns;
	rc = all_there(b) ? 0 : 1;
	fffa_flow_table_free(b->table);
	rc |= uv_loop_close(&b->loop) ? 1 : 0;
	free_all(b);
	return rc;
}

static int run_case(const char *title, uint32_t flows, uint32_t merges,
		    const struct fffa_config *conf)
{
	struct way way = {.title = title, .filter = ""};
	struct spent all = {0, 0};

	return measure(&way, flows, merges, conf, true, &all);
}

static void on_problem(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

static int load_file_sink(const char *path, const char *more, struct fffa_config *conf)
{
	struct fffa_sink_schema schema[FFFA_REGISTRY_ROWS];
	char text[4500];

	(void)snprintf(text, sizeof(text),
		       "sinks: [{name: bench, type: file, sync: none, path: \"%s\", "
		       "rotate: {size: 0, interval: never}, %s}]\n",
		       path, more);
	fffa_registry_schema(schema);
	return fffa_config_load_text("bench", text, strlen(text), schema, conf, on_problem, NULL);
}

static int run_to_file(uint32_t flows, uint32_t merges, const char *path)
{
	struct fffa_config conf;
	char title[64];
	int rc;

	if (load_file_sink(path, "format: vpc", &conf))
		return 1;
	(void)snprintf(title, sizeof(title), "the same, vpc, %s",
		       strncmp(path, "/dev/", 5) ? "file" : path);
	rc = run_case(title, flows, merges, &conf);
	fffa_config_free(&conf);
	return rc;
}

/* One delta per flow, because then the sink's share is largest. */
static int run_configured(const char *path, uint32_t flows)
{
	struct fffa_sink_schema schema[FFFA_REGISTRY_ROWS];
	struct fffa_config conf;
	int rc;

	fffa_registry_schema(schema);
	if (fffa_config_load(path, schema, &conf, on_problem, NULL))
		return 1;
	rc = run_case("merge, expire", flows, 1, NULL);
	rc |= run_case("the same, to the sinks", flows, 1, &conf);
	fffa_config_free(&conf);
	return rc;
}

static int run_files(uint32_t flows, const char *parent)
{
	char dir[4000], file[4096];
	int rc = 0;

	(void)snprintf(dir, sizeof(dir), "%s/bench_path.XXXXXX", parent);
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	(void)snprintf(file, sizeof(file), "%s/out", dir);
	for (int many = 0; many < 2; many++) {
		uint32_t n = many ? flows / 10 : flows, merges = many ? 10 : 1;

		rc |= run_case("merge, expire", n, merges, NULL);
		rc |= run_to_file(n, merges, "/dev/null");
		rc |= run_to_file(n, merges, file);
		(void)unlink(file);
	}
	(void)rmdir(dir);
	return rc;
}

/* Each source has a network, and so has the one destination. */
static int write_networks(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	for (unsigned int i = 0; i < NETWORKS; i++)
		(void)fprintf(f, "10.%u.%u.0/24,net-%u,111122223333,vpc-1,subnet-%u,use1-az4,nat\n",
			      i >> 8, i & 255, i % 100, i);
	(void)fprintf(f, "172.16.0.0/12,db,111122223333,vpc-1,subnet-9,use1-az6,local\n");
	return fclose(f);
}

static int measure_ways(const struct way *ways, size_t n, uint32_t flows, double *ns)
{
	int rc = 0;

	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < n; i++) {
			struct fffa_config conf;
			struct spent all = {0, 0};

			if (load_file_sink("/dev/null", ways[i].sink, &conf))
				return 1;
			rc |= measure(&ways[i], flows, 1, &conf, false, &all);
			fffa_config_free(&conf);
			ns[i * ROUNDS + round] = all.cpu_ns / flows;
		}
	}
	return rc;
}

/* The rows take turns, so that a disturbance hits all. The difference is to the row above. */
static int run_ways(uint32_t flows, const char *parent)
{
	char file[4096];
	const struct way ways[] = {
		{"vpc", "", NULL, "format: vpc"},
		{"vpc, capture.filter", FILTER, NULL, "format: vpc"},
		{"vpc, the sink's filter", "", NULL, "format: vpc, filter: '" FILTER "'"},
		{"vpc, metadata.networks", "", file, "format: vpc"},
		{"json", "", NULL, "format: json"},
		{"json, metadata.networks", "", file, "format: json"},
	};
	static const size_t base[] = {0, 0, 0, 0, 4, 4};
	enum { WAYS = sizeof(base) / sizeof(base[0]) };
	double ns[WAYS][ROUNDS], median[WAYS];
	int rc, fd;

	(void)snprintf(file, sizeof(file), "%s/bench_networks.XXXXXX", parent);
	fd = mkstemp(file);
	if (fd < 0 || close(fd) || write_networks(file)) {
		perror(file);
		return 1;
	}
	rc = measure_ways(ways, WAYS, flows, ns[0]);
	(void)unlink(file);
	for (size_t i = 0; i < WAYS && !rc; i++) {
		median[i] = bench_median(ns[i], ROUNDS);
		printf("%-26s %8" PRIu32 " x 1  %6.0f ns/record in all  %+6.0f\n", ways[i].title,
		       flows, median[i], median[i] - median[base[i]]);
	}
	return rc;
}

int main(int argc, char **argv)
{
	bool configured = argc > 2 && !strcmp(argv[1], "-c");
	bool extra = argc > 1 && !strcmp(argv[1], "-x");
	int first = configured ? 3 : extra ? 2 : 1;
	const char *count = argc > first ? argv[first] : "1000000";
	const char *parent = argc > first + 1 ? argv[first + 1] : "/tmp";
	uint32_t flows = (uint32_t)strtoul(count, NULL, 10);

	fffa_log_setup(FFFA_LOG_WARN, FFFA_LOG_TEXT);
	if (flows < 10) {
		(void)fprintf(stderr, "usage: bench_path [FLOWS [DIRECTORY]]\n"
				      "       bench_path -x [FLOWS [DIRECTORY]]\n"
				      "       bench_path -c FILE [FLOWS]\n");
		return 2;
	}
	if (configured)
		return run_configured(argv[2], flows);
	return extra ? run_ways(flows, parent) : run_files(flows, parent);
}
