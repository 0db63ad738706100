/* SPDX-License-Identifier: MIT */
/* What the json format must say of a record, by other means: jansson, printf and inet_ntop. */
#ifndef FFFA_TESTS_UNIT_ENCODE_MODEL_H
#define FFFA_TESTS_UNIT_ENCODE_MODEL_H

#include <jansson.h>

#include "agent/flow/record.h"

/* A new object with every member of `all`. ifname must be valid UTF-8. */
json_t *model_json(const struct fffa_record *r);

#endif
