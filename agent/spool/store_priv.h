/* SPDX-License-Identifier: MIT */
#ifndef FFFA_AGENT_SPOOL_STORE_PRIV_H
#define FFFA_AGENT_SPOOL_STORE_PRIV_H

#include "agent/spool/store.h"

struct fffa_store {
	int dir, lock, write, read, ack; /* -1: not open */
	uint64_t write_id, read_id;
	uint64_t ack_turn;
	uint8_t *scratch; /* head and index of the frame being written */
	size_t scratch_cap;
};

struct fffa_spool__name {
	char text[32];
};

struct fffa_spool__name fffa_store__name(uint64_t id, const char *suffix);
/* No ack, or none that is whole: *ack is zero. */
int fffa_store__read_ack(struct fffa_store *s, struct fffa_spool_ack *ack);

#endif
