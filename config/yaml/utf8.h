/* SPDX-License-Identifier: MIT */
/* UTF-8, as RFC 3629 has it: no surrogates, no overlong forms. */
#ifndef FFFA_CONFIG_YAML_UTF8_H
#define FFFA_CONFIG_YAML_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/* True when the text is well-formed UTF-8. */
bool fffa_utf8_valid(const char *text);
/* Decodes one character at *p (valid UTF-8) and moves on; 0 at the end. */
uint32_t fffa_utf8_next(const char **p);

#endif
