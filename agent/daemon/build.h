/* SPDX-License-Identifier: MIT */
/* What this program was built from. */
#ifndef FFFA_AGENT_DAEMON_BUILD_H
#define FFFA_AGENT_DAEMON_BUILD_H

const char *fffa_build_version(void);
/* "unknown" without git. */
const char *fffa_build_commit(void);

#endif
