// SPDX-License-Identifier: MIT
/* fffa run */
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/cli/commands.h"
#include "agent/daemon/build.h"
#include "agent/service/limits.h"
#include "agent/service/privileges.h"

static size_t append_word(char *text, size_t cap, size_t at, const char *before, const char *word)
{
	int n = at < cap ? snprintf(text + at, cap - at, "%s%s", before, word) : 0;

	return at + (n > 0 ? (size_t)n : 0);
}

/* The first line of the log. */
static void log_start(const struct fffa_config *conf, const char *file)
{
	char files[1024], sinks[768];
	size_t at = append_word(files, sizeof(files), 0, "", file ? file : "defaults");

	for (size_t i = 0; i < conf->drop_ins.n; i++)
		at = append_word(files, sizeof(files), at, ",", conf->drop_ins.v[i]);
	at = 0;
	for (size_t i = 0; i < conf->sink_count; i++) {
		const struct fffa_sink_common_conf *s = &conf->sinks[i].common;

		at = append_word(sinks, sizeof(sinks), at, i ? "," : "", s->name);
		at = append_word(sinks, sizeof(sinks), at, ":", s->type);
	}
	fffa_info("agent", "fffa starts: version=%s commit=%s configuration=%s sinks=%s",
		  fffa_build_version(), fffa_build_commit(), files, sinks);
}

enum fffa_exit fffa_cmd_run(const struct fffa_command *self, int argc, char **argv)
{
	const char *given = NULL;
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &given}}};
	struct fffa_config conf;
	enum fffa_exit code;
	int rc;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	fffa_log_detect_journal();
	fffa_privileges_forbid_new();
	code = fffa_cli_become_user(given, "", fffa_cli_print_problem, stderr);
	if (!code)
		code = fffa_cli_load_to_start(given, &conf, fffa_cli_print_problem, stderr);
	if (code)
		return code;
	log_start(&conf, fffa_cli_config_path(given));
	rc = fffa_limits_set_core_dumps(conf.core_dumps);
	if (rc)
		fffa_warn("agent", "log.core_dumps cannot be set: %s", strerror(-rc));
	code = FFFA_EXIT_FAILED;
	if (fffa_limits_check(&conf, true)) {
		/* Standard input cannot be read again. */
		const char *again =
			fffa_config_is_stdin(given) ? NULL : fffa_cli_config_path(given);

		code = fffa_agent_run(&conf, again);
	}
	fffa_config_free(&conf);
	return code;
}
