// SPDX-License-Identifier: MIT
/* Golden lines of the flowlog format. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "tests/unit/encode/sample.h"

#define TAIL                                                                                       \
	" account=111122223333 vpc=vpc-12345678 subnet=subnet-87654321"                            \
	" instance=i-1234567890abcdef0 az=us-east-1a region=us-east-1 time=2023-11-14T22:14:30Z\n"

#define assert_flowlog(s, text) assert_encodes(FFFA_FORMAT_FLOWLOG, NULL, &(s)->r, (text))

/* The example of the specification, to the byte. */
static void tunnelled_line(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_geneve(&s);
	sample_addrs(&s, "192.168.1.10", "192.168.1.20");
	s.r.key.sport = htons(8080);
	s.r.key.dport = htons(443);
	s.r.end_ms = 1692441000999;
	strcpy(s.host.account_id, "123456789012");
	assert_flowlog(&s, "flowlog version=2 proto=TCP src=10.0.1.100:8080 dst=10.0.1.200:443 "
			   "pkt-src=192.168.1.10 pkt-dst=192.168.1.20 direction=0 "
			   "encapsulated=true account=123456789012 vpc=vpc-12345678 "
			   "subnet=subnet-87654321 instance=i-1234567890abcdef0 az=us-east-1a "
			   "region=us-east-1 time=2023-08-19T10:30:00Z\n");
}

static void plain_line(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	s.r.key.proto = 17;
	s.r.key.view = FFFA_VIEW_EGRESS;
	assert_flowlog(&s,
		       "flowlog version=2 proto=UDP src=10.0.5.9:40112 dst=10.0.5.20:22 "
		       "pkt-src=10.0.5.9 pkt-dst=10.0.5.20 direction=1 encapsulated=false" TAIL);
}

static void ipv6_has_brackets(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_addrs(&s, "2001:db8::5", "2001:db8::9");
	assert_flowlog(&s, "flowlog version=2 proto=TCP src=[2001:db8::5]:40112 "
			   "dst=[2001:db8::9]:22 pkt-src=2001:db8::5 pkt-dst=2001:db8::9 "
			   "direction=0 encapsulated=false" TAIL);
	/* IPv6 inside IPv4. */
	sample_geneve(&s);
	assert_flowlog(&s, "flowlog version=2 proto=TCP src=10.0.1.100:40112 dst=10.0.1.200:22 "
			   "pkt-src=2001:db8::5 pkt-dst=2001:db8::9 direction=0 "
			   "encapsulated=true" TAIL);
}

static void other_protocols(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_icmp(&s, 1, 8, 0);
	assert_flowlog(&s, "flowlog version=2 proto=PROTO_1 src=10.0.5.9:0 dst=10.0.5.20:0 "
			   "pkt-src=10.0.5.9 pkt-dst=10.0.5.20 direction=0 "
			   "encapsulated=false" TAIL);
	s.r.key.proto = 255;
	s.r.key.dport = 0;
	assert_flowlog(&s, "flowlog version=2 proto=PROTO_255 src=10.0.5.9:0 dst=10.0.5.20:0 "
			   "pkt-src=10.0.5.9 pkt-dst=10.0.5.20 direction=0 "
			   "encapsulated=false" TAIL);
}

static void without_flow_or_identity(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	s.r.status = FFFA_STATUS_NODATA;
	assert_flowlog(&s, "flowlog version=2 proto=- src=- dst=- pkt-src=- pkt-dst=- direction=- "
			   "encapsulated=-" TAIL);
	s.r.status = FFFA_STATUS_OK;
	sample_unknown(&s);
	assert_flowlog(&s, "flowlog version=2 proto=TCP src=10.0.5.9:40112 dst=10.0.5.20:22 "
			   "pkt-src=10.0.5.9 pkt-dst=10.0.5.20 direction=0 encapsulated=false "
			   "account=- vpc=- subnet=- instance=- az=- region=- "
			   "time=2023-11-14T22:14:30Z\n");
}

static void time_rounds_down(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_unknown(&s);
	s.r.status = FFFA_STATUS_SKIPDATA;
	s.r.end_ms = -1;
	assert_flowlog(&s, "flowlog version=2 proto=- src=- dst=- pkt-src=- pkt-dst=- direction=- "
			   "encapsulated=- account=- vpc=- subnet=- instance=- az=- region=- "
			   "time=1969-12-31T23:59:59Z\n");
}

/* A packet of a capture that has no time. */
static void a_record_without_time(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_unknown(&s);
	s.r.untimed = true;
	assert_flowlog(&s, "flowlog version=2 proto=TCP src=10.0.5.9:40112 dst=10.0.5.20:22 "
			   "pkt-src=10.0.5.9 pkt-dst=10.0.5.20 direction=0 encapsulated=false "
			   "account=- vpc=- subnet=- instance=- az=- region=- time=-\n");
}

static void has_no_header(void **state)
{
	struct fffa_encoder *e = NULL;
	uint8_t line[64];

	(void)state;
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_FLOWLOG, NULL, &e, NULL), 0);
	assert_int_equal(fffa_encoder_write_header(e, line, sizeof(line)), 0);
	fffa_encoder_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnelled_line),	    cmocka_unit_test(plain_line),
		cmocka_unit_test(ipv6_has_brackets),	    cmocka_unit_test(other_protocols),
		cmocka_unit_test(without_flow_or_identity), cmocka_unit_test(time_rounds_down),
		cmocka_unit_test(a_record_without_time),    cmocka_unit_test(has_no_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
