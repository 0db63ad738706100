// SPDX-License-Identifier: MIT
#include "agent/encode/field/pack.h"

#include <string.h>

#include <msgpack/pack.h>

/* data points to the place to write at, and moves it on. */
static int append(void *data, const char *buf, size_t len)
{
	uint8_t **at = data;

	memcpy(*at, buf, len);
	*at += len;
	return 0;
}

uint8_t *fffa_pack_uint(uint8_t *p, uint64_t v)
{
	msgpack_packer pk = {.data = &p, .callback = append};

	(void)msgpack_pack_uint64(&pk, v); /* append cannot fail */
	return p;
}

uint8_t *fffa_pack_int(uint8_t *p, int64_t v)
{
	msgpack_packer pk = {.data = &p, .callback = append};

	(void)msgpack_pack_int64(&pk, v);
	return p;
}

uint8_t *fffa_pack_bool(uint8_t *p, bool v)
{
	msgpack_packer pk = {.data = &p, .callback = append};

	(void)(v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
	return p;
}

static uint8_t *pack_str_head(uint8_t *p, size_t len)
{
	msgpack_packer pk = {.data = &p, .callback = append};

	(void)msgpack_pack_str(&pk, len);
	return p;
}

uint8_t *fffa_pack_str(uint8_t *p, const char *s, size_t len)
{
	p = pack_str_head(p, len);
	memcpy(p, s, len);
	return p + len;
}

uint8_t *fffa_pack_text(uint8_t *p, const uint8_t *end)
{
	size_t len = (size_t)(end - p - 1);
	size_t head = len < 32 ? 1 : len < 256 ? 2 : 3;

	if (head > 1) /* the length does not fit into the one byte that was left free */
		memmove(p + head, p + 1, len);
	return pack_str_head(p, len) + len;
}

size_t fffa_pack_map_bytes(size_t most)
{
	return most < 16 ? 1 : 3;
}

/* Written by hand, as msgpack-c would choose the shortest head. */
void fffa_pack_map(uint8_t *p, size_t most, size_t n)
{
	if (most < 16) {
		*p = (uint8_t)(0x80 | n);
		return;
	}
	p[0] = 0xde;
	p[1] = (uint8_t)(n >> 8);
	p[2] = (uint8_t)n;
}
