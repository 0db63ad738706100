// SPDX-License-Identifier: MIT
/* fffa COMMAND: finds the command and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/capture/host.h"
#include "agent/cli/cli.h"
#include "agent/daemon/schema.h"
#include "agent/enrich/services/ip_ranges.h"

#define DEFAULT_CONFIG "/etc/fffa/fffa.yaml"

static void print_problem(void *arg, const char *line)
{
	(void)fprintf(arg, "%s\n", line);
}

enum fffa_exit fffa_cli_usage(const struct fffa_command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "fffa %s: ", c->name);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n%s", c->help);
	return FFFA_EXIT_USAGE;
}

const char *fffa_cli_config_path(const char *given)
{
	return given || access(DEFAULT_CONFIG, F_OK) ? given : DEFAULT_CONFIG;
}

enum fffa_exit fffa_cli_load(const char *path, struct fffa_config *out, FILE *problems)
{
	struct fffa_sink_schema rows[FFFA_SCHEMA_ROWS];

	path = fffa_cli_config_path(path);
	fffa_schema_fill(rows);
	if (fffa_config_load(path, rows, out, print_problem, problems))
		return FFFA_EXIT_CONFIG;
	fffa_log_setup((enum fffa_log_level)out->log_level, (enum fffa_log_format)out->log_format);
	return FFFA_EXIT_OK;
}

/* What run, check and config share: -c FILE, --help and for config --defaults. */
struct common_args {
	const char *config;
	bool defaults;
	bool help;
};

static enum fffa_exit parse_common(const struct fffa_command *self, int argc, char **argv,
				   struct common_args *out)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"defaults", no_argument, NULL, 'd'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	int ch;

	opterr = 0;
	while ((ch = getopt_long(argc, argv, ":c:h", longs, NULL)) != -1) {
		if (ch == 'c')
			out->config = optarg;
		else if (ch == 'h')
			out->help = true;
		else if (ch == 'd' && !strcmp(self->name, "config"))
			out->defaults = true;
		else
			return fffa_cli_usage(self,
					      ch == ':' ? "%s needs a value" : "unknown option %s",
					      argv[optind - 1]);
	}
	if (optind < argc)
		return fffa_cli_usage(self, "unexpected argument %s", argv[optind]);
	if (out->help)
		(void)fputs(self->help, stdout);
	return FFFA_EXIT_OK;
}

static enum fffa_exit cmd_run(const struct fffa_command *self, int argc, char **argv)
{
	struct common_args args = {0};
	enum fffa_exit code = parse_common(self, argc, argv, &args);
	struct fffa_config conf;

	if (code || args.help)
		return code;
	code = fffa_cli_load(args.config, &conf, stderr);
	if (code)
		return code;
	code = fffa_agent_run(&conf, fffa_cli_config_path(args.config));
	fffa_config_free(&conf);
	return code;
}

/* No problem of the configuration: the file may come later, and the agent looks again. */
static void report_ip_ranges(const char *path)
{
	struct fffa_ip_ranges_facts facts;
	struct fffa_err err;

	if (!path || !*path)
		return;
	if (fffa_ip_ranges_check(path, &facts, &err) != 0)
		(void)printf("ip ranges: %s: of no use as it is: %s\n", path, err.text);
	else
		(void)printf("ip ranges: %s: prefixes=%zu created=%s not prefixes=%zu\n", path,
			     facts.prefixes, facts.created[0] ? facts.created : "-",
			     facts.rejected);
}

static enum fffa_exit cmd_check(const struct fffa_command *self, int argc, char **argv)
{
	struct common_args args = {0};
	enum fffa_exit code = parse_common(self, argc, argv, &args);
	struct fffa_config conf;

	if (code || args.help)
		return code;
	code = fffa_cli_load(args.config, &conf, stdout);
	if (!code) {
		(void)printf("configuration: ok\n");
		report_ip_ranges(conf.metadata.ip_ranges);
		fffa_config_free(&conf);
	}
	fffa_host_report(stdout);
	return code;
}

static enum fffa_exit cmd_config(const struct fffa_command *self, int argc, char **argv)
{
	struct fffa_sink_schema rows[FFFA_SCHEMA_ROWS];
	struct common_args args = {0};
	enum fffa_exit code = parse_common(self, argc, argv, &args);
	struct fffa_config conf;
	int r;

	if (code || args.help)
		return code;
	fffa_schema_fill(rows);
	if (args.defaults) {
		r = fffa_config_print_defaults(rows, stdout);
	} else {
		code = fffa_cli_load(args.config, &conf, stderr);
		if (code)
			return code;
		r = fffa_config_print(&conf, rows, stdout);
		fffa_config_free(&conf);
	}
	if (r)
		(void)fprintf(stderr, "fffa: cannot write to standard output: %s\n", strerror(-r));
	return r ? FFFA_EXIT_FAILED : FFFA_EXIT_OK;
}

const struct fffa_command fffa_commands[] = {
	{"run",
	 "usage: fffa run [-c FILE]\n"
	 "Watches the configured interfaces until TERM or INT. Without -c: " DEFAULT_CONFIG
	 " if it is there,\nelse the defaults: interfaces auto, VPC Flow Logs text on standard "
	 "output.\n"
	 "HUP reopens files, USR1 logs the ledger.\n",
	 cmd_run},
	{"replay",
	 "usage: fffa replay [-c FILE] [--speed max|N] [--local CIDR]... PCAP...\n"
	 "Sends pcap and pcapng files (- is standard input) through the same parser and pipeline, "
	 "with the\n"
	 "captures' own time. --speed: N times real time, default max. --local: packets with a "
	 "source in CIDR\n"
	 "are egress, all others ingress. Needs no privileges.\n",
	 fffa_cmd_replay},
	{"check",
	 "usage: fffa check [-c FILE]\n"
	 "Prints every problem of the configuration as FILE:LINE: key: problem, and what this host "
	 "can do.\n",
	 cmd_check},
	{"config",
	 "usage: fffa config [-c FILE] [--defaults]\n"
	 "Prints the effective configuration as YAML, secrets as ***. --defaults: the commented "
	 "default file.\n",
	 cmd_config},
	{"spool",
	 "usage: fffa spool [--cat] DIR\n"
	 "Lists what the spool of a sink holds (DIR is spool_dir/NAME). --cat: writes the records "
	 "that "
	 "wait,\nas they would be sent. Changes nothing.\n",
	 fffa_cmd_spool},
	{"fields", "usage: fffa fields\nLists every record field: name, type, encodings, source.\n",
	 fffa_cmd_fields},
	{"top",
	 "usage: fffa top [-c FILE] [--interval SECONDS] [--once]\n"
	 "Shows a running agent's largest flows, rates, sinks and losses, asked at the "
	 "status.listen "
	 "of the\nconfiguration. q or Ctrl-C ends it. --once: one look, without a terminal.\n",
	 fffa_cmd_top},
	{"version", "usage: fffa version\nPrints the version, the features and the libraries.\n",
	 fffa_cmd_version},
	{NULL, NULL, NULL},
};

static void usage(FILE *out)
{
	(void)fprintf(out,
		      "usage: fffa COMMAND [OPTION]...\n"
		      "Flow logs of this host in the AWS VPC Flow Logs format.\n\ncommands:\n");
	for (const struct fffa_command *c = fffa_commands; c->name; c++)
		(void)fprintf(out, "  %s\n", c->name);
	(void)fprintf(out, "fffa COMMAND --help says more.\n");
}

/*
 * Where 0, 1 or 2 is closed, the next file opened would take its place, and what is logged or
 * printed would go there. Held with the wrong mode: using one fails as if it were closed.
 */
static void hold_closed(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	hold_closed();
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return FFFA_EXIT_OK;
	}
	for (const struct fffa_command *c = fffa_commands; argc > 1 && c->name; c++) {
		enum fffa_exit code;

		if (strcmp(c->name, argv[1]) &&
		    !(c->run == fffa_cmd_version && !strcmp(argv[1], "--version")))
			continue;
		code = c->run(c, argc - 1, argv + 1);
		if (fflush(stdout) && code == FFFA_EXIT_OK) {
			(void)fprintf(stderr, "fffa: cannot write to standard output: %s\n",
				      strerror(errno));
			code = FFFA_EXIT_FAILED;
		}
		return code;
	}
	if (argc > 1)
		(void)fprintf(stderr, "fffa: unknown command %s\n", argv[1]);
	usage(stderr);
	return FFFA_EXIT_USAGE;
}
