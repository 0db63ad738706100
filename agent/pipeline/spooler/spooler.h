/* SPDX-License-Identifier: MIT */
/*
 * The spool of a lane: every sealed batch is on disk before the sink gets it, and leaves the disk
 * when the sink has settled it. Memory holds the oldest ones, up to half of queue.memory; the rest is
 * read back in order. Disk work is done in the worker pool, one job at a time.
 */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_H
#define FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_H

#include "agent/base/err.h"
#include "agent/pipeline/queue/lane.h"

struct fffa_spooler;

/*
 * Opens spool_dir/NAME of the sink and counts what an earlier run left there as in flight. identity:
 * of what a record's bytes depend on, see fffa_origin__identity. Blocks; before the loop runs. On
 * failure *out is untouched.
 */
int fffa_spooler__open(struct fffa_lane *l, const char *spool_dir, uint64_t identity,
		       struct fffa_spooler **out, struct fffa_err *err);

/* Begins to work; what waits on disk comes into the lane's queue. */
void fffa_spooler__start(struct fffa_spooler *s);

/* Takes p, whose footprint counts in the lane already; it comes into the queue once it is on disk. */
void fffa_spooler__add(struct fffa_spooler *s, struct fffa_parcel *p);

/* Gives back the oldest parcel that is not on disk and not on its way there; NULL: none. any: else
 * only one that fffa_told__may_lose. */
struct fffa_parcel *fffa_spooler__take_waiting(struct fffa_spooler *s, bool any);

/* q is made of the same frame as p. */
void fffa_spooler__share(struct fffa_parcel *q, const struct fffa_parcel *p);
/* p ends: its records are delivered, rejected or lost. */
void fffa_spooler__settled(struct fffa_spooler *s, struct fffa_parcel *p);
/* Its frame is on disk: not when the segment was dropped while the sink held p. */
bool fffa_spooler__holds(const struct fffa_parcel *p);
/* p ends, its records stay on disk. */
void fffa_spooler__left(struct fffa_spooler *s, struct fffa_parcel *p);

/* Nothing waits to be written or read. */
bool fffa_spooler__is_empty(const struct fffa_spooler *s);
/* The bound on disk is reached. */
bool fffa_spooler__is_full(const struct fffa_spooler *s);
/* Room for what a source that can wait would add. */
bool fffa_spooler__has_room(const struct fffa_spooler *s, size_t bytes);
/* Memory that a read under way may still take. */
size_t fffa_spooler__reserved(const struct fffa_spooler *s);
uint64_t fffa_spooler__bytes(const struct fffa_spooler *s);
uint64_t fffa_spooler__errors(const struct fffa_spooler *s);
/* The highest epoch found at the start; 0: none. */
uint64_t fffa_spooler__epoch(const struct fffa_spooler *s);

/*
 * The lane is ending and its sink is closed: writes what waits, notes what is settled, and lets the
 * directory go. closed is called once, on the loop; then s is gone.
 */
void fffa_spooler__close(struct fffa_spooler *s, void (*closed)(void *arg), void *arg);

#endif
