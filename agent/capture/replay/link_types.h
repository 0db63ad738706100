/* SPDX-License-Identifier: MIT */
/* The link headers of captures: where IP begins. https://www.tcpdump.org/linktypes.html */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_LINK_TYPES_H
#define FFFA_AGENT_CAPTURE_REPLAY_LINK_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/capture/replay/capture_file.h"

bool fffa_link_types_has(int linktype);
/* "RAW (101)", "unknown (4711)" into dst, which is returned. */
const char *fffa_link_types_name(int linktype, char *dst, size_t cap);
/* The shortest link header: what a packet without one has at least less. */
uint32_t fffa_link_types_header_bytes(int linktype);

/*
 * Walks the link headers of the frame from b to end. Returns what fffa_link_walk does. *way is set
 * where the header says which way the packet went, and else left alone. swapped: see
 * fffa_capture_packet. linktype is one that fffa_link_types_has.
 */
uint32_t fffa_link_types_walk(int linktype, bool swapped, const uint8_t *b, const uint8_t *end,
			      enum fffa_capture_way *way);

#endif
