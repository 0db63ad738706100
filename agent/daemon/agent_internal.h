/* SPDX-License-Identifier: MIT */
/* The one struct that everything hangs off; it lives on the stack of fffa_agent_run. */
#ifndef FFFA_AGENT_DAEMON_AGENT_INTERNAL_H
#define FFFA_AGENT_DAEMON_AGENT_INTERNAL_H

#include <stdbool.h>
#include <uv.h>

#include "agent/daemon/agent.h"
#include "agent/base/ledger.h"
#include "agent/capture/live.h"
#include "agent/daemon/pending_records.h"
#include "agent/enrich/meta.h"
#include "agent/flow/nodata.h"
#include "agent/flow/skipdata.h"
#include "agent/flow/flow_table.h"
#include "agent/pipeline/pipeline.h"
#include "agent/capture/unattended/checkpoint.h"
#include "agent/status/interfaces.h"
#include "agent/status/status.h"

#define FFFA_AGENT_SIGNALS 4

enum fffa_stage { FFFA_STAGE_RUN, FFFA_STAGE_STOP, FFFA_STAGE_FLUSH, FFFA_STAGE_CLOSE };

struct fffa_agent {
	const struct fffa_config *conf;
	struct fffa_config *reloadable; /* the same; NULL in a replay */
	uint64_t reloads_done, reloads_failed;
	uv_loop_t loop;
	uv_signal_t signals[FFFA_AGENT_SIGNALS];
	uv_idle_t sweep;  /* expiry, flush */
	uv_timer_t wait;  /* for room in the pipeline */
	uv_timer_t limit; /* shutdown_timeout */
	struct fffa_ledger ledger;
	struct fffa_flow_table *flows;
	struct fffa_meta *meta;
	struct fffa_pipeline *pipeline;
	struct fffa_live *live; /* one of the two */
	struct fffa_replay *replay;
	struct fffa_metadata_conf replay_meta;
	enum fffa_stage stage;
	bool handles;	     /* sweep, wait, limit and signals are there */
	bool identity_known; /* records may leave */
	bool bounded;	     /* deadline_ns counts */
	bool hurry;	     /* the deadline has passed */
	uint64_t deadline_ns;
	uint64_t next_expiry_ns;
	uint64_t unix_ns;		     /* now; in a replay the capture's time */
	uint64_t mono_ns;		     /* the same instant; not in a replay */
	struct fffa_pending_records pending; /* due before the identity is known */
	struct fffa_checkpoint restart;
	struct fffa_skipdata skip; /* which loss the stream has been told of */
	struct fffa_nodata
		nodata; /* zero in a replay: nobody knows how long its devices were watched */
	uint32_t only_ifindex;	 /* the one device captured on; 0: several */
	const char *config_file; /* NULL: the built-in defaults */
	struct fffa_status *status;
	struct fffa_interfaces interfaces; /* what was counted on each, for the status */
	uint64_t start_ns;
	int64_t start_ms; /* Unix */
	enum fffa_exit code;
};

void fffa_agent__on_wait(uv_timer_t *h);
void fffa_agent__on_limit(uv_timer_t *h);
void fffa_agent__close_pipeline(struct fffa_agent *a);
void fffa_agent__set_time(struct fffa_agent *a);
void fffa_agent__begin_stop(struct fffa_agent *a);

/* signals.c */
void fffa_agent__on_signal(uv_signal_t *h, int signum);
void fffa_agent__log_ledger(struct fffa_agent *a);
void fffa_agent__log_sinks(struct fffa_pipeline *p);
/* For fffa_assert_set_dump: the ledgers as they stand, whatever the thread. */
void fffa_agent__dump_ledgers(void *agent);
/* Which devices may be without traffic from now on; watch_nodata begins a new interval, too. */
void fffa_agent__watch_idle(struct fffa_agent *a, uint64_t now_ns);
void fffa_agent__watch_nodata(struct fffa_agent *a);

#endif
