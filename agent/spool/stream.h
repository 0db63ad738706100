/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the records of one run: an epoch, and in it 1, 2, 3 ... They are kept in spool_dir
 * over restarts: "agent.epoch" has the last epoch, so that it rises also when the clock is set
 * back. "agent.lock" keeps a second agent out. The last number is kept in a page of shared memory
 * in /dev/shm, which outlives a killed process and never waits for a disk. Loop thread only;
 * opening blocks.
 */
#ifndef FFFA_AGENT_SPOOL_STREAM_H
#define FFFA_AGENT_SPOOL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"

struct fffa_stream_page;

/* Streams beside the common one, each with the numbers of a sink that has a filter. */
#define FFFA_STREAM_OWN_MAX 240

struct fffa_stream_own {
	uint64_t name; /* a hash of the sink's name; 0: free */
	uint64_t seq;  /* the last number given out */
};

struct fffa_stream {
	int dir, lock;		       /* -1: not open */
	uint64_t kept;		       /* the last epoch; 0: not known */
	struct fffa_stream_page *page; /* NULL: there is none */
	char page_path[64];
	bool begun;
	uint64_t seq; /* the last number given out */
	struct fffa_stream_own own[FFFA_STREAM_OWN_MAX];
};

/*
 * Locks dir for this process and reads what is kept there. makes_dir: makes it where it is missing.
 * NULL or an empty text, a directory that is missing or cannot be written: nothing is kept, which
 * is no error. 0; -EBUSY when another process has locked it; or -errno, with err. It is to be
 * closed in each of these cases.
 */
int fffa_stream_open(struct fffa_stream *s, const char *dir, bool makes_dir, struct fffa_err *err);
/*
 * Before fffa_stream_begin: the epoch of the last run and the last number that the sink of this name
 * was given, where shared memory has them. Else both are 0.
 */
void fffa_stream_last(const struct fffa_stream *s, const char *name, uint64_t *epoch,
		      uint64_t *seq);
/*
 * Begins and keeps the epoch of this run: wanted, or a higher one where that is not above all
 * epochs before. above: a known one, 0: none. Where nothing can be kept and boot is true, it is an
 * epoch of fffa_stream_boot_epoch.
 */
uint64_t fffa_stream_begin(struct fffa_stream *s, uint64_t wanted, uint64_t above, bool boot);
/*
 * An epoch for a host that keeps nothing, made of the boot's id and the time since boot: whatever
 * the clock says, it rises in this boot. Below 2^53.
 */
uint64_t fffa_stream_boot_epoch(void);
/* The next number of the common stream. */
uint64_t fffa_stream_next(struct fffa_stream *s);
/*
 * The stream of the sink of this name, which counts on where it stopped in this epoch. A new one
 * begins behind the common stream: in one epoch a sink has each number once, whatever its stream.
 * NULL: too many names. Borrowed until the close.
 */
struct fffa_stream_own *fffa_stream_own(struct fffa_stream *s, const char *name);
/* True when fffa_stream_own has made it: it stays until the close, so that its numbers have no hole. */
bool fffa_stream_has_own(const struct fffa_stream *s, const char *name);
/* Its sink leaves the common stream only now: its numbers go on behind those of the common stream. */
void fffa_stream_own_raise(struct fffa_stream *s, struct fffa_stream_own *own);
uint64_t fffa_stream_own_next(struct fffa_stream *s, struct fffa_stream_own *own);
void fffa_stream_close(struct fffa_stream *s);

#endif
