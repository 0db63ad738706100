// SPDX-License-Identifier: MIT
#include "agent/flow/nodata.h"

#include <string.h>

#include "agent/base/clock.h"

#define ICMPV6 58

/* The kernel stamps packets with a ticking clock: a time may be this much too early. */
#define STAMP_SLACK_NS (20 * FFFA_NS_PER_MS)

bool fffa_nodata_is_on(const struct fffa_nodata *w)
{
	return w->interval_ns != 0;
}

void fffa_nodata_init(struct fffa_nodata *w, uint64_t interval_ns, uint64_t now_ns)
{
	memset(w, 0, sizeof(*w));
	w->interval_ns = interval_ns;
	w->begin_ns = now_ns;
	w->handed_ns = now_ns;
}

static struct fffa_nodata_device *find(struct fffa_nodata *w, uint32_t ifindex)
{
	if (w->last < w->n && w->v[w->last].ifindex == ifindex)
		return &w->v[w->last];
	for (size_t i = 0; i < w->n; i++) {
		if (w->v[i].ifindex == ifindex) {
			w->last = i;
			return &w->v[i];
		}
	}
	return NULL;
}

/*
 * Bit of the interval that at_ns lies in: 0 for the past, the last one for what is too far ahead.
 */
static unsigned int interval_of(const struct fffa_nodata *w, uint64_t at_ns)
{
	uint64_t n = at_ns > w->begin_ns ? (at_ns - w->begin_ns) / w->interval_ns : 0;

	return n < FFFA_NODATA_INTERVALS_MAX ? (unsigned int)n : FFFA_NODATA_INTERVALS_MAX - 1;
}

/* All bits from first to last. */
static uint64_t bits(unsigned int first, unsigned int last)
{
	return UINT64_MAX << first & UINT64_MAX >> (FFFA_NODATA_INTERVALS_MAX - 1 - last);
}

void fffa_nodata_set_devices(struct fffa_nodata *w, const uint32_t *ifindexes, size_t n,
			     uint64_t now_ns)
{
	struct fffa_nodata_device v[FFFA_NODATA_DEVICES_MAX];
	size_t kept = 0;

	if (!w->interval_ns)
		return;
	for (size_t i = 0; i < n && kept < FFFA_NODATA_DEVICES_MAX; i++) {
		const struct fffa_nodata_device *old = find(w, ifindexes[i]);
		bool whole = now_ns <= w->begin_ns; /* it is there from an interval's begin on */

		v[kept++] = old ? *old
				: (struct fffa_nodata_device){
					  .ifindex = ifindexes[i],
					  .busy = whole ? 0 : bits(0, interval_of(w, now_ns)),
				  };
	}
	memcpy(w->v, v, kept * sizeof(v[0]));
	w->n = kept;
}

/*
 * Neighbour discovery (RFC 4861) and the reports of listeners (RFC 2710, RFC 3810), which never leave the
 * link: every host with IPv6 sends them, and AWS's own logs have none.
 */
static bool is_link_upkeep(const struct fffa_key *k)
{
	uint8_t type = ((const uint8_t *)&k->dport)[0]; /* of ICMPv6 */

	return k->proto == ICMPV6 && ((type >= 130 && type <= 137) || type == 143);
}

void fffa_nodata_seen(struct fffa_nodata *w, const struct fffa_delta *d)
{
	struct fffa_nodata_device *dev = find(w, d->key.ifindex);

	if (!dev || is_link_upkeep(&d->key))
		return;
	/* The path of nearly every delta: its interval is known to be busy. */
	if (dev->busy & 1 && d->last_ns < w->begin_ns + w->interval_ns)
		return;
	if (d->last_ns < w->begin_ns)
		return; /* late for an interval that has been judged */
	dev->busy |= bits(d->first_ns < w->begin_ns ? 0 : interval_of(w, d->first_ns),
			  interval_of(w, d->last_ns));
}

/* Packets that were lost for lack of room; their devices are not known. */
static uint64_t lost_unseen(const struct fffa_ledger *l)
{
	return l->lost[FFFA_PL_TABLE_FULL].packets + l->lost[FFFA_PL_NO_SLICE].packets +
	       l->lost[FFFA_PL_BAD_EVENT].packets;
}

static void judge(struct fffa_nodata *w, struct fffa_ledger *l, uint64_t offset_ns, bool lost,
		  fffa_record_fn fn, void *arg)
{
	for (size_t i = 0; i < w->n; i++) {
		struct fffa_nodata_device *dev = &w->v[i];
		struct fffa_record rc = {
			.key.ifindex = dev->ifindex,
			.start_ms = (int64_t)((w->begin_ns + offset_ns) / FFFA_NS_PER_MS),
			.end_ms = (int64_t)((w->begin_ns + w->interval_ns + offset_ns) /
					    FFFA_NS_PER_MS),
			.status = FFFA_STATUS_NODATA,
		};
		bool idle = !(dev->busy & 1) && !lost;

		dev->busy >>= 1;
		if (!idle)
			continue;
		l->nodata_records++;
		fn(arg, &rc);
	}
	w->begin_ns += w->interval_ns;
}

void fffa_nodata_turn(struct fffa_nodata *w, struct fffa_ledger *l, uint64_t now_ns,
		      uint64_t unix_ns, fffa_record_fn fn, void *arg)
{
	uint64_t lost = lost_unseen(l);
	bool has_lost = lost != w->lost_packets;

	if (!w->interval_ns)
		return;
	if (w->begin_ns + w->interval_ns + STAMP_SLACK_NS <= w->handed_ns)
		w->lost_packets = lost;
	for (int i = 0; i < FFFA_NODATA_INTERVALS_MAX &&
			w->begin_ns + w->interval_ns + STAMP_SLACK_NS <= w->handed_ns;
	     i++)
		judge(w, l, unix_ns - now_ns, has_lost, fn, arg);
	/* The source began this turn's work after the last turn had ended, and before now. */
	w->handed_ns = now_ns;
}
