// SPDX-License-Identifier: MIT
/* fffa top */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/base/percent.h"
#include "agent/cli/commands.h"
#include "agent/cli/http_get.h"
#include "agent/cli/top/top_page.h"
#include "agent/cli/top/top_screen.h"
#include "agent/filter/filter.h"

#define FLOWS_OFF_SCREEN 20   /* without a terminal */
#define FLOWS_ALL	 1000 /* as many as the agent gives */
#define PATH_BYTES	 (64 + 3 * FFFA_FILTER_BYTES_MAX)

struct args {
	const char *config;
	int interval_ms;
	bool once;
	const char *sort;
	struct fffa_top_view view;
	char expr[FFFA_FILTER_BYTES_MAX + 1];
	struct fffa_top_screen *screen; /* NULL: no terminal */
	const char *message;		/* for the last row until the next key; "": none */
	struct fffa_err err;		/* of the message */
};

static const char *const sorts[] = {"bytes", "packets", "rate", "age"};

static enum fffa_exit take_interval(const struct fffa_command *self, const char *text, void *arg)
{
	int *interval_ms = arg;
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s >= 0.1 && s <= 3600))
		return fffa_cli_usage(self, "--interval %s: 0.1 to 3600 seconds", text);
	*interval_ms = (int)(s * 1000);
	return FFFA_EXIT_OK;
}

/* What to ask for: of all flows those that the filter wants, the largest first. */
static void write_path(const struct fffa_top_view *v, char path[PATH_BYTES])
{
	bool all = v->screen || *v->expr || v->sort != FFFA_TOP_BY_BYTES;
	int n = snprintf(path, PATH_BYTES,
			 "/flows?n=%d&sort=%s&filter=", all ? FLOWS_ALL : FLOWS_OFF_SCREEN,
			 v->sort == FFFA_TOP_BY_PACKETS ? "packets" : "bytes");

	if (fffa_percent_encode(path + n, PATH_BYTES - (size_t)n, v->expr, strlen(v->expr)))
		path[n] = '\0';
}

static int ask_agent(const char *listen, const struct fffa_top_view *v, char **status, char **flows,
		     struct fffa_err *err)
{
	char path[PATH_BYTES];
	int rc = fffa_http_get(listen, "/status", status, err);

	write_path(v, path);
	return rc ? rc : fffa_http_get(listen, path, flows, err);
}

/* Keeps the scrolling within the pane; one that got shorter is written again. */
static bool is_scrolled_past_end(struct fffa_top_view *v, const struct fffa_top_last *last)
{
	if (!v->screen || v->scroll < last->pane_lines || !v->scroll)
		return false;
	v->scroll = last->pane_lines ? last->pane_lines - 1 : 0;
	return true;
}

static void draw_page(struct args *a, const char *text)
{
	if (!a->screen) {
		(void)fputs(text, stdout);
		return;
	}
	fffa_top_screen_draw(a->screen, text);
	if (*a->message)
		fffa_top_screen_say(a->screen, a->message);
}

/* Asks the agent and shows one page. */
static int show_page(struct args *a, const char *listen, struct fffa_top_last *last,
		     struct fffa_err *err)
{
	char *status = NULL, *flows = NULL, *text = NULL;
	struct fffa_top_view *v = &a->view;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int rc = out ? ask_agent(listen, v, &status, &flows, err) : -ENOMEM;

	if (a->screen)
		fffa_top_screen_size(&v->rows, &v->columns);
	if (!rc) {
		rc = fffa_top_page(out, status, flows, v, last);
		if (rc)
			(void)fffa_fail(err, -rc, "%s does not answer as an agent", listen);
		if (!rc && is_scrolled_past_end(v, last)) {
			rewind(out);
			(void)fffa_top_page(out, status, flows, v, last);
		}
	}
	if (out && !fclose(out) && !rc)
		draw_page(a, text);
	free(text);
	free(status);
	free(flows);
	if (!rc && fflush(stdout))
		rc = fffa_fail(err, EIO, "cannot write to standard output");
	return rc;
}

static int set_filter(struct args *a, const char *expr, struct fffa_err *err)
{
	struct fffa_filter *f = NULL;
	int rc = fffa_filter_new(expr, &f, err);

	if (rc)
		return rc;
	fffa_filter_free(f); /* the agent filters; this told what is wrong */
	(void)snprintf(a->expr, sizeof(a->expr), "%s", expr);
	a->view.expr = a->expr;
	return 0;
}

/* Waits for a key; -1: a signal asks for the end. */
static int await_key(int signals)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN}};
	int key;

	while ((key = fffa_top_screen_key()) == FFFA_TOP_KEY_NONE) {
		(void)poll(fds, 2, -1);
		if (fds[0].revents || fds[1].revents & (POLLHUP | POLLERR))
			return -1;
	}
	return key;
}

/* Shows the line in the last row; of one that is too long its end, where it grows. */
static void say_line(const struct args *a, const char *line)
{
	char text[FFFA_FILTER_BYTES_MAX + 32];
	unsigned int rows, columns;
	size_t n = strlen(line), around = strlen("filter: _"), room;

	fffa_top_screen_size(&rows, &columns);
	room = columns > around + 1 ? columns - around - 1 : 0; /* the last column stays free */
	if (n <= room)
		(void)snprintf(text, sizeof(text), "filter: %s_", line);
	else
		(void)snprintf(text, sizeof(text), "filter:~%s_", line + n - room);
	fffa_top_screen_say(a->screen, text);
}

/* Edits one line in the last row. True: it was ended by Enter; false: it was given up. */
static bool edit_line(struct args *a, int signals, char line[FFFA_FILTER_BYTES_MAX + 1])
{
	size_t n = strlen(line);
	int key;

	for (;;) {
		say_line(a, line);
		key = await_key(signals);
		if (key == '\r' || key == '\n')
			return true;
		if (key < 0 || key == '\033')
			return false;
		if ((key == '\b' || key == 127) && n)
			line[--n] = '\0';
		else if (key == 'U' - '@')
			line[n = 0] = '\0';
		else if (key >= ' ' && key <= '~' && n < FFFA_FILTER_BYTES_MAX) {
			line[n++] = (char)key;
			line[n] = '\0';
		}
	}
}

static void ask_filter(struct args *a, int signals)
{
	char line[FFFA_FILTER_BYTES_MAX + 1];

	(void)snprintf(line, sizeof(line), "%s", a->expr);
	if (!edit_line(a, signals, line))
		return;
	a->message = set_filter(a, line, &a->err) ? a->err.text : "";
}

static void scroll_pane(struct fffa_top_view *v, int key)
{
	unsigned int step = v->rows > 8 ? v->rows - 8 : 1;

	if (key == FFFA_TOP_KEY_UP)
		v->scroll -= v->scroll > 0;
	else if (key == FFFA_TOP_KEY_DOWN)
		v->scroll++;
	else if (key == FFFA_TOP_KEY_PAGE_UP)
		v->scroll -= v->scroll < step ? v->scroll : step;
	else if (key == FFFA_TOP_KEY_PAGE_DOWN)
		v->scroll += step;
	else if (key == FFFA_TOP_KEY_HOME)
		v->scroll = 0;
}

static void change_pane(struct fffa_top_view *v, unsigned int pane)
{
	v->pane = (enum fffa_top_pane)pane;
	v->scroll = 0;
}

static void take_key(struct args *a, int key, int signals)
{
	static const char sort_keys[] = "bpra";
	const char *sort = key > 0 && key < 256 ? strchr(sort_keys, key) : NULL;
	struct fffa_top_view *v = &a->view;

	a->message = "";
	if (sort) {
		v->sort = (enum fffa_top_sort)(sort - sort_keys);
		change_pane(v, FFFA_TOP_FLOWS);
	} else if (key >= '1' && key <= '4') {
		change_pane(v, (unsigned int)(key - '1'));
	} else if (key == '\t') {
		change_pane(v, v->pane < FFFA_TOP_LOSSES ? v->pane + 1U : FFFA_TOP_FLOWS);
	} else if (key == '?' || key == 'h') {
		change_pane(v, FFFA_TOP_HELP);
	} else if (key == '/') {
		change_pane(v, FFFA_TOP_FLOWS);
		ask_filter(a, signals);
	} else if (key == 'n') {
		v->numeric = !v->numeric;
	} else if (key == 'L' - '@') {
		fffa_top_screen_redraw();
	} else {
		scroll_pane(v, key);
	}
}

/* Takes all keys that are there. False: the end is asked for. */
static bool take_keys(struct args *a, int signals)
{
	int key;

	if (!a->screen)
		return true;
	while ((key = fffa_top_screen_key()) != FFFA_TOP_KEY_NONE) {
		if (key == 'q')
			return false;
		take_key(a, key, signals);
	}
	return true;
}

/* Runs until q, Ctrl-C or TERM. Once the agent has answered, it is waited for when it is away. */
static int watch_agent(struct args *a, const char *listen, int signals, struct fffa_err *err)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = a->screen ? STDIN_FILENO : -1, .events = POLLIN}};
	struct fffa_top_last last = {.flows = NULL};
	bool seen = false;
	int rc;

	for (;;) {
		rc = show_page(a, listen, &last, err);
		if (rc && (!seen || rc == -EIO))
			break;
		if (rc && a->screen)
			fffa_top_screen_say(a->screen, err->text);
		else if (rc)
			(void)printf("%s\n", err->text);
		(void)fflush(stdout);
		seen = true;
		rc = 0;
		(void)poll(fds, 2, a->interval_ms);
		if (fds[0].revents || (fds[1].revents & (POLLHUP | POLLERR)) ||
		    !take_keys(a, signals))
			break;
	}
	fffa_top_page_forget(&last);
	return rc;
}

/* Uses the whole terminal where there is one that has a screen. */
static int watch_screen(struct args *a, const char *listen, struct fffa_err *err)
{
	sigset_t set;
	int signals, rc;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return fffa_fail(err, errno, "cannot watch signals: %s", strerror(errno));
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		a->screen = fffa_top_screen_open();
	a->view.screen = a->screen != NULL;
	rc = watch_agent(a, listen, signals, err);
	if (a->screen)
		fffa_top_screen_close(a->screen);
	(void)close(signals);
	return rc;
}

static int show_once(struct args *a, const char *listen, struct fffa_err *err)
{
	struct fffa_top_last last = {.flows = NULL};
	int rc = show_page(a, listen, &last, err);

	fffa_top_page_forget(&last);
	return rc;
}

static bool find_sort(const char *name, enum fffa_top_sort *sort)
{
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		if (!strcmp(name, sorts[i])) {
			*sort = (enum fffa_top_sort)i;
			return true;
		}
	}
	return false;
}

enum fffa_exit fffa_cmd_top(const struct fffa_command *self, int argc, char **argv)
{
	const char *expr = "";
	struct args a = {.interval_ms = 1000, .sort = "bytes", .message = "", .view = {.expr = ""}};
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &a.config},
			    {.name = "interval",
			     .letter = 'i',
			     .take = take_interval,
			     .arg = &a.interval_ms},
			    {.name = "sort", .letter = 's', .text = &a.sort},
			    {.name = "filter", .text = &expr},
			    {.name = "numeric", .letter = 'n', .flag = &a.view.numeric},
			    {.name = "once", .flag = &a.once}}};
	enum fffa_exit code;
	struct fffa_err err = {""};
	struct fffa_config conf;
	int rc;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	if (!find_sort(a.sort, &a.view.sort))
		return fffa_cli_usage(self, "--sort %s: must be bytes, packets, rate or age",
				      a.sort);
	if (set_filter(&a, expr, &err))
		return fffa_cli_usage(self, "--filter: %s", err.text);
	code = fffa_cli_load(a.config, &conf, stderr);
	if (code)
		return code;
	if (!conf.status.listen || !*conf.status.listen)
		rc = fffa_fail(&err, ENOTCONN, "status.listen is empty: the agent does not listen");
	else if (a.once)
		rc = show_once(&a, conf.status.listen, &err);
	else
		rc = watch_screen(&a, conf.status.listen, &err);
	if (rc)
		(void)fprintf(stderr, "fffa top: %s\n", err.text);
	fffa_config_free(&conf);
	return rc ? FFFA_EXIT_FAILED : FFFA_EXIT_OK;
}
