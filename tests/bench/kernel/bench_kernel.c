// SPDX-License-Identifier: MIT
/*
 * Prints the ns per packet that the kernel programs cost more than an empty one, and the same for
 * hash maps. All candidates take turns in one run, round by round. Usage: bench_kernel [--quick]
 * [--csv] [--packet NAME] [--flows N] [--rounds N].
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/service/privileges.h"
#include "tests/bench/kernel/bench.h"
#include "tests/bench/kernel/drain.h"
#include "tests/bench/kernel/bench_fixture.h"
#include "tests/bench/measure.h"

#define ROUNDS_MAX 64

struct options {
	bool quick, csv;
	const char *packet; /* NULL: all */
	uint32_t flows;	    /* 0: all */
	int rounds;
};

static void print_head(const struct options *o)
{
	if (o->csv)
		printf("hook,packet,flows,candidate,ns,over_empty,times_ours,lost_share\n");
	else
		printf("ns per packet over the empty program; (x): times ours\n%-4s %-8s %8s %7s\n",
		       "hook", "packet", "flows", "empty");
}

static void print_row(const struct options *o, const struct bench_fixture *r, const double *ns,
		      const double *lost)
{
	const char *hook = r->hook == BENCH_TC ? "tc" : "xdp";
	double ours = ns[4] - ns[0];

	if (!o->csv)
		printf("%-4s %-8s %8" PRIu32 " %7.1f", hook, r->packet.name, r->flows, ns[0]);
	for (size_t i = 0; i < r->count; i++) {
		double over = ns[i] - ns[0];

		if (o->csv)
			printf("%s,%s,%" PRIu32 ",%s,%.1f,%.1f,%.2f,%.6f\n", hook, r->packet.name,
			       r->flows, r->c[i].name, ns[i], over, over / ours, lost[i]);
		else if (i)
			printf("  %s %.1f (%.2f)", r->c[i].name, over, over / ours);
		if (!o->csv && lost[i] > 0)
			printf(" lost %.4f %%", lost[i] * 100);
	}
	if (!o->csv)
		printf("\n");
	(void)fflush(stdout);
}

static void measure(const struct options *o, enum bench_hook hook, uint32_t flows,
		    const struct bench_case *what)
{
	uint32_t packets = flows > 100000 ? BENCH_IDS : o->quick ? 20000 : 200000;
	double ns[BENCH_CANDIDATES][ROUNDS_MAX], mid[BENCH_CANDIDATES], lost[BENCH_CANDIDATES];
	struct bench_fixture r;

	bench_fixture_open(&r, hook, flows, what);
	for (int round = -1; round < o->rounds; round++) { /* the first fills the tables */
		for (size_t i = 0; i < r.count; i++)
			ns[i][round < 0 ? 0 : round] = bench_fixture_run(&r, i, packets);
	}
	for (size_t i = 0; i < r.count; i++) {
		mid[i] = bench_median(ns[i], (size_t)o->rounds);
		lost[i] = bench_fixture_lost_share(&r, i,
						   (uint64_t)packets * (uint64_t)(o->rounds + 1));
	}
	print_row(o, &r, mid, lost);
	bench_fixture_close(&r);
}

static void measure_all(const struct options *o)
{
	static const uint32_t flows[] = {1, 10000, BENCH_IDS};

	for (int hook = BENCH_TC; hook <= BENCH_XDP; hook++) {
		for (size_t f = 0; f < sizeof(flows) / sizeof(flows[0]); f++) {
			/* Quick: one flow, and many of one hook. */
			if (o->flows ? o->flows != flows[f]
				     : o->quick && f > (hook == BENCH_TC ? 1 : 0))
				continue;
			for (size_t c = 0; c < bench_case_count; c++) {
				const char *name = bench_cases[c].name;

				if (o->packet ? strcmp(o->packet, name) : o->quick && c % 4)
					continue; /* quick: the first and the last */
				measure(o, (enum bench_hook)hook, flows[f], &bench_cases[c]);
			}
		}
	}
}

static int usage(void)
{
	(void)fprintf(stderr, "usage: bench_kernel [--quick] [--csv] [--packet NAME] "
			      "[--flows 1|10000|1048576] [--rounds 1..64]\n");
	return 2;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option all[] = {
		{"quick", no_argument, NULL, 'q'},	  {"csv", no_argument, NULL, 'c'},
		{"packet", required_argument, NULL, 'p'}, {"flows", required_argument, NULL, 'f'},
		{"rounds", required_argument, NULL, 'r'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", all, NULL)) != -1) {
		if (c == 'q')
			o->quick = true;
		else if (c == 'c')
			o->csv = true;
		else if (c == 'p')
			o->packet = optarg;
		else if (c == 'f')
			o->flows = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'r')
			o->rounds = atoi(optarg);
		else
			return -1;
	}
	if (!o->rounds)
		o->rounds = o->quick ? 3 : 7;
	return o->rounds < 1 || o->rounds > ROUNDS_MAX || optind != argc ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct fffa_err err;

	if (parse(argc, argv, &o))
		return usage();
	if (fffa_privileges_check(&err)) {
		(void)fprintf(stderr, "skipped: %s\n", err.text);
		return 77;
	}
	bench_fixture_pin();
	print_head(&o);
	measure_all(&o);
	if (!o.packet && !o.flows) {
		bench_drain(10000, o.rounds, o.csv);
		if (!o.quick)
			bench_drain(100000, o.rounds, o.csv);
	}
	return 0;
}
