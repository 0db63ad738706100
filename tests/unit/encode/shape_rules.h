/* SPDX-License-Identifier: MIT */
/* What a shape demands of a JSON object, as rows, and what our record says at the same place. */
#ifndef FFFA_TESTS_UNIT_ENCODE_SHAPE_RULES_H
#define FFFA_TESTS_UNIT_ENCODE_SHAPE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum rule_type {
	RULE_INT,
	RULE_STR,
	RULE_IP,
	RULE_TIME,
	RULE_STRS,
	RULE_IPS,
	RULE_OBJECT,
	RULE_ANY
};

struct rule {
	const char *path; /* names with dots between them; the rows are all that may be there */
	enum rule_type type;
	bool required;
	const char
		*model; /* member of model_json with the same value, absent where that is; NULL */
};

/* Fails unless o is what the rows say, and, where they name a member of model, says the same. */
void shape_check(const json_t *o, const struct rule *rules, size_t n, const json_t *model);

/* The value at a path; NULL when there is none. */
json_t *shape_at(const json_t *o, const char *path);

#endif
