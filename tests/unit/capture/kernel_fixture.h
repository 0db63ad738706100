/* SPDX-License-Identifier: MIT */
/*
 * A kernel's side and a watch over the devices for tests of the live source: the linker puts these functions in place of
 * the real ones (CMakeLists.txt lists them).
 */
#ifndef FFFA_TESTS_UNIT_CAPTURE_KERNEL_FIXTURE_H
#define FFFA_TESTS_UNIT_CAPTURE_KERNEL_FIXTURE_H

#include <pthread.h>
#include <stdbool.h>

#include "agent/capture/kernel/kernel.h"

/* The kernel's side: what is in it, and what it was asked. */
struct fffa_kernel {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held, entered; /* the drain's thread waits; it does so now */
	int fd;
	size_t in_ring, in_table;
	uint64_t bad;
	int drain_error, drains, arms, asks, closed;
	struct fffa_kernel_settings settings;
	struct fffa_kernel_conf conf;
	uint64_t window_ns, closed_tunnels;
	bool hooks_checked_first; /* in each drain so far */
	bool checked;
	size_t capacity; /* of the deltas that the last drain was given */
	void (*on_links)(void *arg, bool addresses);
	void *on_links_arg;
	int watch_error, watches_closed;
	size_t retired_for; /* turns of the tunnels */
};

extern struct fffa_kernel kernel_fixture;

void kernel_fixture_reset(void);
void kernel_fixture_close(void);
/* The next drain takes n deltas out of the table. */
void kernel_fixture_fill(size_t n);
/* n events are in the ring, which asks to be read. */
void kernel_fixture_fill_ring(size_t n);
/* Drains so far. */
int kernel_fixture_drains(void);
/* The drain's thread waits from now on, in the next drain that begins. */
void kernel_fixture_hold(void);
/* True when it is there. */
bool kernel_fixture_is_held(void);
void kernel_fixture_let_go(void);

#endif
