// SPDX-License-Identifier: MIT
/* Community IDs, as the reference implementation has them: communityid 1.5 of PyPI. */
#include "tests/stubs/cmocka_all.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/encode/encoder.h"

static const struct {
	const char *src, *dst;
	uint8_t proto;
	uint16_t sport, dport; /* ICMP: 0, and type << 8 | code */
	const char *id;
} rows[] = {
	{"128.232.110.120", "66.35.250.204", 6, 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{"66.35.250.204", "128.232.110.120", 6, 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{"192.168.1.52", "8.8.8.8", 17, 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	{"192.168.170.8", "192.168.170.56", 132, 7, 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
	{"192.168.0.89", "192.168.0.1", 1, 0, 8 << 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{"192.168.0.1", "192.168.0.89", 1, 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{"192.168.0.89", "192.168.0.1", 1, 0, 3 << 8 | 1, "1:LXCfhMUFbYXe+CEMrQuZCbiLY3o="},
	{"192.168.0.1", "192.168.0.89", 1, 0, 3 << 8 | 1, "1:o3zT92uTgnRWv/YrDVeXcWumpC4="},
	{"fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 58, 0, 135 << 8,
	 "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
	{"3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", 58, 0, 3 << 8,
	 "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w="},
	{"10.1.24.4", "10.1.12.1", 46, 0, 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4="},
	{"2001:db8::1", "2001:db8::2", 6, 443, 443, "1:d/cl1QBulo0CEDuwagSnXAI3CHY="},
	{"10.0.0.1", "10.0.0.1", 6, 9, 8, "1:BriuZqmfifIqTVJOpCHPKIUrNIU="},
};

static void read_address(const char *text, uint8_t dst[16], uint8_t *view)
{
	char mapped[64];

	(void)snprintf(mapped, sizeof(mapped), "%s%s", strchr(text, ':') ? "" : "::ffff:", text);
	if (strchr(text, ':'))
		*view = FFFA_VIEW_IPV6;
	assert_int_equal(inet_pton(AF_INET6, mapped, dst), 1);
}

static void as_the_reference_has_them(void **state)
{
	static const struct fffa_ident_host host;
	static const struct fffa_ident ident = {.host = &host};
	struct fffa_err err = {""};
	struct fffa_encoder *e;

	(void)state;
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_JSON, "community_id", &e, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_record r = {.ident = &ident,
					.key = {.proto = rows[i].proto,
						.sport = htons(rows[i].sport),
						.dport = htons(rows[i].dport)}};
		uint8_t got[FFFA_RECORD_BYTES_MAX];
		char want[64];
		size_t n;

		read_address(rows[i].src, r.key.src, &r.key.view);
		read_address(rows[i].dst, r.key.dst, &r.key.view);
		n = fffa_encoder_write(e, &r, got, sizeof(got));
		(void)snprintf(want, sizeof(want), "{\"community_id\":\"%s\"}\n", rows[i].id);
		assert_int_equal(n, strlen(want));
		assert_memory_equal(got, want, n);
	}
	fffa_encoder_free(e);
}

static void it_is_there_only_when_listed(void **state)
{
	static const struct fffa_ident_host host;
	static const struct fffa_ident ident = {.host = &host};
	const struct fffa_record r = {.ident = &ident};
	uint8_t got[FFFA_RECORD_BYTES_MAX + 1];
	struct fffa_err err = {""};
	struct fffa_encoder *e;

	(void)state;
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_JSON, "all", &e, &err), 0);
	got[fffa_encoder_write(e, &r, got, FFFA_RECORD_BYTES_MAX)] = '\0';
	assert_null(strstr((const char *)got, "community_id"));
	fffa_encoder_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_reference_has_them),
		cmocka_unit_test(it_is_there_only_when_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
