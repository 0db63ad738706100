/* SPDX-License-Identifier: MIT */
/* Writes the ledgers to the log. */
#ifndef FFFA_AGENT_DAEMON_LEDGER_LOG_H
#define FFFA_AGENT_DAEMON_LEDGER_LOG_H

#include "agent/base/ledger.h"
#include "agent/base/log.h"
#include "agent/pipeline/pipeline.h"
#include "config/config.h"

/* Logs packets and bytes in one line. held: what was seen and is in no record yet. */
void fffa_ledger_log_packets(enum fffa_log_level level, const struct fffa_ledger *l,
			     struct fffa_amount held);
/* Logs one line for each sink. */
void fffa_ledger_log_sinks(enum fffa_log_level level, const struct fffa_pipeline *p);

/*
 * At the end: log the same lines, and warn of what was lost. False: the counts do not balance or,
 * with complete, a sink did not take every record.
 */
bool fffa_ledger_log_final_packets(const struct fffa_ledger *l, struct fffa_amount held);
bool fffa_ledger_log_final_sinks(const struct fffa_pipeline *p, bool complete);

#endif
