// SPDX-License-Identifier: MIT
#include "tests/bpf/bpf_fixture.h"

#include <errno.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/kernel_internal.h"
#include "agent/service/privileges.h"
#include "bpf/fragment.h"
#include "fffa_bpf.skel.h"

int __real_bpf_object__load_skeleton(struct bpf_object_skeleton *s);
int __wrap_bpf_object__load_skeleton(struct bpf_object_skeleton *s);

/* The programs that are loaded next, each with a space behind it. */
#define COMMON "fffa_tc_in fffa_tc_out fffa_xdp_in "
static const char *wanted_programs = COMMON;

/*
 * The linker puts this in place of libbpf's function. The programs that no test here runs are the
 * same code again, and the verifier would need most of a test's time for them.
 */
int __wrap_bpf_object__load_skeleton(struct bpf_object_skeleton *s)
{
	struct bpf_program *p;

	bpf_object__for_each_program (p, *s->obj) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s ", bpf_program__name(p));
		if (strcmp(name, "fffa_ticks ") != 0 && !strstr(wanted_programs, name) &&
		    bpf_program__set_autoload(p, false))
			return -EINVAL;
	}
	return __real_bpf_object__load_skeleton(s);
}

/*
 * BPF_PROG_TEST_RUN of an XDP program adds it to the kernel's dispatcher and removes it again, and
 * waits for a grace period each time. Not so for a program that is attached already. So it is
 * attached to the loopback device of a namespace of our own.
 */
static void park_xdp(const struct fffa_kernel *k)
{
	if (unshare(CLONE_NEWNET) ||
	    bpf_xdp_attach(1, fffa_kernel_program_fd(k, FFFA_PROGRAM_XDP_IN), XDP_FLAGS_SKB_MODE,
			   NULL)) {
		perror("cannot attach XDP to the loopback device of a new namespace");
		exit(1);
	}
}

struct fffa_kernel_conf bpf_fixture_conf(uint64_t max_flows, uint32_t ring_bytes)
{
	return (struct fffa_kernel_conf){
		.max_flows = max_flows,
		.ring_bytes = ring_bytes,
		.settings = {.geneve_ports = {6081}, .vxlan_ports = {4789}}};
}

struct fffa_kernel *bpf_fixture_open(uint64_t max_flows, uint32_t ring_bytes)
{
	struct fffa_kernel_conf c = bpf_fixture_conf(max_flows, ring_bytes);

	return bpf_fixture_open_conf(&c);
}

struct fffa_kernel *bpf_fixture_open_programs(uint64_t max_flows, uint32_t ring_bytes,
					      const char *programs)
{
	struct fffa_kernel *k;

	wanted_programs = programs;
	k = bpf_fixture_open(max_flows, ring_bytes);
	wanted_programs = COMMON;
	return k;
}

struct fffa_kernel *bpf_fixture_open_tc_in(uint64_t max_flows, uint32_t ring_bytes)
{
	return bpf_fixture_open_programs(max_flows, ring_bytes, "fffa_tc_in ");
}

struct fffa_kernel *bpf_fixture_open_conf(const struct fffa_kernel_conf *c)
{
	struct fffa_kernel *k;
	struct fffa_err err;

	if (fffa_privileges_check(&err)) {
		(void)fprintf(stderr, "skipped: %s\n", err.text);
		exit(77);
	}
	if (fffa_kernel_open(c, &k, &err)) {
		(void)fprintf(stderr, "cannot load: %s\n", err.text);
		exit(1);
	}
	if (strstr(wanted_programs, "fffa_xdp_in "))
		park_xdp(k);
	bpf_fixture_stay_on(0);
	return k;
}

void bpf_fixture_stay_on(int cpu)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	if (sched_setaffinity(0, sizeof(s), &s)) {
		perror("sched_setaffinity");
		exit(1);
	}
}

static int test_run(const struct fffa_kernel *k, enum fffa_program p, struct bpf_test_run_opts *o)
{
	if (bpf_prog_test_run_opts(fffa_kernel_program_fd(k, p), o)) {
		perror("BPF_PROG_TEST_RUN");
		exit(1);
	}
	return (int)o->retval;
}

int bpf_fixture_repeat(const struct fffa_kernel *k, enum fffa_program p, const void *bytes,
		       size_t len, uint32_t times)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = bytes, .data_size_in = (uint32_t)len,
		    .repeat = (int)times);

	return test_run(k, p, &o);
}

int bpf_fixture_run(const struct fffa_kernel *k, enum fffa_program p, const void *bytes, size_t len)
{
	return bpf_fixture_repeat(k, p, bytes, len, 1);
}

int bpf_fixture_run_gso(const struct fffa_kernel *k, enum fffa_program p, const void *bytes,
			size_t len, uint32_t gso_segs, uint32_t gso_size)
{
	struct __sk_buff ctx = {.gso_segs = gso_segs, .gso_size = gso_size};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = bytes, .data_size_in = (uint32_t)len,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	return test_run(k, p, &o);
}

size_t bpf_fixture_take(struct fffa_kernel *k, struct fffa_delta *v, size_t max)
{
	size_t sets = (size_t)k->slices * 2 * k->sets_per_slice, n = 0;
	struct fffa_kernel_now now;

	fffa_kernel__now(k, &now);
	for (size_t i = 0; i < sets; i++) {
		for (int j = 0; j < FFFA_WAYS; j++) {
			struct fffa_entry *e = &k->table[i].e[j];

			if (!e->packets)
				continue;
			if (n < max)
				fffa_kernel__decode(k, e, k->side[i].cookie[j], &now, &v[n]);
			n++;
			e->packets = 0;
		}
	}
	return n;
}

void bpf_fixture_forget_fragments(struct fffa_kernel *k)
{
	int fd = bpf_map__fd(k->skel->maps.fffa_fragments);
	struct fffa_fragment_key key;

	while (!bpf_map_get_next_key(fd, NULL, &key)) {
		if (bpf_map_delete_elem(fd, &key)) {
			perror("cannot empty the table of first fragments");
			exit(1);
		}
	}
}
