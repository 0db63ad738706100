// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/health.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"

void fffa_health_init(struct fffa_health *h, const char *tag)
{
	*h = (struct fffa_health){.tag = tag};
}

bool fffa_health_is_blocked(const struct fffa_health *h)
{
	return h->is_blocked;
}

void fffa_health_status(const struct fffa_health *h, struct fffa_sink_status *out)
{
	out->up = h->up;
	out->misconfigured = h->is_misconfigured;
	out->last_error = h->last_error;
	out->last_error_ns = h->error_ns;
	out->last_delivery_ns = h->delivered_ns;
}

static void note_error(struct fffa_health *h, const struct fffa_outcome *o)
{
	h->error_ns = fffa_clock_unix_ns(&fffa_clock_system);
	(void)snprintf(h->last_error, sizeof(h->last_error), "%s",
		       o->detail && o->detail[0] ? o->detail
		       : o->cause < 0		 ? strerror(-o->cause)
						 : "no reason is known");
}

/* False when the log has this reason already. */
static bool add_reason(struct fffa_health *h, int reason)
{
	unsigned int n =
		h->reason_count < FFFA_HEALTH_REASONS ? h->reason_count : FFFA_HEALTH_REASONS;

	for (unsigned int i = 0; i < n; i++) {
		if (h->reasons[i] == reason)
			return false;
	}
	h->reasons[h->reason_count++ % FFFA_HEALTH_REASONS] = reason;
	return true;
}

void fffa_health_delivered(struct fffa_health *h)
{
	h->delivered_ns = fffa_clock_unix_ns(&fffa_clock_system);
	if (h->is_logged)
		fffa_info(h->tag, "delivers again");
	h->up = true;
	h->is_blocked = h->is_logged = h->is_misconfigured = false;
	h->reason_count = 0;
}

void fffa_health_interrupted(struct fffa_health *h, const struct fffa_outcome *o)
{
	note_error(h, o);
	h->is_blocked = true;
}

void fffa_health_failed(struct fffa_health *h, const struct fffa_outcome *o, bool quiet)
{
	note_error(h, o);
	h->is_blocked = true;
	h->up = false;
	h->is_misconfigured = o->repair || o->verdict == FFFA_V_REFUSED;
	if (quiet || !add_reason(h, o->reason ? o->reason : o->cause))
		return;
	h->is_logged = true;
	fffa_log(o->repair ? FFFA_LOG_ERROR : FFFA_LOG_WARN, h->tag,
		 "deliveries fail, will retry: %s", h->last_error);
}

void fffa_health_rejected(struct fffa_health *h, const struct fffa_outcome *o, uint64_t records)
{
	char text[sizeof(h->last_error) + 32];

	if (o)
		note_error(h, o);
	h->up = false;
	(void)snprintf(text, sizeof(text), "records are rejected: %s", h->last_error);
	fffa_log_limited(&h->rejected_log, h->tag, text, records);
}
