/* SPDX-License-Identifier: MIT */
/* What the commands share: reading options, loading the configuration, reporting wrong usage. */
#ifndef FFFA_AGENT_CLI_CLI_H
#define FFFA_AGENT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "agent/daemon/agent.h"
#include "config/config.h"

struct fffa_command {
	const char *name;
	const char *line; /* for the list of commands: what it does */
	const char *help; /* the usage and what the command does, several lines */
	enum fffa_exit (*run)(const struct fffa_command *self, int argc, char **argv);
};

/* One option of a command; exactly one of flag, text and take is set. */
struct fffa_cli_option {
	const char *name; /* without the dashes; NULL ends the rows */
	char letter;	  /* the short form; 0: none */
	bool *flag;	  /* set to true; the option has no value */
	const char **text;
	/* Reads a value into arg. 0, or FFFA_EXIT_USAGE after fffa_cli_usage. */
	enum fffa_exit (*take)(const struct fffa_command *self, const char *value, void *arg);
	void *arg;
};

#define FFFA_CLI_OPTIONS_MAX 8

/* What a command takes. Operands are the arguments that are no options. */
struct fffa_cli_syntax {
	struct fffa_cli_option options[FFFA_CLI_OPTIONS_MAX + 1]; /* --help is always there */
	const char *operand; /* its name in "no OPERAND"; NULL: the command takes none */
	bool many;	     /* more than one operand is allowed */
	bool optional;	     /* none is allowed, too */
};

/*
 * Reads argv. Returns the index of the first operand (argc when there is none); 0 when the command
 * is to end with *code: help was asked for and printed, or the usage is wrong and was reported.
 */
int fffa_cli_parse(const struct fffa_command *self, int argc, char **argv,
		   const struct fffa_cli_syntax *syntax, enum fffa_exit *code);

/* Writes what is wrong, then the command's help, to standard error. Returns FFFA_EXIT_USAGE. */
enum fffa_exit fffa_cli_usage(const struct fffa_command *self, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define FFFA_CLI_DEFAULT_CONFIG "/etc/fffa/fffa.yaml"

/*
 * The file to read the configuration from: the given one (of -c), else the default file if it
 * exists, else NULL.
 */
const char *fffa_cli_config_path(const char *given);
/* How problems name it. Borrowed from path. */
const char *fffa_cli_config_name(const char *path);

/*
 * Loads the configuration from fffa_cli_config_path(given), without a file the defaults, and sets
 * up the log. Writes problems to `problems`. Returns 0, and the caller frees out with
 * fffa_config_free; or FFFA_EXIT_CONFIG, and there is nothing to free.
 */
enum fffa_exit fffa_cli_load(const char *given, struct fffa_config *out, FILE *problems);
/* The same of this file alone; NULL: the defaults, and never the host's file. */
enum fffa_exit fffa_cli_load_file(const char *path, struct fffa_config *out, FILE *problems);
/* The same from memory, without setting up the log. name stands in problems for the file. */
enum fffa_exit fffa_cli_load_text(const char *name, const char *text, struct fffa_config *out,
				  FILE *problems);

/*
 * Becomes the user that the configuration names, if it names another one: what follows is read as
 * that user. Call it first, while the process has one thread; reads standard input in a way that
 * lets it be read again. A file with problems: nothing happens. FFFA_EXIT_OK. FFFA_EXIT_CONFIG after
 * a problem: there is no such user. FFFA_EXIT_PRIVILEGE after a problem that begins with `severity`:
 * this process may not.
 */
enum fffa_exit fffa_cli_become_user(const char *given, const char *severity,
				    fffa_problem_fn problem, void *arg);

/*
 * The same, and what of this host would end the start is a problem too; problem is called for each
 * problem and each warning.
 */
enum fffa_exit fffa_cli_load_to_start(const char *given, struct fffa_config *out,
				      fffa_problem_fn problem, void *arg);

/*
 * Compares conf with this host: reads the files that the agent reads again later
 * (metadata.networks), chooses what the metadata reader would ask, and looks for the devices that one
 * interface id would have to name. FFFA_EXIT_OK, or FFFA_EXIT_CONFIG after problem was called. given
 * is as for fffa_cli_load_to_start.
 */
enum fffa_exit fffa_cli_check_host(const char *given, const struct fffa_config *conf,
				   fffa_problem_fn problem, void *arg);

void fffa_cli_print_problem(void *file, const char *line);

#endif
