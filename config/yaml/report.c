// SPDX-License-Identifier: MIT
#include "config/yaml/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void call_problem(struct fffa_report *rep, const char *line)
{
	if (rep->problem)
		rep->problem(rep->arg, line);
}

void fffa_report_problem(struct fffa_report *rep, unsigned int place, const char *path,
			 const char *fmt, ...)
{
	unsigned int line = FFFA_REPORT_PLACE_LINE(place), more = FFFA_REPORT_PLACE_FILE(place);
	const char *file = more && rep->files ? rep->files[more - 1] : rep->file;
	char text[1024], at[16] = "", whole[2048];
	va_list ap;

	if (rep->count > FFFA_REPORT_PROBLEMS_MAX)
		return;
	if (rep->count++ == FFFA_REPORT_PROBLEMS_MAX) {
		snprintf(whole, sizeof(whole), "%.512s: more problems are not shown", rep->file);
		call_problem(rep, whole);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line)
		snprintf(at, sizeof(at), ":%u", line);
	snprintf(whole, sizeof(whole), "%.512s%s: %s%s%s", file, at, path, *path ? ": " : "", text);
	call_problem(rep, whole);
}

int fffa_report_nomem(struct fffa_report *rep)
{
	if (rep->error != -ENOMEM) {
		rep->error = -ENOMEM;
		fffa_report_problem(rep, 0, "", "out of memory");
	}
	return -ENOMEM;
}

int fffa_report_result(const struct fffa_report *rep)
{
	if (rep->error)
		return rep->error;
	return rep->count ? -EINVAL : 0;
}

struct fffa_printable fffa_report_printable(const char *text)
{
	struct fffa_printable s;
	size_t room = sizeof(s.text) - sizeof("..."), n = strlen(text), i;
	bool cut = n > room;

	if (cut) {
		n = room;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		s.text[i] = c < 0x20 || c == 0x7f ? '?' : text[i];
	}
	memcpy(s.text + n, cut ? "..." : "", cut ? 4 : 1);
	return s;
}

struct fffa_path fffa_report_path_join(const char *base, const char *key)
{
	struct fffa_path p;

	snprintf(p.text, sizeof(p.text), "%.180s%s%s", base, *base ? "." : "",
		 fffa_report_printable(key).text);
	return p;
}

struct fffa_path fffa_report_path_index(const char *base, size_t i)
{
	struct fffa_path p;

	snprintf(p.text, sizeof(p.text), "%.220s[%zu]", base, i);
	return p;
}
