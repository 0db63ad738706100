/* SPDX-License-Identifier: MIT */
/*
 * The capture below a live source, the host, and the agent that the source tells. The linker puts the capture in place
 * of the kernel's (CMakeLists.txt lists the functions). Calls and lines of the log are kept as text.
 */
#ifndef FFFA_TESTS_UNIT_DAEMON_SOURCE_FAKE_H
#define FFFA_TESTS_UNIT_DAEMON_SOURCE_FAKE_H

#include <string.h>
#include <unistd.h>

#include "agent/capture/live.h"
#include "agent/capture/live_devices.h"
#include "agent/daemon/source/source.h"
#include "tests/stubs/cmocka_all.h"

#define LIVE   ((struct fffa_live *)&fake)
#define KERNEL ((struct fffa_kernel *)&fake.loop)
#define DRAINS ((const struct fffa_histogram *)&fake.drains)
#define SINCE  INT64_C(1600000000000) /* of the last checkpoint */

/* The capture, the host, and the agent that is told. */
struct source_fake {
	char journal[512], log[512];
	uv_loop_t loop;
	int drains;
	int may_not, no_device, not_loaded, not_opened, not_restricted, no_devices; /* -errno */
	uid_t user;
	struct fffa_netdevs selected;
	struct fffa_hooked hooks[FFFA_DEVICES_MAX + 1];
	size_t n;
	struct fffa_live_events to; /* the source */
	struct fffa_amount gap;
	bool first_start; /* no checkpoint */
	int64_t since_ms;
	uint64_t packets; /* of the last delta */
	struct fffa_tunnel tunnel;
	struct fffa_ledger ledger;
	struct fffa_source *source;
	struct fffa_config conf;
	struct fffa_source_events events;
	struct fffa_err err;
};

extern struct source_fake fake;

/* Of each test: two devices, a user who is not root, and a source that is not prepared. */
int source_fake_setup(void **state);
int source_fake_teardown(void **state);
/* What was called since the last time: "check select ". */
void source_fake_expect(const char *calls);
/* What was logged since the last time. */
void source_fake_expect_log(const char *lines);

#endif
