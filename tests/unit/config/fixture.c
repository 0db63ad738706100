/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#define F struct fake_file
#define D struct fake_demo

static const struct fffa_option file_rows[] = {
	FFFA_OPT_STRING("path", F, path, "-", 0, "The file; - is standard output."),
	FFFA_OPT_END,
};

static const char *const modes[] = {"slow", "fast", "on", NULL};
static const char *const never[] = {"never", NULL};

static const struct fffa_option demo_rows[] = {
	FFFA_OPT_BOOL("flag", D, flag, "false", 0, "A flag."),
	FFFA_OPT_INT("count", D, count, "-3", -10, 10, 0, "A number."),
	FFFA_OPT_DURATION("wait", D, wait_ns, "90s", 0, 0, FFFA_OPTION_RELOAD, "A wait."),
	FFFA_OPT_SIZE("room", D, room_bytes, "1536", 0, 0, 0, "A size."),
	FFFA_OPT_STRING("url", D, url, NULL, FFFA_OPTION_URL, "Where to."),
	FFFA_OPT_ENUM("tls.mode", D, mode, "slow", modes, 0, "A word."),
	FFFA_OPT_STRINGS("hosts", D, hosts, "[]", 0, 5, NULL, 0, "Names."),
	FFFA_OPT_INTS("ports", D, ports, "[1, 2]", 1, 9, 0, "Numbers."),
	FFFA_OPT_SECRET("tls.password", D, password, 0, "A secret."),
	FFFA_OPT_MAP("properties", D, properties, "{a.b: c}", NULL, FFFA_OPTION_SECRETS,
		     "Anything."),
	FFFA_OPT_DURATION_OR("patience", D, give_up_ns, "never", 1000000000, 60000000000, never, 0,
			     "Until when."),
	FFFA_OPT_END,
};

static int check_demo(const void *conf, struct fffa_err *err)
{
	const struct fake_demo *d = conf;

	if (d->flag && (!d->url || !*d->url))
		return fffa_fail(err, EINVAL, "url: is missing; flag needs it");
	if (d->count == 9 && d->room_bytes == 9)
		return fffa_fail(err, EINVAL, "count and room cannot both be 9");
	if (d->count == 8) /* the test says what is wrong */
		return fffa_fail(err, EINVAL, "%s", d->url);
	return 0;
}

static int check_format(const struct fffa_sink_ops *ops, const struct fffa_sink_common_conf *c,
			const void *own, struct fffa_err *err)
{
	(void)ops;
	(void)own;
	if (strcmp(c->format, "vpc") && strcmp(c->format, "json"))
		return fffa_fail(err, EINVAL, "\"%s\" is unknown; allowed: vpc, json", c->format);
	if (c->fields && !strcmp(c->fields, "nonsense"))
		return fffa_fail(err, EINVAL, "fields: no field has this name");
	return 0;
}

static const char *file_output(const void *own)
{
	const struct fake_file *f = own;

	return f->path && strcmp(f->path, "-") ? f->path : NULL;
}

const struct fffa_sink_schema fake_schema[] = {
	{.name = "file",
	 .conf_size = sizeof(F),
	 .opts = file_rows,
	 .check_format = check_format,
	 .output = file_output},
	{.name = "demo",
	 .conf_size = sizeof(D),
	 .opts = demo_rows,
	 .check = check_demo,
	 .check_format = check_format},
	{.name = NULL},
};

static const char *fake_env(void *arg, const char *name)
{
	static char long_text[70001];

	(void)arg;
	if (!strcmp(name, "LONG"))
		return memset(long_text, 'x', sizeof(long_text) - 1);
	if (!strcmp(name, "A"))
		return "alpha";
	if (!strcmp(name, "N"))
		return "7777";
	if (!strcmp(name, "EMPTY"))
		return "";
	if (!strcmp(name, "BAD"))
		return "\xc3(";
	if (!strcmp(name, "REF"))
		return "${A}";
	return NULL;
}

static int copy_text(const char *bytes, size_t n, size_t cap, char **text, size_t *len)
{
	if (n > cap)
		return -EFBIG;
	*text = malloc(n + 1);
	if (!*text)
		return -ENOMEM;
	memcpy(*text, bytes, n);
	(*text)[n] = '\0';
	*len = n;
	return 0;
}

static int fake_read(void *arg, const char *path, size_t cap, char **text, size_t *len)
{
	(void)arg;
	if (!strcmp(path, "/secret"))
		return copy_text("hush\n", 5, cap, text, len);
	if (!strcmp(path, "/bom")) /* of an editor of Windows */
		return copy_text("\xef\xbb\xbfhush\r\n", 9, cap, text, len);
	if (!strcmp(path, "/bom-alone"))
		return copy_text("\xef\xbb\xbf\r\n", 5, cap, text, len);
	if (!strcmp(path, "/two-lines"))
		return copy_text("hush\n\n", 6, cap, text, len);
	if (!strcmp(path, "/empty"))
		return copy_text("\n", 1, cap, text, len);
	if (!strcmp(path, "/nul"))
		return copy_text("a\0b", 3, cap, text, len);
	if (!strcmp(path, "/alpha"))
		return copy_text("ok", 2, cap, text, len);
	if (!strcmp(path, "/large"))
		return -EFBIG;
	return -ENOENT;
}

const struct fffa_config_environment fake_environment = {.env = fake_env, .read_file = fake_read};

void problems_add(void *arg, const char *line)
{
	struct problems *p = arg;
	size_t n = strlen(p->text);

	p->count++;
	snprintf(p->text + n, sizeof(p->text) - n, "%s\n", line);
}

int load(const char *text, struct fffa_config *c, struct problems *p)
{
	memset(p, 0, sizeof(*p));
	return fffa_config_load_in(&fake_environment, "f", text, strlen(text), fake_schema, c,
				   problems_add, p);
}

void expect_problems(const char *text, const char *expected)
{
	static const struct fffa_config empty;
	struct fffa_config c;
	struct problems p;
	int rc = load(text, &c, &p);

	assert_string_equal(p.text, expected);
	assert_int_equal(rc, -EINVAL);
	assert_memory_equal(&c, &empty, sizeof(c));
}

void load_ok(const char *text, struct fffa_config *c)
{
	struct problems p;
	int rc = load(text, c, &p);

	assert_string_equal(p.text, "");
	assert_int_equal(rc, 0);
}
