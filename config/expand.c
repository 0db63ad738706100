// SPDX-License-Identifier: MIT
#include "config/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "config/yaml/utf8.h"

#define NAME_START     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_CHARS     NAME_START "0123456789"
#define NAME_MAX_BYTES 127

/* Text and the NUL that ends it, which is not counted in len. */
static int append_text(struct fffa_buf *b, const char *text, size_t n, struct fffa_err *err)
{
	fffa_buf_add(b, text, n);
	fffa_buf_add(b, "", 1);
	if (b->error == -EMSGSIZE)
		return fffa_fail(err, EINVAL, "the value is too long; at most 64KiB");
	if (!b->error)
		b->len--;
	return b->error;
}

/* p points behind "${". *end is set behind the closing brace. */
static int append_variable(struct fffa_buf *b, const struct fffa_config_environment *environment,
			   const char *p, const char **end, struct fffa_err *err)
{
	size_t n = strspn(p, NAME_CHARS);
	const char *brace = strchr(p, '}'), *value, *def = NULL;
	char name[NAME_MAX_BYTES + 1];

	if (!brace)
		return fffa_fail(err, EINVAL, "\"${\" has no closing \"}\"; $${ is a literal ${");
	if (!n || n > NAME_MAX_BYTES || !strspn(p, NAME_START))
		return fffa_fail(err, EINVAL,
				 "\"${\" needs the name of an environment variable; $${ is a "
				 "literal ${");
	memcpy(name, p, n);
	name[n] = '\0';
	if (!strncmp(p + n, ":-", 2))
		def = p + n + 2;
	else if (p + n != brace)
		return fffa_fail(err, EINVAL,
				 "bad reference to %s; allowed: ${%s} or ${%s:-default}", name,
				 name, name);
	*end = brace + 1;
	value = environment->env(environment->arg, name);
	if (def && (!value || !*value))
		return append_text(b, def, (size_t)(brace - def), err);
	if (!value)
		return fffa_fail(
			err, EINVAL,
			"environment variable %s is not set; set it or write ${%s:-default}", name,
			name);
	return append_text(b, value, strlen(value), err);
}

static int append_all(struct fffa_buf *b, const struct fffa_config_environment *environment,
		      const char *p, struct fffa_err *err)
{
	int rc = append_text(b, "", 0, err);

	while (!rc && *p) {
		size_t n = strcspn(p, "$");

		if (!environment) {
			n = strlen(p);
		} else if (!n && !strncmp(p, "$${", 3)) {
			rc = append_text(b, "${", 2, err);
			p += 3;
			continue;
		} else if (!n && !strncmp(p, "${", 2)) {
			rc = append_variable(b, environment, p + 2, &p, err);
			continue;
		} else if (!n) {
			n = 1;
		}
		rc = append_text(b, p, n, err);
		p += n;
	}
	return rc;
}

int fffa_expand(const struct fffa_config_environment *environment, const char *text, char **out,
		struct fffa_err *err)
{
	struct fffa_buf b = {.max = FFFA_EXPAND_BYTES_MAX + 1}; /* and the NUL */
	int rc = append_all(&b, environment, text, err);

	/* What the YAML reader let through is UTF-8; the environment is not so sure. */
	if (!rc && !fffa_utf8_valid((char *)b.ptr))
		rc = fffa_fail(err, EINVAL, "the expanded value is not UTF-8");
	if (rc) {
		if (b.ptr)
			explicit_bzero(b.ptr, b.len);
		fffa_buf_fini(&b);
		return rc;
	}
	*out = (char *)b.ptr;
	return 0;
}
