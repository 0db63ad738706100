/* SPDX-License-Identifier: MIT */
/* A choice of fields, as `fields` in the configuration of a sink names it. */
#ifndef FFFA_AGENT_ENCODE_FIELD_FIELD_LIST_H
#define FFFA_AGENT_ENCODE_FIELD_FIELD_LIST_H

#include "agent/base/err.h"
#include "agent/encode/field/field.h"

/* In order, each at most once. */
struct fffa_field_list {
	uint8_t id[FFFA_FIELD_COUNT]; /* enum fffa_field_id */
	size_t n;
};

/*
 * Reads a `fields` text of the vpc, json or msgpack format, see fffa_encoder_new; NULL means the
 * default. 0 with at least one field in *list, or -EINVAL with err naming what is wrong; then *list
 * holds nothing of use.
 */
int fffa_field_list_parse(enum fffa_format format, const char *text, struct fffa_field_list *list,
			  struct fffa_err *err);

#endif
