// SPDX-License-Identifier: MIT
#include "tests/bench/kernel/bench_fixture.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel_internal.h"
#include "tests/bench/kernel/bench.h"
/* Needs the headers above. */
#include "bench_bpf.skel.h"

#define DEFAULT_FLOWS 131072
/* Most victims between two readings of the ring, of 88 bytes each. */
#define PIECE 100000
/* Like the agent's TC programs: all programs of a jump table must have the same type. */
#define TCX_INGRESS 46

static void die(const char *what)
{
	perror(what);
	exit(1);
}

void bench_fixture_pin(void)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(BENCH_CPU, &s);
	if (sched_setaffinity(0, sizeof(s), &s))
		die("sched_setaffinity");
}

struct fffa_kernel *bench_fixture_kernel(uint64_t max_flows, uint32_t slices)
{
	struct fffa_kernel_conf c = {.max_flows = max_flows,
				     .ring_bytes = BENCH_RING_BYTES,
				     .slices = slices,
				     .settings = {.geneve_ports = {6081}, .vxlan_ports = {4789}}};
	struct fffa_kernel *k;
	struct fffa_err err;

	if (fffa_kernel_open(&c, &k, &err)) {
		(void)fprintf(stderr, "cannot load: %s\n", err.text);
		exit(1);
	}
	return k;
}

/*
 * A test run of an XDP program adds it to the kernel's dispatcher and removes it again, and waits
 * for a grace period each time. Not so for a program that is attached already. So each is attached
 * to the loopback device of a namespace of its own.
 */
static void park(struct bench_fixture *r, int fd)
{
	int ns;

	if (unshare(CLONE_NEWNET) || bpf_xdp_attach(1, fd, XDP_FLAGS_SKB_MODE, NULL))
		die("cannot attach XDP in a new namespace");
	ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		die("/proc/self/ns/net");
	r->parked[r->parked_count++] = ns;
}

static void add_candidate(struct bench_fixture *r, const char *name, int fd, struct fffa_kernel *k)
{
	r->c[r->count++] = (struct bench_candidate){name, fd, k};
	if (r->hook == BENCH_XDP)
		park(r, fd);
}

static void add_ours(struct bench_fixture *r, const char *name, uint64_t max_flows, uint32_t slices)
{
	struct fffa_kernel *k = bench_fixture_kernel(max_flows, slices);

	add_candidate(r, name,
		      fffa_kernel_program_fd(k, r->hook == BENCH_TC ? FFFA_PROGRAM_TC_IN
								    : FFFA_PROGRAM_XDP_IN),
		      k);
}

/* A random permutation of the flows, over and over: the worst order for any cache. */
static void fill_ids(const struct bench_fixture *r)
{
	size_t bytes = BENCH_IDS * sizeof(uint64_t);
	uint64_t *ids = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			     bpf_map__fd(r->skel->maps.bench_ids), 0);
	uint64_t x = 42;

	if (ids == MAP_FAILED)
		die("bench_ids");
	for (uint32_t i = 0; i < r->flows; i++)
		ids[i] = 10 + (i << 8);
	for (uint32_t i = r->flows - 1; i; i--) {
		uint64_t t = ids[i];
		uint32_t j;

		x = x * 6364136223846793005u + 1442695040888963407u;
		j = (uint32_t)((x >> 33) % (i + 1));
		ids[i] = ids[j];
		ids[j] = t;
	}
	for (uint32_t i = r->flows; i < BENCH_IDS; i++)
		ids[i] = ids[i - r->flows];
	(void)munmap(ids, bytes);
}

static void load_peers(struct bench_fixture *r, uint32_t address_offset)
{
	uint32_t room = r->flows > DEFAULT_FLOWS ? 2 * r->flows : DEFAULT_FLOWS;
	struct bpf_program *p;

	r->skel = bench_bpf__open();
	if (!r->skel)
		die("bench_bpf");
	bpf_object__for_each_program (p, r->skel->obj) {
		if (bpf_program__type(p) == BPF_PROG_TYPE_XDP && fffa_kernel__has_xdp_frags())
			(void)bpf_program__set_flags(p, FFFA_XDP_HAS_FRAGS);
		if (bpf_program__type(p) == BPF_PROG_TYPE_SCHED_CLS)
			(void)bpf_program__set_expected_attach_type(p, TCX_INGRESS);
	}
	if (bpf_map__set_max_entries(r->skel->maps.bench_hash, room) ||
	    bpf_map__set_max_entries(r->skel->maps.bench_percpu, room) || bench_bpf__load(r->skel))
		die("cannot load the peers");
	r->skel->bss->bench_ctl.offset = address_offset;
}

#define PROGRAM(r, name)                                                                           \
	bpf_program__fd((r)->hook == BENCH_TC ? (r)->skel->progs.name##_tc                         \
					      : (r)->skel->progs.name##_xdp)

void bench_fixture_open(struct bench_fixture *r, enum bench_hook hook, uint32_t flows,
			const struct bench_case *what)
{
	memset(r, 0, sizeof(*r));
	r->hook = hook;
	r->flows = flows;
	packet_start(&r->packet, what->name);
	what->make(&r->packet);
	packet_finish(&r->packet);
	load_peers(r, what->address_offset);
	add_candidate(r, "empty", PROGRAM(r, empty), NULL);
	add_candidate(r, "parse", PROGRAM(r, parse), NULL);
	add_candidate(r, "hash", PROGRAM(r, hash), NULL);
	add_candidate(r, "percpu", PROGRAM(r, percpu), NULL);
	add_ours(r, "ours", DEFAULT_FLOWS, 0);
	if (flows > DEFAULT_FLOWS)
		add_ours(r, "ours-sized", 2 * (uint64_t)flows, BENCH_CPU + 1);
	if (flows > 1) {
		fill_ids(r);
		if (hook == BENCH_XDP)
			park(r, PROGRAM(r, mutate));
	}
}

void bench_fixture_close(struct bench_fixture *r)
{
	for (size_t i = 0; i < r->parked_count; i++)
		(void)close(r->parked[i]);
	for (size_t i = 0; i < r->count; i++)
		fffa_kernel_close(r->c[i].kernel);
	bench_bpf__destroy(r->skel);
}

static void ignore(void *arg, const struct fffa_delta *d)
{
	(void)arg;
	(void)d;
}

static void read_ring(struct fffa_kernel *k)
{
	uint64_t bad = 0;

	while (k && fffa_kernel_ring_read(k, PIECE, ignore, NULL, &bad)) {
	}
}

double bench_fixture_run(struct bench_fixture *r, size_t i, uint32_t packets)
{
	int jump = bpf_map__fd(r->hook == BENCH_TC ? r->skel->maps.bench_jump_tc
						   : r->skel->maps.bench_jump_xdp);
	int fd = r->c[i].fd;
	uint32_t zero = 0;
	double ns = 0;

	if (r->flows > 1) {
		if (bpf_map_update_elem(jump, &zero, &fd, BPF_ANY))
			die("jump table");
		fd = PROGRAM(r, mutate);
	}
	for (uint32_t left = packets; left;) {
		uint32_t n = left < PIECE ? left : PIECE;
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = r->packet.b,
			    .data_size_in = (uint32_t)r->packet.len, .repeat = (int)n);

		if (bpf_prog_test_run_opts(fd, &o))
			die("BPF_PROG_TEST_RUN");
		ns += (double)o.duration * n;
		left -= n;
		read_ring(r->c[i].kernel);
	}
	if (r->skel->bss->bench_ctl.missed) {
		(void)fprintf(stderr, "the mutator did not reach %s\n", r->c[i].name);
		exit(1);
	}
	return ns / packets;
}

double bench_fixture_lost_share(const struct bench_fixture *r, size_t i, uint64_t packets)
{
	struct fffa_ledger l = {0};

	if (!r->c[i].kernel)
		return (double)r->skel->bss->bench_ctl.lost / (double)packets;
	fffa_kernel_read_counts(r->c[i].kernel, &l);
	return (double)fffa_ledger_lost(&l).packets / (double)packets;
}
