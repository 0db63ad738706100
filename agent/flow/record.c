/* SPDX-License-Identifier: MIT */
#include "agent/flow/record.h"

const char *fffa_record_end_reason_name(enum fffa_end_reason r)
{
	static const char *const names[FFFA_END_MAX] = {
		[FFFA_END_IDLE] = "idle",
		[FFFA_END_ACTIVE] = "active",
		[FFFA_END_END] = "end",
		[FFFA_END_FORCED] = "forced",
		[FFFA_END_RESOURCES] = "resources",
	};

	return r >= FFFA_END_IDLE && r < FFFA_END_MAX ? names[r] : "unknown";
}
