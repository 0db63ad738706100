/* SPDX-License-Identifier: MIT */
#ifndef FFFA_AGENT_CAPTURE_PRIVILEGES_H
#define FFFA_AGENT_CAPTURE_PRIVILEGES_H

#include "agent/base/err.h"

/* 0, or -EPERM with err naming the capabilities that capturing needs and this process lacks. */
int fffa_privileges_check(struct fffa_err *err);

#endif
