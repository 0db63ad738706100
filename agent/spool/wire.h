/* SPDX-License-Identifier: MIT */
/* Little-endian numbers at a cursor, which moves on. The caller has checked that there is room. */
#ifndef FFFA_AGENT_SPOOL_WIRE_H
#define FFFA_AGENT_SPOOL_WIRE_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/spool/crc32c.h"

static inline void fffa_wire_put32(uint8_t **p, uint32_t v)
{
	v = htole32(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}

static inline void fffa_wire_put64(uint8_t **p, uint64_t v)
{
	v = htole64(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}

static inline void fffa_wire_put(uint8_t **p, const void *src, size_t n)
{
	memcpy(*p, src, n);
	*p += n;
}

static inline uint32_t fffa_wire_get32(const uint8_t **p)
{
	uint32_t v;

	memcpy(&v, *p, sizeof(v));
	*p += sizeof(v);
	return le32toh(v);
}

static inline uint64_t fffa_wire_get64(const uint8_t **p)
{
	uint64_t v;

	memcpy(&v, *p, sizeof(v));
	*p += sizeof(v);
	return le64toh(v);
}

static inline void fffa_wire_get(const uint8_t **p, void *dst, size_t n)
{
	memcpy(dst, *p, n);
	*p += n;
}

/* A head of n bytes ends in the CRC-32C of all bytes before it. */
static inline void fffa_wire_put_crc(uint8_t *head, size_t n)
{
	uint8_t *p = head + n - 4;

	fffa_wire_put32(&p, fffa_crc32c(0, head, n - 4));
}

static inline bool fffa_wire_crc_is_right(const uint8_t *head, size_t n)
{
	const uint8_t *p = head + n - 4;

	return fffa_wire_get32(&p) == fffa_crc32c(0, head, n - 4);
}

#endif
