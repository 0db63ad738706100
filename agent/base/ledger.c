// SPDX-License-Identifier: MIT
#include "agent/base/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bpf/abi.h"

_Static_assert((int)FFFA_PL_MALFORMED == (int)FFFA_KL_MALFORMED,
	       "ledger.def follows the kernel's order");
_Static_assert((int)FFFA_PL_TRUNCATED == (int)FFFA_KL_TRUNCATED,
	       "ledger.def follows the kernel's order");
_Static_assert((int)FFFA_PL_TABLE_FULL == (int)FFFA_KL_TABLE_FULL,
	       "ledger.def follows the kernel's order");
_Static_assert((int)FFFA_PL_NO_SLICE == (int)FFFA_KL_NO_SLICE,
	       "ledger.def follows the kernel's order");
_Static_assert((int)FFFA_PL_BAD_EVENT == (int)FFFA_KL_MAX,
	       "every kernel loss has a row in ledger.def");

const char *fffa_ledger_packet_loss_name(enum fffa_packet_loss l)
{
	static const char *const names[] = {
#define FFFA_PACKET_LOSS(id, name, where, text) name,
#include "agent/base/ledger.def"
#undef FFFA_PACKET_LOSS
	};

	return names[l];
}

const char *fffa_ledger_record_loss_name(enum fffa_record_loss l)
{
	static const char *const names[] = {
#define FFFA_RECORD_LOSS(id, name, where, text) name,
#include "agent/base/ledger.def"
#undef FFFA_RECORD_LOSS
	};

	return names[l];
}

enum fffa_record_loss fffa_ledger_record_loss_find(const char *name)
{
	int l = 0;

	while (l < FFFA_RL_MAX &&
	       strcmp(fffa_ledger_record_loss_name((enum fffa_record_loss)l), name))
		l++;
	return (enum fffa_record_loss)l;
}

struct fffa_amount fffa_ledger_seen(const struct fffa_ledger *l)
{
	struct fffa_amount a = l->seen[0];

	fffa_amount_add(&a, l->seen[1].packets, l->seen[1].bytes);
	fffa_amount_add(&a, l->unattended.packets, l->unattended.bytes);
	return a;
}

struct fffa_amount fffa_ledger_lost(const struct fffa_ledger *l)
{
	struct fffa_amount a = {0, 0};

	for (int i = 0; i < FFFA_PL_MAX; i++)
		fffa_amount_add(&a, l->lost[i].packets, l->lost[i].bytes);
	return a;
}

struct fffa_amount fffa_ledger_held_kernel(const struct fffa_ledger *l)
{
	struct fffa_amount seen = fffa_ledger_seen(l), gone = fffa_ledger_lost(l);
	const struct fffa_amount *later =
		&l->lost[FFFA_PL_FLOW_TABLE]; /* merged before it was lost */

	fffa_amount_add(&gone, l->merged.packets, l->merged.bytes);
	fffa_amount_add(&gone, l->not_on_wire.packets, l->not_on_wire.bytes);
	fffa_amount_add(&gone, l->filtered.packets, l->filtered.bytes);
	gone.packets -= later->packets + l->filtered_merged.packets;
	gone.bytes -= later->bytes + l->filtered_merged.bytes;
	return (struct fffa_amount){
		.packets = seen.packets > gone.packets ? seen.packets - gone.packets : 0,
		.bytes = seen.bytes > gone.bytes ? seen.bytes - gone.bytes : 0,
	};
}

uint64_t fffa_ledger_sink_lost(const struct fffa_sink_ledger *l)
{
	uint64_t n = 0;

	for (int i = 0; i < FFFA_RL_MAX; i++)
		n += l->lost[i];
	return n;
}

bool fffa_ledger_balances(const struct fffa_ledger *l, struct fffa_amount held)
{
	struct fffa_amount seen = fffa_ledger_seen(l), lost = fffa_ledger_lost(l);

	fffa_amount_add(&lost, l->filtered.packets, l->filtered.bytes);
	fffa_amount_add(&lost, l->not_on_wire.packets, l->not_on_wire.bytes);
	return seen.packets == l->recorded.packets + held.packets + lost.packets &&
	       seen.bytes == l->recorded.bytes + held.bytes + lost.bytes;
}

bool fffa_ledger_sink_balances(const struct fffa_sink_ledger *l)
{
	return l->records == l->delivered + l->rejected + fffa_ledger_sink_lost(l) + l->in_flight;
}

void fffa_ledger_add_not_ip(struct fffa_ledger *l, uint16_t ether_type, uint64_t frames)
{
	for (int i = 0; i < FFFA_LEDGER_NOT_IP_TYPES; i++) {
		struct fffa_not_ip *t = &l->not_ip[i];

		if (t->frames && t->ether_type != ether_type)
			continue;
		t->ether_type = ether_type;
		t->frames += frames;
		return;
	}
}

const char *fffa_ledger_ether_type(uint16_t ether_type, char dst[8])
{
	if (ether_type)
		(void)snprintf(dst, 8, "0x%04x", ether_type);
	else
		(void)snprintf(dst, 8, "llc");
	return dst;
}

uint64_t fffa_ledger_not_ip_other(const struct fffa_ledger *l)
{
	uint64_t typed = 0;

	for (int i = 0; i < FFFA_LEDGER_NOT_IP_TYPES; i++)
		typed += l->not_ip[i].frames;
	return l->not_ip_frames > typed ? l->not_ip_frames - typed : 0;
}

/* snprintf at *n that never runs past cap. */
#define PUT(...)                                                                                   \
	do {                                                                                       \
		int w_ = snprintf(dst + n, cap - n, __VA_ARGS__);                                  \
		n += w_ < 0 ? 0 : ((size_t)w_ < cap - n ? (size_t)w_ : cap - n - 1);               \
	} while (0)

#define NOT_IP_TYPES_SHOWN 8

size_t fffa_ledger_format(const struct fffa_ledger *l, struct fffa_amount held, char *dst,
			  size_t cap)
{
	struct fffa_amount seen = fffa_ledger_seen(l), lost = fffa_ledger_lost(l);
	size_t n = 0;

	PUT("seen_packets=%" PRIu64 " seen_bytes=%" PRIu64, seen.packets, seen.bytes);
	PUT(" recorded_packets=%" PRIu64 " recorded_bytes=%" PRIu64, l->recorded.packets,
	    l->recorded.bytes);
	PUT(" held_packets=%" PRIu64 " held_bytes=%" PRIu64, held.packets, held.bytes);
	PUT(" lost_packets=%" PRIu64 " lost_bytes=%" PRIu64, lost.packets, lost.bytes);
	for (int i = 0; i < FFFA_PL_MAX; i++) {
		if (l->lost[i].packets)
			PUT(" lost_%s=%" PRIu64,
			    fffa_ledger_packet_loss_name((enum fffa_packet_loss)i),
			    l->lost[i].packets);
	}
	if (l->filtered.packets)
		PUT(" filtered_packets=%" PRIu64 " filtered_bytes=%" PRIu64, l->filtered.packets,
		    l->filtered.bytes);
	if (l->not_on_wire.packets)
		PUT(" not_on_wire_packets=%" PRIu64 " not_on_wire_bytes=%" PRIu64,
		    l->not_on_wire.packets, l->not_on_wire.bytes);
	if (l->not_sampled)
		PUT(" not_sampled=%" PRIu64, l->not_sampled);
	if (l->no_tunnel_id)
		PUT(" no_tunnel_id=%" PRIu64, l->no_tunnel_id);
	if (l->no_first_fragment)
		PUT(" no_first_fragment=%" PRIu64, l->no_first_fragment);
	PUT(" not_ip_frames=%" PRIu64, l->not_ip_frames);
	for (int i = 0; i < NOT_IP_TYPES_SHOWN && l->not_ip[i].frames; i++) {
		char text[8];

		PUT(" not_ip_%s=%" PRIu64, fffa_ledger_ether_type(l->not_ip[i].ether_type, text),
		    l->not_ip[i].frames);
	}
	PUT(" records=%" PRIu64 " balance=%s", l->records,
	    fffa_ledger_balances(l, held) ? "ok" : "WRONG");
	return n;
}

size_t fffa_ledger_sink_format(const struct fffa_sink_ledger *l, char *dst, size_t cap)
{
	size_t n = 0;

	PUT("records=%" PRIu64 " delivered=%" PRIu64 " rejected=%" PRIu64 " in_flight=%" PRIu64
	    " retries=%" PRIu64 " lost=%" PRIu64,
	    l->records, l->delivered, l->rejected, l->in_flight, l->retries,
	    fffa_ledger_sink_lost(l));
	for (int i = 0; i < FFFA_RL_MAX; i++) {
		if (l->lost[i])
			PUT(" lost_%s=%" PRIu64,
			    fffa_ledger_record_loss_name((enum fffa_record_loss)i), l->lost[i]);
	}
	if (l->filtered)
		PUT(" filtered=%" PRIu64, l->filtered);
	if (l->resumed)
		PUT(" resumed=%" PRIu64, l->resumed);
	if (l->spooled)
		PUT(" spooled=%" PRIu64, l->spooled);
	if (l->skipdata_records)
		PUT(" skipdata=%" PRIu64, l->skipdata_records);
	if (l->untold)
		PUT(" untold=%" PRIu64, l->untold);
	PUT(" balance=%s", fffa_ledger_sink_balances(l) ? "ok" : "WRONG");
	return n;
}
