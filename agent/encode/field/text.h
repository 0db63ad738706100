/* SPDX-License-Identifier: MIT */
/*
 * Values as text, without locale, allocation or a terminating NUL. Each function writes at p and
 * returns the end of what it wrote. Some store more than they return: never more than
 * FFFA_TEXT_SLACK_BYTES behind p, so a caller whose room has that much to spare behind the longest
 * value is safe.
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

/* The text of inet_ntop (RFC 5952); a v4-mapped address is written as IPv4. */
uint8_t *fffa_text_ip(uint8_t *p, const uint8_t addr[16]);

/* "2023-08-19T10:30:00Z" from Unix seconds; clamped to the years 0000 to 9999. */
uint8_t *fffa_text_utc(uint8_t *p, int64_t unix_s);
/* "2023-08-19T10:30:00.250Z" from Unix milliseconds, in the same way. */
uint8_t *fffa_text_utc_ms(uint8_t *p, int64_t unix_ms);

/* Milliseconds to seconds, down, also before 1970. */
static inline int64_t fffa_text_seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

/*
 * The inside of a JSON string (RFC 8259) for len bytes of any content: valid UTF-8 stays, what JSON
 * forbids is escaped, every byte that is not UTF-8 becomes U+FFFD. At most 6 bytes are written for
 * one.
 */
uint8_t *fffa_text_json(uint8_t *p, const char *s, size_t len);

/* The same without escapes: what is not UTF-8 becomes U+FFFD. At most 3 bytes are written for one.
 */
uint8_t *fffa_text_utf8(uint8_t *p, const char *s, size_t len);

/* A string in an array of size bytes: the whole array is copied, as a copy of constant size is
 * cheaper. */
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

/* A string of any length in an array of size bytes. Most of these are not known, so empty. */
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
