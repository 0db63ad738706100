/* SPDX-License-Identifier: MIT */
/* ${NAME}, ${NAME:-default} and $${ (a literal "${") inside a value. */
#ifndef FFFA_CONFIG_EXPAND_H
#define FFFA_CONFIG_EXPAND_H

#include "agent/base/err.h"
#include "config/config.h"

/* A value is never longer, expanded or not. */
#define FFFA_EXPAND_BYTES_MAX (64 * 1024)

/*
 * Writes text with its variables replaced to *out (malloc, caller frees). environment NULL: a plain
 * copy, nothing is replaced. As in a shell, an empty variable takes the default after ":-". Returns
 * -EINVAL with err (a variable that is not set, a bad reference, a result that is too long or not
 * UTF-8) or -ENOMEM; then *out is untouched.
 */
int fffa_expand(const struct fffa_config_environment *environment, const char *text, char **out,
		struct fffa_err *err);

#endif
