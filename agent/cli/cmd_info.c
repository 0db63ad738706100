// SPDX-License-Identifier: MIT
/* fffa version, fffa fields, fffa health */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "agent/capture/host.h"
#include "agent/capture/replay/replay.h"
#include "agent/daemon/build.h"
#include "agent/cli/commands.h"
#include "agent/cli/http_get.h"
#include "agent/encode/field/field.h"
#include "agent/loop/curl_version.h"
#include "agent/status/status.h"
#include "agent/daemon/registry.h"

enum fffa_exit fffa_cmd_version(const struct fffa_command *self, int argc, char **argv)
{
	const struct fffa_cli_syntax syntax = {.operand = NULL};
	enum fffa_exit code;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	(void)printf("fffa %s (commit %s)\nformats:", fffa_build_version(), fffa_build_commit());
	for (int f = 0; f < FFFA_FORMAT_MAX; f++)
		(void)printf(" %s", fffa_format_name((enum fffa_format)f));
	(void)printf("\nsinks:");
	for (size_t i = 0; fffa_registry[i]; i++)
		(void)printf(" %s", fffa_registry[i]->name);
	(void)printf("\nlibuv %s\n%s\n%s\n%s\nlibmicrohttpd %s\n", uv_version_string(),
		     fffa_host_library(), fffa_curl_loop_library(), fffa_replay_library(),
		     fffa_status_library());
	(void)printf("built with: " FFFA_LIBRARIES "\n");
	return FFFA_EXIT_OK;
}

static void put_formats(unsigned int formats)
{
	const char *comma = "";

	for (int f = 0; f < FFFA_FORMAT_MAX; f++) {
		if (!(formats & 1u << f))
			continue;
		(void)printf("%s%s", comma, fffa_format_name((enum fffa_format)f));
		comma = ",";
	}
}

enum fffa_exit fffa_cmd_fields(const struct fffa_command *self, int argc, char **argv)
{
	const struct fffa_cli_syntax syntax = {.operand = NULL};
	const struct fffa_field_info *f;
	enum fffa_exit code;
	size_t n;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	f = fffa_field_table(&n);
	for (size_t i = 0; i < n; i++) {
		(void)printf("%-24s %-5s ", f[i].name, f[i].type);
		if (f[i].vpc_version)
			(void)printf("v%-2u ", f[i].vpc_version);
		else
			(void)printf("-   ");
		put_formats(f[i].formats);
		(void)printf("\t%s\n", f[i].source);
	}
	return FFFA_EXIT_OK;
}

static enum fffa_exit ask_agent(const char *listen)
{
	struct fffa_err err = {""};
	char *body = NULL;
	long status = 0;

	if (!*listen) {
		(void)puts("not ready: status.listen is \"\", so nobody can be asked");
		return FFFA_EXIT_FAILED;
	}
	if (fffa_http_get_any(listen, "/readyz", &status, &body, &err)) {
		(void)printf("not ready: %s\n", err.text);
		return FFFA_EXIT_FAILED;
	}
	body[strcspn(body, "\r\n")] = '\0';
	if (status == 200)
		(void)puts("ready");
	else
		(void)printf("not ready: %s\n", *body ? body : "the agent gives no reason");
	free(body);
	return status == 200 ? FFFA_EXIT_OK : FFFA_EXIT_FAILED;
}

enum fffa_exit fffa_cmd_health(const struct fffa_command *self, int argc, char **argv)
{
	const char *given = NULL;
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &given}}};
	struct fffa_config conf;
	enum fffa_exit code;

	if (!fffa_cli_parse(self, argc, argv, &syntax, &code))
		return code;
	code = fffa_cli_load(given, &conf, stderr);
	if (code)
		return code;
	code = ask_agent(conf.status.listen ? conf.status.listen : "");
	fffa_config_free(&conf);
	return code;
}
