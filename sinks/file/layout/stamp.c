// SPDX-License-Identifier: MIT
#include "sinks/file/layout/stamp.h"

#include <string.h>
#include <time.h>

#define YEAR_9999_S INT64_C(253402300799)

void fffa_stamp_write(int64_t time_s, char out[FFFA_STAMP_BYTES])
{
	time_t t = (time_t)(time_s < 0 ? 0 : time_s > YEAR_9999_S ? YEAR_9999_S : time_s);
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	(void)gmtime_r(&t, &tm);
	(void)strftime(out, FFFA_STAMP_BYTES, "%Y%m%dT%H%M%SZ", &tm);
}

bool fffa_stamp_matches(const char *text, const char *form)
{
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false; /* also at the end of text */
	return true;
}
