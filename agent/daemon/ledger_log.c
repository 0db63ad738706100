// SPDX-License-Identifier: MIT
#include "agent/daemon/ledger_log.h"

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
