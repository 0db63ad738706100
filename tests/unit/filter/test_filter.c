// SPDX-License-Identifier: MIT
/* Filters: which flows they want, and what is refused, with its column. */
#include "tests/stubs/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/filter/filter.h"

#define TEXT_MAX 1100

static struct fffa_key make_key(const char *src, const char *dst, uint8_t proto, uint16_t sport,
				uint16_t dport)
{
	struct fffa_key k = {.proto = proto, .sport = htons(sport), .dport = htons(dport)};
	char mapped[64];

	if (strchr(src, ':')) {
		k.view = FFFA_VIEW_IPV6;
		assert_int_equal(inet_pton(AF_INET6, src, k.src), 1);
		assert_int_equal(inet_pton(AF_INET6, dst, k.dst), 1);
		return k;
	}
	(void)snprintf(mapped, sizeof(mapped), "::ffff:%s", src);
	assert_int_equal(inet_pton(AF_INET6, mapped, k.src), 1);
	(void)snprintf(mapped, sizeof(mapped), "::ffff:%s", dst);
	assert_int_equal(inet_pton(AF_INET6, mapped, k.dst), 1);
	return k;
}

static bool passes(const char *text, const struct fffa_key *k, uint16_t flags)
{
	struct fffa_filter *f = NULL;
	struct fffa_err err = {""};
	bool yes;

	if (fffa_filter_new(text, &f, &err))
		fail_msg("%s: %s", text, err.text);
	yes = fffa_filter_passes(f, k, flags);
	fffa_filter_free(f);
	return yes;
}

/* h: 10.0.0.1:1000 > 10.0.0.2:443 TCP with SYN and ACK; d: UDP over IPv6 to port 53; i: ICMP 8/0;
 * x: protocol 47. */
static const struct {
	const char *text;
	const char *wants;
} wanted[] = {
	{"", "hdix"},
	{"   ", "hdix"},
	{"tcp port 443 or net 192.168.0.0/16", "hi"},
	{"port 443", "h"},
	{"port https", "h"},
	{"tcp port https or domain", "h"},
	{"port https or domain", "hd"},
	{"src port 443", ""},
	{"dst portrange 400-500", "h"},
	{"udp", "d"},
	{"ip6 and udp port 53", "d"},
	{"ip6", "d"},
	{"ip", "hix"},
	{"host 10.0.0.1", "h"},
	{"src host 10.0.0.2", ""},
	{"host 2001:db8::1", "d"},
	{"net 2001:db8::/32", "d"},
	{"net 10", "h"},
	{"src net 192.168.1.0 mask 255.255.255.0", "i"},
	{"icmp", "i"},
	{"icmp[icmptype] = icmp-echo", "i"},
	{"icmp[1] = 1", ""},
	{"proto 47", "x"},
	{"ip proto 47", "x"},
	{"ip proto \\tcp", "h"},
	{"ip[9] = 47", "x"},
	{"ip[12:4] = 0x0a000001", "h"},
	{"ip6 proto 6 and ip6[53] = 0", ""},
	{"tcp[tcpflags] & (tcp-syn|tcp-ack) = (tcp-syn|tcp-ack)", "h"},
	{"tcp[13] & tcp-rst != 0", ""},
	{"tcp[0:2] = 1000", "h"},
	{"udp[2:2] = 53", ""}, /* pcap-filter(7): IPv4 only */
	{"not tcp", "dix"},
	{"!(tcp or udp) && !icmp", "x"},
	{"dst port not 443", "dix"},
	{"ip multicast", ""},
};

static void flows_that_are_wanted(void **state)
{
	const struct fffa_key h = make_key("10.0.0.1", "10.0.0.2", 6, 1000, 443),
			      d = make_key("2001:db8::1", "2001:db8::2", 17, 999, 53),
			      i = make_key("192.168.1.1", "192.168.9.9", 1, 0, 8 << 8),
			      x = make_key("172.16.0.1", "172.16.0.2", 47, 0, 0);

	(void)state;
	for (size_t n = 0; n < sizeof(wanted) / sizeof(wanted[0]); n++) {
		const char *text = wanted[n].text;
		char got[8] = "";

		if (passes(text, &h, FFFA_F_SYN | FFFA_F_ACK | FFFA_F_SYNACK))
			strcat(got, "h");
		if (passes(text, &d, 0))
			strcat(got, "d");
		if (passes(text, &i, 0))
			strcat(got, "i");
		if (passes(text, &x, 0))
			strcat(got, "x");
		if (strcmp(got, wanted[n].wants))
			fail_msg("%s: wants \"%s\", got \"%s\"", text, wanted[n].wants, got);
	}
}

static const struct {
	const char *text, *error;
} refused[] = {
	{"len > 100", "column 1: \"len\": a flow has no packet length"},
	{"tcp and greater 100", "column 9: \"greater\""},
	{"tcp and less 100", "column 9: \"less\""},
	{"tcp and ip[8] < 10", "column 9: a flow does not define these bytes of ip"},
	{"ip[0] & 0xf != 5", "column 1: a flow does not define"},
	{"ip[1] = 0", "column 1: a flow does not define"},
	{"ip[2:2] > 100", "column 1: a flow does not define"},
	{"ip[6:2] & 0x1fff != 0", "column 1: a flow does not define"},
	{"ip[6] & 0x20 != 0", "column 1: a flow does not define"},
	{"ip[10:2] = 0", "column 1: a flow does not define"},
	{"ip[8:4] = 0", "column 1: a flow does not define"},
	{"ip[20] = 1", "column 1: a flow does not define"},
	{"port 80 and ip6[53] & 2 != 0", "column 13: a flow does not define"},
	{"tcp and ip[8] >= 0", "column 9: a flow does not define"},
	{"ip6[7] = 1", "column 1: a flow does not define"},
	{"ip6[4:2] = 1", "column 1: a flow does not define"},
	{"ip6[0:4] = 1", "column 1: a flow does not define"},
	{"port 1 or tcp[4:4] = 1", "column 11: a flow does not define"},
	{"tcp[12] = 1", "column 1: a flow does not define"},
	{"tcp[20:4] = 0x47455420", "column 1: a flow does not define"},
	{"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", "column 1: a flow does not define"},
	{"udp[4:2] > 8", "column 1: a flow does not define"},
	{"udp[8] = 1", "column 1: a flow does not define"},
	{"icmp[4:2] = 1", "column 1: a flow does not define"},
	{"ip[ip[9]] = 1", "column 1: a flow does not define"},
	{"igmp[0] = 1", "column 1: a flow does not define"},
	{"ether[0] & 1 = 0", "column 1: \"ether\": a flow has no link layer"},
	{"link[0] != 0", "column 1: \"link\": a flow has no link layer"},
	{"udp and inbound", "column 9: \"inbound\""},
	{"outbound", "column 1: \"outbound\""},
	{"host example.com", "column 6: \"example.com\": no word of a filter; names are not"},
	{"cafe.de", "column 1: \"cafe.de\""},
	{"src localhost", "column 5: \"localhost\""},
	{"net loopback", "column 5: \"loopback\""},
	{"port 80 or host a.b", "column 17: \"a.b\""},
	{"TCP", "column 1: \"TCP\""},
	{"1a.be", "column 1: \"1a.be\""},
	{"host 1.2.3.4.5", "column 6: \"1.2.3.4.5\""},
	{"gateway 1.2.3.4", "column 1: \"gateway\""},
	{"ip protochain 6", "column 4: \"protochain\""},
	{"vlan 1", "column 1: \"vlan\""},
	{"geneve", "column 1: \"geneve\""},
	{"ifname eth0", "column 1: \"ifname\""},
	{"tcp port", "column 9: the filter is not complete"},
	{"tcp port 80 and", "column 16: the filter is not complete"},
	{"(tcp or udp", "column 12: the filter is not complete"},
	{"tcp port 80)", "column 12: \")\" cannot stand here"},
	{"tcp and and udp", "column 9: \"and\" cannot stand here"},
	{"port 80 tcp", "column 9: \"tcp\" cannot stand here"},
	{"tcp port nosuchservice", "column 10: "},
	{"net 10.0.0.0/33", "column "},
	{"host 10.0.0.300", "column 6: "},
	{"port 70000", "column 6: "},
	{"tcp $ udp", "column 5: the character has no meaning"},
	{"tcp \"x\"", "column 5: the character has no meaning"},
	{"arp", "column 1: "},
	{"tcp and udp", "column 9: "},
	{"ether host 00:11:22:33:44:55", "column 12: "},
};

static void what_a_flow_does_not_have_is_refused(void **state)
{
	struct fffa_filter *f = (struct fffa_filter *)&f;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct fffa_err err = {""};

		if (fffa_filter_new(refused[i].text, &f, &err) != -EINVAL)
			fail_msg("%s is not refused", refused[i].text);
		if (strncmp(err.text, refused[i].error, strlen(refused[i].error)))
			fail_msg("%s: %s", refused[i].text, err.text);
		assert_ptr_equal(f, (struct fffa_filter *)&f);
	}
}

static void the_flags_are_asked_for_only_where_they_are_read(void **state)
{
	static const struct {
		const char *text;
		bool reads;
	} rows[] = {
		{"tcp port 80", false},
		{"host 10.0.0.1 or ip6", false},
		{"tcp[tcpflags] & tcp-syn != 0", true},
		{"tcp[13] = 2", true},
		{"ip6 proto 6 and ip6[53] & 2 != 0", true},
		{"ip proto 6 and ip[33] & 2 != 0", true},
		{"ip proto 6 and ip[20:2] = 80", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_filter *f;
		struct fffa_err err = {""};

		if (fffa_filter_new(rows[i].text, &f, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(fffa_filter_reads_flags(f), rows[i].reads);
		fffa_filter_free(f);
	}
}

static void the_text_is_bounded(void **state)
{
	char text[TEXT_MAX];
	struct fffa_filter *f = NULL;
	struct fffa_err err = {""};

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "tcp", 3);
	text[FFFA_FILTER_BYTES_MAX] = '\0';
	assert_int_equal(fffa_filter_new(text, &f, &err), 0);
	fffa_filter_free(f);
	text[FFFA_FILTER_BYTES_MAX] = ' ';
	text[FFFA_FILTER_BYTES_MAX + 1] = '\0';
	assert_int_equal(fffa_filter_new(text, &f, &err), -EINVAL);
	assert_non_null(strstr(err.text, "allowed: 1024 bytes"));
}

/* A text of the allowed length made of one piece. */
static void repeat(char *text, const char *first, const char *piece, const char *last)
{
	size_t n = strlen(first), one = strlen(piece), end = strlen(last);

	memcpy(text, first, n);
	for (; n + one + end <= FFFA_FILTER_BYTES_MAX; n += one)
		memcpy(text + n, piece, one);
	memcpy(text + n, last, end + 1);
}

/* Processor time, which other processes of the host do not change. */
static void the_longest_texts_take_bounded_time(void **state)
{
	static const char *const pieces[][3] = {
		{"tcp", " or port 1", ""},
		{"tcp", " or not host ::1", ""},
		{"tcp", " or tcp[13]&1=0", ""},
		{"", "(", "tcp"},
		{"", "!", "tcp"},
		{"tcp port 1", " or 2", ""},
		{"tcp port 1", " or 2", " or or"},
		{"tcp[", "(", "13"},
		{"tcp[13]", "+tcp[13]", " = 1"},
		{"ip[12]", "*ip[13]/ip[12]", " = 1 and port 70000"},
		{"tcp", " or (udp and portrange 1-99)", ""},
	};
	char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct fffa_filter *f = NULL;
		struct fffa_err err = {""};
		clock_t begin = clock();
		double ms;

		repeat(text, pieces[i][0], pieces[i][1], pieces[i][2]);
		if (!fffa_filter_new(text, &f, &err))
			fffa_filter_free(f);
		ms = 1000.0 * (double)(clock() - begin) / CLOCKS_PER_SEC;
		print_message("%-32s %.1f ms %.60s\n", pieces[i][1], ms, err.text);
		assert_true(ms < 2000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_that_are_wanted),
		cmocka_unit_test(what_a_flow_does_not_have_is_refused),
		cmocka_unit_test(the_flags_are_asked_for_only_where_they_are_read),
		cmocka_unit_test(the_text_is_bounded),
		cmocka_unit_test(the_longest_texts_take_bounded_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
