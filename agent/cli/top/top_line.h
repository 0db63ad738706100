/* SPDX-License-Identifier: MIT */
/* Lines of the page of `fffa top`, and the numbers in them. */
#ifndef FFFA_AGENT_CLI_TOP_TOP_LINE_H
#define FFFA_AGENT_CLI_TOP_TOP_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The first byte of each line of a screen. */
#define FFFA_TOP_PLAIN ' '
#define FFFA_TOP_HEAD  '='
#define FFFA_TOP_ALARM '!'

struct fffa_top_lines {
	FILE *out;
	unsigned int rows_left;
	unsigned int columns;
	bool styled;	    /* each line begins with its style, FFFA_TOP_* */
	unsigned int skip;  /* lines that are scrolled away */
	unsigned int count; /* lines that were put, also those without room */
};

/*
 * Each prints one line with the style of its name, cut to the terminal's width. Control characters
 * from outside become '?'.
 */
void fffa_top_line_put(struct fffa_top_lines *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void fffa_top_line_head(struct fffa_top_lines *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void fffa_top_line_alarm(struct fffa_top_lines *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes "1.5k", "12M": at most 6 characters. Returns dst. */
const char *fffa_top_line_short(double v, char dst[16]);
/* What was added in ms milliseconds, per second. */
double fffa_top_line_rate(int64_t now, int64_t before, int64_t ms);

#endif
