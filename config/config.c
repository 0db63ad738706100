/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/check.h"
#include "config/read.h"
#include "config/rows.h"

static const char *system_env(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

/* Reads up to cap + 1 bytes, so that one too many is seen. */
static int read_all(int fd, char *text, size_t cap, size_t *len)
{
	size_t n = 0;

	while (n <= cap) {
		ssize_t got = read(fd, text + n, cap + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	*len = n;
	return n > cap ? -EFBIG : 0;
}

static int system_read_file(void *arg, const char *path, size_t cap, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;
	char *p = NULL;

	(void)arg;
	if (fd < 0)
		return -errno;
	p = malloc(cap + 2);
	ret = p ? read_all(fd, p, cap, len) : -ENOMEM;
	close(fd);
	if (!ret)
		*text = p;
	else
		free(p);
	return ret;
}

const struct fffa_config_world fffa_config_world_system = {
	.env = system_env,
	.read_file = system_read_file,
};

static int read_tree(const struct fffa_scope *s, const struct fffa_node *root,
		     const struct fffa_sink_schema *schema, struct fffa_config *c)
{
	const struct fffa_node *sinks = fffa_node_get(root, s->other);
	int ret;

	ret = fffa_fields_add(s->fields, fffa_config_rows, c);
	if (ret)
		return ret;
	ret = fffa_read_defaults(s);
	if (!ret)
		ret = fffa_read_section(s, root);
	if (!ret)
		ret = fffa_read_sinks(s, sinks, schema, c);
	if (!ret)
		fffa_check_config(c, s->rep, root);
	return ret;
}

int fffa_config_load_in(const struct fffa_config_world *world, const char *name, const char *text,
			size_t len, const struct fffa_sink_schema *schema, struct fffa_config *out,
			fffa_problem_fn problem, void *arg)
{
	struct fffa_report rep = {.file = name, .problem = problem, .arg = arg};
	struct fffa_fields fields = {.n = 0};
	struct fffa_scope scope = {
		.rep = &rep, .world = world, .path = "", .fields = &fields, .other = "sinks"};
	struct fffa_config c;
	struct fffa_tree tree;
	int ret;

	memset(&c, 0, sizeof(c));
	ret = fffa_tree_parse(&tree, text, len, &rep);
	if (!ret)
		ret = read_tree(&scope, tree.root, schema, &c);
	fffa_tree_free(&tree);
	if (!ret)
		ret = fffa_report_result(&rep);
	if (ret)
		fffa_config_free(&c);
	*out = c;
	return ret;
}

int fffa_config_load_text(const char *name, const char *text, size_t len,
			  const struct fffa_sink_schema *schema, struct fffa_config *out,
			  fffa_problem_fn problem, void *arg)
{
	return fffa_config_load_in(&fffa_config_world_system, name, text, len, schema, out, problem,
				   arg);
}

int fffa_config_load(const char *path, const struct fffa_sink_schema *schema,
		     struct fffa_config *out, fffa_problem_fn problem, void *arg)
{
	struct fffa_report rep = {.file = path, .problem = problem, .arg = arg};
	char *text = NULL;
	size_t len = 0;
	int ret;

	if (!path)
		return fffa_config_load_text("built-in defaults", "", 0, schema, out, problem, arg);
	memset(out, 0, sizeof(*out));
	ret = system_read_file(NULL, path, FFFA_CONFIG_FILE_BYTES_MAX, &text, &len);
	if (ret == -EFBIG) {
		fffa_report_problem(&rep, 0, "", "too large; at most 1MiB");
		return -EINVAL;
	}
	if (ret) {
		fffa_report_problem(&rep, 0, "", "cannot be read: %s", strerror(-ret));
		return ret;
	}
	ret = fffa_config_load_text(path, text, len, schema, out, problem, arg);
	/* It may hold secrets. */
	explicit_bzero(text, len);
	free(text);
	return ret;
}

void fffa_config_free(struct fffa_config *c)
{
	fffa_options_clear(fffa_config_rows, c);
	fffa_sinks_clear(c);
	memset(c, 0, sizeof(*c));
}
