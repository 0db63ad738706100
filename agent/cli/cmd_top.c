// SPDX-License-Identifier: MIT
/* fffa top */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "agent/cli/commands.h"
#include "agent/cli/http_get.h"
#include "agent/cli/top_page.h"

#define FLOWS_OFF_SCREEN 20   /* without a terminal */
#define FLOWS_ALL	 1000 /* as many as the agent gives */
#define MESSAGE_MS	 2000
#define CLEAR		 "\033[H\033[2J"

struct args {
	const char *config;
	int interval_ms;
	bool once;
	const char *sort;
	struct fffa_top_view view;
	struct fffa_filter *filter;
	char expr[FFFA_FILTER_BYTES_MAX + 1];
};

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

/* Asks the agent and prints one page. */
static int show_page(const char *listen, bool screen, struct fffa_top_view *v,
		     struct fffa_top_last *last, struct fffa_err *err)
{
	struct winsize w = {0};
	char *status = NULL, *flows = NULL, path[32];
	bool all = v->filter || v->by_packets;
	int rc;

	v->keys = screen;
	v->rows = v->columns = 0;
	if (screen && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_row > 2) {
		v->rows = w.ws_row - 1u; /* the cursor stands in the last row */
		v->columns = w.ws_col;
	}
	(void)snprintf(path, sizeof(path), "/flows?n=%u",
		       all	 ? FLOWS_ALL
		       : v->rows ? v->rows
				 : FLOWS_OFF_SCREEN);
	rc = fffa_http_get(listen, "/status", &status, err);
	if (!rc)
		rc = fffa_http_get(listen, path, &flows, err);
	if (!rc) {
		if (screen)
			(void)fputs(CLEAR, stdout);
		rc = fffa_top_page(stdout, status, flows, v, last);
		if (rc)
			(void)fffa_fail(err, -rc, "%s does not answer as an agent", listen);
	}
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

	if (!rc && fffa_filter_reads_flags(f)) {
		fffa_filter_free(f);
		rc = fffa_fail(err, EINVAL, "top does not know the TCP flags");
	}
	if (rc)
		return rc;
	fffa_filter_free(a->filter);
	a->view.filter = a->filter = f;
	(void)snprintf(a->expr, sizeof(a->expr), "%s", expr);
	a->view.expr = a->expr;
	return 0;
}

/* The line is edited by the terminal, so Ctrl-C in it ends the program, as ever. */
static void ask_filter(struct args *a)
{
	char line[FFFA_FILTER_BYTES_MAX + 1];
	struct termios raw, cooked;
	struct fffa_err err = {""};
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &raw))
		return;
	cooked = raw;
	cooked.c_lflag |= (tcflag_t)(ICANON | ECHO);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	(void)printf("\rfilter: ");
	(void)fflush(stdout);
	n = read(STDIN_FILENO, line, sizeof(line) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	if (n <= 0)
		return;
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (!set_filter(a, line, &err))
		return;
	(void)printf("%s\n", err.text);
	(void)fflush(stdout);
	(void)poll(NULL, 0, MESSAGE_MS);
}

static void take_key(struct args *a, char key)
{
	if (key == 'b' || key == 'p')
		a->view.by_packets = key == 'p';
	else if (key == '/')
		ask_filter(a);
}

/* Runs until q, Ctrl-C or TERM. Once the agent has answered, it is waited for when it is away. */
static int watch_agent(struct args *a, const char *listen, bool screen, int signals,
		       struct fffa_err *err)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = screen ? STDIN_FILENO : -1, .events = POLLIN}};
	struct fffa_top_last last = {0};
	bool seen = false;
	char key;

	for (;;) {
		int rc = show_page(listen, screen, &a->view, &last, err);

		if (rc && (!seen || rc == -EIO))
			return rc;
		if (rc)
			(void)printf("%s\n", err->text);
		(void)fflush(stdout);
		seen = true;
		if (poll(fds, 2, a->interval_ms) <= 0)
			continue;
		if (fds[0].revents)
			return 0;
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q')
			return 0;
		take_key(a, key);
	}
}

/* Has keys delivered at once and not shown; restores the terminal at the end. */
static int watch_screen(struct args *a, const char *listen, struct fffa_err *err)
{
	bool screen = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct termios before, raw;
	sigset_t set;
	int signals, rc;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return fffa_fail(err, errno, "cannot watch signals: %s", strerror(errno));
	if (screen && tcgetattr(STDIN_FILENO, &before))
		screen = false;
	if (screen) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	rc = watch_agent(a, listen, screen, signals, err);
	if (screen)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	(void)close(signals);
	return rc;
}

enum fffa_exit fffa_cmd_top(const struct fffa_command *self, int argc, char **argv)
{
	const char *expr = "";
	struct args a = {.interval_ms = 1000, .view = {.expr = ""}};
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &a.config},
			    {.name = "interval",
			     .letter = 'i',
			     .take = take_interval,
			     .arg = &a.interval_ms},
			    {.name = "sort", .letter = 's', .text = &a.sort},
			    {.name = "filter", .text = &expr},
			    {.name = "once", .flag = &a.once}}};
	enum fffa_exit code;
	struct fffa_top_last last = {0};
	struct fffa_err err = {""};
	struct fffa_config conf;
	int rc;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	if (a.sort && strcmp(a.sort, "bytes") && strcmp(a.sort, "packets"))
		return fffa_cli_usage(self, "--sort %s: must be bytes or packets", a.sort);
	a.view.by_packets = a.sort && !strcmp(a.sort, "packets");
	if (set_filter(&a, expr, &err))
		return fffa_cli_usage(self, "--filter: %s", err.text);
	code = fffa_cli_load(a.config, &conf, stderr);
	if (code) {
		fffa_filter_free(a.filter);
		return code;
	}
	if (!conf.status.listen || !*conf.status.listen)
		rc = fffa_fail(&err, ENOTCONN, "status.listen is empty: the agent does not listen");
	else if (a.once)
		rc = show_page(conf.status.listen, false, &a.view, &last, &err);
	else
		rc = watch_screen(&a, conf.status.listen, &err);
	if (rc)
		(void)fprintf(stderr, "fffa top: %s\n", err.text);
	fffa_filter_free(a.filter);
	fffa_config_free(&conf);
	return rc ? FFFA_EXIT_FAILED : FFFA_EXIT_OK;
}
