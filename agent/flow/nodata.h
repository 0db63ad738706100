/* SPDX-License-Identifier: MIT */
/*
 * Interfaces without traffic -> NODATA records. Intervals of one length follow each other from the start;
 * each is judged once everything seen in it has been handed over. Pure: time comes with the calls.
 * Source: AWS VPC User Guide, "Flow log records" (log-status).
 */
#ifndef FFFA_AGENT_FLOW_NODATA_H
#define FFFA_AGENT_FLOW_NODATA_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/ledger.h"
#include "agent/flow/delta.h"
#include "agent/flow/record.h"

#define FFFA_NODATA_DEVICES_MAX	  64 /* as many as are captured on at once */
#define FFFA_NODATA_INTERVALS_MAX 64 /* looked after at a time, the one under judgement first */

struct fffa_nodata_device {
	uint32_t ifindex;
	uint64_t busy; /* bit n: a packet in the interval n after the one under judgement */
};

/* Inside is the files' own; zeroed: never emits. */
struct fffa_nodata {
	uint64_t interval_ns;
	uint64_t begin_ns;     /* monotonic: of the interval under judgement */
	uint64_t handed_ns;    /* everything seen until then has been handed over */
	uint64_t lost_packets; /* when the last interval was judged */
	size_t n;
	size_t last; /* found last */
	struct fffa_nodata_device v[FFFA_NODATA_DEVICES_MAX];
};

/* The first interval begins at now_ns (monotonic). No device is known yet. */
void fffa_nodata_init(struct fffa_nodata *w, uint64_t interval_ns, uint64_t now_ns);

/*
 * The devices captured on from now_ns on. Those new to w are judged from their first whole interval on,
 * those not among them not any more. What does not fit (FFFA_NODATA_DEVICES_MAX) is never judged.
 */
void fffa_nodata_set_devices(struct fffa_nodata *w, const uint32_t *ifindexes, size_t n,
			     uint64_t now_ns);

/* There was traffic. Devices that are not known are passed over. */
void fffa_nodata_seen(struct fffa_nodata *w, const struct fffa_delta *d);

/*
 * Call after each turn of the source. Emits one record for each device and each interval that was without a
 * packet, counted in l->nodata_records; l also says what was lost: an interval in which packets found no
 * room is not called empty, as nobody knows whose they were. unix_ns is the same instant as now_ns.
 */
void fffa_nodata_turn(struct fffa_nodata *w, struct fffa_ledger *l, uint64_t now_ns,
		      uint64_t unix_ns, fffa_record_fn fn, void *arg);

#endif
