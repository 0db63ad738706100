/* SPDX-License-Identifier: MIT */
/* The agent: one source of deltas, the flow table, the identity and the pipeline on one loop. */
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

/*
 * Captures until TERM or INT. HUP reads config_file again into conf; NULL: conf holds the built-in
 * defaults and HUP reads nothing. agent/README.md has the order in which it stops.
 */
enum fffa_exit fffa_agent_run(struct fffa_config *conf, const char *config_file);

/*
 * Replays captures and ends when everything is delivered. replay->capture is not read:
 * conf->capture is used.
 */
enum fffa_exit fffa_agent_replay(const struct fffa_config *conf,
				 const struct fffa_replay_conf *replay);

#endif
