/* SPDX-License-Identifier: MIT */
/*
 * Values in msgpack, by msgpack-c, straight into lent memory: each function writes at p and returns
 * the end of what it wrote. Room for FFFA_PACK_BYTES_MAX, for a string that and its length, must be
 * there. Each value takes its shortest form, as the format asks for.
 * Source: the MessagePack specification.
 */
#ifndef FFFA_AGENT_ENCODE_FIELD_PACK_H
#define FFFA_AGENT_ENCODE_FIELD_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest number, and longest head of a string of up to 65535 bytes. */
#define FFFA_PACK_BYTES_MAX	 9
#define FFFA_PACK_HEAD_BYTES_MAX 3

uint8_t *fffa_pack_uint(uint8_t *p, uint64_t v);
uint8_t *fffa_pack_int(uint8_t *p, int64_t v);
uint8_t *fffa_pack_bool(uint8_t *p, bool v);
uint8_t *fffa_pack_str(uint8_t *p, const char *s, size_t len);

/* Turns the text that stands from p + 1 to end into a string at p. */
uint8_t *fffa_pack_text(uint8_t *p, const uint8_t *end);

/* The head of a map whose n is not known yet: as many bytes as for most pairs, and how to set n. */
size_t fffa_pack_map_bytes(size_t most);
void fffa_pack_map(uint8_t *p, size_t most, size_t n);

#endif
