// SPDX-License-Identifier: MIT
/* The forms of `fields`: a preset, "${a} ${b}" for vpc, "a, b" for json and msgpack. */
#include "agent/encode/field/field_list.h"

#include <errno.h>
#include <string.h>

#include "agent/base/edit_distance.h"

/* So much of the text is quoted in a message. */
#define PRINTABLE_BYTES_MAX 40

static const struct {
	const char *name;
	unsigned int max_version;
} vpc_presets[] = {
	{"default", 2},
	{"v5", 5},
	{"all", 11},
};

/* The beginning of s, without what could disturb a terminal or a log. */
static const char *printable(char dst[PRINTABLE_BYTES_MAX + 1], const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < PRINTABLE_BYTES_MAX; i++)
		dst[i] = s[i] >= ' ' && s[i] <= '~' && s[i] != '"' ? s[i] : '?';
	dst[i] = 0;
	return dst;
}

static const char *nearest_field(enum fffa_format format, const char *s, size_t len)
{
	size_t least = SIZE_MAX, d;
	const char *found = NULL, *name;

	if (len > PRINTABLE_BYTES_MAX)
		len = PRINTABLE_BYTES_MAX;
	for (size_t id = 0; id < FFFA_FIELD_COUNT; id++) {
		name = fffa_field_name(format, id);
		d = name ? fffa_edit_distance(s, len, name, strlen(name)) : SIZE_MAX;
		if (d < least) {
			least = d;
			found = name;
		}
	}
	return found;
}

static int add_field(enum fffa_format format, const char *s, size_t len,
		     struct fffa_field_list *list, struct fffa_err *err)
{
	char text[PRINTABLE_BYTES_MAX + 1];
	const char *name;
	size_t id;

	for (id = 0; id < FFFA_FIELD_COUNT; id++) {
		name = fffa_field_name(format, id);
		if (name && strlen(name) == len && !memcmp(name, s, len))
			break;
	}
	if (id == FFFA_FIELD_COUNT)
		return fffa_fail(err, EINVAL, "unknown %s field \"%s\"; the nearest is \"%s\"",
				 fffa_format_name(format), printable(text, s, len),
				 nearest_field(format, s, len));
	for (size_t i = 0; i < list->n; i++) {
		if (list->id[i] == id)
			return fffa_fail(err, EINVAL, "field \"%s\" is given twice", name);
	}
	list->id[list->n++] = (uint8_t)id;
	return 0;
}

/* Adds the rows of a format in the order of the table, vpc fields up to a version. */
static void add_rows(enum fffa_format format, unsigned int max_version,
		     struct fffa_field_list *list)
{
	const struct fffa_field_info *infos;
	size_t count;

	infos = fffa_field_table(&count);
	for (size_t id = 0; id < count; id++) {
		if (id == FFFA_FIELD_community_id)
			continue; /* it costs a hash, so only those who list it have it */
		if (fffa_field_name(format, id) && infos[id].vpc_version <= max_version)
			list->id[list->n++] = (uint8_t)id;
	}
}

static int vpc_syntax_error(const char *at, struct fffa_err *err)
{
	char text[PRINTABLE_BYTES_MAX + 1];

	return fffa_fail(err, EINVAL,
			 "bad vpc fields at \"%s\": allowed are default, v5, all, or names such as "
			 "\"${version} ${interface-id}\", one space between them",
			 printable(text, at, strlen(at)));
}

static int parse_vpc(const char *s, struct fffa_field_list *list, struct fffa_err *err)
{
	const char *end;
	int rc;

	for (;;) {
		if (strncmp(s, "${", 2) != 0)
			return vpc_syntax_error(s, err);
		end = s + strcspn(s, "} ");
		if (*end != '}')
			return vpc_syntax_error(s, err);
		rc = add_field(FFFA_FORMAT_VPC, s + 2, (size_t)(end - s - 2), list, err);
		if (rc || !end[1])
			return rc;
		if (end[1] != ' ')
			return vpc_syntax_error(end + 1, err);
		s = end + 2;
	}
}

static int json_syntax_error(enum fffa_format format, const char *at, struct fffa_err *err)
{
	char text[PRINTABLE_BYTES_MAX + 1];

	return fffa_fail(err, EINVAL,
			 "bad %s fields at \"%s\": allowed are all, or names such as "
			 "\"srcaddr, dstaddr, bytes\"",
			 fffa_format_name(format), printable(text, at, strlen(at)));
}

/* Takes the first word of *s, and what is between it and the next. 0: there is none. */
static size_t take_word(const char **s, const char **word)
{
	size_t len;

	*s += strspn(*s, " ");
	len = strcspn(*s, " ,");
	*word = *s;
	*s += len;
	*s += strspn(*s, " ");
	if (**s == ',')
		*s += 1 + strspn(*s + 1, " ");
	else if (!**s)
		*s = NULL;
	return len;
}

static bool is_word(const char *word, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(word, text, len);
}

static int parse_json(enum fffa_format format, const char *s, struct fffa_field_list *list,
		      struct fffa_err *err)
{
	const char *word;
	size_t len;
	int rc;

	while (s) {
		len = take_word(&s, &word);
		if (!len) /* the text is empty, or a name is missing beside a comma */
			return json_syntax_error(format, word, err);
		if (!list->n && is_word(word, len, "all")) {
			add_rows(format, ~0U, list);
			continue;
		}
		rc = add_field(format, word, len, list, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* The shapes have all fields. community_id is the only one to choose. */
static int parse_shape(enum fffa_format format, const char *s, struct fffa_field_list *list,
		       struct fffa_err *err)
{
	const char *word;

	while (s) {
		size_t len = take_word(&s, &word);

		if (is_word(word, len, "community_id") && !list->n)
			list->id[list->n++] = FFFA_FIELD_community_id;
		else if (!is_word(word, len, "all"))
			return fffa_fail(
				err, EINVAL,
				"%s has all fields; allowed: all, or \"all, community_id\"",
				fffa_format_name(format));
	}
	return 0;
}

int fffa_field_list_parse(enum fffa_format format, const char *text, struct fffa_field_list *list,
			  struct fffa_err *err)
{
	list->n = 0;
	if (format == FFFA_FORMAT_OCSF || format == FFFA_FORMAT_ECS)
		return parse_shape(format, text ? text : "all", list, err);
	if (format == FFFA_FORMAT_JSON || format == FFFA_FORMAT_MSGPACK)
		return parse_json(format, text ? text : "all", list, err);
	if (!text)
		text = "default";
	for (size_t i = 0; i < sizeof(vpc_presets) / sizeof(vpc_presets[0]); i++) {
		if (!strcmp(text, vpc_presets[i].name)) {
			add_rows(format, vpc_presets[i].max_version, list);
			return 0;
		}
	}
	return parse_vpc(text, list, err);
}
