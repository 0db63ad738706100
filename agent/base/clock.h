/* SPDX-License-Identifier: MIT */
/*
 * A clock that is passed as an argument. Flows age in monotonic nanoseconds, records carry Unix
 * time. A test or a replay brings a clock of its own.
 */
#ifndef FFFA_AGENT_BASE_CLOCK_H
#define FFFA_AGENT_BASE_CLOCK_H

#include <stdint.h>

#define FFFA_NS_PER_MS UINT64_C(1000000)
#define FFFA_NS_PER_S  UINT64_C(1000000000)

struct fffa_clock {
	uint64_t (*mono_ns)(void *arg); /* CLOCK_MONOTONIC, or the capture's time in a replay */
	uint64_t (*unix_ns)(void *arg); /* Unix time of the same instant */
	void *arg;
};

/* The machine's clock. arg is unused. */
extern const struct fffa_clock fffa_clock_system;

static inline uint64_t fffa_clock_mono_ns(const struct fffa_clock *c)
{
	return c->mono_ns(c->arg);
}

static inline uint64_t fffa_clock_unix_ns(const struct fffa_clock *c)
{
	return c->unix_ns(c->arg);
}

#endif
