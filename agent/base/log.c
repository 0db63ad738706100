// SPDX-License-Identifier: MIT
#include "agent/base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"

#define LIMIT_NS (60 * FFFA_NS_PER_S)

static struct {
	enum fffa_log_level level;
	enum fffa_log_format format;
} conf = {FFFA_LOG_INFO, FFFA_LOG_TEXT};

void fffa_log_setup(enum fffa_log_level level, enum fffa_log_format format)
{
	conf.level = level;
	conf.format = format;
}

/* Appends s as the inside of a JSON string; control characters and quotes are escaped. Returns the
 * new length. */
static size_t append_json(char *out, size_t cap, size_t n, const char *s)
{
	for (; *s && n + 7 < cap; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else if (c < 0x20) {
			n += (size_t)snprintf(out + n, cap - n, "\\u%04x", c);
		} else {
			out[n++] = (char)c;
		}
	}
	return n;
}

void fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	char text[1024], line[2304], when[32];
	struct timespec ts;
	struct tm tm;
	size_t n;
	va_list ap;

	if (level > conf.level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	if (conf.format == FFFA_LOG_JSON) {
		n = (size_t)snprintf(line, sizeof(line),
				     "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"part\":\"%.64s\","
				     "\"message\":\"",
				     when, ts.tv_nsec / 1000000, names[level], tag);
		n = append_json(line, sizeof(line) - 3, n, text);
		line[n++] = '"';
		line[n++] = '}';
	} else {
		n = (size_t)snprintf(line, sizeof(line), "%s.%03ldZ %-5s %.64s: %s", when,
				     ts.tv_nsec / 1000000, names[level], tag, text);
		for (size_t i = 0; i < n; i++) {
			/* A text from outside must not begin a line of its own. */
			if ((unsigned char)line[i] < 0x20)
				line[i] = ' ';
		}
	}
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n); /* nowhere left to report to */
}

void fffa_log_limited(struct fffa_log_limit *l, const char *tag, const char *text, uint64_t records)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system);

	l->records += records;
	if (l->last_ns && now - l->last_ns < LIMIT_NS)
		return;
	fffa_warn(tag, "%s: records=%" PRIu64, text, l->records);
	l->records = 0;
	l->last_ns = now;
}
