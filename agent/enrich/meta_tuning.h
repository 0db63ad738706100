/* SPDX-License-Identifier: MIT */
/* Knobs of the metadata reader that tests turn and users do not. */
#ifndef FFFA_AGENT_ENRICH_META_TUNING_H
#define FFFA_AGENT_ENRICH_META_TUNING_H

#include "agent/enrich/imds/imds_policy.h"
#include "agent/enrich/meta.h"

struct fffa_meta_tuning {
	struct fffa_imds_timing timing;
	const char *root;	   /* stands for / where files are read; borrowed for the call */
	const char *ecs_agent_url; /* as in struct fffa_ecs_options */
};

/* fffa_meta_open with these knobs. */
int fffa_meta_open_tuned(uv_loop_t *loop, const struct fffa_metadata_conf *conf,
			 const struct fffa_meta_tuning *tuning, struct fffa_meta **out,
			 struct fffa_err *err);

#endif
