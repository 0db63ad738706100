// SPDX-License-Identifier: MIT
/* ip-ranges.json: what is read, what is refused with which message, and failing allocations. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/services/aws_service.h"
#include "agent/enrich/services/ip_ranges_parse.h"
#include "tests/stubs/failing_alloc.h"

#define SEEDS FFFA_SOURCE_DIR "/tests/data/fuzz/ip_ranges/"

static size_t read_seed(const char *name, char *text, size_t cap)
{
	char path[256];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), SEEDS "%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, cap, f);
	(void)fclose(f);
	assert_true(n > 0 && n < cap);
	return n;
}

static void check_service(const struct fffa_ip_table *t, const char *addr, const char *service)
{
	struct fffa_cidr c;
	const char *got;

	assert_int_equal(fffa_cidr_parse(addr, &c, NULL), 0);
	got = fffa_aws_service_name(fffa_ip_table_find(t, c.addr));
	assert_string_equal(got ? got : "-", service);
}

static void the_file_as_aws_writes_it(void **state)
{
	struct fffa_ip_ranges_facts facts;
	struct fffa_ip_table *t;
	char text[8192];
	size_t n = read_seed("small", text, sizeof(text));

	(void)state;
	assert_int_equal(fffa_ip_ranges_parse(text, n, &t, &facts, NULL), 0);
	assert_int_equal(facts.prefixes, 12);
	assert_int_equal(facts.rejected, 0);
	assert_string_equal(facts.created, "2026-11-20-01-02-03");
	check_service(t, "3.4.0.1", "EC2");
	check_service(t, "3.4.15.255", "S3");
	check_service(t, "3.4.16.0", "EC2");
	check_service(t, "120.52.22.97", "CLOUDFRONT"); /* of region GLOBAL */
	check_service(t, "13.124.199.1", "AMAZON");	/* a service that flow logs do not know */
	check_service(t, "13.124.198.255", "-");
	check_service(t, "2600:1f18::1", "EC2");
	check_service(t, "2600:1f68:1000::6", "DYNAMODB");
	check_service(t, "2600:1f68:1000::7", "ROUTE53_RESOLVER");
	check_service(t, "2600:1f68:1000:100::", "AMAZON");
	check_service(t, "2a05::1", "-");
	fffa_ip_table_free(t);
}

static void other_documents_are_refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{"", "no JSON at line 1, column 0"},
		{"{\n\"prefixes\":[\n{]}", "no JSON at line 3, column 2"},
		{"[]", "not an ip-ranges file: no JSON object"},
		{"{}", "not an ip-ranges file: no list of prefixes"},
		{"{\"prefixes\":{}}", "not an ip-ranges file: no list of prefixes"},
		{"{\"prefixes\":[],\"ipv6_prefixes\":7}",
		 "not an ip-ranges file: no list of prefixes"},
		{"{\"prefixes\":[]}", "none of 0 entries is a prefix of a service"},
		{"{\"prefixes\":[1,2]}", "none of 2 entries is a prefix of a service"},
	};
	struct fffa_ip_ranges_facts facts;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fffa_ip_table *t = NULL;
		struct fffa_err err = {""};

		assert_int_equal(fffa_ip_ranges_parse(cases[i].text, strlen(cases[i].text), &t,
						      &facts, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].says);
		assert_null(t);
	}
}

static void entries_that_are_no_prefix(void **state)
{
	static const char *const entries[] = {
		"null",
		"\"3.0.0.0/8\"",
		"{\"service\":\"S3\"}",
		"{\"ip_prefix\":\"3.0.0.0/8\"}",
		"{\"ip_prefix\":\"3.0.0.0/8\",\"service\":3}",
		"{\"ip_prefix\":\"3.0.0.0/33\",\"service\":\"S3\"}",
		"{\"ip_prefix\":\"3.0.0.0\",\"service\":\"S3\"}",
		"{\"ip_prefix\":\"3.0.0.1/8\",\"service\":\"S3\"}",
		"{\"ip_prefix\":\"3.128.0.0/8\",\"service\":\"S3\"}",
		"{\"ip_prefix\":\"3.0.0/8\",\"service\":\"S3\"}",
		"{\"ip_prefix\":\"2600::/16\",\"service\":\"S3\"}",
		"{\"ip_prefix\":\"3.0.0.0/8/8\",\"service\":\"S3\"}",
		"{\"ipv6_prefix\":\"3.0.0.0/8\",\"service\":\"S3\"}",
	};
	struct fffa_ip_ranges_facts facts;
	struct fffa_ip_table *t;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		int n = snprintf(
			text, sizeof(text),
			"{\"prefixes\":[%s,{\"ip_prefix\":\"4.0.0.0/8\",\"service\":\"EBS\"}]}",
			entries[i]);

		assert_int_equal(fffa_ip_ranges_parse(text, (size_t)n, &t, &facts, NULL), 0);
		assert_int_equal(facts.prefixes, 1);
		assert_int_equal(facts.rejected, 1);
		check_service(t, "3.0.0.1", "-");
		check_service(t, "4.0.0.1", "EBS");
		fffa_ip_table_free(t);
	}
}

static void a_file_that_is_too_large(void **state)
{
	char *text = malloc(FFFA_IP_RANGES_BYTES_MAX + 1);
	struct fffa_ip_ranges_facts facts;
	struct fffa_ip_table *t = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', FFFA_IP_RANGES_BYTES_MAX + 1);
	assert_int_equal(fffa_ip_ranges_parse(text, FFFA_IP_RANGES_BYTES_MAX + 1, &t, &facts, NULL),
			 -EFBIG);
	assert_int_equal(fffa_ip_ranges_parse(text, FFFA_IP_RANGES_BYTES_MAX, &t, &facts, NULL),
			 -EINVAL);
	assert_null(t);
	free(text);
}

/* As many prefixes as the largest file can hold are read. */
static void a_file_with_very_many_prefixes(void **state)
{
	const size_t cap = FFFA_IP_RANGES_BYTES_MAX;
	struct fffa_ip_ranges_facts facts;
	struct fffa_ip_table *t;
	char *text = malloc(cap);
	size_t n, count = 0;

	(void)state;
	assert_non_null(text);
	n = (size_t)snprintf(text, cap,
			     "{\"prefixes\":[{\"ip_prefix\":\"1.0.0.0/8\",\"service\":\"EC2\"}");
	for (unsigned int i = 0; i < 100000; i++) {
		n += (size_t)snprintf(text + n, cap - n,
				      ",{\"ip_prefix\":\"%u.%u.%u.0/24\",\"service\":\"%s\"}",
				      20 + i / 65536, i / 256 % 256, i % 256, i % 2 ? "S3" : "EBS");
		count++;
		assert_true(n < cap - 128);
	}
	n += (size_t)snprintf(text + n, cap - n, "]}");
	assert_int_equal(fffa_ip_ranges_parse(text, n, &t, &facts, NULL), 0);
	assert_int_equal(facts.prefixes, count + 1);
	check_service(t, "1.2.3.4", "EC2");
	check_service(t, "20.0.0.9", "EBS");
	check_service(t, "20.255.255.255", "S3");
	check_service(t, "21.0.2.0", "EBS");
	check_service(t, "30.0.0.0", "-");
	fffa_ip_table_free(t);
	free(text);
}

static void every_allocation_fails_once(void **state)
{
	char text[8192];
	size_t n = read_seed("small", text, sizeof(text));
	struct fffa_ip_ranges_facts facts;
	struct fffa_ip_table *t;
	struct fffa_err err;
	unsigned long i;
	int rc = -1;

	(void)state;
	for (i = 1; rc; i++) {
		t = NULL;
		failing_alloc_arm(i);
		rc = fffa_ip_ranges_parse(text, n, &t, &facts, &err);
		if (rc) {
			assert_true(failing_alloc_fired());
			assert_int_equal(rc, -ENOMEM);
			assert_null(t);
		}
		failing_alloc_arm(0);
	}
	assert_int_equal(i, 6); /* the list, two of the sweep, the table; then all went well */
	fffa_ip_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_as_aws_writes_it),
		cmocka_unit_test(other_documents_are_refused),
		cmocka_unit_test(entries_that_are_no_prefix),
		cmocka_unit_test(a_file_that_is_too_large),
		cmocka_unit_test(a_file_with_very_many_prefixes),
		cmocka_unit_test(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
