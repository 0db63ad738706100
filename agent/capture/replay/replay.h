/* SPDX-License-Identifier: MIT */
/*
 * Capture files as a source of deltas: the host build of the kernel's parser, one delta a packet,
 * the captures' own timestamps as time. Needs no privileges and knows no libbpf. Loop thread only.
 */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_REPLAY_H
#define FFFA_AGENT_CAPTURE_REPLAY_REPLAY_H

#include <stdbool.h>
#include <uv.h>

#include "agent/base/cidr.h"
#include "agent/base/err.h"
#include "agent/base/ledger.h"
#include "agent/flow/delta.h"
#include "config/config.h"

struct fffa_replay;

struct fffa_replay_conf {
	const char *const *paths; /* pcap and pcapng; "-" is standard input */
	size_t path_count;
	double speed;		       /* times real time; 0: as fast as it goes */
	const struct fffa_cidr *local; /* packets from inside these leave the host */
	size_t local_count;
	const struct fffa_capture_conf *capture; /* direction, decapsulate, ports */
};

struct fffa_replay_events {
	fffa_delta_fn delta;
	void (*time)(void *arg, uint64_t unix_ns); /* before each delta; rises or stays */
	/* Whether something that was handed over still needs the tunnel with this id. */
	bool (*tunnel_used)(void *arg, uint16_t id);
	bool (*has_room)(void *arg); /* false: wait a little */
	void (*ended)(void *arg,
		      int error); /* all read (0) or a file that cannot be read (-errno; logged) */
	void *arg;
};

/* Opens the first file. Borrows all. On failure nothing is left; err names file and reason. */
int fffa_replay_open(uv_loop_t *loop, const struct fffa_replay_conf *conf,
		     struct fffa_ledger *ledger, const struct fffa_replay_events *events,
		     struct fffa_replay **out, struct fffa_err *err);
const struct fffa_tunnel *fffa_replay_tunnel(const struct fffa_replay *r, uint16_t id);
/* Stops reading; ended follows on the loop with 0. */
void fffa_replay_stop(struct fffa_replay *r);
/* "libpcap version 1.10.3 ..." */
const char *fffa_replay_library(void);
/* Frees r once its handles are closed. */
void fffa_replay_close(struct fffa_replay *r);

#endif
