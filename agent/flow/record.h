/* SPDX-License-Identifier: MIT */
/* A record: one direction of one flow on one interface over one window, before encoding. */
#ifndef FFFA_AGENT_FLOW_RECORD_H
#define FFFA_AGENT_FLOW_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/flow/ident.h"
#include "agent/flow/network.h"
#include "bpf/abi.h"

/* Why the window was closed; values are IPFIX flowEndReason (RFC 5102, element 136). */
enum fffa_end_reason {
	FFFA_END_IDLE = 1,
	FFFA_END_ACTIVE = 2,
	FFFA_END_END = 3, /* FIN both ways or RST */
	FFFA_END_FORCED = 4,
	FFFA_END_RESOURCES = 5,
	FFFA_END_MAX,
};

enum fffa_log_status { FFFA_STATUS_OK, FFFA_STATUS_NODATA, FFFA_STATUS_SKIPDATA };

/* "idle", "active", "end", "forced" or "resources". */
const char *fffa_record_end_reason_name(enum fffa_end_reason r);

struct fffa_record {
	struct fffa_key key; /* tunnelled flows: the inner packet's */
	uint64_t packets;
	uint64_t bytes;
	int64_t start_ms; /* Unix ms of the first and last packet of the window */
	int64_t end_ms;
	uint64_t seq; /* number in this epoch; given by the pipeline */
	uint64_t epoch;
	const struct fffa_tunnel *tunnel; /* NULL: not encapsulated. Borrowed, valid for the call */
	const struct fffa_ident
		*ident;	       /* never NULL after enrichment. Borrowed, valid for the call */
	uint64_t lost_packets; /* SKIPDATA only: how much was lost, and why */
	uint64_t lost_bytes;
	uint64_t lost_records;
	const char *lost_reason; /* a name of ledger.def, static; NULL: none */
	/* AWS services that the packet's addresses belong to (ip-ranges.json), by enrichment. NULL:
	 * none or not known. Borrowed, valid for the call */
	const char *src_service;
	const char *dst_service;
	/*
	 * Of the two ends, as metadata.networks names them, by enrichment; NULL: not known. Borrowed,
	 * valid for the call
	 */
	const struct fffa_network *src_network;
	const struct fffa_network *dst_network;
	const struct fffa_network *next_hop; /* where its interface is; NULL: not known */
	const char *next_hop_type;	     /* of its interface, static; NULL: not known */
	uint32_t sampled;     /* N when 1 in N packets was counted; below 2: every packet */
	uint32_t cookie;      /* valid when tunnel->has & FFFA_TUNNEL_HAS_COOKIE */
	uint16_t flags;	      /* FFFA_F_* */
	uint8_t end_reason;   /* enum fffa_end_reason */
	uint8_t status;	      /* enum fffa_log_status */
	bool untimed;	      /* start and end are not known: a capture without time stamps */
	uint8_t traffic_path; /* 1..8 as AWS numbers them, by enrichment; 0: not known */
};

/* Called once per record, on the loop. Borrows r for the call; may fill ident, seq and epoch. */
typedef void (*fffa_record_fn)(void *arg, struct fffa_record *r);

#endif
