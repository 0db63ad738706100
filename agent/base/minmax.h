/* SPDX-License-Identifier: MIT */
/* The smaller and the larger of two numbers of one type. */
#ifndef FFFA_AGENT_BASE_MINMAX_H
#define FFFA_AGENT_BASE_MINMAX_H

#include <stddef.h>
#include <stdint.h>

#define FFFA_MINMAX(suffix, type)                                                                  \
	static inline type fffa_min_##suffix(type a, type b)                                       \
	{                                                                                          \
		return a < b ? a : b;                                                              \
	}                                                                                          \
	static inline type fffa_max_##suffix(type a, type b)                                       \
	{                                                                                          \
		return a > b ? a : b;                                                              \
	}

/* fffa_min_u64, fffa_max_u64 and so on */
FFFA_MINMAX(u32, uint32_t)
FFFA_MINMAX(u64, uint64_t)
FFFA_MINMAX(i64, int64_t)
FFFA_MINMAX(size, size_t)

#undef FFFA_MINMAX

#endif
