// SPDX-License-Identifier: MIT
/* fffa COMMAND: finds the command and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/cli/commands.h"
#ifdef FFFA_PORTABLE
#include "agent/service/ca_bundle.h"
#endif

static const struct fffa_command commands[] = {
	{"run", "captures and sends records, until TERM or INT",
	 "usage: fffa run [-c FILE]\n"
	 "Sends records of the flows on the configured interfaces, until TERM or INT.\n"
	 "  -c FILE  the configuration; - is standard input. Default: " FFFA_CLI_DEFAULT_CONFIG "\n"
	 "           if it exists, else interfaces auto and VPC Flow Logs text on standard output\n"
	 "HUP reads the configuration again, takes over what needs no restart and names the rest,\n"
	 "and reopens files. USR1 logs the ledger.\n",
	 fffa_cmd_run},
	{"replay", "makes records of pcap and pcapng files",
	 "usage: fffa replay [-c FILE] [--format F] [--fields LIST] [--output FILE]\n"
	 "                   [--filter EXPR] [--speed max|N] [--local CIDR]... PCAP...\n"
	 "Sends records of the flows in pcap and pcapng files (also .gz, .zst), with the "
	 "captures'\n"
	 "own time and direction. PCAP - is standard input. Needs no privileges.\n"
	 "  -c FILE        the configuration; default: VPC Flow Logs text on standard output,\n"
	 "                 whatever file the host has for fffa run\n"
	 "  --format F     vpc, flowlog, json, msgpack, ocsf or ecs, instead of the sinks\n"
	 "  --fields LIST  its fields, with commas between; vpc also: default, v5, all\n"
	 "  --output FILE  where to; default: -, standard output\n"
	 "  --filter EXPR  only flows that EXPR, a pcap-filter(7), wants: \"tcp port 443\"\n"
	 "  --speed N      N times real time; max, the default: as fast as possible\n"
	 "  --local CIDR   packets with a source in CIDR are egress, all others are ingress\n",
	 fffa_cmd_replay},
	{"check", "finds problems of a configuration, and what this host can do",
	 "usage: fffa check [-c FILE] [--json]\n"
	 "Prints every problem of the configuration as FILE:LINE: key: problem. Without a\n"
	 "problem, prints what this host supports.\n"
	 "  -c FILE  the configuration, as for fffa run\n"
	 "  --json   prints the same as JSON\n",
	 fffa_cmd_check},
	{"config", "prints the effective configuration, or the default file",
	 "usage: fffa config [-c FILE] [--defaults|--schema|--man]\n"
	 "Prints the effective configuration as YAML, with secrets as ***.\n"
	 "  -c FILE     the configuration, as for fffa run\n"
	 "  --defaults  prints the default file with its comments instead\n"
	 "  --schema    prints the JSON Schema of the file instead, for editors\n"
	 "  --man       prints the manual page fffa.yaml(5) instead\n",
	 fffa_cmd_config},
	{"spool", "lists what waits on the disk for a sink",
	 "usage: fffa spool [--cat] DIR\n"
	 "Lists what the spool of a sink holds. DIR is spool_dir/NAME. Changes nothing.\n"
	 "  --cat  writes the waiting records instead, as they would be sent\n",
	 fffa_cmd_spool},
	{"fields", "lists every field of a record",
	 "usage: fffa fields\n"
	 "Lists every record field: name, type, version of AWS's format, encodings, source.\n",
	 fffa_cmd_fields},
	{"tail", "shows the records of a running agent as they leave",
	 "usage: fffa tail [-c FILE] [-o text|json] [-n] [-f FIELD=GLOB]... [EXPR...]\n"
	 "Shows the records of a running agent as they leave, one a line: time, direction, ends,\n"
	 "protocol, packets, bytes, TCP flags. EXPR is a pcap-filter(7): tcp port 443.\n"
	 "  -c FILE              the configuration, whose status.listen is asked\n"
	 "  -o, --output FORMAT  text, the default, or json\n"
	 "  -f, --field F=GLOB   only records whose field F is like GLOB, as ifname=eth*; several\n"
	 "                       must all be so\n"
	 "  -n, --numeric        ports as numbers, not as IANA's names of services\n"
	 "What a slow reader misses is counted in its own stream and lost by nobody else.\n",
	 fffa_cmd_tail},
	{"top", "shows flows, sinks and losses of a running agent",
	 "usage: fffa top [-c FILE] [--interval SECONDS] [--sort bytes|packets|rate|age]\n"
	 "                [--filter EXPR] [-n] [--once]\n"
	 "Shows the largest flows, rates, sinks and losses of a running agent. It asks the agent\n"
	 "at the status.listen of the configuration. Keys: 1 to 4 and Tab change the pane (flows,\n"
	 "sinks, interfaces, losses), b p r a sort by bytes, packets, rate, age, / filters, "
	 "arrows\n"
	 "scroll, ? shows all keys, q or Ctrl-C ends it. It is whole at 80 columns and 24 rows.\n"
	 "  -c FILE             the configuration, as for fffa run\n"
	 "  --interval SECONDS  time between two updates, 0.1 to 3600; default 1\n"
	 "  --sort KEY          bytes, the default, packets, rate or age\n"
	 "  --filter EXPR       only flows that EXPR, a pcap-filter(7), wants\n"
	 "  -n, --numeric       ports as numbers, not as IANA's names of services\n"
	 "  --once              prints once and ends; needs no terminal\n",
	 fffa_cmd_top},
	{"health", "asks a running agent whether it is ready",
	 "usage: fffa health [-c FILE]\n"
	 "Asks the agent at the status.listen of the configuration whether it is ready: every\n"
	 "hook is in its place and no wrong setting stops a sink. Prints the reason if not.\n"
	 "Ends with 0 when it is ready, else with 1; for containers and scripts.\n"
	 "  -c FILE  the configuration, as for fffa run\n",
	 fffa_cmd_health},
	{"version", "prints the version and all libraries",
	 "usage: fffa version\n"
	 "Prints the version, the formats, the sinks and the libraries.\n",
	 fffa_cmd_version},
	{NULL, NULL, NULL, NULL},
};

static void print_usage(FILE *out)
{
	(void)fprintf(out,
		      "usage: fffa COMMAND [OPTION]...\n"
		      "Flow logs of this host in the AWS VPC Flow Logs format.\n\ncommands:\n");
	for (const struct fffa_command *c = commands; c->name; c++)
		(void)fprintf(out, "  %-8s %s\n", c->name, c->line);
	(void)fprintf(out, "fffa COMMAND --help describes a command.\n");
}

/*
 * If descriptor 0, 1 or 2 is closed, the next file that is opened would take its number, and logs
 * or records would go into that file. Opens /dev/null in the wrong mode instead: using the
 * descriptor still fails.
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
#ifdef FFFA_PORTABLE
	fffa_ca_bundle_use();
#endif
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
