/* SPDX-License-Identifier: MIT */
/* Little-endian numbers at a cursor. The caller knows that there is room. */
#ifndef FFFA_AGENT_SPOOL_WIRE_H
#define FFFA_AGENT_SPOOL_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void fffa_spool__put32(uint8_t **p, uint32_t v)
{
	v = htole32(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}

static inline void fffa_spool__put64(uint8_t **p, uint64_t v)
{
	v = htole64(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}

static inline void fffa_spool__put(uint8_t **p, const void *src, size_t n)
{
	memcpy(*p, src, n);
	*p += n;
}

static inline uint32_t fffa_spool__get32(const uint8_t **p)
{
	uint32_t v;

	memcpy(&v, *p, sizeof(v));
	*p += sizeof(v);
	return le32toh(v);
}

static inline uint64_t fffa_spool__get64(const uint8_t **p)
{
	uint64_t v;

	memcpy(&v, *p, sizeof(v));
	*p += sizeof(v);
	return le64toh(v);
}

static inline void fffa_spool__get(const uint8_t **p, void *dst, size_t n)
{
	memcpy(dst, *p, n);
	*p += n;
}

#endif
