/* SPDX-License-Identifier: MIT */
/*
 * The AWS services of addresses, from a copy of ip-ranges.json on disk. Read in the worker pool at the start and again
 * when the file has changed; a file that is of no use is said in the log, and what was read last stays. Loop thread only.
 */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_H

#include <stdbool.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/enrich/services/ip_ranges_parse.h"
#include "agent/flow/record.h"

struct fffa_ip_ranges;

/*
 * Borrows loop, copies path. changed is called on the loop, never from inside open, when a first reading has ended, and
 * when another file is in use. refresh_ns: how often the file is looked at. -ENOMEM with nothing left behind.
 */
int fffa_ip_ranges_open(uv_loop_t *loop, const char *path, uint64_t refresh_ns,
			void (*changed)(void *arg), void *arg, struct fffa_ip_ranges **out);

/* True once the file has been read, or could not be. */
bool fffa_ip_ranges_settled(const struct fffa_ip_ranges *r);

/* Sets src_service and dst_service; the names are static. */
void fffa_ip_ranges_apply(const struct fffa_ip_ranges *r, struct fffa_record *rec);

/* Reads path, blocking, to say whether it is of use: 0 and facts, or -errno and err. For fffa check. */
int fffa_ip_ranges_check(const char *path, struct fffa_ip_ranges_facts *facts,
			 struct fffa_err *err);

/* Asynchronous: waits for a reading under way; closed is called on the loop, then r is freed. Call once. */
void fffa_ip_ranges_close(struct fffa_ip_ranges *r, void (*closed)(void *arg), void *arg);

#endif
