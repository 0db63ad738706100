/* SPDX-License-Identifier: MIT */
/* Inside of the filter: filter.c compiles and runs, filter_text.c reads the text, filter_reads.c the program. */
#ifndef FFFA_AGENT_FILTER_FILTER_INTERNAL_H
#define FFFA_AGENT_FILTER_FILTER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <pcap/pcap.h>

#include "agent/base/err.h"
#include "agent/filter/filter.h"

/* Offsets in the packet that a flow stands for, without a link layer. */
#define FFFA_FILTER_IPV4_BYTES 20
#define FFFA_FILTER_IPV6_BYTES 40
#define FFFA_FILTER_L4_BYTES   20
#define FFFA_FILTER_FLAGS_AT   13 /* in the TCP header */

struct fffa_filter_token {
	size_t at; /* in the text */
	size_t len;
};

struct fffa_filter_text {
	const char *text;
	size_t n;
	struct fffa_filter_token tokens[FFFA_FILTER_BYTES_MAX];
};

/* Cuts text into words and operators. 0, or -EINVAL with err. */
int fffa_filter__text_read(struct fffa_filter_text *t, const char *text, struct fffa_err *err);
/* Refuses names that would be looked up, and words about what a flow does not have. */
int fffa_filter__text_check(const struct fffa_filter_text *t, struct fffa_err *err);
/* True when token i is the word. */
bool fffa_filter__text_is(const struct fffa_filter_text *t, size_t i, const char *word);

struct fffa_filter_reads {
	bool undefined; /* a byte that a flow does not define */
	bool header;	/* such a byte of the IP header */
	bool flags;	/* the TCP flags */
	bool fragment;	/* the fragment offset, which libpcap asks for before it reads ports */
};

/* What the program reads of any flow's packet. -ENOMEM, or 0. */
int fffa_filter__reads(const struct bpf_program *p, struct fffa_filter_reads *out);

#endif
