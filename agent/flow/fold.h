/* SPDX-License-Identifier: MIT */
/* The step that the hashes of a flow's key are made of. */
#ifndef FFFA_AGENT_FLOW_FOLD_H
#define FFFA_AGENT_FLOW_FOLD_H

#include <stdint.h>

/* Both halves of the product: every bit of a and b reaches most of the result. */
static inline uint64_t fffa_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

#endif
