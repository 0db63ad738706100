/* SPDX-License-Identifier: MIT */
/*
 * The capabilities of the process. The kernel keeps them for each thread, and a new thread gets those
 * of the thread that makes it: change them while there is only one.
 */
#ifndef FFFA_AGENT_SERVICE_PRIVILEGES_H
#define FFFA_AGENT_SERVICE_PRIVILEGES_H

#include <stdbool.h>

#include "agent/base/err.h"

/* Whether this thread may load and attach the programs: 0, or -EPERM with err. */
int fffa_privileges_check(struct fffa_err *err);

/* Whether this thread has the capability, a CAP_* number. */
bool fffa_privileges_has(int capability);

/*
 * What the programs need: to be loaded and attached, or only to be attached once they are loaded.
 */
enum fffa_privileges { FFFA_PRIVILEGES_LOAD, FFFA_PRIVILEGES_ATTACH };

/*
 * Gives up every capability but those that `need` names and this thread may have, for good. Loading:
 * CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN. Attaching: CAP_BPF and CAP_NET_ADMIN. CAP_SYS_ADMIN stays
 * only in place of one that is missing. 0, or -errno with err.
 */
int fffa_privileges_restrict(enum fffa_privileges need, struct fffa_err *err);

/*
 * Makes effective what this thread is permitted. A file with capabilities that are only permitted can
 * be run where not all of them are to be had.
 */
void fffa_privileges_raise(void);

/* No program that this process runs gets more than it has. Any time. */
void fffa_privileges_forbid_new(void);

#endif
