// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/input/ident_text.h"
#include "agent/enrich/imds/imds_parse.h"

struct doc_row {
	const char *name;
	const char *body;
	int rc;
	uint32_t rejected;
	struct {
		const char *account_id, *instance_id, *region, *az, *az_id;
	} want;
};

#define X31 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct doc_row doc_rows[] = {
	{"as AWS writes it",
	 "{\n  \"accountId\" : \"123456789012\",\n  \"availabilityZone\" : \"us-east-1a\",\n"
	 "  \"billingProducts\" : null,\n  \"instanceId\" : \"i-0123456789abcdef0\",\n"
	 "  \"region\" : \"us-east-1\",\n  \"kernelId\" : null\n}\n",
	 0,
	 0,
	 {"123456789012", "i-0123456789abcdef0", "us-east-1", "us-east-1a", ""}},
	{"empty object", "{}", 0, 0, {"", "", "", "", ""}},
	{"null is absent", "{\"accountId\":null,\"region\":\"r\"}", 0, 0, {"", "", "r", "", ""}},
	{"a number is rejected", "{\"accountId\":123456789012}", 0, 1, {"", "", "", "", ""}},
	{"an object is rejected", "{\"region\":{\"a\":1}}", 0, 1, {"", "", "", "", ""}},
	{"just fits", "{\"instanceId\":\"" X31 "\"}", 0, 0, {"", X31, "", "", ""}},
	{"one too long", "{\"instanceId\":\"" X31 "x\"}", 0, 1, {"", "", "", "", ""}},
	{"space", "{\"region\":\"us east\"}", 0, 1, {"", "", "", "", ""}},
	{"escaped quote", "{\"region\":\"us\\\"east\"}", 0, 1, {"", "", "", "", ""}},
	{"apostrophe", "{\"region\":\"us'east\"}", 0, 1, {"", "", "", "", ""}},
	{"backslash", "{\"region\":\"us\\\\east\"}", 0, 1, {"", "", "", "", ""}},
	{"line break", "{\"region\":\"us\\neast\"}", 0, 1, {"", "", "", "", ""}},
	{"not ASCII", "{\"region\":\"us-\\u00e9ast\"}", 0, 1, {"", "", "", "", ""}},
	{"two bad, one good",
	 "{\"region\":\"a b\",\"accountId\":1,\"instanceId\":\"i-1\"}",
	 0,
	 2,
	 {"", "i-1", "", "", ""}},
	{"NUL in a value", "{\"region\":\"us\\u0000east\"}", -EINVAL, 0, {"", "", "", "", ""}},
	{"twice the same", "{\"region\":\"a\",\"region\":\"b\"}", -EINVAL, 0, {"", "", "", "", ""}},
	{"an array", "[{\"region\":\"a\"}]", -EINVAL, 0, {"", "", "", "", ""}},
	{"a string", "\"region\"", -EINVAL, 0, {"", "", "", "", ""}},
	{"cut off", "{\"region\":\"us-ea", -EINVAL, 0, {"", "", "", "", ""}},
	{"more behind it",
	 "{\"region\":\"a\"} {\"region\":\"b\"}",
	 -EINVAL,
	 0,
	 {"", "", "", "", ""}},
	{"an error page", "<?xml version=\"1.0\"?><html/>", -EINVAL, 0, {"", "", "", "", ""}},
	{"nothing", "", -EINVAL, 0, {"", "", "", "", ""}},
	{"bad UTF-8", "{\"region\":\"\xff\xfe\"}", -EINVAL, 0, {"", "", "", "", ""}},
};

static void test_document(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(doc_rows) / sizeof(doc_rows[0]); i++) {
		const struct doc_row *r = &doc_rows[i];
		struct fffa_imds_host got;
		uint32_t rejected = 0;
		int rc;

		memset(&got, 0x5a, sizeof(got));
		rc = fffa_imds_parse_document(r->body, strlen(r->body), &got, &rejected);
		if (rc != r->rc || rejected != r->rejected)
			fail_msg("%s: rc %d, rejected %u", r->name, rc, rejected);
		assert_string_equal(got.account_id, r->want.account_id);
		assert_string_equal(got.instance_id, r->want.instance_id);
		assert_string_equal(got.region, r->want.region);
		assert_string_equal(got.az, r->want.az);
		assert_string_equal(got.az_id, "");
	}
}

static void test_document_deep_and_large(void **state)
{
	static char body[FFFA_IMDS_BODY_MAX_BYTES + 1];
	struct fffa_imds_host got;
	uint32_t rejected = 0;

	(void)state;
	memset(body, '[', sizeof(body));
	assert_int_equal(fffa_imds_parse_document(body, sizeof(body) - 1, &got, &rejected),
			 -EINVAL);
	memset(body, ' ', sizeof(body));
	memcpy(body, "{\"region\":\"r\"}", 14);
	assert_int_equal(fffa_imds_parse_document(body, sizeof(body) - 1, &got, &rejected), 0);
	assert_string_equal(got.region, "r");
	assert_int_equal(fffa_imds_parse_document(body, sizeof(body), &got, &rejected), -EFBIG);
	assert_string_equal(got.region, "");
}

static void test_document_cut_anywhere(void **state)
{
	const char *body = doc_rows[0].body;
	size_t len = strlen(body) - 1; /* without the last line end */

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		struct fffa_imds_host got;
		uint32_t rejected = 0;

		assert_int_equal(fffa_imds_parse_document(body, cut, &got, &rejected), -EINVAL);
		assert_string_equal(got.instance_id, "");
	}
}

static void test_value(void **state)
{
	static const struct {
		const char *body;
		size_t len; /* 0: strlen */
		int rc;
		const char *want;
	} rows[] = {
		{"use1-az4", 0, 0, "use1-az4"},
		{"use1-az4\n", 0, 0, "use1-az4"},
		{" \t\r\nuse1-az4 \r\n\n", 0, 0, "use1-az4"},
		{"", 0, 0, ""},
		{"\n", 0, 0, ""},
		{"123456789012345", 0, 0, "123456789012345"},
		{"1234567890123456", 0, -ENAMETOOLONG, ""},
		{"two words", 0, -EINVAL, ""},
		{"two\nlines", 0, -EINVAL, ""},
		{"a\"b", 0, -EINVAL, ""},
		{"a\\b", 0, -EINVAL, ""},
		{"a'b", 0, -EINVAL, ""},
		{"a\0b", 3, -EINVAL, ""},
		{"a\x7f", 0, -EINVAL, ""},
		{"a\x80", 0, -EINVAL, ""},
		{"\x1b[31m", 0, -EINVAL, ""},
		{"<?xml version=\"1.0\"?>", 0, -ENAMETOOLONG, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = rows[i].len ? rows[i].len : strlen(rows[i].body);
		char dst[16] = "before";

		assert_int_equal(fffa_imds_parse_value(rows[i].body, len, dst, sizeof(dst)),
				 rows[i].rc);
		assert_string_equal(dst, rows[i].want);
	}
}

static void test_every_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char src = (char)c, dst[4];
		bool good = c > 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';

		assert_int_equal(fffa_ident_text_set(dst, sizeof(dst), &src, 1),
				 good ? 0 : -EINVAL);
		assert_int_equal(strlen(dst), good ? 1 : 0);
	}
}

static void test_value_too_large(void **state)
{
	static char body[FFFA_IMDS_BODY_MAX_BYTES + 1];
	char dst[16];

	(void)state;
	memset(body, ' ', sizeof(body));
	body[100] = 'v';
	assert_int_equal(fffa_imds_parse_value(body, sizeof(body) - 1, dst, sizeof(dst)), 0);
	assert_string_equal(dst, "v");
	assert_int_equal(fffa_imds_parse_value(body, sizeof(body), dst, sizeof(dst)), -EFBIG);
	assert_string_equal(dst, "");
}

static void test_macs(void **state)
{
	static const struct {
		const char *body;
		size_t n;
		uint32_t rejected;
		uint8_t last; /* last byte of the last MAC */
	} rows[] = {
		{"02:00:00:00:00:01/\n02:00:00:00:00:02/", 2, 0, 2},
		{"02:00:00:00:00:01/\r\n02:00:00:00:00:02/\r\n", 2, 0, 2},
		{"02:00:00:00:00:0a", 1, 0, 10},
		{"02:00:00:00:00:FF/", 1, 0, 255},
		{"", 0, 0, 0},
		{"\n\n\n", 0, 0, 0},
		{"02:00:00:00:00:01/\n02:00:00:00:00:01/", 1, 1, 1},
		{"02:00:00:00:00/\n02:00:00:00:00:03/", 1, 1, 3},
		{"02:00:00:00:00:01/x\n", 0, 1, 0},
		{"02:00:00:00:00:01//", 0, 1, 0},
		{"02-00-00-00-00-01/", 0, 1, 0},
		{"0g:00:00:00:00:01/", 0, 1, 0},
		{"02:00:00:00:00:01 02:00:00:00:00:02", 0, 1, 0},
		{"../../../api/token", 0, 1, 0},
		{"<html>\n<body>\n</html>", 0, 3, 0},
	};
	struct fffa_imds_iface ifaces[4];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t rejected = 0;
		size_t n = 99;

		memset(ifaces, 0x5a, sizeof(ifaces));
		assert_int_equal(fffa_imds_parse_macs(rows[i].body, strlen(rows[i].body), ifaces, 4,
						      &n, &rejected),
				 0);
		if (n != rows[i].n || rejected != rows[i].rejected)
			fail_msg("row %zu: n %zu, rejected %u", i, n, rejected);
		if (n) {
			assert_int_equal(ifaces[n - 1].mac[5], rows[i].last);
			assert_string_equal(ifaces[n - 1].interface_id, "");
			assert_string_equal(ifaces[n - 1].owner_id, "");
		}
	}
}

/* What stands in the memory from the round before is no interface of this one. */
static void test_macs_of_two_rounds(void **state)
{
	static const char body[] = "02:00:00:00:00:01/\n02:00:00:00:00:02/";
	struct fffa_imds_iface ifaces[2];
	uint32_t rejected = 0;
	size_t n;

	(void)state;
	memset(ifaces, 0, sizeof(ifaces));
	for (int round = 0; round < 2; round++) {
		assert_int_equal(
			fffa_imds_parse_macs(body, sizeof(body) - 1, ifaces, 2, &n, &rejected), 0);
		assert_int_equal(n, 2);
		assert_int_equal(rejected, 0);
	}
}

static void test_macs_caps(void **state)
{
	static char body[FFFA_IMDS_BODY_MAX_BYTES + 64];
	struct fffa_imds_iface ifaces[FFFA_IMDS_IFACES_MAX];
	uint32_t rejected = 0;
	size_t n, len = 0;

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len, "02:00:00:00:00:%02x/\n",
					i);
	assert_int_equal(
		fffa_imds_parse_macs(body, len, ifaces, FFFA_IMDS_IFACES_MAX, &n, &rejected), 0);
	assert_int_equal(n, FFFA_IMDS_IFACES_MAX);
	assert_int_equal(rejected, 100 - FFFA_IMDS_IFACES_MAX);
	assert_int_equal(ifaces[n - 1].mac[5], FFFA_IMDS_IFACES_MAX - 1);
	assert_int_equal(fffa_imds_parse_macs(body, FFFA_IMDS_BODY_MAX_BYTES + 1, ifaces,
					      FFFA_IMDS_IFACES_MAX, &n, &rejected),
			 -EFBIG);
	assert_int_equal(n, 0);
}

static void test_token(void **state)
{
	char body[FFFA_IMDS_TOKEN_MAX_BYTES + 2], dst[FFFA_IMDS_TOKEN_MAX_BYTES + 1];

	(void)state;
	assert_int_equal(fffa_imds_parse_token("AQAEA-x_y==\n", 12, dst), 0);
	assert_string_equal(dst, "AQAEA-x_y==");
	memset(body, 'a', sizeof(body));
	assert_int_equal(fffa_imds_parse_token(body, FFFA_IMDS_TOKEN_MAX_BYTES, dst), 0);
	assert_int_equal(strlen(dst), FFFA_IMDS_TOKEN_MAX_BYTES);
	assert_int_equal(fffa_imds_parse_token(body, FFFA_IMDS_TOKEN_MAX_BYTES + 1, dst), -EINVAL);
	assert_string_equal(dst, "");
	assert_int_equal(fffa_imds_parse_token("", 0, dst), -EINVAL);
	assert_int_equal(fffa_imds_parse_token(" \n", 2, dst), -EINVAL);
	/* Nothing that would end the header line or begin another. */
	assert_int_equal(fffa_imds_parse_token("a\r\nX-Evil: 1", 12, dst), -EINVAL);
	assert_int_equal(fffa_imds_parse_token("a b", 3, dst), -EINVAL);
	assert_int_equal(fffa_imds_parse_token("a\0b", 3, dst), -EINVAL);
	assert_int_equal(fffa_imds_parse_token("a\x80", 2, dst), -EINVAL);
	assert_string_equal(dst, "");
}

static void test_list(void **state)
{
	static const struct {
		const char *body;
		enum fffa_imds_list_kind kind;
		size_t n;
		uint32_t rejected;
		bool unusable;
	} rows[] = {
		{"10.0.0.1", FFFA_IL_IPV4, 1, 0, false},
		{"10.0.0.1\n10.0.0.2\r\n\n 10.0.0.3 \n", FFFA_IL_IPV4, 3, 0, false},
		{"", FFFA_IL_IPV4, 0, 0, false},
		{"\n \n", FFFA_IL_IPV4, 0, 0, false},
		{"10.0.0.1\n10.0.0.1", FFFA_IL_IPV4, 1, 1, false},
		{"10.0.0.1/24", FFFA_IL_IPV4, 0, 1, true},
		{"2001:db8::1\n10.0.0.1", FFFA_IL_IPV4, 1, 1, false},
		{"::ffff:10.0.0.1", FFFA_IL_IPV6, 0, 1, true},
		{"2001:db8::1\n2001:DB8::2", FFFA_IL_IPV6, 2, 0, false},
		{"10.0.0.0/16\n10.1.0.0/16", FFFA_IL_IPV4_PREFIX, 2, 0, false},
		{"10.0.0.0/16\n10.0.0.0/17", FFFA_IL_IPV4_PREFIX, 2, 0, false},
		{"10.0.0.0", FFFA_IL_IPV4_PREFIX, 0, 1, true},
		{"10.0.0.0/33\n10.0.0.0/\n/16\n10.0.0.0/1x", FFFA_IL_IPV4_PREFIX, 0, 4, true},
		{"2001:db8::/56", FFFA_IL_IPV6_PREFIX, 1, 0, false},
		{"2001:db8::/129\n2001:db8::/-1", FFFA_IL_IPV6_PREFIX, 0, 2, true},
		{"<html>\n<body>", FFFA_IL_IPV6_PREFIX, 0, 2, true},
	};
	struct fffa_imds_list got;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t rejected = 0;

		memset(&got, 0x5a, sizeof(got));
		assert_int_equal(fffa_imds_parse_list(rows[i].body, strlen(rows[i].body),
						      rows[i].kind, &got, &rejected),
				 0);
		if (got.n != rows[i].n || rejected != rows[i].rejected ||
		    got.unusable != rows[i].unusable)
			fail_msg("row %zu: n %u, rejected %u", i, got.n, rejected);
	}
}

static void test_list_caps(void **state)
{
	static char body[FFFA_IMDS_BODY_MAX_BYTES + 1];
	struct fffa_imds_list got;
	uint32_t rejected = 0;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < FFFA_IMDS_LIST_MAX + 3; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len, "10.0.%d.1\n", i);
	assert_int_equal(fffa_imds_parse_list(body, len, FFFA_IL_IPV4, &got, &rejected), 0);
	assert_int_equal(got.n, FFFA_IMDS_LIST_MAX);
	assert_int_equal(rejected, 3);
	assert_int_equal(fffa_imds_parse_list(body, sizeof(body), FFFA_IL_IPV4, &got, &rejected),
			 -EFBIG);
	assert_int_equal(got.n, 0);
	assert_int_equal(
		fffa_imds_parse_list("10.0.0.1\0\n10.0.0.2", 18, FFFA_IL_IPV4, &got, &rejected), 0);
	assert_int_equal(got.n, 1);
}

static void test_tag(void **state)
{
	char got[FFFA_IDENT_TAG_BYTES], raw[FFFA_IDENT_TAG_BYTES];

	(void)state;
	assert_int_equal(fffa_imds_parse_tag("web-1", 5, got), 0);
	assert_string_equal(got, "web%2D1");
	assert_int_equal(fffa_imds_parse_tag(" a b \r\n", 7, got), 0);
	assert_string_equal(got, "%20a%20b%20");
	assert_int_equal(fffa_imds_parse_tag("", 0, got), 0);
	assert_string_equal(got, "");
	assert_int_equal(fffa_imds_parse_tag("\xff", 1, got), -EINVAL);
	assert_string_equal(got, "");
	memset(raw, '-', sizeof(raw));
	assert_int_equal(fffa_imds_parse_tag(raw, 255, got), 0);
	assert_int_equal(strlen(got), 765);
	assert_int_equal(fffa_imds_parse_tag(raw, 256, got), -ENAMETOOLONG);
	assert_string_equal(got, "");
}

static void test_has_line(void **state)
{
	static const char body[] = "Name\r\n team \n\nlast";

	(void)state;
	assert_true(fffa_imds_parse_has_line(body, sizeof(body) - 1, "Name"));
	assert_true(fffa_imds_parse_has_line(body, sizeof(body) - 1, "team"));
	assert_true(fffa_imds_parse_has_line(body, sizeof(body) - 1, "last"));
	assert_false(fffa_imds_parse_has_line(body, sizeof(body) - 1, "Nam"));
	assert_false(fffa_imds_parse_has_line(body, sizeof(body) - 1, "Names"));
	assert_false(fffa_imds_parse_has_line(body, sizeof(body) - 2, "last"));
	assert_false(fffa_imds_parse_has_line(body, sizeof(body) - 1, ""));
}

static void test_outpost(void **state)
{
	static const struct {
		const char *body;
		int rc;
		const char *want;
	} rows[] = {
		{"arn:aws:outposts:us-east-1:123456789012:outpost/op-0123456789abcdef0\n", 0,
		 "op-0123456789abcdef0"},
		{"arn:aws-us-gov:outposts:us-gov-west-1:123456789012:outpost/op-1", 0, "op-1"},
		{"", 0, ""},
		{"op-1", -EINVAL, ""},
		{"arn:aws:outposts:us-east-1:123456789012:site/os-1", -EINVAL, ""},
		{"arn:aws:ec2:us-east-1:123456789012:outpost/op-1", -EINVAL, ""},
		{"arn:aws:outposts:us-east-1:123456789012:outpost/op-1/asset/2", -EINVAL, ""},
		{"arn:aws:outposts:us-east-1:123456789012:outpost/op-1 2", -EINVAL, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got[64] = "x";

		if (fffa_imds_parse_outpost(rows[i].body, strlen(rows[i].body), got, sizeof(got)) !=
		    rows[i].rc)
			fail_msg("row %zu", i);
		assert_string_equal(got, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_document_deep_and_large),
		cmocka_unit_test(test_document_cut_anywhere),
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_value_too_large),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_macs_of_two_rounds),
		cmocka_unit_test(test_macs_caps),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_caps),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_has_line),
		cmocka_unit_test(test_outpost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
