/* SPDX-License-Identifier: MIT */
/*
 * The sink contract: what the pipeline asks of a sink, and what a sink may use. sinks/README.md
 * says how to write one; tests/contract runs every sink against what is promised here.
 *
 * A sink moves bytes and reports what became of them. The pipeline owns everything else, the same
 * for all sinks: queue, spool, retry, back-off, splitting, giving up, the ledger. So a sink has no
 * retry policy, no back-off timer, no counter that the ledger has, and no queue beyond the one that
 * its library forces on it.
 *
 * The life of a sink:
 *
 *   check, check_format     on a configuration alone; there is no sink yet
 *   create                  allocates
 *   start                   opens
 *   submit ... done         any number of deliveries, several open at once if the sink likes
 *   flush                   shutdown is near
 *   close ... closed        open deliveries are done, then the sink is gone
 *
 * report and reopen come at any time between create and closed. close comes once, in any state
 * after create.
 *
 * Threads: the pipeline makes every call on the loop thread. The sink calls done, ready and closed
 * on the loop thread too, and never from inside a call into the sink: the answer always comes from
 * a later turn of the loop. What must wait (for a disk, a name server, a compression) belongs on a
 * worker thread, which may read the batch but calls nothing of the pipeline.
 */
#ifndef FFFA_SINKS_SINK_H
#define FFFA_SINKS_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/format.h"
#include "config/option.h"
#include "sinks/batch.h"

struct uv_loop_s;

/* A sink's own state: each sink defines it in its .c file. */
struct fffa_sink;

/* One sealed batch on its way to one sink. It belongs to the pipeline. */
struct fffa_delivery;

/* What became of a delivery, or of one record. */
enum fffa_verdict {
	FFFA_V_NONE = 0,  /* no verdict: zeroed memory is never taken for one */
	FFFA_V_DELIVERED, /* the receiver has confirmed, as durably as the sink's options say */
	FFFA_V_RETRY,	  /* not confirmed, perhaps arrived; the pipeline decides when to retry */
	FFFA_V_REJECTED,  /* these bytes will never be taken */
	FFFA_V_TOO_BIG,	  /* the pipeline halves the batch at a record border and goes on */
	/*
	 * Refused, because of these bytes or because of something that a person can repair: the
	 * receiver does not say. The pipeline keeps the records and tries others. It counts them as
	 * rejected only when the receiver takes others.
	 */
	FFFA_V_REFUSED,
};
#define FFFA_V_LAST FFFA_V_REFUSED

/* The sink's answer to one delivery. Everything in it is read before done returns. */
struct fffa_outcome {
	enum fffa_verdict verdict; /* of all records, unless records is set */
	uint32_t retry_after_ms;   /* the receiver's wish, with RETRY only; 0: none */
	int cause;		   /* why, for the log: -errno or a library's own; 0: delivered */
	/*
	 * NULL, or one enum fffa_verdict for each record of the batch, none of them NONE; verdict
	 * is RETRY then. The pipeline counts each record by its own verdict and submits only those
	 * to be tried again.
	 */
	const uint8_t *records;
	/* What a person should know, such as "topic flows: unknown". NULL: the text of cause.
	 * Never a secret. */
	const char *detail;
	/*
	 * Tells failures of different reasons apart whose cause is the same: the log has each
	 * reason once until the next delivery. 0: cause tells.
	 */
	int reason;
	bool repair;	/* with RETRY: nothing helps but a person, so the log has an error */
	bool transient; /* with RETRY: a connection ended, as any does; worth a line only if it
			   happens again before the next delivery */
};

/* The batch of d, which the sink may read from submit until done. It is sealed: nothing changes. */
const struct fffa_batch *fffa_delivery_batch(const struct fffa_delivery *d);

/* What a sink may use. The pipeline owns it; it outlives the sink. */
struct fffa_sink_env {
	struct uv_loop_s *loop;
	const char *tag; /* "sink.NAME": the first argument of every log call */
	void *pipe;	 /* the first argument of done and ready */
	/*
	 * Answers an accepted delivery, exactly once. d and its batch are not the sink's any more.
	 * The pipeline may call submit before done returns.
	 */
	void (*done)(void *pipe, struct fffa_delivery *d, const struct fffa_outcome *o);
	/*
	 * There is room again, after submit has returned -EAGAIN; once is enough for any number of
	 * such answers. The pipeline may call submit before ready returns.
	 */
	void (*ready)(void *pipe);
	/*
	 * The receiver cannot be reached or refuses to talk, though no delivery has ended for that:
	 * the sink's library goes on trying. The pipeline logs it once and shows the sink as down
	 * until the next delivery. o has cause, detail, reason and repair; its verdict is not read.
	 */
	void (*trouble)(void *pipe, const struct fffa_outcome *o);
	/*
	 * What stands before the first record of each new file or stream (the header line of
	 * format vpc); empty if there is none. A sink that sends messages ignores it.
	 */
	struct fffa_span preamble;
	/*
	 * The agent runs already: start does not wait, not even for a disk. What it cannot open is
	 * no failure of start then. The sink reports it with trouble and goes on trying.
	 */
	bool running;
	unsigned int format;	  /* enum fffa_format (agent/base/format.h) of the records */
	const char *content_type; /* media type of the records, static */
	/*
	 * Judges bytes that were found where a record or a preamble may begin: fffa_recognize
	 * (agent/encode/recognize.h) with recognizer as its encoder. Any thread. NULL: all that
	 * this sink finds is foreign.
	 */
	enum fffa_found (*recognize)(const void *recognizer, const uint8_t *p, size_t n,
				     size_t *len);
	const void *recognizer;
};

/* A kind of sink. The table is constant; any number of sinks of a kind live side by side. */
struct fffa_sink_ops {
	const char *name;     /* the `type` in the configuration */
	unsigned int formats; /* what it accepts: bits 1 << enum fffa_format; ~0u: all */

	/* The configuration: rows that end with FFFA_OPT_END, and the struct that they fill. */
	const struct fffa_option *opts;
	size_t conf_size;
	/*
	 * Checks rules across several options. Reads and opens nothing, but may ask the user
	 * database. conf is a struct of conf_size bytes with every option filled. 0, or -EINVAL
	 * with err that begins with the key: "path: is required". NULL: there are no such rules.
	 */
	int (*check)(const void *conf, struct fffa_err *err);
	/*
	 * Whether a sink with this conf takes this one of its formats. 0, or -EINVAL with err.
	 * NULL: it takes all of them.
	 */
	int (*check_format)(const void *conf, unsigned int format, struct fffa_err *err);

	/*
	 * Looks whether start would find what conf names on this host: folders, files, libraries.
	 * Makes and changes nothing, waits for nobody. 0, or -EINVAL with err, a line for each
	 * problem: "path: the directory ...". A line "warning: KEY: ..." is no problem. Also
	 * -EINVAL if there are warnings only. NULL: there is nothing to look at.
	 */
	int (*probe)(const void *conf, struct fffa_err *err);
	/*
	 * The path of the file that a sink with this conf writes to, if nobody else may; NULL: none
	 * such. The configuration refuses a second sink with the same. NULL: no sink of this kind
	 * has one.
	 */
	const char *(*output)(const void *conf);

	/*
	 * Allocates the sink; opens nothing. env and conf outlive the sink. 0: the pipeline ends
	 * *out with close. -errno with err: *out is untouched, there is nothing to close.
	 */
	int (*create)(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		      struct fffa_err *err);
	/*
	 * Opens what can be opened at once, begins to connect to the rest. A receiver in the
	 * network that is away is no failure: that shows in the deliveries. A file is opened on the
	 * sink's thread, for which start waits a bounded time, or not at all when env->running. 0,
	 * or -errno with err, which ends the start of the agent; the pipeline calls close then.
	 */
	int (*start)(struct fffa_sink *s, struct fffa_err *err);
	/*
	 * Offers a delivery.
	 *   0         accepted: d is borrowed, and exactly one done follows
	 *   -EAGAIN   no room now: nothing was taken, and ready follows
	 *   < 0       nothing was taken; the pipeline counts it as RETRY with this cause
	 */
	int (*submit)(struct fffa_sink *s, struct fffa_delivery *d);
	/* The agent ends soon: stop to wait for more, send what is there. NULL: nothing lingers. */
	void (*flush)(struct fffa_sink *s);
	/* Open files again (HUP). Loses and repeats nothing. NULL: there is nothing to reopen. */
	void (*reopen)(struct fffa_sink *s);
	/*
	 * Calls put for each fact that /status should show. key is a static word; both texts are
	 * copied. No secrets. NULL: there are none.
	 */
	void (*report)(const struct fffa_sink *s,
		       void (*put)(void *arg, const char *key, const char *value), void *arg);
	/*
	 * Ends the sink, also one that never started. It waits for no receiver: a delivery that is
	 * still open gets its done, at worst RETRY with -ECANCELED. Then its memory and its handles
	 * in the loop are gone, and it calls closed, once.
	 */
	void (*close)(struct fffa_sink *s, void (*closed)(void *arg), void *arg);
};

#endif
