/* SPDX-License-Identifier: MIT */
/* Reads the configuration again and takes over what may change while the agent runs. */
#ifndef FFFA_AGENT_DAEMON_RELOAD_H
#define FFFA_AGENT_DAEMON_RELOAD_H

/*
 * HUP. arg: the struct fffa_agent. Reads its configuration file and checks all of it. If there is a
 * problem, logs every problem and changes nothing. Else takes over the new values of the keys
 * marked FFFA_OPTION_RELOAD, logs each change and each key that needs a restart, and counts these
 * in pending_restart. Then, in either case, the sinks reopen their files. Blocks to read one file.
 */
void fffa_reload_on_hup(void *arg);

#endif
