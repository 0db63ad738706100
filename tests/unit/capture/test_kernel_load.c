// SPDX-License-Identifier: MIT
/*
 * With which sizes and constants the programs would be loaded, and what is said when the kernel refuses them. The linker
 * puts functions of this file in place of those that ask the kernel, so none is loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/base/clock.h"
#include "agent/capture/kernel/kernel_internal.h"
#include "bpf/fragment.h"
#include "bpf/ipsec.h"
#include "fffa_bpf.skel.h"
#include "tests/stubs/cmocka_all.h"

static struct {
	int load_error;
	uint64_t caps; /* bits of CAP_* */
	bool memlock_unlimited, memlock_unknown;
	int has_ipsec;
	bool has_frags, has_random;
	long cpus;
	int possible;
	uint32_t sizes[6]; /* table, side, counts, cache, scratch, ring */
	struct fffa_bpf_conf conf;
	struct fffa_bpf_ctl ctl;
	uint32_t xdp_flags;
	char programs[256]; /* that would be loaded */
	int loads;
} host;

int __wrap_bpf_object__load_skeleton(struct bpf_object_skeleton *s);
bool __wrap_fffa_privileges_has(int capability);
int __wrap_getrlimit(int resource, struct rlimit *l);
int __wrap_libbpf_probe_bpf_helper(enum bpf_prog_type type, enum bpf_func_id id, const void *opts);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t n,
			 const struct bpf_prog_load_opts *o);
ssize_t __wrap_getrandom(void *buf, size_t n, unsigned int flags);
long __real_sysconf(int name);
long __wrap_sysconf(int name);
int __wrap_libbpf_num_possible_cpus(void);

/* What the agent writes comes first in its section. */
_Static_assert(offsetof(struct fffa_bpf__rodata, fffa_conf) == 0, "the constants");
_Static_assert(offsetof(struct fffa_bpf__bss, fffa_ctl) == 0, "the settings");

static void copy_value(const struct bpf_object *obj, const char *map, void *dst, size_t n)
{
	size_t size;
	const void *v = bpf_map__initial_value(bpf_object__find_map_by_name(obj, map), &size);

	assert_non_null(v);
	assert_true(size >= n);
	memcpy(dst, v, n);
}

int __wrap_bpf_object__load_skeleton(struct bpf_object_skeleton *s)
{
	static const char *const maps[] = {"fffa_table",     "fffa_side",    "fffa_counts",
					   "fffa_tun_cache", "fffa_scratch", "fffa_ring"};
	struct bpf_program *p;

	host.loads++;
	for (size_t i = 0; i < 6; i++)
		host.sizes[i] =
			bpf_map__max_entries(bpf_object__find_map_by_name(*s->obj, maps[i]));
	copy_value(*s->obj, "fffa_bpf.rodata", &host.conf, sizeof(host.conf));
	copy_value(*s->obj, "fffa_bpf.bss", &host.ctl, sizeof(host.ctl));
	host.xdp_flags =
		bpf_program__flags(bpf_object__find_program_by_name(*s->obj, "fffa_xdp_in"));
	host.programs[0] = '\0';
	bpf_object__for_each_program (p, *s->obj) {
		size_t len = strlen(host.programs);

		if (bpf_program__autoload(p))
			(void)snprintf(host.programs + len, sizeof(host.programs) - len, "%s ",
				       bpf_program__name(p));
	}
	return -host.load_error;
}

bool __wrap_fffa_privileges_has(int capability)
{
	return host.caps >> capability & 1;
}

int __wrap_getrlimit(int resource, struct rlimit *l)
{
	assert_int_equal(resource, RLIMIT_MEMLOCK);
	l->rlim_cur = host.memlock_unlimited ? RLIM_INFINITY : 65536;
	return host.memlock_unknown ? -1 : 0;
}

int __wrap_libbpf_probe_bpf_helper(enum bpf_prog_type type, enum bpf_func_id id, const void *opts)
{
	assert_int_equal(type, BPF_PROG_TYPE_SCHED_CLS);
	assert_int_equal(id, BPF_FUNC_skb_get_xfrm_state);
	assert_null(opts);
	return host.has_ipsec;
}

int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t n, const struct bpf_prog_load_opts *o)
{
	(void)name;
	(void)license;
	(void)insns;
	assert_int_equal(type, BPF_PROG_TYPE_XDP);
	assert_int_equal(n, 2);
	assert_int_equal(o->prog_flags, 32);
	return host.has_frags ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -EINVAL;
}

ssize_t __wrap_getrandom(void *buf, size_t n, unsigned int flags)
{
	assert_int_equal(flags, 0);
	memset(buf, 0x44, n);
	return host.has_random ? (ssize_t)n : -1;
}

long __wrap_sysconf(int name)
{
	return name == _SC_NPROCESSORS_CONF ? host.cpus : __real_sysconf(name);
}

int __wrap_libbpf_num_possible_cpus(void)
{
	return host.possible;
}

#define ALL (1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_NET_ADMIN)

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	host.load_error = EPERM;
	host.caps = ALL;
	host.has_random = true;
	host.cpus = 4;
	host.possible = 8;
	return 0;
}

static int open_kernel(const struct fffa_kernel_conf *c, struct fffa_err *err)
{
	struct fffa_kernel *k = NULL;
	int rc = fffa_kernel_open(c, &k, err);

	assert_true(rc < 0);
	assert_null(k);
	return rc;
}

static void sizes_follow_the_configuration(void **state)
{
	static const struct {
		uint64_t max_flows;
		uint32_t slices;
		long cpus;
		int possible;
		uint32_t want_slices, want_sets;
	} rows[] = {
		{4096, 2, 4, 8, 2, 512}, {4096, 0, 4, 8, 4, 256},  {4096, 0, 4, 3, 3, 341},
		{4096, 0, 4, 4, 4, 256}, {4096, 0, 0, 8, 1, 1024}, {4096, 0, -1, -1, 1, 1024},
		{64, 1, 4, 8, 1, 16},	 {63, 1, 4, 8, 1, 16},	   {68, 1, 4, 8, 1, 17},
		{4096, 0, 2, 0, 2, 512},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_kernel_conf c = {.max_flows = rows[i].max_flows,
					     .ring_bytes = 65536,
					     .slices = rows[i].slices};
		uint32_t slices = rows[i].want_slices;
		struct fffa_err err;

		host.cpus = rows[i].cpus;
		host.possible = rows[i].possible;
		(void)open_kernel(&c, &err);
		assert_int_equal(host.sizes[0], slices * 2 * rows[i].want_sets);
		assert_int_equal(host.sizes[1], host.sizes[0]);
		assert_int_equal(host.sizes[2], slices + 1);
		assert_int_equal(host.sizes[3], slices);
		assert_int_equal(host.sizes[4], slices);
		assert_int_equal(host.sizes[5], 65536);
		assert_int_equal(host.conf.slices, slices);
		assert_int_equal(host.conf.sets_per_slice, rows[i].want_sets);
		assert_int_equal(host.conf.ring_wake_bytes, 16384);
	}
}

/* The largest table of 4 GiB, and one set more. */
static void a_table_that_is_too_large(void **state)
{
	struct fffa_kernel_conf c = {
		.max_flows = UINT32_MAX / 256 / 2 * 4, .ring_bytes = 4096, .slices = 1};
	struct fffa_err err;

	(void)state;
	assert_int_equal(open_kernel(&c, &err), -EPERM);
	assert_int_equal(host.loads, 1);
	c.max_flows += 4;
	assert_int_equal(open_kernel(&c, &err), -E2BIG);
	assert_string_equal(err.text, "cannot set up the kernel tables: Argument list too long");
	assert_int_equal(host.loads, 1);
}

static void constants_of_this_kernel(void **state)
{
	const struct fffa_kernel_conf c = {
		.max_flows = 4096,
		.ring_bytes = 4096,
		.settings = {.geneve_ports = {6081}, .sample = 3, .ask_receiver = true}};
	struct fffa_err err;
	struct timespec tick;

	(void)state;
	assert_int_equal(clock_getres(CLOCK_MONOTONIC_COARSE, &tick), 0);
	for (int has = 0; has < 2; has++) {
		host.has_frags = has;
		host.has_ipsec = has ? 1 : -1; /* -1: it cannot be told */
		(void)open_kernel(&c, &err);
		assert_int_equal(host.conf.xdp_frags, has);
		assert_int_equal(host.xdp_flags, has ? 32 : 0);
		assert_int_equal(host.conf.ipsec_life_ticks,
				 has ? FFFA_IPSEC_LIFE_S * FFFA_NS_PER_S / (uint64_t)tick.tv_nsec
				     : 0);
		assert_int_equal(host.conf.clock, FFFA_CLOCK_JIFFIES);
		assert_int_equal(host.conf.fragment_life_ticks,
				 FFFA_FRAGMENT_LIFE_S * FFFA_NS_PER_S / (uint64_t)tick.tv_nsec);
		for (int i = 0; i < 4; i++) /* odd */
			assert_int_equal(host.conf.hash_key[i], UINT64_C(0x4444444444444445));
		assert_int_equal(host.ctl.tunnel_epoch, 1);
		assert_int_equal(host.ctl.geneve_ports[0], 6081);
		assert_int_equal(host.ctl.tunnel_ports, UINT64_C(1) << (6081 & 63));
		assert_int_equal(host.ctl.sample, 3);
		assert_int_equal(host.ctl.ask_receiver, 1);
	}
	host.has_random = false;
	host.loads = 0;
	assert_int_equal(open_kernel(&c, &err), -EIO);
	assert_string_equal(err.text, "cannot set up the kernel tables: Input/output error");
	assert_int_equal(host.loads, 0);
}

/* A trial loads one program that counts: each costs the verifier much time. */
static void a_trial_is_small(void **state)
{
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_kernel_try(&err), -EPERM);
	assert_string_equal(host.programs,
			    "fffa_ticks fffa_tc_out "); /* and the one that reads the clock */
	assert_true(host.sizes[0] <= 2048);
	host.load_error = 0;
	assert_int_equal(fffa_kernel_try(&err), 0);
}

static void expect_refused(int error, int want, const char *text)
{
	struct fffa_err err;

	host.load_error = error;
	assert_int_equal(fffa_kernel_try(&err), -want);
	assert_string_equal(err.text, text);
}

#define LACKING(what)                                                                              \
	"the kernel refused to load the programs, lacking " what ": run as root, or grant "        \
	"CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN (setcap, AmbientCapabilities= or --cap-add)"
#define TOO_OLD(why)                                                                               \
	"the kernel does not accept the programs (" why "): Linux 5.8 or newer with BPF ring "     \
	"buffer is needed; log.level debug shows more"

static void what_is_missing_is_named(void **state)
{
	static const struct {
		uint64_t caps;
		const char *text;
	} rows[] = {
		{0, LACKING("CAP_BPF and CAP_PERFMON and CAP_NET_ADMIN")},
		{1ULL << CAP_BPF, LACKING("CAP_PERFMON and CAP_NET_ADMIN")},
		{ALL & ~(1ULL << CAP_PERFMON), LACKING("CAP_PERFMON")},
		{ALL & ~(1ULL << CAP_BPF), LACKING("CAP_BPF")},
		{ALL & ~(1ULL << CAP_NET_ADMIN), LACKING("CAP_NET_ADMIN")},
		{1ULL << CAP_SYS_ADMIN, LACKING("CAP_NET_ADMIN")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		host.caps = rows[i].caps;
		expect_refused(EPERM, EPERM, rows[i].text);
		expect_refused(EACCES, EPERM, rows[i].text);
	}
}

static void a_refusal_of_one_who_may(void **state)
{
	static const char limited[] =
		"the kernel refused to load the programs, though CAP_BPF, CAP_PERFMON and "
		"CAP_NET_ADMIN are there: Linux before 5.11 also needs CAP_SYS_RESOURCE or "
		"RLIMIT_MEMLOCK unlimited; seccomp or a security module may forbid it, too";
	static const char other[] =
		"the kernel refused to load the programs, though CAP_BPF, CAP_PERFMON and "
		"CAP_NET_ADMIN are there: a user namespace, seccomp or a security module forbids "
		"it";

	(void)state;
	expect_refused(EPERM, EPERM, limited);
	host.memlock_unlimited = true;
	expect_refused(EPERM, EPERM, other);
	host.memlock_unlimited = false;
	host.memlock_unknown = true;
	expect_refused(EPERM, EPERM, other);
	host.caps = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_NET_ADMIN;
	expect_refused(EPERM, EPERM, other);
	expect_refused(EACCES, EACCES, TOO_OLD("Permission denied")); /* the verifier's word */
}

static void other_errors_say_what_helps(void **state)
{
	(void)state;
	expect_refused(
		EMFILE, EMFILE,
		"cannot load the programs: Too many open files; raise the limit of open files "
		"(LimitNOFILE=, ulimit -n)");
	expect_refused(
		ENFILE, ENFILE,
		"cannot load the programs: Too many open files in system; raise the limit of "
		"open files (LimitNOFILE=, ulimit -n)");
	expect_refused(ENOMEM, ENOMEM,
		       "no memory for the kernel tables: lower capture.max_flows or raise "
		       "RLIMIT_MEMLOCK and the memory limit");
	expect_refused(EINVAL, ENOTSUP, TOO_OLD("Invalid argument"));
	expect_refused(ENOSPC, ENOSPC, TOO_OLD("No space left on device"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(sizes_follow_the_configuration), T(a_table_that_is_too_large),
		T(constants_of_this_kernel),	   T(a_trial_is_small),
		T(what_is_missing_is_named),	   T(a_refusal_of_one_who_may),
		T(other_errors_say_what_helps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
