// SPDX-License-Identifier: MIT
#include "agent/base/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts); /* cannot fail for these two clocks */
	return (uint64_t)ts.tv_sec * FFFA_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t system_mono_ns(void *arg)
{
	(void)arg;
	return read_ns(CLOCK_MONOTONIC);
}

static uint64_t system_unix_ns(void *arg)
{
	(void)arg;
	return read_ns(CLOCK_REALTIME);
}

const struct fffa_clock fffa_clock_system = {
	.mono_ns = system_mono_ns,
	.unix_ns = system_unix_ns,
};
