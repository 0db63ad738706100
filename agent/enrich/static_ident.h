/* SPDX-License-Identifier: MIT */
/* metadata.static: values that win over everything that is learned. Empty string: not set. */
#ifndef FFFA_AGENT_ENRICH_STATIC_IDENT_H
#define FFFA_AGENT_ENRICH_STATIC_IDENT_H

#include "agent/base/err.h"
#include "agent/flow/ident.h"
#include "config/option.h"

struct fffa_static_ident {
	struct fffa_ident_host host; /* agent_id and ecs unused */
	struct fffa_ident iface;     /* of every device; only texts and tags are used */
};

/* Tags are given as they are and percent-encoded here. -EINVAL with err for an unknown key or a
 * value that may not enter a record. */
int fffa_static_ident_read(const struct fffa_pairs *pairs, struct fffa_static_ident *out,
			   struct fffa_err *err);

#endif
