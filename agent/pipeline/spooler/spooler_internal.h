/* SPDX-License-Identifier: MIT */
/*
 * Inside of the spooler. spooler.c has what the queue calls, and runs the jobs. It calls these:
 *   spooler_open.c      opens the directory, and takes over what lies there
 *   spooler_scan.c      reads it, for spooler_open.c
 *   spooler_plan.c      decides what a job does
 *   spooler_job.c       does the job, in a worker thread
 *   spooler_apply.c     takes over what the job has done
 * and all of them call spooler_segments.c: segments on disk, and references to their frames, and
 * spooler_account.c: where the sequence numbers went.
 */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_INTERNAL_H
#define FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_INTERNAL_H

#include <uv.h>

#include "agent/base/log.h"
#include "agent/loop/worker.h"
#include "agent/pipeline/spooler/spooler.h"
#include "agent/spool/store.h"
#include "agent/spool/tally.h"

#define FFFA_SPOOLER_WRITES  64 /* per job */
#define FFFA_SPOOLER_READS   32
#define FFFA_SPOOLER_REMOVES 32

#define FFFA_SPOOLER_NO_WAKE UINT64_MAX

/* A segment on disk. */
struct fffa_spooler_segment {
	TAILQ_ENTRY(fffa_spooler_segment) link;
	uint64_t id;
	uint64_t epoch;
	struct fffa_batch_encoding encoding;
	uint64_t disk_bytes;	    /* its share of disk_bytes */
	uint64_t begin_records;	    /* settled by an earlier run */
	struct fffa_spool_pos read; /* the next frame to be loaded */
	struct fffa_spool_pos end;  /* behind what is written and synced */
	uint64_t settled;	    /* records */
	int64_t first_ms, last_ms;
	uint32_t refs;
	uint32_t read_errors;
	bool gone; /* in no list any more: the last reference frees it */
};

/* A frame of which batches are in memory. References are in the order of the disk. */
struct fffa_spool_ref {
	TAILQ_ENTRY(fffa_spool_ref) link;
	struct fffa_spooler_segment *seg;
	struct fffa_spool_pos begin;
	uint64_t last_seq;
	uint64_t numbers; /* that it accounts for */
	uint64_t lost;	  /* of numbers */
	uint32_t records;
	uint32_t batches; /* that refer to it; 0: all its records are settled */
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

/* What the worker is to do, in this order. While it runs, only the worker touches this. */
struct fffa_spooler_job {
	struct fffa_store *store;
	const char *name; /* of the sink */
	uint64_t removes[FFFA_SPOOLER_REMOVES];
	size_t remove_count;
	struct fffa_spooler_write writes[FFFA_SPOOLER_WRITES];
	size_t write_count;
	bool acks;
	bool syncs_ack;
	struct fffa_spool_account account;
	struct fffa_spooler_segment *read_seg; /* NULL: nothing is read */
	uint64_t read_id;
	struct fffa_spool_pos read_from;
	uint64_t read_limit; /* offset */
	size_t read_budget;  /* bytes of batches; the first may be larger */
	struct fffa_spooler_read reads[FFFA_SPOOLER_READS];
	size_t read_count;
	bool read_ended; /* the segment has no more frames */
	int read_rc;
};

/* Two for each epoch of the account. */
#define FFFA_SPOOLER_LOSSES_MAX (2 * FFFA_SPOOL_EPOCHS_MAX)

struct fffa_spooler_losses {
	size_t n, reported;
	struct {
		struct fffa_missing m;
		enum fffa_record_loss why;
	} v[FFFA_SPOOLER_LOSSES_MAX];
};

TAILQ_HEAD(fffa_spooler_segments, fffa_spooler_segment);
TAILQ_HEAD(fffa_spool_refs, fffa_spool_ref);

struct fffa_spooler {
	struct fffa_spooler_conf conf;
	struct fffa_store *store; /* NULL: not open yet */
	uint64_t segment_bytes;
	uint64_t disk_bytes;
	uint64_t next_id;
	uint64_t epoch;	  /* the highest found at the start */
	uint64_t resumed; /* records found at the start */
	struct fffa_spooler_segments segments;
	struct fffa_spooler_segment *writing; /* NULL: the next write begins one */
	struct fffa_spool_pos plan;	      /* where in it the next write begins */
	struct fffa_spool_refs refs;
	size_t ref_bytes;
	struct fffa_queued_batches waiting; /* to be written */
	size_t waiting_bytes;
	size_t in_job;	 /* number of the first of waiting that are in the job */
	uint64_t unread; /* records on disk that are not in memory */
	size_t reserved_bytes;
	struct fffa_spool_account account; /* its ack: the last one that was written */
	bool account_changed;		   /* since it was written */
	struct fffa_spooler_found *found;  /* while the worker opens the directory */
	const uint64_t *given;		   /* see fffa_spooler_start */
	uint64_t last_given;		   /* *given since fffa_spooler_leave */
	bool leaves;			   /* see fffa_spooler_leave */
	uint64_t now_epoch;		   /* of this run; 0: not started */
	struct fffa_spooler_losses losses; /* found at the start, not reported yet */
	uint64_t ack_ns;
	bool full;
	int error; /* of the last write, 0: good */
	uint64_t errors;
	struct fffa_log_limit full_log, damage_log;
	uint64_t write_again_ns, read_again_ns; /* after an error: not before */
	bool started, running, planning, stopped, closing;
	uint64_t job_began_ns; /* while running */
	uint64_t wake_ms;      /* plan again after this time; FFFA_SPOOLER_NO_WAKE: no need */
	uv_timer_t timer;
	struct fffa_worker *worker;
	struct fffa_worker_job work;
	unsigned int open_handles; /* while they are being closed */
	void (*closed)(void *arg);
	void *closed_arg;
	struct fffa_spooler_job job;
};

#define FFFA_SPOOLER_FOUND_MAX 256

/* A directory that was opened and read, before the loop takes it over. */
struct fffa_spooler_found {
	struct fffa_spooler spooler;
	int rc; /* 0, or -errno with err */
	struct fffa_err err;
	uint64_t resumed; /* records */
	size_t n;
	struct {
		uint64_t records;
		struct fffa_missing m;
		enum fffa_record_loss why;
	} v[FFFA_SPOOLER_FOUND_MAX];
};

/* spooler_open.c */
/* Opens the directory. Blocks. 0, or -errno with err. */
int fffa_spooler__open_now(struct fffa_spooler *s, struct fffa_err *err);
/* Makes s->work a job that opens the directory. False: it is too early to try again. */
bool fffa_spooler__open_begin(struct fffa_spooler *s, void (*done)(void *arg));
/* After that job: takes over what it found. When it failed, s->error says why. */
void fffa_spooler__open_end(struct fffa_spooler *s);

/* spooler_scan.c. 0, or -errno with err. */
int fffa_spooler__scan(struct fffa_spooler *s, struct fffa_err *err);

/* spooler_plan.c: fills job and wake_ms while no job runs. False: there is nothing to do. */
bool fffa_spooler__plan(struct fffa_spooler *s);

/*
 * Sends the waiting batches without the spool while it cannot be written and holds nothing older.
 */
void fffa_spooler__bypass_disk(struct fffa_spooler *s);

/* spooler_job.c, in the worker thread. */
void fffa_spooler__work(struct fffa_spooler_job *j);

/* spooler_apply.c, after a job. */
void fffa_spooler__apply(struct fffa_spooler *s);

/* spooler_account.c */
/* The sink is offered the numbers of epoch above given. */
void fffa_spooler__account_join(struct fffa_spooler *s, uint64_t epoch, uint64_t given);
/* Takes over the account of the disk. What was settled before the disk was open is added to it. */
void fffa_spooler__account_adopt(struct fffa_spooler *s, const struct fffa_spool_account *disk);
/* The sink has numbers up to given, of which all but so many are settled. */
void fffa_spooler__account_join_late(struct fffa_spooler *s, uint64_t epoch, uint64_t given,
				     uint64_t outstanding);
/* All records of a frame are settled, and those before it. */
void fffa_spooler__account_frame(struct fffa_spooler *s, const struct fffa_spool_ref *ref);
/* A frame of b is on disk. */
void fffa_spooler__account_write(struct fffa_spooler *s, const struct fffa_queued_batch *b);
/* True when the account differs from the one that was written. */
bool fffa_spooler__account_is_new(struct fffa_spooler *s, const struct fffa_spool_ack *ack);
/* Copies the account with ack to out: it is being written. */
void fffa_spooler__account_take(struct fffa_spooler *s, const struct fffa_spool_ack *ack,
				struct fffa_spool_account *out);
/* At the start, before the frames are read. */
void fffa_spooler__account_begin(struct fffa_spooler *s);
/* At the start: counts what is in neither the frames nor the account as lost. */
void fffa_spooler__account_compare(struct fffa_spooler *s, const struct fffa_spool_tally *tally);

/* spooler_segments.c */
/* A segment without frames that is in no list. NULL without memory. */
struct fffa_spooler_segment *fffa_spooler__new_segment(uint64_t id,
						       const struct fffa_spool_pos *from);
/* seg is in no list any more: it is freed with its last reference. */
void fffa_spooler__forget_segment(struct fffa_spooler *s, struct fffa_spooler_segment *seg);
/* Frees all segments and references. */
void fffa_spooler__free_segments(struct fffa_spooler *s);
/* Makes b refer to a frame of seg, the last one in order. False without memory. */
bool fffa_spooler__add_ref(struct fffa_spooler *s, struct fffa_queued_batch *b,
			   struct fffa_spooler_segment *seg, const struct fffa_spool_pos *begin);
/* b refers to its frame no more. True when all of the frame is settled with that. */
bool fffa_spooler__release_ref(struct fffa_spooler *s, struct fffa_queued_batch *b);
/* Loses what was not loaded of seg, up to the position to. Returns the number of records. */
uint64_t fffa_spooler__lose_unread(struct fffa_spooler *s, struct fffa_spooler_segment *seg,
				   const struct fffa_spool_pos *to, enum fffa_record_loss why);
/* Memory of the queue and of the references to frames. */
size_t fffa_spooler__ready_bytes(const struct fffa_spooler *s);

static inline uint64_t fffa_spooler__unread_of(const struct fffa_spooler_segment *seg)
{
	return seg->end.records - seg->read.records;
}

#endif
