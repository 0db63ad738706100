/* SPDX-License-Identifier: MIT */
/* The wiring: one source of deltas, the flow table, the identity, the pipeline, on one loop. */
#ifndef FFFA_AGENT_DAEMON_AGENT_H
#define FFFA_AGENT_DAEMON_AGENT_H

#include "agent/capture/replay/replay.h"
#include "config/config.h"

/* Exit codes of the program (sysexits.h where one fits). */
enum fffa_exit {
	FFFA_EXIT_OK = 0,
	FFFA_EXIT_FAILED = 1,
	FFFA_EXIT_USAGE = 2,
	FFFA_EXIT_PRIVILEGE = 77,
	FFFA_EXIT_CONFIG = 78,
};

/* Captures until TERM or INT; see agent/README.md for the order in which it stops. config_file: where
 * conf is from, NULL: the defaults; HUP reads it again into conf. */
enum fffa_exit fffa_agent_run(struct fffa_config *conf, const char *config_file);

/* Replays captures through the same path; ends when all is delivered. r->capture is filled from
 * conf. */
enum fffa_exit fffa_agent_replay(const struct fffa_config *conf, struct fffa_replay_conf *r);

#endif
