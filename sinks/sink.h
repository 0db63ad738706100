/* SPDX-License-Identifier: MIT */
/*
 * The sink contract. A sink moves bytes and tells the truth: no retry policy, no back-off timer, no
 * counters of what others know, no queue beyond what its library forces. Queueing, retry,
 * splitting, giving up and the ledger are the pipeline's, the same for all sinks. All calls are
 * made on the loop thread.
 */
#ifndef FFFA_SINKS_SINK_H
#define FFFA_SINKS_SINK_H

#include <stdint.h>

#include "agent/base/err.h"
#include "config/option.h"
#include "sinks/batch.h"

struct uv_loop_s;
struct fffa_sink;
struct fffa_delivery;

/* A sink's last word on one delivery. 0 is no verdict: zeroed memory is caught. */
enum fffa_verdict {
	FFFA_V_NONE = 0,
	FFFA_V_DELIVERED, /* the far end confirmed, to the sink's stated durability */
	FFFA_V_RETRY,	  /* not confirmed; may have arrived. The pipeline may try again */
	FFFA_V_REJECTED,  /* these bytes, for ever */
	FFFA_V_TOO_BIG,	  /* the pipeline splits at record borders */
};

struct fffa_outcome {
	enum fffa_verdict verdict;
	uint32_t retry_after_ms; /* 0: no hint; only with RETRY */
	int cause; /* -errno or a mapped library code, for the log; 0 when delivered */
	/*
	 * One enum fffa_verdict per record of the batch, where the far end judged them one by one:
	 * DELIVERED, RETRY, REJECTED or TOO_BIG, and verdict is then RETRY. The pipeline counts each
	 * and sends only the rest again. NULL: verdict is for all. Valid for the call.
	 */
	const uint8_t *records;
	/* What a person should know, such as "topic flows: unknown"; NULL: the text of cause. Valid
	 * for the call; no secrets. */
	const char *detail;
};

/* What the sink may read of a delivery until done. The batch bytes stay valid and unchanged until
 * then. */
const struct fffa_batch *fffa_delivery_batch(const struct fffa_delivery *d);

/* Everything a sink may use; lives longer than the sink. */
struct fffa_sink_env {
	struct uv_loop_s *loop;
	const char *tag; /* "sink.NAME", for logs */
	void *pipe;	 /* first argument of the two calls below */
	/*
	 * Exactly once for each accepted delivery, on the loop, never from inside submit, flush or
	 * close. done and ready may call submit before they return.
	 */
	void (*done)(void *pipe, struct fffa_delivery *d, const struct fffa_outcome *o);
	/* There is room again after submit said -EAGAIN. */
	void (*ready)(void *pipe);
	/* The bytes that begin each new file or stream, may be empty (vpc header line); valid as
	 * long as env. */
	struct fffa_span preamble;
	unsigned int format;	  /* enum fffa_format of the records */
	const char *content_type; /* of the records, static */
};

struct fffa_sink_ops {
	const char *name; /* the `type` in the configuration */
	unsigned int
		formats;  /* bit set of 1 << enum fffa_format (agent/base/format.h) it accepts */
	size_t conf_size; /* of the struct that opts describes */
	const struct fffa_option *opts; /* rows, ended by a row without key */
	/* Rules across fields; no I/O but the user database. 0, or -EINVAL with err. May be NULL. */
	int (*check)(const void *conf, struct fffa_err *err);
	/* Of the formats, those that conf can take: 0, or -EINVAL with err. NULL: all. */
	int (*check_format)(const void *conf, unsigned int format, struct fffa_err *err);
	/* Allocates only. Borrows env and conf for the sink's life. On failure *out is untouched.
	 */
	int (*create)(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		      struct fffa_err *err);
	/* Opens or begins to connect; a failure here ends the start-up with err. */
	int (*start)(struct fffa_sink *s, struct fffa_err *err);
	/*
	 * 0: borrowed, exactly one done follows later. -EAGAIN: no room, nothing taken, ready
	 * follows. Another negative value: nothing taken, the pipeline treats it as RETRY with that
	 * cause.
	 */
	int (*submit)(struct fffa_sink *s, struct fffa_delivery *d);
	/* Shutdown is near: shorten what lingers. May be NULL. */
	void (*flush)(struct fffa_sink *s);
	/* Reopen files (HUP). May be NULL. */
	void (*reopen)(struct fffa_sink *s);
	/* For /status: calls put for each fact worth showing, text only, no secrets. May be NULL. */
	void (*report)(const struct fffa_sink *s,
		       void (*put)(void *arg, const char *key, const char *value), void *arg);
	/*
	 * Legal in every state, also after a failed start. Open deliveries get their done (RETRY
	 * with -ECANCELED at worst) before closed is called; then the sink's memory is gone.
	 */
	void (*close)(struct fffa_sink *s, void (*closed)(void *arg), void *arg);
};

#endif
