/* SPDX-License-Identifier: MIT */
/*
 * The AWS services of addresses, from a copy of ip-ranges.json on disk. A worker reads it at the
 * start and again when the file has changed. When a file cannot be used, the log says so and the
 * last good one stays. Loop thread only.
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
 * Borrows loop, copies path, and looks at the file every refresh_ns. Calls changed on the loop,
 * never from inside, when the first reading has ended and when another table is in use. 0, or
 * -ENOMEM, -EAGAIN without a thread; then a handle may close as the loop runs on.
 */
int fffa_ip_ranges_open(uv_loop_t *loop, const char *path, uint64_t refresh_ns,
			void (*changed)(void *arg), void *arg, struct fffa_ip_ranges **out);

/* Takes the table of from, if to has read none yet: a good one is never replaced by a bad one. */
void fffa_ip_ranges_inherit(struct fffa_ip_ranges *to, struct fffa_ip_ranges *from);
/* True once the first reading has ended, well or not. */
bool fffa_ip_ranges_settled(const struct fffa_ip_ranges *r);

/* Sets src_service and dst_service of a record to static names. */
void fffa_ip_ranges_apply(const struct fffa_ip_ranges *r, struct fffa_record *rec);

/* Reads path, blocking, for `fffa check`: 0 and facts, or -errno and err. */
int fffa_ip_ranges_check(const char *path, struct fffa_ip_ranges_facts *facts,
			 struct fffa_err *err);

/*
 * Asynchronous: waits for a reading under way, calls closed on the loop, then frees r. Call once.
 */
void fffa_ip_ranges_close(struct fffa_ip_ranges *r, void (*closed)(void *arg), void *arg);

#endif
