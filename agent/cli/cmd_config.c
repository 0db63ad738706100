// SPDX-License-Identifier: MIT
/* fffa check, fffa config */
#include <stdio.h>
#include <string.h>

#include "agent/capture/host.h"
#include "agent/cli/check_json.h"
#include "agent/cli/commands.h"
#include "agent/daemon/registry.h"
#include "config/print/print.h"
#include "config/print/reference.h"
#include "config/print/schema.h"
#include "agent/enrich/networks/networks.h"
#include "agent/enrich/services/ip_ranges.h"

/* A file that cannot be used is no configuration error: the agent reads it again later. */
static void report_ip_ranges(const char *path)
{
	struct fffa_ip_ranges_facts facts;
	struct fffa_err err;

	if (!path || !*path)
		return;
	if (fffa_ip_ranges_check(path, &facts, &err) != 0)
		(void)printf("ip ranges: %s: cannot be used: %s\n", path, err.text);
	else
		(void)printf("ip ranges: %s: prefixes=%zu created=%s rejected=%zu\n", path,
			     facts.prefixes, facts.created[0] ? facts.created : "-",
			     facts.rejected);
}

/* A file that cannot be used was a problem before. */
static void report_networks(const char *path)
{
	struct fffa_err err;
	size_t n;

	if (path && *path && fffa_networks_check(path, &n, &err) == 0)
		(void)printf("networks: %s: networks=%zu\n", path, n);
}

static void print_drop_ins(const struct fffa_config *conf, const char *before)
{
	for (size_t i = 0; i < conf->drop_ins.n; i++)
		(void)printf("%s%s\n", before, conf->drop_ins.v[i]);
}

enum fffa_exit fffa_cmd_check(const struct fffa_command *self, int argc, char **argv)
{
	const char *given = NULL;
	bool json = false;
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &given},
			    {.name = "json", .flag = &json}}};
	struct fffa_config conf;
	enum fffa_exit code;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	if (json)
		return fffa_check_json_print(given);
	code = fffa_cli_become_user(given, "warning: ", fffa_cli_print_problem, stdout);
	if (code != FFFA_EXIT_CONFIG)
		code = fffa_cli_load_to_start(given, &conf, fffa_cli_print_problem, stdout);
	if (code)
		return code;
	code = fffa_cli_check_host(given, &conf, fffa_cli_print_problem, stdout);
	if (code) {
		fffa_config_free(&conf);
		return code;
	}
	(void)printf("configuration: ok\n");
	print_drop_ins(&conf, "with: ");
	report_ip_ranges(conf.metadata.ip_ranges);
	report_networks(conf.metadata.networks);
	fffa_config_free(&conf);
	fffa_host_report(stdout);
	return FFFA_EXIT_OK;
}

enum fffa_exit fffa_cmd_config(const struct fffa_command *self, int argc, char **argv)
{
	const char *given = NULL;
	bool defaults = false, schema = false, man = false;
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &given},
			    {.name = "defaults", .flag = &defaults},
			    {.name = "schema", .flag = &schema},
			    {.name = "man", .flag = &man}}};
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];
	struct fffa_config conf;
	enum fffa_exit code;
	int rc;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	if (defaults + schema + man > 1)
		return fffa_cli_usage(self, "only one of --defaults, --schema and --man");
	fffa_registry_schema(rows);
	if (defaults) {
		rc = fffa_print_defaults(rows, stdout);
	} else if (schema) {
		rc = fffa_schema_print(rows, stdout);
	} else if (man) {
		rc = fffa_reference_print(rows, stdout);
	} else {
		code = fffa_cli_load(given, &conf, stderr);
		if (code)
			return code;
		print_drop_ins(&conf, "# with ");
		rc = fffa_print_config(&conf, rows, stdout);
		fffa_config_free(&conf);
	}
	if (rc)
		(void)fprintf(stderr, "fffa: cannot write to standard output: %s\n", strerror(-rc));
	return rc ? FFFA_EXIT_FAILED : FFFA_EXIT_OK;
}
