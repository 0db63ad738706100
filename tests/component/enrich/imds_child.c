// SPDX-License-Identifier: MIT
#include "tests/component/enrich/imds_child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOCK FFFA_SOURCE_DIR "/tests/stubs/imds/imds_mock.py"

void imds_child_faults(struct imds_child *c, const char *json)
{
	char fresh[128];
	FILE *f;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", c->faults);
	f = fopen(fresh, "w");
	if (!f || fputs(json, f) < 0 || fclose(f) != 0 || rename(fresh, c->faults) != 0)
		abort(); /* a test without its faults would prove nothing */
}

static void run_mock(const struct imds_child *c, const char *listen, int out)
{
	char *argv[] = {"/usr/bin/python3",
			MOCK,
			"--listen",
			(char *)listen,
			"--port",
			"0",
			"--fault-file",
			(char *)c->faults,
			"--log",
			(char *)c->log,
			NULL};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(out, STDOUT_FILENO);
	(void)execv(argv[0], argv);
	_exit(127);
}

int imds_child_start(struct imds_child *c, const char *listen, const char *faults)
{
	char line[64] = "";
	int out[2];
	FILE *f;

	memset(c, 0, sizeof(*c));
	(void)snprintf(c->dir, sizeof(c->dir), "/tmp/fffa-imds-XXXXXX");
	if (!mkdtemp(c->dir) || pipe(out) != 0)
		return -1;
	(void)snprintf(c->faults, sizeof(c->faults), "%s/faults", c->dir);
	(void)snprintf(c->log, sizeof(c->log), "%s/log", c->dir);
	imds_child_faults(c, faults ? faults : "[]");
	c->pid = fork();
	if (c->pid == 0)
		run_mock(c, listen, out[1]);
	(void)close(out[1]);
	f = fdopen(out[0], "r");
	if (!f)
		return -1;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	(void)fclose(f);
	return sscanf(line, "ready %d", &c->port) == 1 ? 0 : -1;
}

void imds_child_stop(struct imds_child *c)
{
	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, NULL, 0);
	}
	(void)unlink(c->faults);
	(void)unlink(c->log);
	(void)rmdir(c->dir);
	c->pid = 0;
}

json_t *imds_child_log(const struct imds_child *c)
{
	json_t *all = json_array();
	FILE *f = fopen(c->log, "r");
	json_t *entry;

	if (!f)
		return all;
	while ((entry = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)) != NULL)
		(void)json_array_append_new(all, entry);
	(void)fclose(f);
	return all;
}

static int ends_with(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a >= b && strcmp(s + a - b, end) == 0;
}

size_t imds_child_count(const struct imds_child *c, const char *method, const char *path_end)
{
	json_t *all = imds_child_log(c), *e;
	size_t i, n = 0;

	json_array_foreach (all, i, e) {
		if (method && strcmp(json_string_value(json_object_get(e, "method")), method) != 0)
			continue;
		if (!path_end || ends_with(json_string_value(json_object_get(e, "path")), path_end))
			n++;
	}
	json_decref(all);
	return n;
}
