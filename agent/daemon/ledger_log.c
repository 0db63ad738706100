// SPDX-License-Identifier: MIT
#include "agent/daemon/ledger_log.h"

#include <inttypes.h>
#include <stdio.h>

#define TAG "ledger"

void fffa_ledger_log_packets(enum fffa_log_level level, const struct fffa_ledger *l,
			     struct fffa_amount held)
{
	char line[1024];

	(void)fffa_ledger_format(l, held, line, sizeof(line));
	fffa_log(level, TAG, "%s", line);
}

void fffa_ledger_log_sinks(enum fffa_log_level level, const struct fffa_pipeline *p)
{
	char line[512];

	for (size_t i = 0; i < fffa_pipeline_sink_count(p); i++) {
		(void)fffa_ledger_sink_format(fffa_pipeline_sink_ledger(p, i), line, sizeof(line));
		fffa_log(level, TAG, "sink=%s %s", fffa_pipeline_sink_name(p, i), line);
	}
}

/* Appends " NAME=COUNT" where there is one. Returns the new length, below cap. */
static size_t append_reason(char *dst, size_t cap, size_t n, const char *name, uint64_t count)
{
	int more = count ? snprintf(dst + n, cap - n, " %s=%" PRIu64, name, count) : 0;

	return more > 0 && (size_t)more < cap - n ? n + (size_t)more : n;
}

static void warn_packets(const struct fffa_ledger *l)
{
	struct fffa_amount lost = fffa_ledger_lost(l);
	char reasons[512] = "";
	size_t n = 0;

	if (!lost.packets)
		return;
	for (int i = 0; i < FFFA_PL_MAX; i++)
		n = append_reason(reasons, sizeof(reasons), n,
				  fffa_ledger_packet_loss_name((enum fffa_packet_loss)i),
				  l->lost[i].packets);
	fffa_warn(TAG, "%" PRIu64 " packets are in no record:%s", lost.packets, reasons);
}

bool fffa_ledger_log_final_packets(const struct fffa_ledger *l, struct fffa_amount held)
{
	fffa_ledger_log_packets(FFFA_LOG_INFO, l, held);
	warn_packets(l);
	if (fffa_ledger_balances(l, held))
		return true;
	fffa_error(TAG, "the counts do not balance; please report this");
	return false;
}

/* What would have kept the records. */
static const char *advise(const struct fffa_sink_common_conf *c, const struct fffa_sink_ledger *l)
{
	if (!c->queue_spool && (l->lost[FFFA_RL_SHUTDOWN] || l->lost[FFFA_RL_QUEUE_FULL]))
		return "; set queue.spool: then they wait on disk";
	return l->lost[FFFA_RL_SPOOL_FULL] ? "; a larger queue.spool would hold more" : "";
}

static void warn_sink(const struct fffa_sink_common_conf *c, const struct fffa_sink_ledger *l,
		      const char *advice)
{
	uint64_t untaken = fffa_ledger_sink_lost(l) + l->rejected;
	char reasons[512] = "";
	size_t n = 0;

	if (!untaken)
		return;
	for (int r = 0; r < FFFA_RL_MAX; r++)
		n = append_reason(reasons, sizeof(reasons), n,
				  fffa_ledger_record_loss_name((enum fffa_record_loss)r),
				  l->lost[r]);
	(void)append_reason(reasons, sizeof(reasons), n, "rejected", l->rejected);
	fffa_warn(TAG, "sink %s: %" PRIu64 " records lost:%s%s", c->name, untaken, reasons, advice);
}

bool fffa_ledger_log_final_sinks(const struct fffa_pipeline *p, bool complete)
{
	bool good = true;

	fffa_ledger_log_sinks(FFFA_LOG_INFO, p);
	for (size_t i = 0; i < fffa_pipeline_sink_count(p); i++) {
		const struct fffa_sink_ledger *l = fffa_pipeline_sink_ledger(p, i);

		const struct fffa_sink_common_conf *c = &fffa_pipeline_sink_conf(p, i)->common;

		warn_sink(c, l, complete ? "" : advise(c, l)); /* a replay has no spool */
		good &= fffa_ledger_sink_balances(l) &&
			!(complete && (fffa_ledger_sink_lost(l) || l->rejected));
	}
	return good;
}
