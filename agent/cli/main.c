// SPDX-License-Identifier: MIT
/* fffa COMMAND: finds the command and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/cli/commands.h"

static const struct fffa_command commands[] = {
	{"run",
	 "usage: fffa run [-c FILE]\n"
	 "Watches the configured interfaces until TERM or INT. Without -c: " FFFA_CLI_DEFAULT_CONFIG
	 " if it is there,\nelse the defaults: interfaces auto, VPC Flow Logs text on standard "
	 "output.\n"
	 "HUP reopens files, USR1 logs the ledger.\n",
	 fffa_cmd_run},
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
	 fffa_cmd_check},
	{"config",
	 "usage: fffa config [-c FILE] [--defaults]\n"
	 "Prints the effective configuration as YAML, secrets as ***. --defaults: the commented "
	 "default file.\n",
	 fffa_cmd_config},
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

static void print_usage(FILE *out)
{
	(void)fprintf(out,
		      "usage: fffa COMMAND [OPTION]...\n"
		      "Flow logs of this host in the AWS VPC Flow Logs format.\n\ncommands:\n");
	for (const struct fffa_command *c = commands; c->name; c++)
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
		print_usage(stdout);
		return FFFA_EXIT_OK;
	}
	for (const struct fffa_command *c = commands; argc > 1 && c->name; c++) {
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
	print_usage(stderr);
	return FFFA_EXIT_USAGE;
}
