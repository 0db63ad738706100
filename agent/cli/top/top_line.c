// SPDX-License-Identifier: MIT
#include "agent/cli/top/top_line.h"

#include <stdarg.h>

static void put_styled(struct fffa_top_lines *p, char style, const char *fmt, va_list ap)
{
	char text[512];

	p->count++;
	if (p->skip) {
		p->skip--;
		return;
	}
	if (!p->rows_left)
		return;
	p->rows_left--;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	for (char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	if (p->columns && p->columns < sizeof(text))
		text[p->columns] = '\0';
	if (p->styled)
		(void)fputc(style, p->out);
	(void)fprintf(p->out, "%s\n", text);
}

void fffa_top_line_put(struct fffa_top_lines *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_styled(p, FFFA_TOP_PLAIN, fmt, ap);
	va_end(ap);
}

void fffa_top_line_head(struct fffa_top_lines *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_styled(p, FFFA_TOP_HEAD, fmt, ap);
	va_end(ap);
}

void fffa_top_line_alarm(struct fffa_top_lines *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_styled(p, FFFA_TOP_ALARM, fmt, ap);
	va_end(ap);
}

const char *fffa_top_line_short(double v, char dst[16])
{
	static const char units[] = " kMGTPE";
	size_t u = 0;

	while (v >= 9999.5 && u + 2 < sizeof(units)) {
		v /= 1000;
		u++;
	}
	(void)snprintf(dst, 16, u ? "%.0f%c" : "%.0f", v, units[u]);
	return dst;
}

double fffa_top_line_rate(int64_t now, int64_t before, int64_t ms)
{
	return ms > 0 && now > before ? (double)(now - before) * 1000 / (double)ms : 0;
}
