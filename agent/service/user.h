/* SPDX-License-Identifier: MIT */
/* The user that the agent becomes (`user:`). Call these while the process has one thread. */
#ifndef FFFA_AGENT_SERVICE_USER_H
#define FFFA_AGENT_SERVICE_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/base/err.h"

struct fffa_user {
	uid_t uid;
	gid_t gid;
};

/*
 * text: a name, or a number that needs no account (its group is then that number, too). 0; -ENOENT
 * with err: this host has no such user.
 */
int fffa_user_find(const char *text, struct fffa_user *out, struct fffa_err *err);

/* Whether this process runs as that user. */
bool fffa_user_is(const struct fffa_user *user);

/*
 * Becomes that user for good: no other groups, no files for others, only the capabilities that
 * loading needs. 0; -EPERM with err that names the missing capability; other -errno with err.
 */
int fffa_user_become(const struct fffa_user *user, struct fffa_err *err);

#endif
