/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Loads from a packet, and byte order. Compiles for the kernel and for the host. */
#ifndef FFFA_BPF_LOAD_H
#define FFFA_BPF_LOAD_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Loads from the packet. The kernel loads unaligned words; the host build must not assume that. */
#ifdef __bpf__
#define FFFA_LD16(p) (*(const __u16 *)(p))
#define FFFA_LD32(p) (*(const __u32 *)(p))
#define FFFA_LD64(p) (*(const __u64 *)(p))
#else
static inline __u16 fffa_ld16(const void *p)
{
	__u16 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}
static inline __u32 fffa_ld32(const void *p)
{
	__u32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}
static inline __u64 fffa_ld64(const void *p)
{
	__u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}
#define FFFA_LD16(p) fffa_ld16(p)
#define FFFA_LD32(p) fffa_ld32(p)
#define FFFA_LD64(p) fffa_ld64(p)
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FFFA_BE16(x) __builtin_bswap16(x)
#define FFFA_BE32(x) __builtin_bswap32(x)
#define FFFA_BE64(x) __builtin_bswap64(x)
#else
#define FFFA_BE16(x) (x)
#define FFFA_BE32(x) (x)
#define FFFA_BE64(x) (x)
#endif

#endif
