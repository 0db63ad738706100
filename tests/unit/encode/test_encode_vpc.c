// SPDX-License-Identifier: MIT
/* Golden lines of the vpc format, with the fields and meanings that AWS documents. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "tests/unit/encode/sample.h"

#define assert_vpc(fields, s, text) assert_encodes(FFFA_FORMAT_VPC, (fields), &(s)->r, (text))

static void default_line(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	assert_vpc(NULL, &s,
		   "2 111122223333 eni-0aa11bb22cc33dd44 10.0.5.9 10.0.5.20 40112 22 6 18 3991 "
		   "1700000010 1700000070 ACCEPT OK\n");
	assert_vpc("default", &s,
		   "2 111122223333 eni-0aa11bb22cc33dd44 10.0.5.9 10.0.5.20 40112 22 6 18 3991 "
		   "1700000010 1700000070 ACCEPT OK\n");
}

static void v5_line(void **state)
{
	struct sample s;
	const char *line = "5 111122223333 eni-0aa11bb22cc33dd44 10.0.5.9 10.0.5.20 40112 22 6 18 "
			   "3991 1700000010 1700000070 ACCEPT OK vpc-12345678 subnet-87654321 "
			   "i-1234567890abcdef0 3 IPv4 10.0.5.9 10.0.5.20 us-east-1 use1-az4 - - - "
			   "- ingress -\n";

	(void)state;
	sample_tcp(&s);
	assert_vpc("v5", &s, line);
}

/* Nothing beyond version 5 is known of the sample. */
static void all_line(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	assert_vpc("all", &s,
		   "11 111122223333 eni-0aa11bb22cc33dd44 10.0.5.9 10.0.5.20 40112 22 6 18 "
		   "3991 1700000010 1700000070 ACCEPT OK vpc-12345678 subnet-87654321 "
		   "i-1234567890abcdef0 3 IPv4 10.0.5.9 10.0.5.20 us-east-1 use1-az4 - - - "
		   "- ingress - - - - - - - - - - - - - - - - - - - - - - - - - -\n");
}

static void ipv6_line(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_addrs(&s, "2001:db8:1::5", "2001:db8:1::9");
	s.r.key.view = FFFA_VIEW_EGRESS | FFFA_VIEW_HOOK_XDP;
	assert_vpc("default", &s,
		   "2 111122223333 eni-0aa11bb22cc33dd44 2001:db8:1::5 2001:db8:1::9 40112 22 6 "
		   "18 3991 1700000010 1700000070 ACCEPT OK\n");
	assert_vpc("${type} ${pkt-srcaddr} ${pkt-dstaddr} ${flow-direction}", &s,
		   "IPv6 2001:db8:1::5 2001:db8:1::9 egress\n");
}

static void icmp_has_no_ports(void **state)
{
	struct sample s;
	const char *fields = "${srcport} ${dstport} ${protocol} ${tcp-flags}";

	(void)state;
	sample_tcp(&s);
	sample_icmp(&s, 1, 8, 0);
	assert_vpc(fields, &s, "0 0 1 0\n");
	sample_icmp(&s, 58, 135, 1);
	assert_vpc(fields, &s, "0 0 58 0\n");
	/* With another protocol the same key is not ICMP. */
	s.r.key.proto = 132;
	assert_vpc(fields, &s, "0 34561 132 0\n");
}

static void tcp_flags_as_aws(void **state)
{
	static const struct {
		uint16_t flags;
		const char *text;
	} cases[] = {
		{0, "0\n"},
		{FFFA_F_ACK, "0\n"},
		{FFFA_F_ACK | FFFA_F_PSH | FFFA_F_URG | FFFA_F_ECE | FFFA_F_CWR, "0\n"},
		{FFFA_F_FIN, "1\n"},
		{FFFA_F_SYN, "2\n"},
		{FFFA_F_RST, "4\n"},
		{FFFA_F_FIN | FFFA_F_SYN, "3\n"},
		{FFFA_F_SYN | FFFA_F_ACK, "2\n"}, /* in different packets */
		{FFFA_F_SYN | FFFA_F_ACK | FFFA_F_SYNACK, "18\n"},
		{FFFA_F_SYN | FFFA_F_ACK | FFFA_F_PSH | FFFA_F_FIN | FFFA_F_SYNACK, "19\n"},
		{0x1ff, "23\n"},
	};
	struct sample s;

	(void)state;
	sample_tcp(&s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.r.flags = cases[i].flags;
		assert_vpc("${tcp-flags}", &s, cases[i].text);
	}
	s.r.key.proto = 17;
	assert_vpc("${tcp-flags}", &s, "0\n");
}

static void nodata_and_skipdata_lines(void **state)
{
	static const struct {
		uint8_t status;
		const char *name;
	} cases[] = {{FFFA_STATUS_NODATA, "NODATA"}, {FFFA_STATUS_SKIPDATA, "SKIPDATA"}};
	char line[512];
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_geneve(&s);
	for (size_t i = 0; i < 2; i++) {
		s.r.status = cases[i].status;
		snprintf(line, sizeof(line),
			 "2 111122223333 eni-0aa11bb22cc33dd44 - - - - - - - 1700000010 1700000070 "
			 "- %s\n",
			 cases[i].name);
		assert_vpc("default", &s, line);
		snprintf(line, sizeof(line),
			 "5 111122223333 eni-0aa11bb22cc33dd44 - - - - - - - 1700000010 1700000070 "
			 "- %s vpc-12345678 subnet-87654321 i-1234567890abcdef0 - - - - us-east-1 "
			 "use1-az4 - - - - - -\n",
			 cases[i].name);
		assert_vpc("v5", &s, line);
	}
}

static void inner_packet_of_a_tunnel(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_geneve(&s);
	assert_vpc("${srcaddr} ${dstaddr} ${srcport} ${dstport} ${pkt-srcaddr} ${pkt-dstaddr}", &s,
		   "10.0.5.9 10.0.5.20 40112 22 10.0.5.9 10.0.5.20\n");
}

static void unknown_identity(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_unknown(&s);
	assert_vpc("default", &s,
		   "2 - - 10.0.5.9 10.0.5.20 40112 22 6 18 3991 1700000010 1700000070 ACCEPT OK\n");
	assert_vpc("v5", &s,
		   "5 - - 10.0.5.9 10.0.5.20 40112 22 6 18 3991 1700000010 1700000070 ACCEPT OK - "
		   "- - 3 IPv4 10.0.5.9 10.0.5.20 - - - - - - ingress -\n");
	s.r.status = FFFA_STATUS_NODATA;
	assert_vpc("default", &s, "2 - - - - - - - - - 1700000010 1700000070 - NODATA\n");
}

static void owner_wins_over_host_account(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	strcpy(s.ident.owner_id, "444455556666");
	assert_vpc("${account-id}", &s, "444455556666\n");
	s.ident.owner_id[0] = 0;
	assert_vpc("${account-id}", &s, "111122223333\n");
}

static void seconds_round_down(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	s.r.start_ms = -1;
	s.r.end_ms = 999;
	assert_vpc("${start} ${end}", &s, "-1 0\n");
	s.r.start_ms = -1000;
	s.r.end_ms = 1000;
	assert_vpc("${start} ${end}", &s, "-1 1\n");
}

/* Each field alone: with a value, in a NODATA record, and without identity. */
static void every_field_alone(void **state)
{
	static const struct {
		const char *fields;
		const char *ok, *nodata, *unknown;
	} cases[] = {
		{"${version}", "2\n", "2\n", "2\n"},
		{"${account-id}", "111122223333\n", "111122223333\n", "-\n"},
		{"${interface-id}", "eni-0aa11bb22cc33dd44\n", "eni-0aa11bb22cc33dd44\n", "-\n"},
		{"${srcaddr}", "10.0.5.9\n", "-\n", "10.0.5.9\n"},
		{"${dstaddr}", "10.0.5.20\n", "-\n", "10.0.5.20\n"},
		{"${srcport}", "40112\n", "-\n", "40112\n"},
		{"${dstport}", "22\n", "-\n", "22\n"},
		{"${protocol}", "6\n", "-\n", "6\n"},
		{"${packets}", "18\n", "-\n", "18\n"},
		{"${bytes}", "3991\n", "-\n", "3991\n"},
		{"${start}", "1700000010\n", "1700000010\n", "1700000010\n"},
		{"${end}", "1700000070\n", "1700000070\n", "1700000070\n"},
		{"${action}", "ACCEPT\n", "-\n", "ACCEPT\n"},
		{"${log-status}", "OK\n", "NODATA\n", "OK\n"},
		{"${vpc-id}", "vpc-12345678\n", "vpc-12345678\n", "-\n"},
		{"${subnet-id}", "subnet-87654321\n", "subnet-87654321\n", "-\n"},
		{"${instance-id}", "i-1234567890abcdef0\n", "i-1234567890abcdef0\n", "-\n"},
		{"${tcp-flags}", "3\n", "-\n", "3\n"},
		{"${type}", "IPv4\n", "-\n", "IPv4\n"},
		{"${pkt-srcaddr}", "10.0.5.9\n", "-\n", "10.0.5.9\n"},
		{"${pkt-dstaddr}", "10.0.5.20\n", "-\n", "10.0.5.20\n"},
		{"${region}", "us-east-1\n", "us-east-1\n", "-\n"},
		{"${az-id}", "use1-az4\n", "use1-az4\n", "-\n"},
		{"${sublocation-type}", "-\n", "-\n", "-\n"},
		{"${sublocation-id}", "-\n", "-\n", "-\n"},
		{"${pkt-src-aws-service}", "-\n", "-\n", "-\n"},
		{"${pkt-dst-aws-service}", "-\n", "-\n", "-\n"},
		{"${flow-direction}", "ingress\n", "-\n", "ingress\n"},
		{"${traffic-path}", "-\n", "-\n", "-\n"},
	};
	struct sample s;

	(void)state;
	assert_int_equal(sizeof(cases) / sizeof(cases[0]), 29);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_tcp(&s);
		assert_vpc(cases[i].fields, &s, cases[i].ok);
		s.r.status = FFFA_STATUS_NODATA;
		assert_vpc(cases[i].fields, &s, cases[i].nodata);
		s.r.status = FFFA_STATUS_OK;
		sample_unknown(&s);
		assert_vpc(cases[i].fields, &s, cases[i].unknown);
	}
}

static void version_is_the_highest(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	assert_vpc("${version} ${srcport}", &s, "2 40112\n");
	assert_vpc("${type} ${version}", &s, "IPv4 3\n");
	assert_vpc("${version} ${az-id} ${type}", &s, "4 use1-az4 IPv4\n");
	assert_vpc("${flow-direction} ${srcport} ${version}", &s, "ingress 40112 5\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_line),
		cmocka_unit_test(v5_line),
		cmocka_unit_test(all_line),
		cmocka_unit_test(ipv6_line),
		cmocka_unit_test(icmp_has_no_ports),
		cmocka_unit_test(tcp_flags_as_aws),
		cmocka_unit_test(nodata_and_skipdata_lines),
		cmocka_unit_test(inner_packet_of_a_tunnel),
		cmocka_unit_test(unknown_identity),
		cmocka_unit_test(owner_wins_over_host_account),
		cmocka_unit_test(seconds_round_down),
		cmocka_unit_test(every_field_alone),
		cmocka_unit_test(version_is_the_highest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
