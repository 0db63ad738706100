/* SPDX-License-Identifier: MIT */
/*
 * Values in msgpack, in their shortest form. Each function writes at p and returns the end of
 * what it wrote. There must be room for FFFA_PACK_BYTES_MAX, and for a string also for its
 * length. Source: the MessagePack specification.
 */
#ifndef FFFA_AGENT_ENCODE_FIELD_PACK_H
#define FFFA_AGENT_ENCODE_FIELD_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest number, and the longest head of a string of at most 65535 bytes. */
#define FFFA_PACK_BYTES_MAX	 9
#define FFFA_PACK_HEAD_BYTES_MAX 3

uint8_t *fffa_pack_uint(uint8_t *p, uint64_t v);
uint8_t *fffa_pack_int(uint8_t *p, int64_t v);
uint8_t *fffa_pack_bool(uint8_t *p, bool v);
uint8_t *fffa_pack_str(uint8_t *p, const char *s, size_t len);

/* Makes a string at p of the text that stands from p + 1 to end. */
uint8_t *fffa_pack_text(uint8_t *p, const uint8_t *end);

/*
 * The head of a map whose number of pairs is known last: reserve fffa_pack_map_bytes(most), then
 * set n with fffa_pack_map.
 */
size_t fffa_pack_map_bytes(size_t most);
void fffa_pack_map(uint8_t *p, size_t most, size_t n);

#endif
