/* SPDX-License-Identifier: MIT */
/* Which system calls the process may make once the kernel programs are loaded (seccomp). */
#ifndef FFFA_AGENT_SERVICE_SYSCALL_FILTER_H
#define FFFA_AGENT_SERVICE_SYSCALL_FILTER_H

#include "agent/base/err.h"

/*
 * From now on every thread of this process, also those to come, may make only the calls that the
 * agent and its libraries use. It runs no program, starts no process, loads no kernel program and
 * enters no namespace. Such a call fails with EPERM. Every other call fails with ENOSYS, as on an
 * older kernel, so that a newer C library takes the call of before. No call ends the process.
 *
 * Needs no_new_privs or CAP_SYS_ADMIN. There is no way back. 0; -ENOTSUP with err: this build has
 * sanitizers, which need other calls; -EPERM with err: a filter around this process, as of a service
 * manager, refuses seccomp(2); other -errno with err: the kernel takes no filter. After an error
 * nothing has changed.
 */
int fffa_syscall_filter_apply(struct fffa_err *err);

#endif
