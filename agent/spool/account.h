/* SPDX-License-Identifier: MIT */
/*
 * The account of a spool: the position up to which all is settled, and where the sequence numbers
 * of each epoch went. The next start compares it with the frames that are still there, and so finds
 * what is missing. Pure; any thread may call this.
 */
#ifndef FFFA_AGENT_SPOOL_ACCOUNT_H
#define FFFA_AGENT_SPOOL_ACCOUNT_H

#include "agent/spool/walk.h"

/* The oldest epoch is dropped for a new one. */
#define FFFA_SPOOL_EPOCHS_MAX 64
/* Size on disk. */
#define FFFA_SPOOL_ACCOUNT_BYTES 4096

/* The position up to which all is settled. */
struct fffa_spool_ack {
	uint64_t segment; /* 0: not known */
	struct fffa_spool_pos pos;
};

/* The sequence numbers 1 to given of one epoch. */
struct fffa_spool_epoch {
	uint64_t epoch;
	uint64_t given;	  /* the highest that the sink was offered */
	uint64_t settled; /* how many are delivered, rejected or reported, and not behind the ack */
	uint64_t stored;  /* how many the frames behind the ack account for */
	uint64_t low;	  /* all up to this one are settled */
	uint64_t seq;	  /* the highest that is settled */
	uint64_t lost_seq; /* one that was lost and is in no SKIPDATA record; 0: none is known */
	uint64_t other_lost_seq; /* another one; not on disk */
};

struct fffa_spool_account {
	struct fffa_spool_ack ack;
	int64_t time_ms; /* Unix, when it was written */
	size_t n;
	struct fffa_spool_epoch v[FFFA_SPOOL_EPOCHS_MAX]; /* epochs rise */
};

/* The entry of an epoch; NULL: there is none. */
struct fffa_spool_epoch *fffa_spool_account_find(struct fffa_spool_account *a, uint64_t epoch);
/* The entry of an epoch, which is made where there is none. */
struct fffa_spool_epoch *fffa_spool_account_add(struct fffa_spool_account *a, uint64_t epoch);
/* So many numbers, of which last_seq is the last one, are settled. */
void fffa_spool_account_settle(struct fffa_spool_epoch *e, uint64_t numbers, uint64_t last_seq);
/* Numbers are lost, of which last_seq is the last one; it is in a SKIPDATA record now. */
void fffa_spool_account_lose(struct fffa_spool_epoch *e, uint64_t last_seq);
void fffa_spool_account_reported(struct fffa_spool_epoch *e, uint64_t last_seq);
/* Drops the epochs below epoch of which every number is settled. */
void fffa_spool_account_drop_settled(struct fffa_spool_account *a, uint64_t epoch);

/* Writes it with its turn, which is above 0. */
void fffa_spool_account_put(const struct fffa_spool_account *a, uint64_t turn,
			    uint8_t dst[FFFA_SPOOL_ACCOUNT_BYTES]);
/* Reads it. Returns its turn; 0: src holds none, and *a is undefined. */
uint64_t fffa_spool_account_get(struct fffa_spool_account *a,
				const uint8_t src[FFFA_SPOOL_ACCOUNT_BYTES]);
/* Reads the place that is confirmed, as slots of all versions hold it, and moves *p behind it. */
void fffa_spool_account_get_ack(struct fffa_spool_ack *ack, const uint8_t **p);

#endif
