/* SPDX-License-Identifier: MIT */
/* The agent's state, on the stack of fffa_agent_run. Only the files of this folder use it. */
#ifndef FFFA_AGENT_DAEMON_AGENT_INTERNAL_H
#define FFFA_AGENT_DAEMON_AGENT_INTERNAL_H

#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/ledger.h"
#include "agent/daemon/agent.h"
#include "agent/flow/pending_records.h"
#include "agent/daemon/reload.h"
#include "agent/daemon/signals.h"
#include "agent/daemon/source/source.h"
#include "agent/enrich/meta.h"
#include "agent/filter/filter.h"
#include "agent/service/notify.h"
#include "agent/flow/nodata.h"
#include "agent/flow/skipdata.h"
#include "agent/flow/flow_table.h"
#include "agent/pipeline/pipeline.h"
#include "agent/status/interfaces.h"
#include "agent/status/status.h"

/* For the reader of the last log lines. */
#define FFFA_AGENT_LOG_MS 200

/* After shutdown_timeout, before the process ends without threads that are stuck. */
#define FFFA_AGENT_OVERTIME_MS 700

enum fffa_stage { FFFA_STAGE_RUN, FFFA_STAGE_STOP, FFFA_STAGE_FLUSH, FFFA_STAGE_CLOSE };

struct fffa_agent {
	const struct fffa_config *conf;
	struct fffa_config *reloadable; /* conf, for HUP to change; NULL in a replay */
	const char *config_file;	/* HUP reads it; NULL: the built-in defaults */
	const char *listen;		/* of the status pages; NULL or "": none */
	struct fffa_source *source;

	uv_loop_t loop;
	struct fffa_signals signals;
	struct fffa_notify notify; /* all zero in a replay */
	struct fffa_reload reload; /* all zero: there is no file */
	uv_idle_t sweep;	   /* expiry, flush */
	uv_timer_t wait;	   /* for room in the pipeline */
	uv_timer_t limit;	   /* shutdown_timeout */
	uv_timer_t overtime;	   /* a little later; does not keep the loop alive */
	bool handles;		   /* those above are there */
	bool started;

	struct fffa_filter *filter; /* of capture; NULL: none */
	struct fffa_flow_table *flows;
	struct fffa_meta *meta;
	struct fffa_pipeline *pipeline;
	struct fffa_status *status;

	uint64_t unix_ns; /* now, by the source's clock */
	uint64_t mono_ns; /* the same instant */
	struct fffa_ledger ledger;
	struct fffa_skipdata skip;	     /* the losses that the stream has records of */
	uint64_t tunnel_warn_ns;	     /* the log said that no tunnel id is free; 0: never */
	struct fffa_nodata nodata;	     /* all zero: no NODATA records */
	struct fffa_pending_records pending; /* records due before the identity is known */
	bool identity_known;		     /* records may leave */
	uint32_t only_ifindex;		     /* the one device captured on; 0: several */
	struct fffa_interfaces interfaces;   /* packets and bytes by interface */

	enum fffa_stage stage;
	bool bounded;	  /* asked to stop: deadline_ns is set */
	bool ignore_room; /* the deadline has passed, or asked to stop twice: nobody waits */
	uint64_t deadline_ns;
	enum fffa_exit code;
	bool misconfigured; /* the start failed, and the configuration is the cause */

	uint64_t start_ns; /* monotonic */
	int64_t start_ms;  /* the same instant, Unix */
	uint64_t reloads_done, reloads_failed;
	struct fffa_reload_watch watch; /* of secrets in files */
	bool last_reload_failed;
	uint64_t pending_restart; /* keys of the last reload that need a restart */
	bool metadata_due;   /* the reader has other settings than conf: no memory for another */
	char not_ready[768]; /* text for the view */
};

/* Unix time by the source's clock. */
static inline int64_t fffa_agent__now_ms(const struct fffa_agent *a)
{
	return (int64_t)(a->unix_ns / FFFA_NS_PER_MS);
}

/* agent_events.c */

/* Whether capture.filter passes a record whose window is over. arg: the agent. */
bool fffa_agent__is_wanted(void *arg, const struct fffa_record *r);
/* A record goes to the sinks, or waits for the identity. arg: the agent. */
void fffa_agent__on_record(void *arg, struct fffa_record *r);
/* The source begins to count, and the stages follow it. 0, or -errno with err. */
int fffa_agent__start_source(struct fffa_agent *a, struct fffa_err *err);

/* agent_stop.c */

/* Seen, and in no record yet. */
struct fffa_amount fffa_agent__held(struct fffa_agent *a);
/* Asked to stop, once or more often. arg: the agent. */
void fffa_agent__stop(void *arg);
/* A replay's sink fails for too long: what is left is lost, and said. arg: the agent. */
void fffa_agent__stalled(void *arg);
/* shutdown_timeout begins now. */
void fffa_agent__start_deadline(struct fffa_agent *a);
/* All flows are records. */
void fffa_agent__close_pipeline(struct fffa_agent *a);
void fffa_agent__on_pipeline_closed(void *arg, struct fffa_pipeline *p);
/* Closes the handles. There is no pipeline any more. */
void fffa_agent__close_rest(struct fffa_agent *a);
/* Runs the loop to its end. Does not return when a thread is stuck. */
void fffa_agent__end_loop(struct fffa_agent *a);
/* When no packet is counted any more. */
void fffa_agent__check_ledger(struct fffa_agent *a);

#endif
