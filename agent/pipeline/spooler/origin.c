// SPDX-License-Identifier: MIT
#include "agent/pipeline/spooler/origin.h"

#include <stdio.h>
#include <string.h>

static const struct fffa_ident_host nobody_host = {.agent_id = ""};
static const struct fffa_ident nobody = {.host = &nobody_host};

_Static_assert(sizeof(nobody_host.agent_id) == sizeof(((struct fffa_batch_origin *)NULL)->agent_id),
	       "an origin has room for every identity");
_Static_assert(sizeof(nobody_host.account_id) ==
		       sizeof(((struct fffa_batch_origin *)NULL)->account_id),
	       "an origin has room for every identity");
_Static_assert(sizeof(nobody_host.region) == sizeof(((struct fffa_batch_origin *)NULL)->region),
	       "an origin has room for every identity");

void fffa_origin_identify(const struct fffa_origin_source *s, struct fffa_record *r)
{
	r->ident = &nobody;
	if (s->identify)
		s->identify(s->arg, r);
}

void fffa_origin_fill(const struct fffa_origin_source *s, const char *stream,
		      struct fffa_batch_origin *out)
{
	struct fffa_record r = {.status = FFFA_STATUS_SKIPDATA};
	const struct fffa_ident_host *h;

	fffa_origin_identify(s, &r);
	h = r.ident->host;
	memcpy(out->agent_id, h->agent_id, sizeof(out->agent_id));
	memcpy(out->account_id, h->account_id, sizeof(out->account_id));
	memcpy(out->region, h->region, sizeof(out->region));
	out->epoch = s->epoch;
	(void)snprintf(out->stream, sizeof(out->stream), "%s", stream);
}

void fffa_origin_name_host(const struct fffa_origin_source *s, struct fffa_batch *b)
{
	struct fffa_record r = {.status = FFFA_STATUS_SKIPDATA};

	fffa_origin_identify(s, &r);
	fffa_batch_name_host(b, r.ident->host->host_name);
}
