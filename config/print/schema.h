/* SPDX-License-Identifier: MIT */
/* The rows of options for people and editors. */
#ifndef FFFA_CONFIG_PRINT_SCHEMA_H
#define FFFA_CONFIG_PRINT_SCHEMA_H

#include <stdio.h>

#include "config/config.h"

/* Writes a JSON Schema (draft-07) of the configuration. 0 or -errno. */
int fffa_schema_print(const struct fffa_sink_schema *schema, FILE *out);

#endif
