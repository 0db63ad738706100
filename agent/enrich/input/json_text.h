/* SPDX-License-Identifier: MIT */
/* Texts out of JSON from outside. */
#ifndef FFFA_AGENT_ENRICH_INPUT_JSON_TEXT_H
#define FFFA_AGENT_ENRICH_INPUT_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Member key of object as a text fit for a record (fffa_ident_text_set) in dst, cap bytes. Empty when it is
 * not there, null, or not fit; the last adds one to *rejected.
 */
void fffa_json_text_take(const json_t *object, const char *key, char *dst, size_t cap,
			 uint32_t *rejected);

#endif
