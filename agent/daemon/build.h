/* SPDX-License-Identifier: MIT */
/* The version and commit that this program was built from. Both texts are static. */
#ifndef FFFA_AGENT_DAEMON_BUILD_H
#define FFFA_AGENT_DAEMON_BUILD_H

const char *fffa_build_version(void);
/* The commit; "unknown" when it was built without git. */
const char *fffa_build_commit(void);

#endif
