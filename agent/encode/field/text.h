/* SPDX-License-Identifier: MIT */
/*
 * Values as text, without locale, allocation or a terminating NUL. Each function writes at p and
 * returns the end of what it wrote. Some store more than that, at most FFFA_TEXT_SLACK_BYTES from p
 * on: leave so much room behind the longest value.
 */
#ifndef FFFA_AGENT_ENCODE_FIELD_TEXT_H
#define FFFA_AGENT_ENCODE_FIELD_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FFFA_TEXT_SLACK_BYTES 64

/* Longest text of each kind. */
#define FFFA_TEXT_U64_MAX    20
#define FFFA_TEXT_I64_MAX    20
#define FFFA_TEXT_IP_MAX     39
#define FFFA_TEXT_UTC_MAX    20
#define FFFA_TEXT_UTC_MS_MAX 24

/* Decimal, no leading zeros. */
uint8_t *fffa_text_u64(uint8_t *p, uint64_t v);
uint8_t *fffa_text_i64(uint8_t *p, int64_t v);

/* 16 lower-case hexadecimal digits. */
uint8_t *fffa_text_hex64(uint8_t *p, uint64_t v);

/* An address as inet_ntop writes it (RFC 5952); a v4-mapped one as IPv4. */
uint8_t *fffa_text_ip(uint8_t *p, const uint8_t addr[16]);
/* The same, but a v4-mapped one as ::ffff:a.b.c.d. */
uint8_t *fffa_text_ip6(uint8_t *p, const uint8_t addr[16]);

/* "2023-08-19T10:30:00Z" from Unix seconds; clamped to the years 0000 to 9999. */
uint8_t *fffa_text_utc(uint8_t *p, int64_t unix_s);
/* "2023-08-19T10:30:00.250Z" from Unix milliseconds, clamped in the same way. */
uint8_t *fffa_text_utc_ms(uint8_t *p, int64_t unix_ms);

/* Milliseconds to whole seconds, rounded down, also before 1970. */
static inline int64_t fffa_text_seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

/*
 * The inside of a JSON string (RFC 8259) from len bytes of any content. Valid UTF-8 stays, what
 * JSON forbids is escaped, and each byte that is not UTF-8 becomes U+FFFD: up to 6 bytes for one.
 */
uint8_t *fffa_text_json(uint8_t *p, const char *s, size_t len);

/* The same without escapes: each byte that is not UTF-8 becomes U+FFFD, which has 3 bytes. */
uint8_t *fffa_text_utf8(uint8_t *p, const char *s, size_t len);

/* A string in an array of size bytes. All of it is copied: a copy of constant size is cheaper. */
static inline uint8_t *fffa_text_fixed(uint8_t *p, const char *s, size_t size)
{
	memcpy(p, s, size);
	return p + strnlen(s, size - 1);
}

#define fffa_text_array(p, a)                                                                      \
	({                                                                                         \
		_Static_assert(sizeof(a) <= FFFA_TEXT_SLACK_BYTES, "longer than the slack");       \
		fffa_text_fixed((p), (a), sizeof(a));                                              \
	})

/* A string in a long array of size bytes, which is mostly empty. */
static inline uint8_t *fffa_text_long(uint8_t *p, const char *s, size_t size)
{
	size_t len;

	if (!*s)
		return p;
	len = strnlen(s, size - 1);
	memcpy(p, s, len);
	return p + len;
}

/* A string literal. */
#define fffa_text_lit(p, s) ((uint8_t *)memcpy((p), "" s, sizeof(s) - 1) + sizeof(s) - 1)

#endif
