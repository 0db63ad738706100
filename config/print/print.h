/* SPDX-License-Identifier: MIT */
/* Configurations as YAML. */
#ifndef FFFA_CONFIG_PRINT_PRINT_H
#define FFFA_CONFIG_PRINT_PRINT_H

#include <stdio.h>

#include "config/config.h"

/* Writes the effective configuration as YAML, secrets as ***. 0 or -errno. */
int fffa_print_config(const struct fffa_config *c, const struct fffa_sink_schema *schema,
		      FILE *out);
/* Writes the commented default file (config/fffa.yaml is exactly this). 0 or -errno. */
int fffa_print_defaults(const struct fffa_sink_schema *schema, FILE *out);

#endif
