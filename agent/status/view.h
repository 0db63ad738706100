/* SPDX-License-Identifier: MIT */
/*
 * What the status pages show, at one instant. The agent fills it, the pages only read it: they know
 * no other part of the agent. Pointers are valid until the loop's next turn.
 */
#ifndef FFFA_AGENT_STATUS_VIEW_H
#define FFFA_AGENT_STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/histogram.h"
#include "agent/base/ledger.h"
#include "agent/base/sink_status.h"
#include "agent/flow/network.h"
#include "agent/status/interfaces.h"
#include "agent/status/process.h"
#include "config/config.h"

#define FFFA_STATUS_HOOKS_MAX	 128
#define FFFA_STATUS_PROGRAMS_MAX 16
#define FFFA_STATUS_REASONS_MAX	 32
#define FFFA_STATUS_KINDS_MAX	 4

struct fffa_status_hook {
	const char *interface;
	uint32_t ifindex;
	const char *direction;	 /* "ingress", "egress" */
	const char *hook;	 /* "tcx", "clsact", "xdp" */
	const char *selected_by; /* why the device was chosen */
	const char *why;	 /* why this hook was chosen */
	bool up;		 /* it is in its place and sees packets first */
	const char *problem;	 /* why it is not up; "" */
	uint64_t put_backs;	 /* how often it was taken off or moved back and was put back */
};

struct fffa_status_program {
	const char *name;
	uint64_t run_ns;
	uint64_t runs;
};

struct fffa_status_count {
	const char *name;
	uint64_t n;
};

struct fffa_status_metadata {
	const char *state; /* "off", "asking", "known", "failing" */
	const char *endpoint;
	const char *last_error; /* "": none */
	uint64_t age_ns;	/* since the last complete answer; UINT64_MAX: never */
	struct fffa_status_count errors[FFFA_STATUS_REASONS_MAX];
	size_t error_count;
	const struct fffa_network_series *series; /* the traffic between networks */
	size_t series_count;
	const char *agent_id, *account_id, *instance_id, *region, *az, *az_id;
};

struct fffa_status_kernel {
	uint64_t table_entries;
	uint32_t slices;
	uint32_t ring_bytes;
	const char *clock;
	const char *grace_period;
	struct fffa_status_count ring_events[FFFA_STATUS_KINDS_MAX];
	size_t ring_event_count;
	struct fffa_status_program programs[FFFA_STATUS_PROGRAMS_MAX];
	size_t program_count;
	const struct fffa_histogram *drains;
};

struct fffa_status_view {
	const char *version, *commit;
	const char *config_file; /* "": the built-in defaults */
	const char *stage;	 /* "running", "stopping" */
	const char *not_ready;	 /* the reason for status 503 of /readyz; NULL: ready */
	int64_t start_ms;	 /* Unix */
	uint64_t uptime_ns;

	/*
	 * Of the ledger: seen = recorded + held_kernel + held_flows + filtered +
	 * not_on_wire + sum(lost).
	 * held_kernel: in the kernel's table, in its ring, or being handed over.
	 */
	const struct fffa_ledger *ledger;
	struct fffa_amount held_kernel;
	struct fffa_amount held_flows;
	const struct fffa_interfaces *interfaces;
	uint64_t flows_active;
	uint64_t flows_capacity;

	struct fffa_status_kernel kernel;
	struct fffa_status_hook hooks[FFFA_STATUS_HOOKS_MAX];
	size_t hook_count;
	struct fffa_status_metadata metadata;

	struct fffa_sink_status sinks[FFFA_CONFIG_SINKS_MAX];
	size_t sink_count;
	/* Calls put for each fact that sink i reports. May be NULL. */
	void (*sink_report)(const void *arg, size_t i,
			    void (*put)(void *arg, const char *key, const char *value),
			    void *put_arg);
	const void *sink_report_arg;

	uint64_t reloads_done;
	uint64_t reloads_failed;
	bool last_reload_failed;
	uint64_t pending_restart; /* keys whose new value needs a restart */
	uint64_t log_lines_lost;
	struct fffa_process process;
};

struct fffa_flow_table;

struct fffa_status_source {
	/* Fills v, which is zeroed, with the present state. */
	void (*view)(void *arg, struct fffa_status_view *v);
	/* The flow table for /flows; NULL: there is none yet. */
	const struct fffa_flow_table *(*flows)(void *arg);
	void *arg;
};

#endif
