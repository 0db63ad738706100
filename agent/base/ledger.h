/* SPDX-License-Identifier: MIT */
/*
 * The ledger: every stage counts in and out here, every loss has one name (ledger.def). Loop thread only.
 *   packets, bytes:  seen = recorded + held + filtered + sum(lost)
 *   per sink:        records = delivered + rejected + sum(lost) + in flight
 */
#ifndef FFFA_AGENT_BASE_LEDGER_H
#define FFFA_AGENT_BASE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fffa_packet_loss {
#define FFFA_PACKET_LOSS(id, name, where, text) FFFA_PL_##id,
#include "agent/base/ledger.def"
#undef FFFA_PACKET_LOSS
	FFFA_PL_MAX,
};

enum fffa_record_loss {
#define FFFA_RECORD_LOSS(id, name, where, text) FFFA_RL_##id,
#include "agent/base/ledger.def"
#undef FFFA_RECORD_LOSS
	FFFA_RL_MAX,
};

const char *fffa_ledger_packet_loss_name(enum fffa_packet_loss l);
const char *fffa_ledger_record_loss_name(enum fffa_record_loss l);
/* The loss of that name; FFFA_RL_MAX: there is none. */
enum fffa_record_loss fffa_ledger_record_loss_find(const char *name);

struct fffa_amount {
	uint64_t packets;
	uint64_t bytes;
};

static inline void fffa_amount_add(struct fffa_amount *a, uint64_t packets, uint64_t bytes)
{
	a->packets += packets;
	a->bytes += bytes;
}

#define FFFA_LEDGER_END_REASONS 6 /* indexed by enum fffa_end_reason; [0] unused */

struct fffa_ledger {
	struct fffa_amount seen[2]; /* IP packets at the hooks: ingress, egress */
	struct fffa_amount
		unattended; /* passed while no agent ran: part of what is seen, and lost as such */
	uint64_t not_ip_frames; /* frames without an IP packet: outside the identities */
	struct fffa_amount
		merged; /* handed over by the kernel or the replay, taken by the flow table */
	struct fffa_amount recorded; /* in records */
	struct fffa_amount lost[FFFA_PL_MAX];
	struct fffa_amount filtered; /* left out because it was asked for: capture.parity_filter */
	uint64_t not_sampled; /* packets passed over by capture.sample: outside the identities */
	uint64_t records;     /* made of flows, all reasons */
	uint64_t skipdata_records; /* made to tell of loss */
	uint64_t nodata_records;   /* made to tell of interfaces without traffic */
	uint64_t records_by_end[FFFA_LEDGER_END_REASONS];
	uint64_t
		no_first_fragment; /* later fragments recorded with ports 0: the first was not seen */
	uint64_t no_tunnel_id;	   /* packets recorded without their tunnel's identity */
};

/* One per sink. */
struct fffa_sink_ledger {
	uint64_t records; /* offered to this sink, or found in its spool at the start */
	uint64_t delivered;
	uint64_t rejected;
	uint64_t lost[FFFA_RL_MAX];
	uint64_t in_flight; /* in the open batch, queued, in the spool, or submitted */
	/* Not in the identity: */
	uint64_t resumed; /* of records: found in the spool at the start */
	uint64_t spooled; /* of in_flight: at the end, left in the spool for the next start */
	uint64_t retries; /* deliveries submitted again */
	uint64_t skipdata_records; /* of records: made to tell this sink's stream of loss */
	uint64_t untold;	   /* of lost: the stream could not be told, for want of memory */
};

/* Sum over directions, and over reasons. */
struct fffa_amount fffa_ledger_seen(const struct fffa_ledger *l);
struct fffa_amount fffa_ledger_lost(const struct fffa_ledger *l);
uint64_t fffa_ledger_sink_lost(const struct fffa_sink_ledger *l);

/*
 * Seen, and neither handed over nor lost: what the kernel holds, by what its hooks counted last. Read
 * their counters right before, else packets handed over since would not count as seen.
 */
struct fffa_amount fffa_ledger_held_kernel(const struct fffa_ledger *l);

/* held: packets and bytes still in the flow table and the kernel. True when the first identity
 * holds. */
bool fffa_ledger_balances(const struct fffa_ledger *l, struct fffa_amount held);
bool fffa_ledger_sink_balances(const struct fffa_sink_ledger *l);

/* One line "seen_packets=.. recorded_packets=.. held=.. lost=.. lost_malformed=.. ..." without
 * newline. Returns its length. */
size_t fffa_ledger_format(const struct fffa_ledger *l, struct fffa_amount held, char *dst,
			  size_t cap);
size_t fffa_ledger_sink_format(const struct fffa_sink_ledger *l, char *dst, size_t cap);

#endif
