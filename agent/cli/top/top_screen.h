/* SPDX-License-Identifier: MIT */
/* The terminal of `fffa top`, by ncurses. One at a time. */
#ifndef FFFA_AGENT_CLI_TOP_TOP_SCREEN_H
#define FFFA_AGENT_CLI_TOP_TOP_SCREEN_H

#include <stddef.h>

struct fffa_top_screen;

/* What fffa_top_screen_key returns beside characters. */
enum fffa_top_key {
	FFFA_TOP_KEY_NONE = -1,
	FFFA_TOP_KEY_UP = 0x1000,
	FFFA_TOP_KEY_DOWN,
	FFFA_TOP_KEY_PAGE_UP,
	FFFA_TOP_KEY_PAGE_DOWN,
	FFFA_TOP_KEY_HOME,
	FFFA_TOP_KEY_RESIZED,
};

/*
 * Takes the terminal of standard input and output. NULL: its kind (TERM) is not known, or
 * cannot move the cursor.
 */
struct fffa_top_screen *fffa_top_screen_open(void);
/* Restores the terminal. */
void fffa_top_screen_close(struct fffa_top_screen *s);
void fffa_top_screen_size(unsigned int *rows, unsigned int *columns);
/* Shows lines that begin with their style (top_page.h) and end with a newline. */
void fffa_top_screen_draw(struct fffa_top_screen *s, const char *lines);
/* Draws all again, whatever stands on the terminal. */
void fffa_top_screen_redraw(void);
/* Shows text in the last row. */
void fffa_top_screen_say(struct fffa_top_screen *s, const char *text);
/* The next key that was pressed, without waiting: a character or enum fffa_top_key. */
int fffa_top_screen_key(void);

#endif
