/* SPDX-License-Identifier: MIT */
/*
 * Emits NODATA records for interfaces without traffic. Intervals of equal length follow each other
 * from the start. Each is judged when everything seen in it has been merged. Pure: the caller
 * passes the time. Source: AWS VPC User Guide, "Flow log records" (log-status).
 */
#ifndef FFFA_AGENT_FLOW_NODATA_H
#define FFFA_AGENT_FLOW_NODATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/ledger.h"
#include "agent/flow/delta.h"
#include "agent/flow/record.h"

#define FFFA_NODATA_DEVICES_MAX	  64 /* as many as are captured on at once */
#define FFFA_NODATA_INTERVALS_MAX 64 /* tracked at a time, beginning with the one to judge next */

struct fffa_nodata_device {
	uint32_t ifindex;
	uint64_t busy; /* bit n: traffic in the n-th interval after the one to judge next */
};

/* Private to nodata.c. Zeroed: never emits. */
struct fffa_nodata {
	uint64_t interval_ns;
	uint64_t begin_ns;     /* monotonic, of the interval to judge next */
	uint64_t handed_ns;    /* everything seen until then has been merged */
	uint64_t lost_packets; /* when the last interval was judged */
	size_t n;
	size_t last; /* found last */
	struct fffa_nodata_device v[FFFA_NODATA_DEVICES_MAX];
};

/* False for one that is all zero. */
bool fffa_nodata_is_on(const struct fffa_nodata *w);

/* The first interval begins at now_ns (monotonic). No device is known yet. */
void fffa_nodata_init(struct fffa_nodata *w, uint64_t interval_ns, uint64_t now_ns);

/*
 * Sets the devices under capture from now_ns on. A new one is judged from its first whole
 * interval on; one that is missing is not judged any more. Devices beyond FFFA_NODATA_DEVICES_MAX
 * are never judged.
 */
void fffa_nodata_set_devices(struct fffa_nodata *w, const uint32_t *ifindexes, size_t n,
			     uint64_t now_ns);

/* Notes traffic. Ignores devices that are not set. */
void fffa_nodata_seen(struct fffa_nodata *w, const struct fffa_delta *d);

/*
 * Call it after each turn of the source. Emits one record for each device and each interval
 * without a packet, and counts it in l->nodata_records. An interval in which l counted packets
 * lost for lack of room gets no record, because nobody knows whose they were. unix_ns is the same
 * instant as now_ns.
 */
void fffa_nodata_turn(struct fffa_nodata *w, struct fffa_ledger *l, uint64_t now_ns,
		      uint64_t unix_ns, fffa_record_fn fn, void *arg);

#endif
