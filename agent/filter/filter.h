/* SPDX-License-Identifier: MIT */
/*
 * Filters in the syntax of pcap-filter(7), compiled by libpcap and run on the packet that a flow
 * stands for: its IP version, addresses and protocol, its ports or its ICMP type and code, and the
 * TCP flags of the window. What reads anything else is refused.
 */
#ifndef FFFA_AGENT_FILTER_FILTER_H
#define FFFA_AGENT_FILTER_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "bpf/abi.h"

/* The longest text. It bounds the time of a compilation, too. */
#define FFFA_FILTER_BYTES_MAX 1024

struct fffa_filter;

/*
 * Compiles text. 0: free *out with fffa_filter_free; it is NULL for a text without words, which
 * leaves out nothing. -EINVAL with err, which names the column; -ENOMEM. On failure *out is
 * untouched. Asks no name server. Any thread.
 */
int fffa_filter_new(const char *text, struct fffa_filter **out, struct fffa_err *err);
/* The same, and frees what *f was; on failure *f stays as it was. */
int fffa_filter_replace(struct fffa_filter **f, const char *text, struct fffa_err *err);
/* NULL is allowed. */
void fffa_filter_free(struct fffa_filter *f);

/* True when the answer depends on the TCP flags, which are known when a window ends. */
bool fffa_filter_reads_flags(const struct fffa_filter *f);

/*
 * True when a flow with this key (of the inner packet) and these flags (FFFA_F_*) is wanted. f may
 * be NULL. Any thread.
 */
bool fffa_filter_passes(const struct fffa_filter *f, const struct fffa_key *key, uint16_t flags);

#endif
