/* SPDX-License-Identifier: MIT */
/*
 * The devices and the hooks of a host that is not there: the linker puts these functions in place of those that ask
 * the kernel (CMakeLists.txt lists them). What was attached and what was logged is kept as text.
 */
#ifndef FFFA_TESTS_UNIT_CAPTURE_LIVE_FIXTURE_H
#define FFFA_TESTS_UNIT_CAPTURE_LIVE_FIXTURE_H

#include <stdbool.h>

#include "agent/capture/live_devices.h"
#include "tests/unit/capture/device_fixture.h"

#define LIVE_LINKS_MAX 100

struct live_fixture {
	struct fffa_link links[LIVE_LINKS_MAX]; /* sorted by ifindex */
	size_t n;
	int read_error;	   /* of the list, above 0 */
	bool routes_asked; /* the list was read with the default routes */
	struct fffa_hook_facts facts;
	const char *counters; /* as in /proc/net/dev; NULL: they cannot be read */
	bool no_tcx;
	bool makes_qdisc; /* the next clsact hook does */
	int refused;	  /* errno of attaching to the device and direction below; 0: none */
	uint32_t refused_ifindex; /* 0: all */
	bool refused_egress;
	char journal[8192]; /* "+tc_in eth0 +tc_out eth0 -eth0 in " */
	char log[16384];    /* "I text\n" for each line, W, E, D */
};

extern struct live_fixture live_fixture;

/* Nothing is there. */
void live_fixture_reset(void);
/* Adds an Ethernet device behind the others. */
struct fffa_link *live_fixture_add(uint32_t ifindex, const char *name);
struct fffa_link *live_fixture_link(uint32_t ifindex);
void live_fixture_remove(uint32_t ifindex);

/* Asserts what was attached and detached since the last call, in this order. */
void live_fixture_expect_journal(const char *want);
/* Asserts the lines that were logged since the last call. */
void live_fixture_expect_log(const char *want);

/* The devices under capture, and their configuration. */
struct live_devices {
	struct fffa_live_devices d;
	struct fffa_capture_conf conf;
	char names[128], excluded[128], *names_v[NAMES_MAX], *excluded_v[NAMES_MAX];
	struct fffa_err err;
};

/* Of each test: eth0 and eth1 are there, and eth0 holds a default route. *state is a struct live_devices. */
int live_fixture_setup(void **state);
int live_fixture_teardown(void **state);

/* Names at spaces, as in capture.interfaces and capture.exclude. */
void live_fixture_configure(struct live_devices *f, const char *interfaces, const char *exclude);
int live_fixture_try_start(struct live_devices *f, const char *interfaces);
/* Begins without journal and log. */
void live_fixture_start(struct live_devices *f, const char *interfaces);
/* Asserts what a look at the devices does and logs, and whether the list is another one then. */
void live_fixture_follow(struct live_devices *f, bool news, const char *journal, const char *log);
/* Asserts the devices under capture, and those of before: "eth0 eth1; eth2". */
void live_fixture_expect_list(const struct live_devices *f, const char *want);

/* Lines of the log. */
#define ATTACHED(name, index, in, out, by, why)                                                    \
	"I attached interface=" name " ifindex=" index " ingress=" in " egress=" out               \
	" selected_by=\"" by "\" why=\"" why "\"\n"
#define TC_WHY		     "auto: TC works at any MTU, sees both directions and needs no restart of the link"
#define TCX(name, index, by) ATTACHED(name, index, "tcx", "tcx", by, TC_WHY)
#define DETACHED(name, index, why)                                                                 \
	"I detached interface=" name " ifindex=" index " why=\"" why "\"\n"

#endif
