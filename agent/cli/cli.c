// SPDX-License-Identifier: MIT
#include "agent/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/daemon/registry.h"
#include "agent/enrich/meta.h"
#include "agent/daemon/source/source.h"
#include "agent/enrich/networks/networks.h"
#include "agent/service/privileges.h"
#include "agent/service/user.h"

/* More is too large for a configuration. */
#define FFFA_CLI_STDIN_BYTES_MAX (2 << 20)

/* getopt_long returns ROW_BASE + the row for a long option, above every letter. */
#define ROW_BASE 256
#define HELP_ROW FFFA_CLI_OPTIONS_MAX

/* A syntax in the form that getopt_long takes. */
struct getopt_rows {
	struct option longs[FFFA_CLI_OPTIONS_MAX + 2];
	char shorts[2 * (FFFA_CLI_OPTIONS_MAX + 1) + 2];
	size_t n;
	size_t shorts_len;
};

enum fffa_exit fffa_cli_usage(const struct fffa_command *self, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "fffa %s: ", self->name);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n%s", self->help);
	return FFFA_EXIT_USAGE;
}

static void add_row(struct getopt_rows *g, const char *name, char letter, bool has_value, int row)
{
	g->longs[g->n++] = (struct option){name, has_value ? required_argument : no_argument, NULL,
					   ROW_BASE + row};
	if (!letter)
		return;
	g->shorts[g->shorts_len++] = letter;
	if (has_value)
		g->shorts[g->shorts_len++] = ':';
}

static void fill_rows(struct getopt_rows *g, const struct fffa_cli_syntax *syntax)
{
	const struct fffa_cli_option *o = syntax->options;

	*g = (struct getopt_rows){.shorts = ":", .shorts_len = 1};
	for (int row = 0; o[row].name; row++)
		add_row(g, o[row].name, o[row].letter, !o[row].flag, row);
	add_row(g, "help", 'h', false, HELP_ROW);
}

/* The row that getopt_long's answer stands for; NULL: --help. */
static const struct fffa_cli_option *find_row(const struct fffa_cli_syntax *syntax, int answer)
{
	const struct fffa_cli_option *o = syntax->options;

	if (answer == 'h' || answer == ROW_BASE + HELP_ROW)
		return NULL;
	if (answer >= ROW_BASE)
		return &o[answer - ROW_BASE];
	while (o->letter != answer)
		o++;
	return o;
}

static enum fffa_exit take_option(const struct fffa_command *self, const struct fffa_cli_option *o)
{
	if (o->take)
		return o->take(self, optarg, o->arg);
	if (o->text)
		*o->text = optarg;
	else
		*o->flag = true;
	return FFFA_EXIT_OK;
}

static enum fffa_exit check_operands(const struct fffa_command *self, int argc, char **argv,
				     const struct fffa_cli_syntax *syntax, bool help)
{
	int allowed = syntax->operand ? 1 : 0;

	if (argc - optind > allowed && !syntax->many)
		return fffa_cli_usage(self, "unexpected argument %s", argv[optind + allowed]);
	if (syntax->operand && !syntax->optional && optind == argc && !help)
		return fffa_cli_usage(self, "no %s", syntax->operand);
	return FFFA_EXIT_OK;
}

int fffa_cli_parse(const struct fffa_command *self, int argc, char **argv,
		   const struct fffa_cli_syntax *syntax, enum fffa_exit *code)
{
	struct getopt_rows g;
	bool help = false;
	int answer;

	fill_rows(&g, syntax);
	*code = FFFA_EXIT_OK;
	opterr = 0;
	while (!*code && (answer = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1) {
		const struct fffa_cli_option *o;

		if (answer == ':' || answer == '?') {
			*code = fffa_cli_usage(
				self, answer == ':' ? "%s needs a value" : "unknown option %s",
				argv[optind - 1]);
			return 0;
		}
		o = find_row(syntax, answer);
		if (o)
			*code = take_option(self, o);
		else
			help = true;
	}
	if (!*code)
		*code = check_operands(self, argc, argv, syntax, help);
	if (*code || !help)
		return *code ? 0 : optind;
	(void)fputs(self->help, stdout);
	return 0;
}

const char *fffa_cli_config_path(const char *given)
{
	return given || access(FFFA_CLI_DEFAULT_CONFIG, F_OK) ? given : FFFA_CLI_DEFAULT_CONFIG;
}

const char *fffa_cli_config_name(const char *path)
{
	return fffa_config_is_stdin(path) ? "standard input" : path ? path : "built-in defaults";
}

void fffa_cli_print_problem(void *file, const char *line)
{
	(void)fprintf(file, "%s\n", line);
}

static enum fffa_exit load_from(const char *path, const struct fffa_sink_schema *rows,
				struct fffa_config *out, fffa_problem_fn problem, void *arg)
{
	if (fffa_config_load(path, rows, out, problem, arg))
		return FFFA_EXIT_CONFIG;
	fffa_log_setup((enum fffa_log_level)out->log_level, (enum fffa_log_format)out->log_format);
	return FFFA_EXIT_OK;
}

enum fffa_exit fffa_cli_load(const char *given, struct fffa_config *out, FILE *problems)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];

	fffa_registry_schema(rows);
	return load_from(fffa_cli_config_path(given), rows, out, fffa_cli_print_problem, problems);
}

static void ignore_problem(void *arg, const char *line)
{
	(void)arg;
	(void)line; /* the next load reports it */
}

static void print_finding(const char *given, const char *what, fffa_problem_fn problem, void *arg)
{
	char line[4096];

	(void)snprintf(line, sizeof(line), "%s: %s",
		       fffa_cli_config_name(fffa_cli_config_path(given)), what);
	problem(arg, line);
}

/* Moves standard input into memory, from where each load reads it anew. */
static int move_stdin(void)
{
	int fd = memfd_create("configuration", MFD_CLOEXEC), rc;
	struct iovec v = {NULL, 0};
	char *text;

	if (fd < 0)
		return -errno;
	rc = fffa_io_read_all(STDIN_FILENO, FFFA_CLI_STDIN_BYTES_MAX, &text, &v.iov_len);
	if (!rc) {
		v.iov_base = text;
		rc = fffa_io_write_all(fd, &v, 1, FFFA_IO_APPEND, NULL);
		free(text);
	}
	if (!rc && (dup2(fd, STDIN_FILENO) < 0 || lseek(STDIN_FILENO, 0, SEEK_SET) < 0))
		rc = -errno;
	(void)close(fd);
	return rc;
}

/* What was read of it and is not held would be missing in the load, so that is a problem of its own. */
static enum fffa_exit hold_stdin(const char *path, fffa_problem_fn problem, void *arg)
{
	int rc = fffa_config_is_stdin(path) ? move_stdin() : 0;
	char what[128];

	if (!rc)
		return FFFA_EXIT_OK;
	(void)snprintf(what, sizeof(what), "cannot be read: %s", fffa_io_strerror(rc));
	print_finding(path, what, problem, arg);
	return FFFA_EXIT_CONFIG;
}

static enum fffa_exit become_user(const char *path, const char *name, const char *severity,
				  fffa_problem_fn problem, void *arg)
{
	struct fffa_err err = {""};
	struct fffa_user user;
	bool unknown = fffa_user_find(name, &user, &err) != 0;
	char line[sizeof(err.text) + 512];

	if (!unknown && (fffa_user_is(&user) || !fffa_user_become(&user, &err)))
		return FFFA_EXIT_OK;
	(void)snprintf(line, sizeof(line), "%.400s: %suser: %s", path ? path : "environment",
		       unknown ? "" : severity, err.text);
	problem(arg, line);
	return unknown ? FFFA_EXIT_CONFIG : FFFA_EXIT_PRIVILEGE;
}

enum fffa_exit fffa_cli_become_user(const char *given, const char *severity,
				    fffa_problem_fn problem, void *arg)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];
	const char *path = fffa_cli_config_path(given);
	enum fffa_exit code;
	struct fffa_config conf;

	fffa_privileges_raise();
	fffa_registry_schema(rows);
	code = hold_stdin(path, problem, arg);
	if (code)
		return code;
	if (!fffa_config_load(path, rows, &conf, ignore_problem, NULL)) {
		if (conf.user && *conf.user)
			code = become_user(path, conf.user, severity, problem, arg);
		fffa_config_free(&conf);
	}
	if (fffa_config_is_stdin(path))
		(void)lseek(STDIN_FILENO, 0, SEEK_SET);
	return code;
}

enum fffa_exit fffa_cli_load_to_start(const char *given, struct fffa_config *out,
				      fffa_problem_fn problem, void *arg)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];

	fffa_registry_schema_probing(rows);
	return load_from(fffa_cli_config_path(given), rows, out, problem, arg);
}

enum fffa_exit fffa_cli_check_host(const char *given, const struct fffa_config *conf,
				   fffa_problem_fn problem, void *arg)
{
	const char *path = conf->metadata.networks;
	enum fffa_exit code = FFFA_EXIT_OK;
	struct fffa_err err = {""};
	char what[3072];
	size_t n;

	if (path && *path && fffa_networks_check(path, &n, &err) != 0) {
		(void)snprintf(what, sizeof(what), "metadata.networks: %s: %s", path, err.text);
		print_finding(given, what, problem, arg);
		code = FFFA_EXIT_CONFIG;
	}
	if (fffa_meta_check(&conf->metadata, &err)) {
		print_finding(given, err.text, problem, arg);
		code = FFFA_EXIT_CONFIG;
	}
	if (fffa_source_live_check(conf, &err) != 0) {
		print_finding(given, err.text, problem, arg);
		code = FFFA_EXIT_CONFIG;
	}
	return code;
}

enum fffa_exit fffa_cli_load_file(const char *path, struct fffa_config *out, FILE *problems)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];

	fffa_registry_schema_probing(rows);
	return load_from(path, rows, out, fffa_cli_print_problem, problems);
}

enum fffa_exit fffa_cli_load_text(const char *name, const char *text, struct fffa_config *out,
				  FILE *problems)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];

	fffa_registry_schema(rows);
	return fffa_config_load_text(name, text, strlen(text), rows, out, fffa_cli_print_problem,
				     problems)
		       ? FFFA_EXIT_CONFIG
		       : FFFA_EXIT_OK;
}
