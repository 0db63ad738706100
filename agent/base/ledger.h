/* SPDX-License-Identifier: MIT */
/*
 * The ledger: every stage counts in and out here, and every loss has one name (ledger.def). Two
 * identities hold at any time:
 *   packets, bytes:  seen = recorded + held + filtered + not on the wire + sum(lost)
 *   per sink:        records = delivered + rejected + sum(lost) + in flight
 * Loop thread only.
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

/* The names as logs and metrics show them; static. */
const char *fffa_ledger_packet_loss_name(enum fffa_packet_loss l);
const char *fffa_ledger_record_loss_name(enum fffa_record_loss l);
/* The loss of that name, or FFFA_RL_MAX. */
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

/* Frames without an IP packet, of one ether type. */
struct fffa_not_ip {
	uint64_t frames;     /* 0: free */
	uint16_t ether_type; /* host order; 0: LLC, which has none */
};
#define FFFA_LEDGER_NOT_IP_TYPES 64

/* What the agent has seen, and where it went. */
struct fffa_ledger {
	/* IP packets at the hooks: ingress, egress. */
	struct fffa_amount seen[2];
	/* Passed while no agent ran or its hook was off: counts as seen, and as lost. */
	struct fffa_amount unattended;
	/* Handed over by the kernel or the replay, taken by the flow table. */
	struct fffa_amount merged;
	/* IPsec decrypted them on this host: the packet on the wire is the encrypted one. */
	struct fffa_amount not_on_wire;
	/* In records. */
	struct fffa_amount recorded;
	struct fffa_amount lost[FFFA_PL_MAX];
	/* Left out because capture.parity_filter or capture.filter asked for it. */
	struct fffa_amount filtered;
	struct fffa_amount filtered_merged; /* of these: when their window ended */
	/* Records made of flows, all reasons. */
	uint64_t records;
	uint64_t records_by_end[FFFA_LEDGER_END_REASONS];
	/* Records that report loss, and interfaces without traffic. */
	uint64_t skipdata_records;
	uint64_t nodata_records;

	/* Outside the identity: */
	uint64_t not_ip_frames;				     /* frames without an IP packet */
	struct fffa_not_ip not_ip[FFFA_LEDGER_NOT_IP_TYPES]; /* of these, the first types seen */
	uint64_t not_sampled;	    /* packets that capture.sample passed over */
	uint64_t no_first_fragment; /* later fragments with ports 0, as the first was not seen */
	uint64_t no_tunnel_id;	    /* recorded as the packet around the tunnel: no id was free */
};

/* One per sink. */
struct fffa_sink_ledger {
	uint64_t records; /* offered to this sink, or found in its spool at the start */
	uint64_t delivered;
	uint64_t rejected;
	uint64_t lost[FFFA_RL_MAX];
	uint64_t in_flight; /* in the open batch, queued, in the spool, or submitted */

	/* Outside the identity: */
	uint64_t filtered; /* left out by the sink's filter, so not offered */
	uint64_t resumed;  /* of records: found in the spool at the start */
	uint64_t spooled;  /* of in_flight: at the end, left in the spool for the next start */
	uint64_t retries;  /* deliveries submitted again */
	uint64_t skipdata_records; /* of records: they report loss to this sink's stream */
	uint64_t untold;	   /* of lost: no memory for the SKIPDATA record that reports it */
};

/* Sums over directions, and over reasons. */
struct fffa_amount fffa_ledger_seen(const struct fffa_ledger *l);
struct fffa_amount fffa_ledger_lost(const struct fffa_ledger *l);
uint64_t fffa_ledger_sink_lost(const struct fffa_sink_ledger *l);

/* Counts frames of an ether type in not_ip, when it has room for the type. */
void fffa_ledger_add_not_ip(struct fffa_ledger *l, uint16_t ether_type, uint64_t frames);
/* Writes "0x0806" or "llc" into dst, and returns it. */
const char *fffa_ledger_ether_type(uint16_t ether_type, char dst[8]);
/* Frames in not_ip_frames of types that not_ip has no room for. */
uint64_t fffa_ledger_not_ip_other(const struct fffa_ledger *l);

/*
 * What the kernel holds: seen, and neither handed over nor lost. Read the counters of its hooks
 * right before; otherwise packets that were handed over since do not count as seen.
 */
struct fffa_amount fffa_ledger_held_kernel(const struct fffa_ledger *l);

/* True when the identity of packets holds. held: what is still in the flow table and the kernel. */
bool fffa_ledger_balances(const struct fffa_ledger *l, struct fffa_amount held);
/* True when the identity of the sink's records holds. */
bool fffa_ledger_sink_balances(const struct fffa_sink_ledger *l);

/*
 * Write one line of key=value pairs without a newline, cut at cap: "seen_packets=.. lost_packets=..
 * balance=ok". Return its length.
 */
size_t fffa_ledger_format(const struct fffa_ledger *l, struct fffa_amount held, char *dst,
			  size_t cap);
size_t fffa_ledger_sink_format(const struct fffa_sink_ledger *l, char *dst, size_t cap);

#endif
