// SPDX-License-Identifier: MIT
/* Loading and mapping of the kernel programs; reading of their ring and counters. */
#include "agent/capture/kernel/kernel.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/base/log.h"
#include "agent/base/clock.h"
#include "agent/capture/kernel/kernel_internal.h"
#include "agent/service/privileges.h"
#include "bpf/fragment.h"
#include "bpf/ipsec.h"
#include "fffa_bpf.skel.h"

/* The last lines of the verifier's log say why it refused; the whole log may be megabytes. */
#define LIBBPF_LINES 40

static const char *last_lines(const char *text, int n)
{
	const char *p = text + strlen(text);

	while (p > text && (p[-1] != '\n' || p[0] == 0 || --n))
		p--;
	return p;
}

/* One level below libbpf's: a failed probe is no warning for the user. */
static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *text, *line, *rest = NULL;

	if (level == LIBBPF_DEBUG || vasprintf(&text, fmt, ap) < 0)
		return 0;
	line = strtok_r(text + (last_lines(text, LIBBPF_LINES) - text), "\n", &rest);
	for (; line; line = strtok_r(NULL, "\n", &rest))
		fffa_debug("libbpf", "%s", line);
	free(text);
	return 0;
}

static uint32_t online_cpu_ids(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	int possible = libbpf_num_possible_cpus();

	/* Ids of online CPUs may have holes; configured ones bound them closely enough. */
	if (n < 1)
		n = 1;
	return possible > 0 && n > possible ? (uint32_t)possible : (uint32_t)n;
}

static int set_sizes(struct fffa_kernel *k, const struct fffa_kernel_conf *conf)
{
	struct fffa_bpf *s = k->skel;
	uint64_t sets;

	k->slices = conf->slices ? conf->slices : online_cpu_ids();
	sets = conf->max_flows / FFFA_WAYS / k->slices;
	k->sets_per_slice = sets < 16 ? 16 : (uint32_t)sets;
	sets = (uint64_t)k->slices * 2 * k->sets_per_slice;
	if (sets > UINT32_MAX / sizeof(struct fffa_set))
		return -E2BIG;
	if (bpf_map__set_max_entries(s->maps.fffa_table, (uint32_t)sets) ||
	    bpf_map__set_max_entries(s->maps.fffa_side, (uint32_t)sets) ||
	    bpf_map__set_max_entries(s->maps.fffa_counts, k->slices + 1) ||
	    bpf_map__set_max_entries(s->maps.fffa_tun_cache, k->slices) ||
	    bpf_map__set_max_entries(s->maps.fffa_scratch, k->slices) ||
	    bpf_map__set_max_entries(s->maps.fffa_ring, conf->ring_bytes))
		return -EINVAL;
	return 0;
}

bool fffa_kernel__has_xdp_frags(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = FFFA_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "fffa_probe", "Dual MIT/GPL", pass,
			       sizeof(pass) / sizeof(pass[0]), &opts);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static uint64_t port_bits(const uint16_t ports[FFFA_MAX_TUNNEL_PORTS])
{
	uint64_t bits = 0;

	for (int i = 0; i < FFFA_MAX_TUNNEL_PORTS; i++)
		bits |= ports[i] ? UINT64_C(1) << (ports[i] & 63) : 0;
	return bits;
}

static void write_settings(volatile struct fffa_bpf_ctl *ctl, const struct fffa_kernel_settings *s)
{
	for (int i = 0; i < FFFA_MAX_TUNNEL_PORTS; i++) {
		ctl->geneve_ports[i] = s->geneve_ports[i];
		ctl->vxlan_ports[i] = s->vxlan_ports[i];
	}
	ctl->tunnel_ports = port_bits(s->geneve_ports) | port_bits(s->vxlan_ports);
	ctl->sample = s->sample;
	ctl->tunnel_view = (uint16_t)s->tunnel_view;
	ctl->ask_receiver = s->ask_receiver;
}

void fffa_kernel_change(struct fffa_kernel *k, const struct fffa_kernel_settings *s)
{
	write_settings(k->ctl, s);
	fffa_kernel_tunnels_ask(k);
}

static int set_conf(struct fffa_kernel *k, const struct fffa_kernel_conf *conf)
{
	struct fffa_bpf_conf *c = (struct fffa_bpf_conf *)&k->skel->rodata->fffa_conf;

	fffa_kernel__clock_choose(k);
	c->sets_per_slice = k->sets_per_slice;
	c->slices = k->slices;
	c->clock = k->clock;
	c->ring_wake_bytes = conf->ring_bytes / 4;
	c->fragment_life_ticks = (uint32_t)(FFFA_FRAGMENT_LIFE_S * FFFA_NS_PER_S / k->tick_ns);
	/* A kernel built without IPsec does not know the helper. */
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skb_get_xfrm_state, NULL) ==
	    1)
		c->ipsec_life_ticks = (uint32_t)(FFFA_IPSEC_LIFE_S * FFFA_NS_PER_S / k->tick_ns);
	if (fffa_kernel__has_xdp_frags()) {
		c->xdp_frags = 1;
		(void)bpf_program__set_flags(k->skel->progs.fffa_xdp_in, FFFA_XDP_HAS_FRAGS);
	}
	if (getrandom(c->hash_key, sizeof(c->hash_key), 0) != (ssize_t)sizeof(c->hash_key))
		return -EIO;
	for (int i = 0; i < 4; i++)
		c->hash_key[i] |= 1;
	fffa_kernel__programs_set(k);
	k->skel->bss->fffa_ctl.tunnel_epoch = 1;
	write_settings(&k->skel->bss->fffa_ctl, &conf->settings);
	return 0;
}

static void *map_array(struct bpf_map *m, size_t value_bytes, size_t *bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	*bytes = (bpf_map__max_entries(m) * value_bytes + page - 1) & ~(page - 1);
	p = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(m), 0);
	return p == MAP_FAILED ? NULL : p;
}

static int map_all(struct fffa_kernel *k)
{
	struct fffa_bpf *s = k->skel;

	k->table = map_array(s->maps.fffa_table, sizeof(*k->table), &k->table_bytes);
	k->side = map_array(s->maps.fffa_side, sizeof(*k->side), &k->side_bytes);
	k->counts = map_array(s->maps.fffa_counts, sizeof(*k->counts), &k->counts_bytes);
	k->tunnels = map_array(s->maps.fffa_tun, sizeof(*k->tunnels), &k->tunnels_bytes);
	k->ctl = &s->bss->fffa_ctl;
	return k->table && k->side && k->counts && k->tunnels ? 0 : -ENOMEM;
}

static int fill_tunnel_ids(struct fffa_kernel *k)
{
	int fd = bpf_map__fd(k->skel->maps.fffa_tun_free);

	for (uint32_t id = 1; id <= FFFA_TUNNELS_MAX; id++) {
		uint16_t v = (uint16_t)id;

		if (bpf_map_update_elem(fd, NULL, &v, 0))
			return -errno;
	}
	return 0;
}

/*
 * Where membarrier is refused (nohz_full kernels, seccomp), updating a map of maps waits instead.
 */
static int prepare_grace_period(struct fffa_kernel *k)
{
	long cmds = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	k->membarrier = cmds > 0 && cmds & MEMBARRIER_CMD_GLOBAL &&
			!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	if (k->membarrier)
		return 0;
	k->inner_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "fffa_inner", 4, 4, 1, NULL);
	if (k->inner_fd < 0)
		return -errno;
	opts.inner_map_fd = (uint32_t)k->inner_fd;
	k->outer_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "fffa_outer", 4, 4, 1, &opts);
	return k->outer_fd < 0 ? -errno : 0;
}

static int on_ring_event(void *arg, void *data, size_t len)
{
	struct fffa_kernel *k = arg;
	const struct fffa_event *ev = data;
	struct fffa_delta d;

	k->reading.taken++;
	if (len < sizeof(*ev) || ev->abi != FFFA_ABI || ev->len != sizeof(*ev) ||
	    !ev->entry.packets) {
		k->reading.bad++;
	} else {
		fffa_kernel__decode(k, &ev->entry, ev->cookie, &k->reading.now, &d);
		k->reading.fn(k->reading.arg, &d);
	}
	/* A negative answer ends the read after this event: libbpf's way to bound a turn. */
	return --k->reading.left ? 0 : -EAGAIN;
}

/* Before Linux 5.11 BPF memory counts against it; libbpf raises it, where it may. */
static bool memlock_is_limited(void)
{
	struct rlimit l;

	return !getrlimit(RLIMIT_MEMLOCK, &l) && l.rlim_cur != RLIM_INFINITY;
}

#define NEEDS "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"

/* Which of the capabilities that loading needs this thread lacks, as text. */
static void list_missing(char *text, size_t cap)
{
	static const struct {
		const char *name;
		int number;
		bool in_sys_admin;
	} needed[] = {{"CAP_BPF", CAP_BPF, true},
		      {"CAP_PERFMON", CAP_PERFMON, true},
		      {"CAP_NET_ADMIN", CAP_NET_ADMIN, false}};
	bool admin = fffa_privileges_has(CAP_SYS_ADMIN);
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (fffa_privileges_has(needed[i].number) || (admin && needed[i].in_sys_admin))
			continue;
		n += (size_t)snprintf(text + n, cap - n, "%s%s", n ? " and " : "", needed[i].name);
	}
}

/* The verifier refuses what only CAP_PERFMON allows with -EACCES, and much else. */
static int refused_error(int rc, struct fffa_err *err)
{
	char missing[64];

	list_missing(missing, sizeof(missing));
	if (missing[0])
		return fffa_fail(
			err, EPERM,
			"the kernel refused to load the programs, lacking %s: run as root, "
			"or grant " NEEDS " (setcap, AmbientCapabilities= or --cap-add)",
			missing);
	if (rc == -EACCES)
		return 0;
	if (memlock_is_limited())
		return fffa_fail(
			err, EPERM,
			"the kernel refused to load the programs, though " NEEDS
			" are there: Linux before 5.11 also needs CAP_SYS_RESOURCE or "
			"RLIMIT_MEMLOCK unlimited; seccomp or a security module may forbid "
			"it, too");
	return fffa_fail(err, EPERM,
			 "the kernel refused to load the programs, though " NEEDS
			 " are there: a user namespace, seccomp or a security module forbids it");
}

static int load_error(int rc, struct fffa_err *err)
{
	int refused = rc == -EPERM || rc == -EACCES ? refused_error(rc, err) : 0;

	if (refused)
		return refused;
	if (rc == -EMFILE || rc == -ENFILE)
		return fffa_fail(err, -rc,
				 "cannot load the programs: %s; raise the limit of open files "
				 "(LimitNOFILE=, ulimit -n)",
				 strerror(-rc));
	if (rc == -ENOMEM)
		return fffa_fail(err, ENOMEM,
				 "no memory for the kernel tables: lower capture.max_flows or "
				 "raise RLIMIT_MEMLOCK and the memory limit");
	return fffa_fail(err, rc == -EINVAL ? ENOTSUP : -rc,
			 "the kernel does not accept the programs (%s): Linux 5.8 or newer with "
			 "BPF ring buffer is needed; log.level debug shows more",
			 strerror(-rc));
}

/* Loads the programs; only one: those of egress alone, to try it. */
static int load_programs(struct fffa_kernel *k, const struct fffa_kernel_conf *conf, bool only_one,
			 struct fffa_err *err)
{
	int rc;

	k->outer_fd = -1;
	k->inner_fd = -1;
	(void)libbpf_set_print(libbpf_print);
	k->skel = fffa_bpf__open();
	if (!k->skel)
		return fffa_fail(err, errno, "cannot open the kernel programs: %s",
				 strerror(errno));
	rc = set_sizes(k, conf);
	if (!rc)
		rc = set_conf(k, conf);
	if (rc)
		return fffa_fail(err, -rc, "cannot set up the kernel tables: %s", strerror(-rc));
	if (only_one)
		fffa_kernel__programs_only(k, FFFA_PROGRAM_TC_OUT);
	rc = fffa_bpf__load(k->skel);
	return rc ? load_error(rc, err) : 0;
}

int fffa_kernel_try(struct fffa_err *err)
{
	const struct fffa_kernel_conf conf = {.max_flows = 1024, .ring_bytes = 65536};
	struct fffa_kernel *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return fffa_fail(err, ENOMEM, "no memory");
	rc = load_programs(k, &conf, true, err);
	fffa_kernel_close(k);
	return rc;
}

int fffa_kernel_open(const struct fffa_kernel_conf *conf, struct fffa_kernel **out,
		     struct fffa_err *err)
{
	struct fffa_kernel *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return fffa_fail(err, ENOMEM, "no memory");
	rc = load_programs(k, conf, false, err);
	if (rc)
		goto fail;
	rc = map_all(k);
	if (!rc)
		rc = fill_tunnel_ids(k);
	if (!rc)
		rc = fffa_kernel__clock_start(k);
	if (!rc)
		rc = prepare_grace_period(k);
	if (!rc) {
		k->ring = ring_buffer__new(bpf_map__fd(k->skel->maps.fffa_ring), on_ring_event, k,
					   NULL);
		rc = k->ring ? 0 : -errno;
	}
	if (rc) {
		(void)fffa_fail(err, -rc, "cannot map the kernel tables: %s", strerror(-rc));
		goto fail;
	}
	fffa_kernel_ring_arm(k);
	k->ctl->full_armed = 1;
	*out = k;
	return 0;
fail:
	fffa_kernel_close(k);
	return rc;
}

static void unmap(void *p, size_t bytes)
{
	if (p)
		(void)munmap(p, bytes);
}

void fffa_kernel_close(struct fffa_kernel *k)
{
	if (!k)
		return;
	ring_buffer__free(k->ring);
	unmap(k->table, k->table_bytes);
	unmap(k->side, k->side_bytes);
	unmap(k->counts, k->counts_bytes);
	unmap(k->tunnels, k->tunnels_bytes);
	if (k->outer_fd >= 0)
		(void)close(k->outer_fd);
	if (k->inner_fd >= 0)
		(void)close(k->inner_fd);
	fffa_bpf__destroy(k->skel);
	free(k);
}

const char *fffa_kernel_clock_name(const struct fffa_kernel *k)
{
	return k->clock == FFFA_CLOCK_JIFFIES ? "jiffies" : "precise";
}

int fffa_kernel_ring_fd(const struct fffa_kernel *k)
{
	return ring_buffer__epoll_fd(k->ring);
}

size_t fffa_kernel_ring_read(struct fffa_kernel *k, size_t budget, fffa_delta_fn fn, void *arg,
			     uint64_t *bad_events)
{
	k->reading.fn = fn;
	k->reading.arg = arg;
	k->reading.left = budget;
	k->reading.taken = 0;
	k->reading.bad = 0;
	fffa_kernel__now(k, &k->reading.now);
	(void)ring_buffer__consume(k->ring); /* negative: the budget was used up */
	/* Only now: a wake-up for events that were just read would be the last one. */
	__atomic_store_n(&k->ctl->full_armed, 1, __ATOMIC_RELAXED);
	*bad_events += k->reading.bad;
	return k->reading.taken;
}

void fffa_kernel_ring_arm(struct fffa_kernel *k)
{
	__atomic_store_n(&k->ctl->ring_armed, 1, __ATOMIC_RELAXED);
}

void fffa_kernel_limit_window(struct fffa_kernel *k, uint64_t window_ns)
{
	uint64_t ticks = window_ns / k->tick_ns;

	/* At most half of the counter's range: ages wrap. At least 1, because 0 is no bound. */
	if (window_ns && !ticks)
		ticks = 1;
	__atomic_store_n(&k->ctl->window_ticks, ticks > INT32_MAX ? 0 : (uint32_t)ticks,
			 __ATOMIC_RELAXED);
}

/* By ether type first: then their sum is never above the total. */
static void read_not_ip(const volatile struct fffa_counts *c, struct fffa_ledger *l)
{
	for (int i = 0; i < FFFA_NOT_IP_SLOTS; i++) {
		uint64_t n = __atomic_load_n(&c->not_ip[i], __ATOMIC_ACQUIRE);

		if (n)
			fffa_ledger_add_not_ip(l, (uint16_t)(n >> FFFA_NOT_IP_SHIFT),
					       n & ((UINT64_C(1) << FFFA_NOT_IP_SHIFT) - 1));
	}
	l->not_ip_frames += c->not_ip_frames;
}

void fffa_kernel_read_counts(const struct fffa_kernel *k, struct fffa_ledger *l)
{
	memset(l->seen, 0, sizeof(l->seen));
	memset(l->lost, 0, FFFA_KL_MAX * sizeof(l->lost[0]));
	l->not_ip_frames = 0;
	memset(l->not_ip, 0, sizeof(l->not_ip));
	l->no_tunnel_id = 0;
	l->not_sampled = 0;
	l->no_first_fragment = 0;
	l->not_on_wire = (struct fffa_amount){0, 0};
	for (uint32_t i = 0; i <= k->slices; i++) {
		const volatile struct fffa_counts *c = &k->counts[i];

		/* A program counts a packet as seen first. Reading in the other order never shows a
		 * lost packet that was not seen. */
		for (int why = 0; why < FFFA_KL_MAX; why++)
			fffa_amount_add(&l->lost[why],
					__atomic_load_n(&c->lost_packets[why], __ATOMIC_ACQUIRE),
					__atomic_load_n(&c->lost_bytes[why], __ATOMIC_ACQUIRE));
		fffa_amount_add(&l->not_on_wire,
				__atomic_load_n(&c->not_on_wire_packets, __ATOMIC_ACQUIRE),
				__atomic_load_n(&c->not_on_wire_bytes, __ATOMIC_ACQUIRE));
		for (int dir = 0; dir < 2; dir++)
			fffa_amount_add(&l->seen[dir], c->seen_packets[dir], c->seen_bytes[dir]);
		read_not_ip(c, l);
		l->no_tunnel_id += c->no_tunnel_id;
		l->not_sampled += c->not_sampled;
		l->no_first_fragment += c->no_first_fragment;
	}
}
