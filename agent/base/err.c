// SPDX-License-Identifier: MIT
#include "agent/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

int fffa_err_also(struct fffa_err *err, int error, const char *fmt, ...)
{
	size_t n = err ? strlen(err->text) : 0;
	va_list ap;

	if (err && n + 2 < sizeof(err->text)) {
		if (n)
			err->text[n++] = '\n';
		va_start(ap, fmt);
		(void)vsnprintf(err->text + n, sizeof(err->text) - n, fmt, ap);
		va_end(ap);
	}
	return -error;
}
