// SPDX-License-Identifier: MIT
/* metadata.static: each key has its place, and what may not enter a record is refused. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/input/ident_text.h"
#include "agent/enrich/static_ident.h"

/* The first ten are texts, the others are tags. */
static char *const keys[] = {
	"account_id",	 "instance_id",	     "region",	       "az",
	"az_id",	 "sublocation_type", "sublocation_id", "vpc_id",
	"subnet_id",	 "interface_id",     "instance_tag",   "instance_tag_2",
	"interface_tag", "interface_tag_2",  "asg_tag",	       "asg_tag_2"};
#define KEYS  (sizeof(keys) / sizeof(keys[0]))
#define TEXTS 10

static int read_one(const char *key, const char *value, struct fffa_static_ident *out,
		    struct fffa_err *err)
{
	struct fffa_pair pair = {(char *)(uintptr_t)key, (char *)(uintptr_t)value};

	return fffa_static_ident_read(&(struct fffa_pairs){&pair, 1}, out, err);
}

static void every_key_has_its_place(void **state)
{
	static char *values[] = {"111122223333", "i-1",	     "us-east-1", "us-east-1a",
				 "use1-az4",	 "outpost",  "op-1",	  "vpc-1",
				 "subnet-1",	 "eni-1",    "a b",	  "c\"d",
				 "e,f",		 "\xc3\xa4", "i",	  "j"};
	struct fffa_pair pairs[KEYS];
	struct fffa_static_ident s;
	struct fffa_err err;

	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		pairs[i] = (struct fffa_pair){keys[i], values[i]};
	assert_int_equal(fffa_static_ident_read(&(struct fffa_pairs){pairs, KEYS}, &s, &err), 0);
	assert_string_equal(s.host.account_id, "111122223333");
	assert_string_equal(s.host.instance_id, "i-1");
	assert_string_equal(s.host.region, "us-east-1");
	assert_string_equal(s.host.az, "us-east-1a");
	assert_string_equal(s.host.az_id, "use1-az4");
	assert_string_equal(s.host.sublocation_type, "outpost");
	assert_string_equal(s.host.sublocation_id, "op-1");
	assert_string_equal(s.iface.vpc_id, "vpc-1");
	assert_string_equal(s.iface.subnet_id, "subnet-1");
	assert_string_equal(s.iface.interface_id, "eni-1");
	assert_string_equal(s.host.instance_tags.v[0], "a%20b");
	assert_string_equal(s.host.instance_tags.v[1], "c%22d");
	assert_string_equal(s.iface.interface_tags.v[0], "e%2Cf");
	assert_string_equal(s.iface.interface_tags.v[1], "%C3%A4");
	assert_string_equal(s.host.asg_tags.v[0], "i");
	assert_string_equal(s.host.asg_tags.v[1], "j");
}

/* The longest text fits exactly, the next one is refused, and the message says the bound. */
static void texts_have_their_bounds(void **state)
{
	static const size_t longest[TEXTS] = {15, 31, 31, 39, 23, 15, 63, 31, 31, 31};
	struct fffa_static_ident s;
	struct fffa_err err;
	char value[80], want[200];

	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		memset(value, 'x', sizeof(value));
		value[longest[i]] = '\0';
		assert_int_equal(read_one(keys[i], value, &s, &err), 0);
		value[longest[i]] = 'x';
		value[longest[i] + 1] = '\0';
		assert_int_equal(read_one(keys[i], value, &s, &err), -EINVAL);
		(void)snprintf(want, sizeof(want),
			       "metadata.static.%s: must be at most %zu printable ASCII characters "
			       "without space, quotes and backslash",
			       keys[i], longest[i]);
		assert_string_equal(err.text, want);
	}
}

static void tags_have_their_bound(void **state)
{
	char value[FFFA_IDENT_TAG_BYTES + 1], want[200];
	struct fffa_static_ident s;
	struct fffa_err err;

	(void)state;
	for (size_t i = TEXTS; i < KEYS; i++) {
		memset(value, 'x', sizeof(value));
		value[FFFA_IDENT_TAG_BYTES - 1] = '\0';
		assert_int_equal(read_one(keys[i], value, &s, &err), 0);
		value[FFFA_IDENT_TAG_BYTES - 1] = 'x';
		value[FFFA_IDENT_TAG_BYTES] = '\0';
		assert_int_equal(read_one(keys[i], value, &s, &err), -EINVAL);
		(void)snprintf(want, sizeof(want),
			       "metadata.static.%s: must be UTF-8 of at most %d bytes when "
			       "percent-encoded",
			       keys[i], FFFA_IDENT_TAG_BYTES - 1);
		assert_string_equal(err.text, want);
		assert_int_equal(read_one(keys[i], "\xff", &s, &err), -EINVAL);
	}
}

static void only_bytes_that_every_encoder_copies(void **state)
{
	char text[4] = "a.b", dst[8];

	(void)state;
	for (int c = 1; c < 256; c++) {
		bool fine = c > 0x20 && c < 0x7f && !strchr("\"'\\", c);

		text[1] = (char)c;
		assert_int_equal(fffa_ident_text_set(dst, sizeof(dst), text, 3),
				 fine ? 0 : -EINVAL);
		assert_string_equal(dst, fine ? text : "");
	}
	assert_int_equal(fffa_ident_text_set(dst, sizeof(dst), "12345678", 8), -ENAMETOOLONG);
	assert_string_equal(dst, "");
	assert_int_equal(fffa_ident_text_set(dst, sizeof(dst), "", 0), 0);
}

static void what_is_not_set_and_what_is_not_known(void **state)
{
	struct fffa_static_ident s, none;
	struct fffa_err err;

	(void)state;
	memset(&none, 0, sizeof(none));
	assert_int_equal(read_one("region", "", &s, &err), 0);
	assert_memory_equal(&s, &none, sizeof(s));
	assert_int_equal(read_one("region", NULL, &s, &err), 0);
	assert_memory_equal(&s, &none, sizeof(s));
	assert_int_equal(read_one("regio", "x", &s, &err), -EINVAL);
	assert_string_equal(err.text, "metadata.static.regio: unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_place),
		cmocka_unit_test(texts_have_their_bounds),
		cmocka_unit_test(tags_have_their_bound),
		cmocka_unit_test(only_bytes_that_every_encoder_copies),
		cmocka_unit_test(what_is_not_set_and_what_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
