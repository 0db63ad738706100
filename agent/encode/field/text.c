// SPDX-License-Identifier: MIT
#include "agent/encode/field/text.h"

#include "agent/base/cidr.h"
#include "agent/base/utf8.h"

#define TEN(m, d) m(d##0) m(d##1) m(d##2) m(d##3) m(d##4) m(d##5) m(d##6) m(d##7) m(d##8) m(d##9)

/* "00" to "99" in one string. */
#define PAIR(n) #n
static const char pairs[] = TEN(PAIR, 0) TEN(PAIR, 1) TEN(PAIR, 2) TEN(PAIR, 3) TEN(PAIR, 4)
	TEN(PAIR, 5) TEN(PAIR, 6) TEN(PAIR, 7) TEN(PAIR, 8) TEN(PAIR, 9);
_Static_assert(sizeof(pairs) == 100 * 2 + 1, "a hundred pairs");

/* Each octet and its dot, filled up to four bytes. */
#define OCTET1(n) #n ".  "
#define OCTET2(n) #n ". "
#define OCTET3(n) #n "."
/* clang-format off */
static const char octets[] = TEN(OCTET1, )
	TEN(OCTET2, 1) TEN(OCTET2, 2) TEN(OCTET2, 3) TEN(OCTET2, 4) TEN(OCTET2, 5)
	TEN(OCTET2, 6) TEN(OCTET2, 7) TEN(OCTET2, 8) TEN(OCTET2, 9)
	TEN(OCTET3, 10) TEN(OCTET3, 11) TEN(OCTET3, 12) TEN(OCTET3, 13) TEN(OCTET3, 14)
	TEN(OCTET3, 15) TEN(OCTET3, 16) TEN(OCTET3, 17) TEN(OCTET3, 18) TEN(OCTET3, 19)
	TEN(OCTET3, 20) TEN(OCTET3, 21) TEN(OCTET3, 22) TEN(OCTET3, 23) TEN(OCTET3, 24)
	OCTET3(250) OCTET3(251) OCTET3(252) OCTET3(253) OCTET3(254) OCTET3(255);
/* clang-format on */
_Static_assert(sizeof(octets) == 256 * 4 + 1, "all octets");

static const char hex[] = "0123456789abcdef";

static unsigned int count_digits(uint64_t v)
{
	static const uint64_t powers[] = {
		UINT64_C(0),
		UINT64_C(10),
		UINT64_C(100),
		UINT64_C(1000),
		UINT64_C(10000),
		UINT64_C(100000),
		UINT64_C(1000000),
		UINT64_C(10000000),
		UINT64_C(100000000),
		UINT64_C(1000000000),
		UINT64_C(10000000000),
		UINT64_C(100000000000),
		UINT64_C(1000000000000),
		UINT64_C(10000000000000),
		UINT64_C(100000000000000),
		UINT64_C(1000000000000000),
		UINT64_C(10000000000000000),
		UINT64_C(100000000000000000),
		UINT64_C(1000000000000000000),
		UINT64_C(10000000000000000000),
	};
	/* 1233 / 4096 is log10(2) rounded up, so this is at most one digit too many. */
	unsigned int n = (64U - (unsigned int)__builtin_clzll(v | 1)) * 1233 >> 12;

	return n + 1 - (v < powers[n]);
}

uint8_t *fffa_text_u64(uint8_t *p, uint64_t v)
{
	uint8_t *end, *q;

	if (v < 10) {
		*p = (uint8_t)('0' + v);
		return p + 1;
	}
	end = q = p + count_digits(v);
	while (v >= 100) {
		q -= 2;
		memcpy(q, &pairs[v % 100 * 2], 2);
		v /= 100;
	}
	if (v >= 10)
		memcpy(q - 2, &pairs[v * 2], 2);
	else
		q[-1] = (uint8_t)('0' + v);
	return end;
}

uint8_t *fffa_text_i64(uint8_t *p, int64_t v)
{
	if (v >= 0)
		return fffa_text_u64(p, (uint64_t)v);
	*p++ = '-';
	return fffa_text_u64(p, -(uint64_t)v);
}

uint8_t *fffa_text_hex64(uint8_t *p, uint64_t v)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		*p++ = (uint8_t)hex[v >> shift & 15];
	return p;
}

static inline uint8_t *put_octet(uint8_t *p, unsigned int v)
{
	memcpy(p, &octets[v * 4], 4);
	return p + 2 + (v > 9) + (v > 99);
}

static inline uint8_t *put_ipv4(uint8_t *p, const uint8_t a[4])
{
	p = put_octet(p, a[0]);
	p = put_octet(p, a[1]);
	p = put_octet(p, a[2]);
	return put_octet(p, a[3]) - 1;
}

/* Stores every digit. The next one overwrites a leading zero, so no branch is needed. */
static inline uint8_t *put_group(uint8_t *p, unsigned int v)
{
	*p = (uint8_t)hex[v >> 12];
	p += v > 0xfff;
	*p = (uint8_t)hex[v >> 8 & 15];
	p += v > 0xff;
	*p = (uint8_t)hex[v >> 4 & 15];
	p += v > 0xf;
	*p = (uint8_t)hex[v & 15];
	return p + 1;
}

/* The first longest run of zero groups: its first group and its length (RFC 5952, 4.2.3). */
static inline unsigned int longest_run(unsigned int zeros, unsigned int *first)
{
	unsigned int starts = zeros, len = 0;

	/* After n rounds, a bit is left where n + 1 zero groups begin. */
	while (zeros) {
		starts = zeros;
		zeros &= zeros >> 1;
		len++;
	}
	*first = len ? (unsigned int)__builtin_ctz(starts) : 0;
	return len;
}

static uint8_t *put_ipv6(uint8_t *p, const uint8_t a[16])
{
	unsigned int group[8], zeros = 0, first, run;

	for (unsigned int i = 0; i < 8; i++) {
		group[i] = (unsigned int)a[2 * i] << 8 | a[2 * i + 1];
		zeros |= (unsigned int)(group[i] == 0) << i;
	}
	run = longest_run(zeros, &first);
	if (run < 2) { /* a single zero group is not shortened (RFC 5952, 4.2.2) */
		first = 8;
		run = 0;
	}
	for (unsigned int i = 0; i < first; i++) {
		p = put_group(p, group[i]);
		*p++ = ':';
	}
	if (!run)
		return p - 1;
	if (first == 0)
		*p++ = ':';
	*p++ = ':';
	/* The C library writes a v4-compatible address with dots, and so do we. */
	if (first == 0 && run == 6)
		return put_ipv4(p, a + 12);
	if (first + run == 8)
		return p;
	for (unsigned int i = first + run; i < 8; i++) {
		p = put_group(p, group[i]);
		*p++ = ':';
	}
	return p - 1;
}

uint8_t *fffa_text_ip(uint8_t *p, const uint8_t addr[16])
{
	return fffa_addr_is_ipv4(addr) ? put_ipv4(p, addr + 12) : put_ipv6(p, addr);
}

uint8_t *fffa_text_ip6(uint8_t *p, const uint8_t addr[16])
{
	if (fffa_addr_is_ipv4(addr))
		p = fffa_text_lit(p, "::ffff:");
	return fffa_text_ip(p, addr);
}

static uint8_t *put_pair(uint8_t *p, unsigned int v)
{
	memcpy(p, &pairs[v * 2], 2);
	return p + 2;
}

/* Days since 1970-01-01 as a Gregorian date, by 400-year eras that begin on 1 March. */
static uint8_t *put_date(uint8_t *p, int64_t days)
{
	/* Since 0000-03-01. The clamp below keeps it above -61. */
	uint32_t since = (uint32_t)(days + 719468);
	uint32_t era, in_era, year_in_era, in_year, shifted, day, month, year;

	since += 146097; /* one era up, so that January of year 0 stays above zero */
	era = since / 146097;
	in_era = since % 146097;
	year_in_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
	shifted = (5 * in_year + 2) / 153; /* 0: March */
	day = in_year - (153 * shifted + 2) / 5 + 1;
	month = shifted < 10 ? shifted + 3 : shifted - 9;
	year = era * 400 + year_in_era + (month <= 2) - 400;
	p = put_pair(put_pair(p, year / 100), year % 100);
	*p++ = '-';
	p = put_pair(p, month);
	*p++ = '-';
	return put_pair(p, day);
}

uint8_t *fffa_text_utc(uint8_t *p, int64_t unix_s)
{
	const int64_t least = -INT64_C(62167219200), most = INT64_C(253402300799);
	int64_t days;
	uint32_t in_day;

	if (unix_s < least)
		unix_s = least;
	if (unix_s > most)
		unix_s = most;
	days = unix_s / 86400 - (unix_s % 86400 < 0);
	in_day = (uint32_t)(unix_s - days * 86400);
	p = put_date(p, days);
	*p++ = 'T';
	p = put_pair(p, in_day / 3600);
	*p++ = ':';
	p = put_pair(p, in_day / 60 % 60);
	*p++ = ':';
	p = put_pair(p, in_day % 60);
	*p++ = 'Z';
	return p;
}

uint8_t *fffa_text_utc_ms(uint8_t *p, int64_t unix_ms)
{
	int64_t unix_s = fffa_text_seconds(unix_ms);
	/* Unsigned: the product is below INT64_MIN for the least unix_ms. */
	unsigned int ms = (unsigned int)((uint64_t)unix_ms - (uint64_t)unix_s * 1000);

	p = fffa_text_utc(p, unix_s) - 1;
	*p++ = '.';
	*p++ = (uint8_t)('0' + ms / 100);
	p = put_pair(p, ms % 100);
	*p++ = 'Z';
	return p;
}

uint8_t *fffa_text_json(uint8_t *p, const char *s, size_t len)
{
	const uint8_t *in = (const uint8_t *)s;
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = fffa_utf8_length(in + i, len - i);
		if (n == 0) {
			p = fffa_text_lit(p, "\\ufffd");
		} else if (in[i] < 0x20 || in[i] == 0x7f) {
			p = fffa_text_lit(p, "\\u00");
			*p++ = (uint8_t)hex[in[i] >> 4];
			*p++ = (uint8_t)hex[in[i] & 15];
		} else {
			if (in[i] == '"' || in[i] == '\\')
				*p++ = '\\';
			memcpy(p, in + i, n);
			p += n;
		}
	}
	return p;
}

uint8_t *fffa_text_utf8(uint8_t *p, const char *s, size_t len)
{
	const uint8_t *in = (const uint8_t *)s;
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = fffa_utf8_length(in + i, len - i);
		if (n == 0) {
			p = fffa_text_lit(p, "\xef\xbf\xbd");
			continue;
		}
		memcpy(p, in + i, n);
		p += n;
	}
	return p;
}
