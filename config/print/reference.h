/* SPDX-License-Identifier: MIT */
/* The reference of options as a manual page. */
#ifndef FFFA_CONFIG_PRINT_REFERENCE_H
#define FFFA_CONFIG_PRINT_REFERENCE_H

#include <stdio.h>

#include "config/config.h"

/* Writes fffa.yaml(5) in the language of man(7). 0 or -errno. */
int fffa_reference_print(const struct fffa_sink_schema *schema, FILE *out);

#endif
