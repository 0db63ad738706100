/* SPDX-License-Identifier: MIT */
/*
 * Inside of the spooler. spooler.c is what the queue calls, and runs the jobs. Below it:
 *   spooler_scan.c      the start
 *   spooler_plan.c      decides what a job does
 *   spooler_job.c       does it, in a worker thread
 *   spooler_apply.c     takes over what it did
 *   spooler_segments.c  segments on disk, and the batches in memory that refer to them
 */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_INTERNAL_H
#define FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_INTERNAL_H

#include <uv.h>

#include "agent/base/log.h"
#include "agent/pipeline/spooler/spooler.h"
#include "agent/spool/store.h"

#define FFFA_SPOOLER_WRITES  64 /* per job */
#define FFFA_SPOOLER_READS   32
#define FFFA_SPOOLER_REMOVES 32

#define FFFA_SPOOLER_NO_WAKE UINT64_MAX

/* A segment on disk. */
struct fffa_spooler_segment {
	TAILQ_ENTRY(fffa_spooler_segment) link;
	uint64_t id;
	uint64_t epoch;
	uint64_t disk_bytes;	    /* that it is charged with */
	uint64_t begin_records;	    /* before the first frame that counted at the start */
	struct fffa_spool_pos read; /* the next frame that is to be loaded */
	struct fffa_spool_pos end;  /* of what is written and synced */
	uint64_t settled;	    /* records */
	int64_t first_ms, last_ms;
	uint32_t refs;
	uint32_t read_errors;
	bool gone; /* in no list: the last reference frees it */
};

/* A frame of which something is in memory. In the order of the disk. */
struct fffa_spool_ref {
	TAILQ_ENTRY(fffa_spool_ref) link;
	struct fffa_spooler_segment *seg;
	struct fffa_spool_pos begin;
	uint32_t records;
	uint32_t batches; /* 0: all of it is settled */
};

struct fffa_spooler_write {
	struct fffa_queued_batch *b;
	struct fffa_spooler_segment *seg;
	bool begins; /* a new segment */
	struct fffa_spool_segment head;
	struct fffa_spool_frame frame;
	struct fffa_spool_pos begin, end;
	int rc;
};

struct fffa_spooler_read {
	struct fffa_spool_found found;
	struct fffa_batch *batch; /* NULL: the body is damaged */
};

/* What the worker is asked to do, in this order. Only the worker touches it while it runs. */
struct fffa_spooler_job {
	uv_work_t work;
	struct fffa_store *store;
	uint64_t removes[FFFA_SPOOLER_REMOVES];
	size_t remove_count;
	struct fffa_spooler_write writes[FFFA_SPOOLER_WRITES];
	size_t write_count;
	bool acks;
	struct fffa_spool_ack ack;
	struct fffa_spooler_segment *read_seg; /* NULL: nothing is read */
	uint64_t read_id;
	struct fffa_spool_pos read_from;
	uint64_t read_limit; /* offset */
	size_t read_budget;  /* bytes of batches; one is read whatever its size */
	struct fffa_spooler_read reads[FFFA_SPOOLER_READS];
	size_t read_count;
	bool read_ended; /* the segment has no more */
	int read_rc;
};

TAILQ_HEAD(fffa_spooler_segments, fffa_spooler_segment);
TAILQ_HEAD(fffa_spool_refs, fffa_spool_ref);

struct fffa_spooler {
	struct fffa_spooler_conf conf;
	struct fffa_store *store;
	uint64_t segment_bytes;
	uint64_t disk_bytes;
	uint64_t next_id;
	uint64_t epoch;	  /* the highest found at the start */
	uint64_t resumed; /* records found at the start */
	struct fffa_spooler_segments segments;
	struct fffa_spooler_segment *writing; /* NULL: the next write begins one */
	struct fffa_spool_pos plan;	      /* where in it */
	struct fffa_spool_refs refs;
	size_t ref_bytes;
	struct fffa_queued_batches waiting; /* to be written */
	size_t waiting_bytes;
	size_t in_job;	 /* of waiting, from the first on */
	uint64_t unread; /* records on disk that are not in memory */
	size_t reserved_bytes;
	struct fffa_spool_ack acked;
	uint64_t ack_ns;
	bool full;
	int error; /* of the last write, 0: good */
	uint64_t errors;
	struct fffa_log_limit full_log, damage_log;
	uint64_t write_again_ns, read_again_ns; /* not before: after an error */
	bool started, running, planning, stopped, closing;
	uint64_t wake_ms; /* plan: look again after this time; FFFA_SPOOLER_NO_WAKE */
	uv_timer_t timer;
	void (*closed)(void *arg);
	void *closed_arg;
	struct fffa_spooler_job job;
};

/* spooler_scan.c: takes over what lies in the directory. 0 or -errno with err. */
int fffa_spooler__scan(struct fffa_spooler *s, struct fffa_err *err);

/* spooler_plan.c: true when there is something to do; sets wake_ms. No job runs meanwhile. */
bool fffa_spooler__plan(struct fffa_spooler *s);

/* spooler_job.c: runs in the worker thread. */
void fffa_spooler__work(uv_work_t *w);

/* spooler_apply.c: after a job. */
void fffa_spooler__apply(struct fffa_spooler *s);

/* spooler_segments.c */
/* An empty segment in no list; NULL without memory. */
struct fffa_spooler_segment *fffa_spooler__new_segment(uint64_t id,
						       const struct fffa_spool_pos *from);
/* seg is in no list any more: it goes with its last reference. */
void fffa_spooler__forget_segment(struct fffa_spooler *s, struct fffa_spooler_segment *seg);
/* Frees all segments and references. */
void fffa_spooler__free_segments(struct fffa_spooler *s);
/* A new reference to a frame of seg at the end of the order, held by b. False without memory. */
bool fffa_spooler__add_ref(struct fffa_spooler *s, struct fffa_queued_batch *b,
			   struct fffa_spooler_segment *seg, const struct fffa_spool_pos *begin);
/* b ends. False: its frame is not settled yet, or it has none. */
bool fffa_spooler__release_ref(struct fffa_spooler *s, struct fffa_queued_batch *b);
/* Up to to, what was not loaded of seg is lost. Returns how many records. */
uint64_t fffa_spooler__lose_unread(struct fffa_spooler *s, struct fffa_spooler_segment *seg,
				   const struct fffa_spool_pos *to, enum fffa_record_loss why);
/* Memory that the queue and the references to frames take. */
size_t fffa_spooler__ready_bytes(const struct fffa_spooler *s);

static inline uint64_t fffa_spooler__unread_of(const struct fffa_spooler_segment *seg)
{
	return seg->end.records - seg->read.records;
}

#endif
