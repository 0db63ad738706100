/* SPDX-License-Identifier: MIT */
/* Inside of the spooler: spooler.c is what the lane calls, spool_scan.c the start, spool_plan.c
 * decides what a job does, spool_job.c does it in the worker pool, spool_apply.c takes it over. */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_PRIV_H
#define FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_PRIV_H

#include <sys/queue.h>
#include <uv.h>

#include "agent/pipeline/spooler/spooler.h"
#include "agent/spool/store.h"

#define FFFA_SPOOL_WRITES  64 /* per job */
#define FFFA_SPOOL_READS   32
#define FFFA_SPOOL_REMOVES 32

/* A segment on disk. */
struct fffa_spool_seg {
	TAILQ_ENTRY(fffa_spool_seg) link;
	uint64_t id;
	uint64_t epoch;
	uint64_t disk_bytes;	    /* that it is charged with */
	uint64_t begin_records;	    /* before the first frame that counted at the start */
	struct fffa_spool_pos read; /* the next frame that is to be loaded */
	struct fffa_spool_pos end;  /* of what is written and synced */
	uint64_t settled;	    /* records */
	int64_t first_ms, last_ms;
	uint32_t slips;
	uint32_t read_errors;
	bool gone; /* in no list: the last slip frees it */
};

/* A frame of which something is in memory. In the order of the disk. */
struct fffa_slip {
	TAILQ_ENTRY(fffa_slip) link;
	struct fffa_spool_seg *seg;
	struct fffa_spool_pos begin;
	uint32_t records;
	uint32_t parcels; /* 0: all of it is settled */
};

struct fffa_spool_write {
	struct fffa_parcel *p;
	struct fffa_spool_seg *seg;
	bool begins; /* a new segment */
	struct fffa_spool_segment head;
	struct fffa_spool_frame frame;
	struct fffa_spool_pos begin, end;
	int rc;
};

struct fffa_spool_read {
	struct fffa_spool_found found;
	struct fffa_batch *batch; /* NULL: the body is damaged */
};

/* What the worker is asked to do, in this order. Only the worker touches it while it runs. */
struct fffa_spool_job {
	uv_work_t work;
	struct fffa_store *store;
	uint64_t removes[FFFA_SPOOL_REMOVES];
	size_t remove_count;
	struct fffa_spool_write writes[FFFA_SPOOL_WRITES];
	size_t write_count;
	bool acks;
	struct fffa_spool_ack ack;
	struct fffa_spool_seg *read_seg; /* NULL: nothing is read */
	uint64_t read_id;
	struct fffa_spool_pos read_from;
	uint64_t read_limit; /* offset */
	size_t read_budget;  /* bytes of batches; one is read whatever its size */
	struct fffa_spool_read reads[FFFA_SPOOL_READS];
	size_t read_count;
	bool read_ended; /* the segment has no more */
	int read_rc;
};

TAILQ_HEAD(fffa_spool_segs, fffa_spool_seg);
TAILQ_HEAD(fffa_slips, fffa_slip);

struct fffa_spooler {
	struct fffa_lane *lane;
	struct fffa_store *store;
	uint64_t identity;
	uint64_t bound_bytes, segment_bytes;
	uint64_t bytes; /* on disk */
	uint64_t next_id;
	uint64_t epoch; /* the highest found at the start */
	struct fffa_spool_segs segs;
	struct fffa_spool_seg *writing; /* NULL: the next write begins one */
	struct fffa_spool_pos plan;	/* where in it */
	struct fffa_slips slips;
	struct fffa_parcels waiting; /* to be written */
	size_t waiting_bytes;
	size_t in_job;	 /* of waiting, from the first on */
	uint64_t unread; /* records on disk that are not in memory */
	size_t reserved_bytes;
	struct fffa_spool_ack acked;
	uint64_t ack_ns;
	bool full;
	int error; /* of the last write, 0: good */
	uint64_t errors;
	uint64_t write_again_ns, read_again_ns; /* not before: after an error */
	bool started, running, planning, closing;
	uv_timer_t timer;
	void (*closed)(void *arg);
	void *closed_arg;
	struct fffa_spool_job job;
};

/* spool_scan.c: takes over what lies in the directory. 0 or -errno with err. */
int fffa_spooler__scan(struct fffa_spooler *s, struct fffa_err *err);

/* spool_plan.c: true when there is something to do. */
bool fffa_spooler__plan(struct fffa_spooler *s);
/* Up to to, what was not loaded of seg is lost. */
void fffa_spooler__lose_unread(struct fffa_spooler *s, struct fffa_spool_seg *seg,
			       const struct fffa_spool_pos *to, enum fffa_record_loss why);
static inline uint64_t fffa_spooler__unread_of(const struct fffa_spool_seg *seg)
{
	return seg->end.records - seg->read.records;
}

/* spool_job.c: runs in the worker pool. */
void fffa_spooler__work(uv_work_t *w);

/* spool_apply.c: after a job. */
void fffa_spooler__apply(struct fffa_spooler *s);

/* spooler.c */
void fffa_spooler__kick(struct fffa_spooler *s);
/* seg is in no list any more: it goes with its last slip. */
void fffa_spooler__forget_seg(struct fffa_spooler *s, struct fffa_spool_seg *seg);
/* Memory of the lane that is not waiting to be written. */
size_t fffa_spooler__ready_bytes(const struct fffa_spooler *s);
/* Looks again after ms at the latest. */
void fffa_spooler__wake(struct fffa_spooler *s, uint64_t ms);
/* A new slip of seg at the end of the order, held by p. False without memory. */
bool fffa_spooler__slip(struct fffa_spooler *s, struct fffa_parcel *p, struct fffa_spool_seg *seg,
			const struct fffa_spool_pos *begin);

#endif
