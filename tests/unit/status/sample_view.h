/* SPDX-License-Identifier: MIT */
/* A view in which all members are set and all numbers differ. */
#ifndef FFFA_TESTS_SAMPLE_VIEW_H
#define FFFA_TESTS_SAMPLE_VIEW_H

#include "agent/status/view.h"

struct sample_view {
	struct fffa_ledger ledger;
	struct fffa_sink_ledger sinks[2];
	struct fffa_interfaces interfaces;
	struct fffa_histogram drains, latency;
	struct fffa_status_view view;
};

/* Its ledgers balance. */
void sample_view_fill(struct sample_view *s);

#endif
