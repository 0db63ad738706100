/* SPDX-License-Identifier: MIT */
/* Tunnels as the kernel hands them to a hook before it cuts them into segments, and look-alikes. */
#ifndef FFFA_TESTS_STUBS_SUPER_PACKETS_H
#define FFFA_TESTS_STUBS_SUPER_PACKETS_H

#include <stdint.h>

#include "tests/stubs/packets.h"

#define SUPER_SEGMENT 100 /* payload of each segment */
#define SUPER_SEGS    3
#define SUPER_PAYLOAD (SUPER_SEGS * SUPER_SEGMENT - 20)

struct super_packet {
	struct packet p;
	uint32_t headers; /* IP bytes that each segment repeats */
	uint32_t segs;
};

/*
 * Fills v, which has room for max, and returns their number. No tunnel has a port that is opened, but
 * for two outermost ones.
 */
size_t super_packets(struct super_packet *v, size_t max);

#endif
