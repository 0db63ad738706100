// SPDX-License-Identifier: MIT
/* metadata.networks: the reader of the file, what it says of a record, and the traffic counted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/enrich/networks/network_traffic.h"
#include "agent/enrich/networks/networks_parse.h"
#include "agent/enrich/services/ip_table.h"
#include "tests/stubs/failing_alloc.h"

static struct fffa_networks *parse(const char *text)
{
	struct fffa_networks *n = NULL;
	struct fffa_err err = {""};

	if (fffa_networks_parse(text, strlen(text), &n, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return n;
}

static const struct fffa_network *find(const struct fffa_networks *n, const char *addr)
{
	struct fffa_cidr c;
	uint16_t i;

	assert_int_equal(fffa_cidr_parse(addr, &c, NULL), 0);
	i = fffa_ip_table_find(n->table, c.addr);
	return i ? &n->v[i - 1] : NULL;
}

static void check_name(const struct fffa_networks *n, const char *addr, const char *name)
{
	const struct fffa_network *found = find(n, addr);

	if (!name)
		assert_null(found);
	else
		assert_string_equal(found->name, name);
}

static void longest_prefix_names_an_address(void **state)
{
	struct fffa_networks *n =
		parse("# cidr,name,...\n"
		      "10.0.0.0/8,all\n"
		      "\n"
		      "10.1.0.0/16,web,111122223333,vpc-1,subnet-1,use1-az4,local\r\n"
		      "  10.1.2.3 , one , , , , use1-az6\n"
		      "0.0.0.0/0,internet,,,,,igw\n"
		      "2001:db8::/32,\"b\xc3\xbcro, \"\"x\"\"\"\n"
		      "192.168.0.0/16,private");

	(void)state;
	assert_int_equal(n->n, 6);
	check_name(n, "10.2.0.1", "all");
	check_name(n, "10.1.255.255", "web");
	check_name(n, "10.1.2.3", "one");
	check_name(n, "10.1.2.4", "web");
	check_name(n, "9.255.255.255", "internet");
	check_name(n, "255.255.255.255", "internet");
	check_name(n, "192.168.9.9", "private");
	check_name(n, "2001:db8:ffff::", "b\xc3\xbcro, \"x\"");
	check_name(n, "2001:db9::", NULL);
	assert_string_equal(find(n, "10.1.0.0")->subnet_id, "subnet-1");
	assert_string_equal(find(n, "10.1.0.0")->vpc_id, "vpc-1");
	assert_string_equal(find(n, "10.1.0.0")->account_id, "111122223333");
	assert_true(find(n, "10.1.0.0")->local);
	assert_string_equal(find(n, "10.1.2.3")->az_id, "use1-az6");
	assert_int_equal(find(n, "8.8.8.8")->traffic_path, 8);
	fffa_networks_parse_free(n);
	n = parse("");
	assert_int_equal(n->n, 0);
	check_name(n, "10.0.0.1", NULL);
	fffa_networks_parse_free(n);
	n = parse("::/0,six\n");
	check_name(n, "10.0.0.1", NULL);
	check_name(n, "2001:db8::1", "six");
	check_name(n, "ffff::", "six");
	fffa_networks_parse_free(n);
}

static void every_column_may_have_quotes(void **state)
{
	struct fffa_networks *n = parse("\"10.0.0.0/8\" , \"a\",\"1\"\n"
					"11.0.0.0/8,b,2,vpc-1,subnet-1,use1-az4,local\n"
					"\"12.0.0.0/8\",\"c\"\n"
					"13.0.0.0/8,\"d\",3\n");

	(void)state;
	assert_int_equal(n->n, 4);
	assert_string_equal(find(n, "10.0.0.1")->account_id, "1");
	check_name(n, "12.0.0.1", "c");
	assert_string_equal(find(n, "12.0.0.1")->account_id, "");
	assert_string_equal(find(n, "13.0.0.1")->account_id, "3");
	fffa_networks_parse_free(n);
}

static void a_header_orders_the_columns(void **state)
{
	struct fffa_networks *n = parse("\xef\xbb\xbf"
					"cidr,kind,name\n10.0.0.0/8,vgw,office\n");

	(void)state;
	check_name(n, "10.0.0.1", "office");
	assert_int_equal(find(n, "10.0.0.1")->traffic_path, 3);
	fffa_networks_parse_free(n);
}

static void mistakes_name_their_line(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"10.0.0.0/33,a\n", "line 1: \"10.0.0.0/33\" is no prefix"},
		{"10.0.0.0/8,a\n\n10.0.0.1/8,a\n", "line 3: \"10.0.0.1/8\" has bits behind"},
		{"#\n10.0.0.0/8\n", "line 2: has no name"},
		{"10.0.0.0/8,a,1,2,3,4,local,x\n", "line 1: has more than 7 columns"},
		{"10.0.0.0/8,a,,,,,train\n", "line 1: kind \"train\" is not known; allowed: local"},
		{"10.0.0.0/8,a,,,,,9\n", "line 1: kind \"9\""},
		{"10.0.0.0/8,\"a\n", "line 1: column 2: its quotes do not end"},
		{"10.0.0.0/8,\"a\"b\n", "line 1: column 2: its quotes do not end"},
		{"10.0.0.0/8,a\xff\n", "line 1: the name \"a?\" is not printable UTF-8"},
		{"10.0.0.0/8,a\x01\n", "line 1: the name \"a?\" is not printable UTF-8"},
		{"10.0.0.0/8,a\xc2\x9b\n", "line 1: the name \"a??\" is not printable UTF-8"},
		{"10.0.0.0/8,a,two words\n", "line 1: account_id \"two words\" must be"},
		{"10.0.0.0/8,a,1234567890123456\n", "line 1: account_id"},
		{"10.0.0.0/8,a\n11.0.0.0/8,b\n10.0.0.0/8,c\n",
		 "line 3: the same prefix as in line 1"},
		{"cidr,name,zone\n", "line 1: \"zone\" is no column"},
		{"cidr,name,name\n", "line 1: the column name is there twice"},
		{"cidr,name\n10.0.0.0/8,a,b\n", "line 2: has 3 columns, and the header 2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_networks *n = NULL;
		struct fffa_err err = {""};

		assert_int_equal(fffa_networks_parse(rows[i].text, strlen(rows[i].text), &n, &err),
				 -EINVAL);
		if (strncmp(err.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_null(n);
	}
}

static void everything_has_a_bound(void **state)
{
	size_t room = (FFFA_NETWORKS_MAX + 1) * (size_t)32, len = 0;
	char *text = malloc(room), longest[FFFA_NETWORKS_LINE_BYTES_MAX + 64];
	struct fffa_networks *n = NULL;
	struct fffa_err err = {""};

	(void)state;
	for (unsigned int i = 0; i < FFFA_NETWORKS_MAX; i++)
		len += (size_t)snprintf(text + len, room - len, "10.%u.%u.0/24,n%u\n",
					i / 256 % 256, i % 256, i);
	assert_int_equal(fffa_networks_parse(text, len, &n, &err), 0);
	check_name(n, "10.255.254.9", "n65534");
	fffa_networks_parse_free(n);
	len += (size_t)snprintf(text + len, room - len, "11.0.0.0/8,x\n");
	n = NULL;
	assert_int_equal(fffa_networks_parse(text, len, &n, &err), -E2BIG);
	assert_string_equal(err.text, "line 65536: more than 65535 networks");
	free(text);
	memset(longest, ' ', sizeof(longest));
	memcpy(longest, "10.0.0.0/8,x", 12);
	assert_int_equal(fffa_networks_parse(longest, FFFA_NETWORKS_LINE_BYTES_MAX, &n, &err), 0);
	fffa_networks_parse_free(n);
	assert_int_equal(fffa_networks_parse(longest, FFFA_NETWORKS_LINE_BYTES_MAX + 1, &n, &err),
			 -EINVAL);
	assert_string_equal(err.text, "line 1: longer than 1024 bytes");
	assert_int_equal(fffa_networks_parse("10.0.0.0/8,\0", 12, &n, &err), -EINVAL);
	assert_int_equal(fffa_networks_parse("", FFFA_NETWORKS_BYTES_MAX + 1, &n, &err), -EFBIG);
}

static void survives_any_failed_allocation(void **state)
{
	static const char text[] = "10.0.0.0/8,a\n11.0.0.0/8,b\n";
	struct fffa_networks *n;
	struct fffa_err err;
	int rc;

	(void)state;
	for (int i = 1;; i++) {
		failing_alloc_arm(i);
		rc = fffa_networks_parse(text, sizeof(text) - 1, &n, &err);
		if (!failing_alloc_fired())
			break;
		failing_alloc_arm(0);
		assert_int_equal(rc, -ENOMEM);
	}
	failing_alloc_arm(0);
	assert_int_equal(rc, 0);
	fffa_networks_parse_free(n);
}

static void add(struct fffa_network_traffic *t, const struct fffa_network *src,
		const struct fffa_network *dst, uint64_t bytes)
{
	struct fffa_record r = {.src_network = src, .dst_network = dst, .bytes = bytes};

	fffa_network_traffic_add(t, &r);
}

static void traffic_has_a_bounded_number_of_series(void **state)
{
	struct fffa_network_traffic *t = fffa_network_traffic_new();
	const struct fffa_network_series *s;
	uint64_t bytes = 0;
	size_t n;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2000; i++) {
			struct fffa_network a = {.az_id = "use1-az4"}, b = {.name = "b"};

			(void)snprintf(a.name, sizeof(a.name), "n%d", i);
			add(t, &a, &b, 10);
		}
	}
	add(t, NULL, NULL, 1000);
	s = fffa_network_traffic_series(t, &n);
	assert_int_equal(n, FFFA_NETWORK_TRAFFIC_MAX - 1); /* and none for others of egress */
	for (size_t i = 0; i < n; i++) {
		bytes += s[i].bytes;
		for (size_t k = 0; k < i; k++)
			assert_true(strcmp(s[i].src_network, s[k].src_network) != 0);
	}
	assert_int_equal(bytes, 2 * 2000 * 10);
	assert_string_equal(s[0].src_network, "n0");
	assert_int_equal(s[0].bytes, 20);
	assert_string_equal(s[n - 1].src_network, "other");
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix_names_an_address),
		cmocka_unit_test(every_column_may_have_quotes),
		cmocka_unit_test(a_header_orders_the_columns),
		cmocka_unit_test(mistakes_name_their_line),
		cmocka_unit_test(everything_has_a_bound),
		cmocka_unit_test(survives_any_failed_allocation),
		cmocka_unit_test(traffic_has_a_bounded_number_of_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
