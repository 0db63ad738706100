/* SPDX-License-Identifier: MIT */
/*
 * Ports of first fragments for the later ones, for replay; the kernel has a map that does the same
 * (bpf/fragment.h). Bounded: the oldest first fragment makes room.
 */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_FRAGMENTS_H
#define FFFA_AGENT_CAPTURE_REPLAY_FRAGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/parse.h"

struct fffa_fragments;

/* NULL without memory. Free with fffa_fragments_free (NULL is allowed). */
struct fffa_fragments *fffa_fragments_new(void);
void fffa_fragments_free(struct fffa_fragments *t);

/*
 * A first fragment is remembered; a later one gets its ports when the first one was seen less than
 * FFFA_FRAGMENT_LIFE_S before now_ns. False: a later fragment without its first, ports stay 0.
 */
bool fffa_fragments_apply(struct fffa_fragments *t, struct fffa_packet *p, uint64_t now_ns);

#endif
