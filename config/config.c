// SPDX-License-Identifier: MIT
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "config/check.h"
#include "config/read.h"
#include "config/rows.h"
#include "config/yaml/drop_ins.h"
#include "config/yaml/merge.h"

static const char *system_env(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static int system_read_file(void *arg, const char *path, size_t cap, char **text, size_t *len)
{
	(void)arg;
	return fffa_io_read_regular(path, cap, text, len);
}

const struct fffa_config_environment fffa_config_environment_system = {
	.env = system_env,
	.read_file = system_read_file,
};

static int read_tree(const struct fffa_scope *s, const struct fffa_node *root,
		     const struct fffa_sink_schema *schema, struct fffa_config *c)
{
	const struct fffa_node *sinks = fffa_tree_get(root, s->other);
	int rc;

	rc = fffa_fields_add(s->fields, fffa_config_rows, c);
	if (rc)
		return rc;
	rc = fffa_read_defaults(s);
	if (!rc)
		rc = fffa_read_section(s, root);
	if (!rc)
		rc = fffa_read_environment(s, "FFFA_");
	if (!rc)
		rc = fffa_read_sinks(s, sinks, schema, c);
	if (!rc)
		fffa_check_config(c, s->rep, root);
	return rc;
}

static int merge_drop_ins(struct fffa_tree *tree, const struct fffa_drop_ins *d,
			  struct fffa_report *rep)
{
	int rc = 0;

	for (size_t i = 0; i < d->n && !rc; i++) {
		struct fffa_report own = *rep;
		struct fffa_tree over;

		own.file = d->names[i];
		rc = fffa_tree_parse(&over, d->texts[i], d->lens[i], &own);
		rep->count = own.count;
		rep->error = own.error;
		if (!rc)
			fffa_merge_trees(tree, &over, (unsigned int)i + 1, "sinks", rep);
		fffa_tree_free(&over);
	}
	return rc;
}

/* The names, for the reader of a report. */
static int copy_names(struct fffa_strings *names, const struct fffa_drop_ins *d)
{
	names->v = d->n ? calloc(d->n, sizeof(*names->v)) : NULL;
	if (d->n && !names->v)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++) {
		names->v[i] = strdup(d->names[i]);
		if (!names->v[i])
			return -ENOMEM;
		names->n++;
	}
	return 0;
}

/* text, and what d holds over it. */
static int load_merged(const struct fffa_config_environment *environment, const char *name,
		       const char *text, size_t len, const struct fffa_drop_ins *d,
		       const struct fffa_sink_schema *schema, struct fffa_config *out,
		       fffa_problem_fn problem, void *arg)
{
	struct fffa_report rep = {.file = name, .files = d->names, .problem = problem, .arg = arg};
	struct fffa_fields fields = {.n = 0};
	struct fffa_scope scope = {.rep = &rep,
				   .environment = environment,
				   .path = "",
				   .fields = &fields,
				   .other = "sinks"};
	struct fffa_config c;
	struct fffa_tree tree;
	int rc;

	memset(&c, 0, sizeof(c));
	rc = fffa_tree_parse(&tree, text, len, &rep);
	if (!rc)
		rc = merge_drop_ins(&tree, d, &rep);
	if (!rc)
		rc = read_tree(&scope, tree.root, schema, &c);
	fffa_tree_free(&tree);
	if (!rc)
		rc = fffa_report_result(&rep);
	if (!rc && copy_names(&c.drop_ins, d))
		rc = fffa_report_nomem(&rep);
	if (rc)
		fffa_config_free(&c);
	*out = c;
	return rc;
}

int fffa_config_load_in(const struct fffa_config_environment *environment, const char *name,
			const char *text, size_t len, const struct fffa_sink_schema *schema,
			struct fffa_config *out, fffa_problem_fn problem, void *arg)
{
	static const struct fffa_drop_ins none;

	return load_merged(environment, name, text, len, &none, schema, out, problem, arg);
}

int fffa_config_load_text(const char *name, const char *text, size_t len,
			  const struct fffa_sink_schema *schema, struct fffa_config *out,
			  fffa_problem_fn problem, void *arg)
{
	return fffa_config_load_in(&fffa_config_environment_system, name, text, len, schema, out,
				   problem, arg);
}

bool fffa_config_is_stdin(const char *path)
{
	return path && (!strcmp(path, "-") || !strcmp(path, "/dev/stdin"));
}

static int read_file(const char *path, struct fffa_report *rep, char **text, size_t *len)
{
	int rc;

	if (fffa_config_is_stdin(path))
		rc = fffa_io_read_all(STDIN_FILENO, FFFA_TREE_FILE_BYTES_MAX, text, len);
	else
		rc = fffa_io_read_regular(path, FFFA_TREE_FILE_BYTES_MAX, text, len);
	if (rc == -EFBIG) {
		fffa_report_problem(rep, 0, "", "too large; at most 1MiB");
		return -EINVAL;
	}
	if (rc) {
		fffa_report_problem(rep, 0, "", "cannot be read: %s", fffa_io_strerror(rc));
		return rc;
	}
	if (strspn(*text, " \t\r\n") != *len)
		return 0;
	fffa_report_problem(rep, 0, "", "is empty; `fffa config --defaults` writes a whole file");
	free(*text);
	return -EINVAL;
}

int fffa_config_load(const char *path, const struct fffa_sink_schema *schema,
		     struct fffa_config *out, fffa_problem_fn problem, void *arg)
{
	struct fffa_report rep = {.file = path, .problem = problem, .arg = arg};
	struct fffa_drop_ins drop_ins = {.n = 0};
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (!path)
		return fffa_config_load_text("built-in defaults", "", 0, schema, out, problem, arg);
	memset(out, 0, sizeof(*out));
	if (fffa_config_is_stdin(path))
		rep.file = "standard input";
	rc = read_file(path, &rep, &text, &len);
	if (rc)
		return rc;
	if (!fffa_config_is_stdin(path))
		rc = fffa_drop_ins_read(&drop_ins, path, &rep);
	if (!rc)
		rc = load_merged(&fffa_config_environment_system, rep.file, text, len, &drop_ins,
				 schema, out, problem, arg);
	fffa_drop_ins_free(&drop_ins);
	/* It may hold secrets. */
	explicit_bzero(text, len);
	free(text);
	return rc;
}

void fffa_config_free_sink(struct fffa_sink_conf *c)
{
	fffa_read_sink_clear(c);
}

void fffa_config_free(struct fffa_config *c)
{
	fffa_fields_clear_all(fffa_config_rows, c);
	fffa_read_sinks_clear(c);
	for (size_t i = 0; i < c->drop_ins.n; i++)
		free(c->drop_ins.v[i]);
	free(c->drop_ins.v);
	memset(c, 0, sizeof(*c));
}
