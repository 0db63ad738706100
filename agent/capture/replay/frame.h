/* SPDX-License-Identifier: MIT */
/* The host build of the kernel's parser over captured frames of any supported link type. Pure. */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_FRAME_H
#define FFFA_AGENT_CAPTURE_REPLAY_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/capture/replay/capture_file.h"
#include "agent/capture/replay/replay.h"
#include "bpf/parse.h"

struct fffa_frame_conf {
	int linktype;		   /* LINKTYPE_* of the capture, see link_types.h */
	bool swapped;		   /* see fffa_capture_packet */
	enum fffa_capture_way way; /* what the file says of this packet */
	uint16_t geneve_ports[FFFA_MAX_TUNNEL_PORTS];
	uint16_t vxlan_ports[FFFA_MAX_TUNNEL_PORTS];
	const struct fffa_cidr *local;
	size_t local_count;
};

/* Takes ports from capture where decapsulate names the tunnel; borrows local. linktype is the
 * caller's to set. */
void fffa_frame_conf_init(struct fffa_frame_conf *f, const struct fffa_capture_conf *capture,
			  const struct fffa_cidr *local, size_t local_count);

/*
 * Parses one frame of captured bytes out of wire_bytes. On FFFA_PARSE_OK *p is the packet to
 * account (the inner one when *tunnelled, then *t is the tunnel). It leaves the host when its source
 * is in a local prefix; without local prefixes, when the capture says so. Any other result says why
 * there is none.
 */
enum fffa_parse fffa_frame_parse(const struct fffa_frame_conf *f, const void *bytes,
				 size_t captured, size_t wire_bytes, struct fffa_packet *p,
				 struct fffa_tunnel *t, bool *tunnelled);

/*
 * True when p, as fffa_frame_parse gave it, never was on a wire like this: the capturing host had
 * merged its segments or not yet made them (GRO, TSO).
 */
bool fffa_frame_is_super(const void *bytes, size_t captured, const struct fffa_packet *p);

#endif
