// SPDX-License-Identifier: MIT
#include "agent/cli/top/top_screen.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ncurses.h>
#include <termcap.h>

#include "agent/cli/top/top_page.h"

#define ALARM_PAIR 1

struct fffa_top_screen {
	SCREEN *screen;
	bool colors;
};

struct fffa_top_screen *fffa_top_screen_open(void)
{
	const char *kind = getenv("TERM");
	struct fffa_top_screen *s;

	if (!kind || tgetent(NULL, kind) != 1) /* newterm would not free all when it fails */
		return NULL;
	/* A screen needs a cursor that moves; "dumb" has none. Paper is none. */
	if (!tgetstr("cm", NULL) || tgetflag("hc"))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	(void)setlocale(LC_CTYPE, "");
	s->screen = newterm(NULL, stdout, stdin);
	if (!s->screen) {
		free(s);
		return NULL;
	}
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, true);
	(void)nodelay(stdscr, true);
	(void)curs_set(0);
	(void)set_escdelay(50);
	s->colors = has_colors() && start_color() == OK && use_default_colors() == OK &&
		    init_pair(ALARM_PAIR, COLOR_RED, -1) == OK;
	return s;
}

void fffa_top_screen_close(struct fffa_top_screen *s)
{
	(void)endwin();
	delscreen(s->screen);
	free(s);
}

void fffa_top_screen_size(unsigned int *rows, unsigned int *columns)
{
	*rows = (unsigned int)getmaxy(stdscr);
	*columns = (unsigned int)getmaxx(stdscr);
}

static attr_t style_of(const struct fffa_top_screen *s, char style)
{
	if (style == FFFA_TOP_HEAD)
		return A_REVERSE;
	if (style == FFFA_TOP_ALARM)
		return s->colors ? (attr_t)(A_BOLD | COLOR_PAIR(ALARM_PAIR)) : A_BOLD;
	return A_NORMAL;
}

void fffa_top_screen_draw(struct fffa_top_screen *s, const char *lines)
{
	int columns = getmaxx(stdscr);

	(void)erase();
	for (int row = 0; *lines; row++) {
		size_t n = strcspn(lines, "\n");
		attr_t style = style_of(s, lines[0]);

		(void)attrset((int)style);
		(void)mvaddnstr(row, 0, lines + 1, (int)n - 1);
		if (lines[0] == FFFA_TOP_HEAD)
			(void)mvchgat(row, 0, columns, style, 0, NULL);
		(void)attrset(A_NORMAL);
		lines += n + (lines[n] == '\n');
	}
	(void)refresh();
}

void fffa_top_screen_redraw(void)
{
	(void)clearok(stdscr, true);
}

void fffa_top_screen_say(struct fffa_top_screen *s, const char *text)
{
	int row = getmaxy(stdscr) - 1;

	(void)s;
	(void)move(row, 0);
	(void)clrtoeol();
	(void)mvaddnstr(row, 0, text, getmaxx(stdscr) - 1);
	(void)refresh();
}

int fffa_top_screen_key(void)
{
	int key = getch();

	switch (key) {
	case ERR:
		return FFFA_TOP_KEY_NONE;
	case KEY_UP:
		return FFFA_TOP_KEY_UP;
	case KEY_DOWN:
		return FFFA_TOP_KEY_DOWN;
	case KEY_PPAGE:
		return FFFA_TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return FFFA_TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return FFFA_TOP_KEY_HOME;
	case KEY_RESIZE:
		return FFFA_TOP_KEY_RESIZED;
	case KEY_ENTER:
		return '\r';
	case KEY_BACKSPACE:
		return '\b';
	default:
		return key > 0 && key < 256 ? key : FFFA_TOP_KEY_NONE;
	}
}
