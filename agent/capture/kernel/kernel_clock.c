// SPDX-License-Identifier: MIT
/* Converts time stamps of the programs to nanoseconds of CLOCK_MONOTONIC. */
#include <errno.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/base/clock.h"
#include "agent/capture/kernel/kernel_internal.h"
#include "fffa_bpf.skel.h"

#define PRECISE_TICK_NS (1u << 20)
#define READS_MAX	4

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * FFFA_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Only a program can read the kernel's tick counter. */
static int read_jiffies(const struct fffa_kernel *k, uint32_t *ticks)
{
	static const uint8_t frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	if (bpf_prog_test_run_opts(bpf_program__fd(k->skel->progs.fffa_ticks), &o))
		return -errno;
	*ticks = o.retval;
	return 0;
}

/* The coarse clock and the tick counter advance in the same interrupt. Reads both between two. */
static int read_both(const struct fffa_kernel *k, struct fffa_kernel_now *now)
{
	uint64_t before;
	int rc = 0;

	for (int i = 0; i < READS_MAX; i++) {
		before = read_ns(CLOCK_MONOTONIC_COARSE);
		rc = read_jiffies(k, &now->ticks);
		now->ns = read_ns(CLOCK_MONOTONIC_COARSE);
		if (rc || now->ns == before)
			break;
	}
	return rc;
}

void fffa_kernel__clock_choose(struct fffa_kernel *k)
{
	struct timespec ts;

	k->clock = FFFA_CLOCK_JIFFIES;
	if (!clock_getres(CLOCK_MONOTONIC_COARSE, &ts) && ts.tv_nsec > 0) { /* 1/HZ of the kernel */
		k->tick_ns = (uint64_t)ts.tv_nsec;
	} else {
		k->clock = FFFA_CLOCK_PRECISE;
		k->tick_ns = PRECISE_TICK_NS;
	}
}

int fffa_kernel__clock_start(struct fffa_kernel *k)
{
	return k->clock == FFFA_CLOCK_PRECISE ? 0 : read_both(k, &k->start);
}

void fffa_kernel__now(const struct fffa_kernel *k, struct fffa_kernel_now *now)
{
	if (k->clock == FFFA_CLOCK_PRECISE) {
		now->ns = read_ns(CLOCK_MONOTONIC);
		now->ticks = (uint32_t)(now->ns / PRECISE_TICK_NS);
	} else if (read_both(
			   k,
			   now)) { /* failed for lack of memory; the clock counts the same ticks */
		now->ns = read_ns(CLOCK_MONOTONIC_COARSE);
		now->ticks = k->start.ticks + (uint32_t)((now->ns - k->start.ns) / k->tick_ns);
	}
}

/* Entries hold the low 32 bits and are at most a few drain intervals old. */
static uint64_t ticks_to_ns(const struct fffa_kernel *k, uint32_t t,
			    const struct fffa_kernel_now *now)
{
	int32_t age = (int32_t)(now->ticks - t); /* below 0: written after now was read */

	return now->ns - (uint64_t)(age * (int64_t)k->tick_ns);
}

void fffa_kernel__decode(const struct fffa_kernel *k, const struct fffa_entry *e, uint32_t cookie,
			 const struct fffa_kernel_now *now, struct fffa_delta *d)
{
	d->key = e->key;
	d->packets = e->packets;
	d->bytes = e->bytes_flags & FFFA_BYTES_MASK;
	d->first_ns = ticks_to_ns(k, e->first, now);
	d->last_ns = ticks_to_ns(k, e->last, now);
	d->cookie = e->key.tunnel ? cookie : 0;
	d->flags = (uint16_t)(e->bytes_flags >> FFFA_FLAG_SHIFT);
	d->seen_now = false;
	d->untimed = false;
}
