// SPDX-License-Identifier: MIT
#include "agent/base/err.h"

#include <stdarg.h>
#include <stdio.h>

int fffa_fail(struct fffa_err *err, int error, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return -error;
}
