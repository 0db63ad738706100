/* SPDX-License-Identifier: MIT */
/*
 * Compares the frames of a spool with its account: what is in neither is missing. Pure; any thread
 * may call this.
 */
#ifndef FFFA_AGENT_SPOOL_TALLY_H
#define FFFA_AGENT_SPOOL_TALLY_H

#include <stdbool.h>

#include "agent/spool/account.h"

/* More ranges than these are forgotten, the lowest first. */
#define FFFA_SPOOL_UNUSED_MAX 16

struct fffa_spool_range {
	uint64_t first, last;
};

/* What the frames behind the ack hold of one epoch of the account. */
struct fffa_spool_present {
	uint64_t numbers;
	uint64_t top;		   /* the highest in a frame, or up to which all is settled */
	uint64_t hole_first, hole; /* the last numbers below top that are in no frame; 0: none */
	bool has_lost_seq;	   /* lost_seq of the account is in a frame */
	size_t n;
	struct fffa_spool_range unused[FFFA_SPOOL_UNUSED_MAX]; /* numbers of no record or report */
};

struct fffa_spool_tally {
	const struct fffa_spool_account *account;
	struct fffa_spool_present v[FFFA_SPOOL_EPOCHS_MAX]; /* by its epochs */
};

/*
 * Numbers of an epoch that are missing. The two reports, and those in frames, have numbers of their
 * own, as a receiver knows a record by it.
 */
struct fffa_spool_missing {
	uint64_t damaged;     /* were in frames that are gone */
	uint64_t damaged_seq; /* the last of them */
	uint64_t unsaved;     /* were in no frame */
	uint64_t unsaved_seq; /* the last of them */
};

/* Borrows account, which must not change meanwhile. */
void fffa_spool_tally_init(struct fffa_spool_tally *t, const struct fffa_spool_account *account);
/* Counts the frame found behind pos, and what damage hides between the two. Call it in order. */
void fffa_spool_tally_add(struct fffa_spool_tally *t, const struct fffa_spool_pos *pos,
			  const struct fffa_spool_found *found);
/* What is missing of the i-th epoch of the account when all frames are counted. */
struct fffa_spool_missing fffa_spool_tally_missing(const struct fffa_spool_tally *t, size_t i);

#endif
