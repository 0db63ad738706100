// SPDX-License-Identifier: MIT
/* The terminal of `fffa top`, on one of ours: what stands on it, in which style, and what its keys mean. */
#include "agent/cli/top/top_screen.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <ncurses.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"

#define WAIT_MS 20000
#define END	"<end>" /* of what the terminal got so far */

struct fixture {
	int ours, in, out; /* our end of the terminal; what 0 and 1 were */
	struct termios before;
	struct fffa_top_screen *screen;
	char got[16384];
	size_t n;
};

SCREEN *__real_newterm(const char *kind, FILE *out, FILE *in);
SCREEN *__wrap_newterm(const char *kind, FILE *out, FILE *in);

/* As if the library had no memory. */
SCREEN *__wrap_newterm(const char *kind, FILE *out, FILE *in)
{
	return getenv("FFFA_TEST_NO_SCREEN") ? NULL : __real_newterm(kind, out, in);
}

/* A terminal of this kind on 0 and 1. A failed assertion leaves it to teardown. */
static void set_terminal(struct fixture *f, const char *kind)
{
	const struct winsize size = {.ws_row = 6, .ws_col = 20};
	int theirs;

	f->ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(f->ours >= 0);
	assert_int_equal(grantpt(f->ours), 0);
	assert_int_equal(unlockpt(f->ours), 0);
	theirs = open(ptsname(f->ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(theirs >= 0);
	assert_int_equal(ioctl(theirs, TIOCSWINSZ, &size), 0);
	assert_int_equal(tcgetattr(theirs, &f->before), 0);
	(void)fflush(stdout);
	f->in = dup(0);
	f->out = dup(1);
	assert_int_equal(dup2(theirs, 0), 0);
	assert_int_equal(dup2(theirs, 1), 1);
	(void)close(theirs);
	if (kind)
		assert_int_equal(setenv("TERM", kind, 1), 0);
	else
		assert_int_equal(unsetenv("TERM"), 0);
}

static void open_screen(struct fixture *f, const char *kind)
{
	set_terminal(f, kind);
	f->screen = fffa_top_screen_open();
	assert_non_null(f->screen);
}

/* Returns what the terminal got since the last call. */
static const char *read_all(struct fixture *f)
{
	assert_int_equal(fflush(stdout), 0);
	assert_int_equal(write(1, END, strlen(END)), strlen(END));
	f->n = 0;
	do {
		struct pollfd p = {.fd = f->ours, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		n = read(f->ours, f->got + f->n, sizeof(f->got) - 1 - f->n);
		assert_true(n > 0);
		f->n += (size_t)n;
		f->got[f->n] = '\0';
	} while (!strstr(f->got, END));
	return f->got;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->ours = -1;
	*state = f;
	return unsetenv("LINES") || unsetenv("COLUMNS");
}

static void close_screen(struct fixture *f)
{
	if (f->screen)
		fffa_top_screen_close(f->screen);
	f->screen = NULL;
}

static void leave_terminal(struct fixture *f)
{
	if (f->ours < 0)
		return;
	(void)fflush(stdout);
	(void)dup2(f->in, 0);
	(void)dup2(f->out, 1);
	(void)close(f->in);
	(void)close(f->out);
	(void)close(f->ours);
	f->ours = -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_screen(f);
	leave_terminal(f);
	free(f);
	return 0;
}

static void test_terminals_without_a_screen(void **state)
{
	static const char *const kinds[] = {NULL, "no-such-terminal", "dumb"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		set_terminal(f, kinds[i]);
		f->screen = fffa_top_screen_open();
		assert_null(f->screen);
		assert_string_equal(read_all(f), END); /* nothing was written */
		leave_terminal(f);
	}
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;

	set_terminal(f, "xterm");
	failing_alloc_arm(1);
	f->screen = fffa_top_screen_open();
	assert_true(failing_alloc_fired());
	failing_alloc_arm(0);
	assert_null(f->screen);
	assert_int_equal(setenv("FFFA_TEST_NO_SCREEN", "1", 1), 0);
	f->screen = fffa_top_screen_open();
	assert_int_equal(unsetenv("FFFA_TEST_NO_SCREEN"), 0);
	assert_null(f->screen);
	assert_string_equal(read_all(f), END);
}

static void press(const struct fixture *f, const char *keys, size_t n)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};

	assert_int_equal(write(f->ours, keys, n), n);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static void test_keys(void **state)
{
	static const struct {
		const char *keys;
		int key;
	} rows[] = {
		{"\033OA", FFFA_TOP_KEY_UP},
		{"\033OB", FFFA_TOP_KEY_DOWN},
		{"\033[5~", FFFA_TOP_KEY_PAGE_UP},
		{"\033[6~", FFFA_TOP_KEY_PAGE_DOWN},
		{"\033OH", FFFA_TOP_KEY_HOME},
		{"\033OD", FFFA_TOP_KEY_NONE}, /* the arrow to the left has no meaning */
		{"\033OM", '\r'},	       /* Enter of the block of numbers */
		{"\033", '\033'},	       /* Escape alone */
		{"\r", '\r'},
		{"\n", '\n'},
		{"\t", '\t'},
		{"\025", '\025'},
		{"\001", '\001'},
		{"q", 'q'},
		{"\377", 255},
	};
	struct fixture *f = *state;

	open_screen(f, "xterm");
	assert_int_equal(fffa_top_screen_key(), FFFA_TOP_KEY_NONE); /* waits for none */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		press(f, rows[i].keys, strlen(rows[i].keys));
		assert_int_equal(fffa_top_screen_key(), rows[i].key);
		assert_int_equal(fffa_top_screen_key(), FFFA_TOP_KEY_NONE);
	}
	press(f, "", 1); /* a byte 0 */
	assert_int_equal(fffa_top_screen_key(), FFFA_TOP_KEY_NONE);
	press(f, "yz", 2);
	assert_int_equal(fffa_top_screen_key(), 'y');
	assert_int_equal(fffa_top_screen_key(), 'z');
	assert_null(strchr(read_all(f), 'z')); /* no echo */
	assert_int_equal(get_escdelay(), 50);  /* Escape alone is known soon */
}

/* What the key that takes a letter back sends depends on the kind. */
static void test_backspace(void **state)
{
	static const char *const kinds[] = {"xterm", "vt220", "linux"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int key;

		open_screen(f, kinds[i]);
		press(f, "\177", 1);
		key = fffa_top_screen_key();
		assert_true(key == '\b' || key == 127);
		press(f, "\b", 1);
		assert_int_equal(fffa_top_screen_key(), '\b');
		close_screen(f);
		leave_terminal(f);
	}
}

/* The text of a row as it is shown. */
static const char *row_of(struct fixture *f, int y)
{
	int n = mvwinnstr(curscr, y, 0, f->got, (int)sizeof(f->got) - 1);

	assert_true(n >= 0);
	while (n && f->got[n - 1] == ' ')
		n--;
	f->got[n] = '\0';
	return f->got;
}

static attr_t style_at(int y, int x)
{
	return mvwinch(curscr, y, x) & A_ATTRIBUTES;
}

static void expect_style(int y, attr_t text, attr_t rest)
{
	for (int x = 0; x < 20; x++)
		assert_int_equal(style_at(y, x), x < 3 ? text : rest);
}

static void test_styles(void **state)
{
	struct fixture *f = *state;
	short front, back;

	open_screen(f, "xterm");
	fffa_top_screen_draw(f->screen, "=one\n two\n \n!for\n");
	assert_string_equal(row_of(f, 0), "one");
	assert_string_equal(row_of(f, 1), "two");
	assert_string_equal(row_of(f, 2), "");
	assert_string_equal(row_of(f, 3), "for");
	assert_string_equal(row_of(f, 4), "");
	expect_style(0, A_REVERSE, A_REVERSE); /* the whole row */
	expect_style(1, A_NORMAL, A_NORMAL);
	expect_style(2, A_NORMAL, A_NORMAL);
	expect_style(3, A_BOLD | (attr_t)COLOR_PAIR(1), A_NORMAL);
	assert_int_equal(pair_content(1, &front, &back), OK);
	assert_int_equal(front, COLOR_RED);
	assert_int_equal(back, -1);	  /* what the terminal has */
	assert_int_equal(curs_set(1), 0); /* there was no cursor */
	fffa_top_screen_say(f->screen, "said");
	expect_style(5, A_NORMAL, A_NORMAL);
	close_screen(f);
	leave_terminal(f);
	open_screen(f, "vt220"); /* it has no colours */
	fffa_top_screen_draw(f->screen, "!for\n");
	expect_style(0, A_BOLD, A_NORMAL);
}

static void test_what_stood_there_before_is_gone(void **state)
{
	struct fixture *f = *state;

	open_screen(f, "xterm");
	fffa_top_screen_draw(f->screen, " longer text\n second\n");
	fffa_top_screen_draw(f->screen, " short");
	assert_string_equal(row_of(f, 0), "short");
	assert_string_equal(row_of(f, 1), "");
	fffa_top_screen_say(f->screen, "a message");
	assert_string_equal(row_of(f, 0), "short");
	assert_string_equal(row_of(f, 4), "");
	assert_string_equal(row_of(f, 5), "a message");
	fffa_top_screen_say(f->screen, "text");
	assert_string_equal(row_of(f, 5), "text");
	fffa_top_screen_say(f->screen, "a text of more than 20 columns");
	assert_string_equal(row_of(f, 5), "a text of more than"); /* the last column stays free */
	fffa_top_screen_draw(f->screen, " short");
	assert_string_equal(row_of(f, 5), "");
}

static void test_a_redraw_sends_all_again(void **state)
{
	struct fixture *f = *state;

	open_screen(f, "xterm");
	fffa_top_screen_draw(f->screen, " some text\n");
	assert_non_null(strstr(read_all(f), "some text"));
	fffa_top_screen_draw(f->screen, " some text\n");
	assert_null(strstr(read_all(f), "text"));
	fffa_top_screen_redraw();
	fffa_top_screen_draw(f->screen, " some text\n");
	assert_non_null(strstr(read_all(f), "some text"));
	fffa_top_screen_draw(f->screen, " some text\n");
	assert_null(strstr(read_all(f), "text"));
}

static void test_the_size(void **state)
{
	const struct winsize size = {.ws_row = 9, .ws_col = 33};
	struct fixture *f = *state;
	unsigned int rows, columns;

	open_screen(f, "xterm");
	fffa_top_screen_size(&rows, &columns);
	assert_int_equal(rows, 6);
	assert_int_equal(columns, 20);
	assert_int_equal(ioctl(0, TIOCSWINSZ, &size), 0);
	assert_int_equal(raise(SIGWINCH), 0);
	assert_int_equal(fffa_top_screen_key(), FFFA_TOP_KEY_RESIZED);
	fffa_top_screen_size(&rows, &columns);
	assert_int_equal(rows, 9);
	assert_int_equal(columns, 33);
	fffa_top_screen_say(f->screen, "below");
	assert_string_equal(row_of(f, 8), "below");
}

/* The text of a problem may have the path of a socket. */
static void test_letters_of_the_locale(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
	open_screen(f, "xterm");
	fffa_top_screen_say(f->screen, "caf\303\251");
	assert_non_null(strstr(read_all(f), "caf\303\251"));
}

static void test_the_terminal_is_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct termios now;

	open_screen(f, "xterm");
	fffa_top_screen_draw(f->screen, " text\n");
	assert_int_equal(tcgetattr(0, &now), 0);
	assert_int_equal(now.c_lflag & (ICANON | ECHO), 0);
	assert_int_equal(now.c_lflag & ISIG, ISIG); /* Ctrl-C is a signal */
	close_screen(f);
	assert_int_equal(tcgetattr(0, &now), 0);
	assert_int_equal(now.c_lflag, f->before.c_lflag);
	assert_int_equal(now.c_iflag, f->before.c_iflag);
	assert_int_equal(now.c_oflag, f->before.c_oflag);
	assert_non_null(strstr(read_all(f), "\033[?1049l")); /* the other screen */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_terminals_without_a_screen),
		TEST(test_no_memory),
		TEST(test_keys),
		TEST(test_backspace),
		TEST(test_styles),
		TEST(test_what_stood_there_before_is_gone),
		TEST(test_a_redraw_sends_all_again),
		TEST(test_the_size),
		TEST(test_letters_of_the_locale),
		TEST(test_the_terminal_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
