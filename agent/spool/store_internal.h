/* SPDX-License-Identifier: MIT */
/*
 * Inside of the store. store.c has the directory and calls these:
 *   store_write.c  the segment that is being written
 *   store_ack.c    the file "ack"
 *   store_name.c   the names of segments
 */
#ifndef FFFA_AGENT_SPOOL_STORE_INTERNAL_H
#define FFFA_AGENT_SPOOL_STORE_INTERNAL_H

#include "agent/spool/store.h"

struct fffa_store {
	int dir, lock, write, read, ack; /* -1: not open */
	uint64_t write_id, read_id;
	uint64_t ack_turn; /* of the slot that counts; 0: none */
	uint8_t *scratch;  /* head and index of the frame being written */
	size_t scratch_cap;
};

/* The name of a file. */
struct fffa_store_name {
	char text[48];
};

/* The name of a segment; the name of the n-th one of that id that was set aside. */
struct fffa_store_name fffa_store_name(uint64_t id);
struct fffa_store_name fffa_store_name_aside(uint64_t id, unsigned int n);
/* The id when name is that of a segment, else 0. */
uint64_t fffa_store_name_id(const char *name);

/* Reads the last account. 0 or -errno; where there is none, or none is whole, it is zero. */
int fffa_store_ack_read(struct fffa_store *s, struct fffa_spool_account *account);

#endif
