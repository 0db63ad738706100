// SPDX-License-Identifier: MIT
#include "agent/base/assert.h"

#include <stddef.h>
#include <stdlib.h>

#include "agent/base/log.h"

#define FLUSH_MS 1000

static struct {
	void (*dump)(void *arg);
	void *arg;
} hook;

void fffa_assert_set_dump(void (*dump)(void *arg), void *arg)
{
	hook.dump = dump;
	hook.arg = arg;
}

void fffa_assert_fail(const char *expr, const char *file, int line)
{
	void (*dump)(void *arg) = hook.dump;

	fffa_error("assert", "%s:%d: assertion failed, please report this: %s", file, line, expr);
	hook.dump = NULL; /* an assertion that fails inside of the dump ends here, too */
	if (dump)
		dump(hook.arg);
	(void)fffa_log_flush(FLUSH_MS);
	abort();
}
