/* SPDX-License-Identifier: MIT */
/* The values of metadata.static. They win over all that is learned; an empty string is not set. */
#ifndef FFFA_AGENT_ENRICH_STATIC_IDENT_H
#define FFFA_AGENT_ENRICH_STATIC_IDENT_H

#include "agent/base/err.h"
#include "agent/flow/ident.h"
#include "config/option.h"

struct fffa_static_ident {
	struct fffa_ident_host host; /* agent_id and ecs unused */
	struct fffa_ident iface;     /* of every device; only texts and tags are used */
};

/*
 * Reads pairs into *out and percent-encodes tags. 0; -EINVAL with err for an unknown key or a value
 * that may not enter a record.
 */
int fffa_static_ident_read(const struct fffa_pairs *pairs, struct fffa_static_ident *out,
			   struct fffa_err *err);

#endif
