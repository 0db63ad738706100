/* SPDX-License-Identifier: MIT */
/*
 * A loop, the mock and the metadata reader between them. The teardown closes everything and holds
 * what is true whatever happened: the loop closes clean, and IMDSv1 was never asked, nor a proxy
 * used.
 */
#ifndef FFFA_TESTS_COMPONENT_ENRICH_RIG_H
#define FFFA_TESTS_COMPONENT_ENRICH_RIG_H

#include <stdbool.h>
#include <uv.h>

#include "agent/enrich/meta.h"
#include "agent/enrich/meta_tuning.h"
#include "tests/component/enrich/imds_child.h"

struct rig {
	struct imds_child mock;
	uv_loop_t loop;
	uv_timer_t tick; /* every 10 ms, so that conditions are looked at and gaps seen */
	uint64_t ticks, last_tick_ns, longest_gap_ns;
	char endpoint[64];
	char root[80]; /* stands for / */
	struct fffa_metadata_conf conf;
	struct fffa_meta_tuning tuning;
	struct fffa_meta *meta;
	bool closed;
	bool ecs_only;		   /* no request is one to IMDS: none may carry a token */
	const char *without_token; /* NULL or the beginning of paths of which that is true */
	int saved_stderr;	   /* -1: not captured */
	char captured[96];
};

/* Questions of a round: for the host without tags, and for each interface. */
#define RIG_HOST_GETS  6
#define RIG_IFACE_GETS 12
#define RIG_GETS       (RIG_HOST_GETS + 2 * RIG_IFACE_GETS)

/* cmocka fixtures. The state is the rig; the reader is not open yet, conf and tuning are for the
 * test to change. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* Opens the reader with two devices: ifindex 2 (first MAC of the mock) and 3 (second MAC). */
void rig_open(struct rig *r);
/* Asynchronous close, awaited. */
void rig_close(struct rig *r);

/* Turns the loop until cond holds; fails the test after 20 s. */
void rig_await(struct rig *r, bool (*cond)(struct rig *r, uint64_t arg), uint64_t arg);
/* Turns the loop for so long: to see that nothing happens. */
void rig_run_ms(struct rig *r, uint64_t ms);

/* Conditions. */
bool rig_is_learned(struct rig *r, uint64_t arg);
bool rig_is_settled(struct rig *r, uint64_t arg);
/* At least arg failures, all reasons. */
bool rig_has_failures(struct rig *r, uint64_t arg);
/* At least arg requests came to the mock. */
bool rig_has_requests(struct rig *r, uint64_t arg);

/* Count of one reason by its name; the test fails when there is no such reason. */
uint64_t rig_error(struct rig *r, const char *name);
/* The identity of a record that was seen on this device. */
const struct fffa_ident *rig_ident(struct rig *r, uint32_t ifindex);
/* The default data of the mock are known for both devices. */
void rig_assert_all_known(struct rig *r);

/* Standard error goes to a file from here on, until the teardown. */
void rig_capture_log(struct rig *r);
/* How often the text occurs in what was logged. */
size_t rig_logged(struct rig *r, const char *text);

#endif
