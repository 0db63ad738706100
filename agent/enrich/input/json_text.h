/* SPDX-License-Identifier: MIT */
/* Reads texts from JSON that came from outside. */
#ifndef FFFA_AGENT_ENRICH_INPUT_JSON_TEXT_H
#define FFFA_AGENT_ENRICH_INPUT_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies the text of member key to dst, cap bytes, as fffa_ident_text_set does. dst is empty when
 * the member is absent, null or refused; a refused one adds one to *rejected.
 */
void fffa_json_text_take(const json_t *object, const char *key, char *dst, size_t cap,
			 uint32_t *rejected);

#endif
