// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/encode/encoder_internal.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/unit/encode/shape_rules.h"

json_t *shape_at(const json_t *o, const char *path)
{
	const char *dot;
	char name[64];

	for (;;) {
		dot = strchr(path, '.');
		snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - path) : (int)strlen(path),
			 path);
		o = json_object_get(o, name);
		if (!dot || !o)
			return (json_t *)(uintptr_t)o;
		path = dot + 1;
	}
}

static bool is_text(const json_t *v)
{
	const char *s = json_string_value(v);

	return s && s[0] && strcmp(s, "-") != 0;
}

static bool is_ip(const json_t *v)
{
	uint8_t addr[16];

	return is_text(v) && (inet_pton(AF_INET, json_string_value(v), addr) == 1 ||
			      inet_pton(AF_INET6, json_string_value(v), addr) == 1);
}

/* RFC 3339 with milliseconds, in UTC. */
static bool is_time(const json_t *v)
{
	const char *s = json_string_value(v), *shape = "dddd-dd-ddTdd:dd:dd.dddZ";

	if (!s || strlen(s) != strlen(shape))
		return false;
	for (; *shape; s++, shape++) {
		if (*shape == 'd' ? *s < '0' || *s > '9' : *s != *shape)
			return false;
	}
	return true;
}

static bool is_list(const json_t *v, bool (*element)(const json_t *v))
{
	if (!json_is_array(v) || !json_array_size(v))
		return false;
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (!element(json_array_get(v, i)))
			return false;
	}
	return true;
}

static bool fits(const json_t *v, enum rule_type type)
{
	switch (type) {
	case RULE_INT:
		return json_is_integer(v);
	case RULE_STR:
		return is_text(v);
	case RULE_IP:
		return is_ip(v);
	case RULE_TIME:
		return is_time(v);
	case RULE_STRS:
		return is_list(v, is_text);
	case RULE_IPS:
		return is_list(v, is_ip);
	case RULE_OBJECT: /* an empty object must not be there */
		return json_is_object(v) && json_object_size(v);
	case RULE_ANY:
		return is_text(v) || json_is_integer(v);
	}
	return false;
}

static const struct rule *find_path(const struct rule *rules, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(rules[i].path, path))
			return &rules[i];
	}
	return NULL;
}

/* Fails when o has a member that no row allows. */
static void check_members(const json_t *o, const char *prefix, const struct rule *rules, size_t n)
{
	const struct rule *rule;
	char path[128];

	for (void *it = json_object_iter((json_t *)(uintptr_t)o); it;
	     it = json_object_iter_next((json_t *)(uintptr_t)o, it)) {
		const json_t *v = json_object_iter_value(it);

		snprintf(path, sizeof(path), "%s%s", prefix, json_object_iter_key(it));
		rule = find_path(rules, n, path);
		if (!rule)
			fail_msg("%s: not a member that is defined", path);
		else if (!fits(v, rule->type))
			fail_msg("%s: %s is of the wrong type", path,
				 json_dumps(v, JSON_ENCODE_ANY));
		strcat(path, ".");
		if (json_is_object(v))
			check_members(v, path, rules, n);
	}
}

static bool same(const json_t *v, const json_t *want)
{
	char text[32];

	if (json_is_string(v) &&
	    json_is_integer(want)) { /* a number that the shape keeps as text */
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(want));
		return !strcmp(json_string_value(v), text);
	}
	return json_equal(v, want);
}

void shape_check(const json_t *o, const struct rule *rules, size_t n, const json_t *model)
{
	const json_t *v, *want;

	check_members(o, "", rules, n);
	for (size_t i = 0; i < n; i++) {
		v = shape_at(o, rules[i].path);
		if (rules[i].required && !v)
			fail_msg("%s: is missing", rules[i].path);
		if (!rules[i].model)
			continue;
		want = json_object_get(model, rules[i].model);
		if ((v || want) && (!v || !want || !same(v, want)))
			fail_msg("%s: %s is not %s", rules[i].path, json_dumps(v, JSON_ENCODE_ANY),
				 json_dumps(want, JSON_ENCODE_ANY));
	}
}

json_t *shape_encode(enum fffa_format format, const struct fffa_record *r)
{
	char line[FFFA_RECORD_BYTES_MAX];
	struct fffa_encoder *e = NULL;
	json_t *o;
	size_t len;

	assert_int_equal(fffa_encoder_new(format, NULL, &e, NULL), 0);
	len = fffa_encoder_write(e, r, (uint8_t *)line, sizeof(line));
	fffa_encoder_free(e);
	assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
	o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (!o)
		fail_msg("no JSON: %.*s", (int)len, line);
	return o;
}

void shape_check_int(const json_t *o, const char *path, int64_t want)
{
	const json_t *v = shape_at(o, path);

	if (!json_is_integer(v) || json_integer_value(v) != want)
		fail_msg("%s: %s is not %lld", path, v ? json_dumps(v, JSON_ENCODE_ANY) : "nothing",
			 (long long)want);
}

void shape_check_str(const json_t *o, const char *path, const char *want)
{
	const char *v = json_string_value(shape_at(o, path));

	if (want ? !v || strcmp(v, want) != 0 : shape_at(o, path) != NULL)
		fail_msg("%s: %s is not %s", path, v ? v : "nothing", want ? want : "nothing");
}

void shape_check_listing(enum fffa_format format, const struct fffa_shape *shape)
{
	const struct fffa_field_info *infos;
	size_t count;
	bool used;

	infos = fffa_field_table(&count);
	assert_true(shape->n <= FFFA_STEPS_MAX);
	for (size_t id = 0; id < count; id++) {
		used = false;
		for (size_t i = 0; i < shape->n; i++)
			used |= shape->rows[i].kind == FFFA_STEP_VALUE && shape->rows[i].id == id;
		if (used != !!(infos[id].formats & 1U << format))
			fail_msg("%s: its row of fields.def says otherwise", infos[id].name);
	}
}
