/* SPDX-License-Identifier: MIT */
#include "config/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"

#define NAME_START     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_CHARS     NAME_START "0123456789"
#define NAME_MAX_BYTES 127

/* Text and the NUL that ends it, which is not counted in len. */
static int append(struct fffa_buf *b, const char *text, size_t n, struct fffa_err *err)
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
static int append_variable(struct fffa_buf *b, const struct fffa_config_world *world, const char *p,
			   const char **end, struct fffa_err *err)
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
	value = world->env(world->arg, name);
	if (def && (!value || !*value))
		return append(b, def, (size_t)(brace - def), err);
	if (!value)
		return fffa_fail(
			err, EINVAL,
			"environment variable %s is not set; set it or write ${%s:-default}", name,
			name);
	return append(b, value, strlen(value), err);
}

static int append_all(struct fffa_buf *b, const struct fffa_config_world *world, const char *p,
		      struct fffa_err *err)
{
	int ret = append(b, "", 0, err);

	while (!ret && *p) {
		size_t n = strcspn(p, "$");

		if (!world) {
			n = strlen(p);
		} else if (!n && !strncmp(p, "$${", 3)) {
			ret = append(b, "${", 2, err);
			p += 3;
			continue;
		} else if (!n && !strncmp(p, "${", 2)) {
			ret = append_variable(b, world, p + 2, &p, err);
			continue;
		} else if (!n) {
			n = 1;
		}
		ret = append(b, p, n, err);
		p += n;
	}
	return ret;
}

int fffa_expand(const struct fffa_config_world *world, const char *text, char **out,
		struct fffa_err *err)
{
	struct fffa_buf b = {.max = FFFA_EXPAND_BYTES_MAX + 1}; /* and the NUL */
	int ret = append_all(&b, world, text, err);

	/* What the YAML reader let through is UTF-8; the environment is not so sure. */
	if (!ret && !fffa_utf8_valid((char *)b.ptr))
		ret = fffa_fail(err, EINVAL, "the expanded value is not UTF-8");
	if (ret) {
		if (b.ptr)
			explicit_bzero(b.ptr, b.len);
		fffa_buf_fini(&b);
		return ret;
	}
	*out = (char *)b.ptr;
	return 0;
}

/* One character; 0 on bad UTF-8 (and on the end). *n gets its length. RFC 3629 section 4. */
static uint32_t decode(const unsigned char *p, size_t *n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = *p;
	size_t len = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4, i;

	*n = len;
	if (len == 1)
		return c;
	if (len == 4 && (c & 0xf8) != 0xf0)
		return 0;
	c &= 0x7fu >> len;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return c;
}

bool fffa_utf8_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n;

	for (; *p; p += n)
		if (!decode(p, &n))
			return false;
	return true;
}

uint32_t fffa_utf8_next(const char **p)
{
	size_t n;
	uint32_t c = decode((const unsigned char *)*p, &n);

	if (c)
		*p += n;
	return c;
}
