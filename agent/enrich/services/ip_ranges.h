/* SPDX-License-Identifier: MIT */
/* The AWS services of addresses, from a copy of ip-ranges.json on disk. */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_H

#include "agent/base/err.h"
#include "agent/enrich/input/watched_file.h"
#include "agent/enrich/services/ip_ranges_parse.h"
#include "agent/flow/record.h"

/* For fffa_watched_file_open. */
extern const struct fffa_watched_kind fffa_ip_ranges_kind;

/* Sets src_service and dst_service of a record to static names. file is of fffa_ip_ranges_kind. */
void fffa_ip_ranges_apply(const struct fffa_watched_file *file, struct fffa_record *rec);

/* Reads path, blocking, for `fffa check`: 0 and facts, or -errno and err. */
int fffa_ip_ranges_check(const char *path, struct fffa_ip_ranges_facts *facts,
			 struct fffa_err *err);

#endif
