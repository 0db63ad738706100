// SPDX-License-Identifier: MIT
/* Reads the quiet generation in place into deltas, without a system call per entry. */
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "agent/capture/kernel/kernel_internal.h"

/* Returns when every program that could have seen the old generation has ended. */
static int wait_grace_period(struct fffa_kernel *k)
{
	uint32_t zero = 0;

	/* synchronize_rcu() on all kernels: kernel/sched/membarrier.c */
	if (k->membarrier)
		return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) ? -errno : 0;
	/* Updating a map of maps waits, too: maybe_wait_bpf_programs(), kernel/bpf/syscall.c. */
	return bpf_map_update_elem(k->outer_fd, &zero, &k->inner_fd, BPF_ANY);
}

/* Not malloc: a drain runs on any worker thread, and the arena of each would keep freed memory. */
static int reserve(struct fffa_deltas *d, size_t more)
{
	size_t want = d->capacity ? d->capacity : 1024;
	struct fffa_delta *v;

	if (d->capacity - d->count >= more)
		return 0;
	while (want - d->count < more)
		want *= 2;
	v = d->v ? mremap(d->v, d->capacity * sizeof(*v), want * sizeof(*v), MREMAP_MAYMOVE)
		 : mmap(NULL, want * sizeof(*v), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (v == MAP_FAILED)
		return -ENOMEM;
	d->v = v;
	d->capacity = want;
	return 0;
}

void fffa_drain_deltas_fini(struct fffa_deltas *d)
{
	if (d->v)
		(void)munmap(d->v, d->capacity * sizeof(*d->v));
	memset(d, 0, sizeof(*d));
}

/* Moves the entries of one set. */
static void take_set(const struct fffa_kernel *k, struct fffa_set *s, const struct fffa_side *side,
		     const struct fffa_kernel_now *now, struct fffa_deltas *out)
{
	for (uint32_t j = 0; j < FFFA_WAYS; j++) {
		struct fffa_entry *e = &s->e[j];

		if (!e->packets)
			continue;
		fffa_kernel__decode(k, e, side->cookie[j], now, &out->v[out->count++]);
		e->packets = 0;
	}
}

int fffa_kernel_drain(struct fffa_kernel *k, struct fffa_deltas *out)
{
	uint32_t old = k->ctl->generation & 1;
	struct fffa_kernel_now now;
	int rc;

	__atomic_store_n(&k->ctl->generation, old ^ 1, __ATOMIC_RELEASE);
	rc = wait_grace_period(k);
	if (rc)
		return rc; /* the next call turns it back: entries stay where they are */
	fffa_kernel__now(k, &now);
	for (uint32_t slice = 0; slice < k->slices; slice++) {
		size_t base = ((size_t)slice * 2 + old) * k->sets_per_slice;

		for (uint32_t i = 0; i < k->sets_per_slice; i++) {
			rc = reserve(out, FFFA_WAYS);
			if (rc)
				return rc;
			take_set(k, &k->table[base + i], &k->side[base + i], &now, out);
		}
	}
	return 0;
}
