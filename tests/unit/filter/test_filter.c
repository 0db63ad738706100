// SPDX-License-Identifier: MIT
/* Filters: which flows they want, whether they read TCP flags, and how long they may be. */
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
	{"dst host 10.0.0.2", "h"},
	{"src host 2001:db8::1", "d"},
	{"dst host 2001:db8::2", "d"},
	{"dst host 2001:db8::1", ""},
	{"src port 1000", "h"},
	{"src port 999", "d"},
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
	{"port (https or domain)", "hd"},
	{"port https || domain", "hd"},
	{"port https && not domain", "h"},
	{"port ! https", "dix"},
	{"portrange https-450", "h"},
	{"portrange 50-60", "d"},
	{"host 10.0.0.1 or ::1", "h"},
	{"ip proto gre", "x"},
	{"ip proto \\icmp || \\gre", "ix"},
	{"port 0x1bb", "h"},
	{"net 172.16", "x"},
	{"tcp[13]&2!=0&&ip", "h"},
	{"(tcp[0:2]<<1>>1)==1000", "h"},
	{"\ttcp\r\n", "h"},
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

/* Type and code lie where other protocols have ports; the addresses of IPv6 are whole. */
static void flows_of_icmp6(void **state)
{
	const struct fffa_key k = make_key("2001:db8::a:1", "2001:db8::b:2", 58, 0, 128 << 8 | 3);

	(void)state;
	assert_true(passes("icmp6", &k, 0));
	assert_true(passes("icmp6[icmp6type] = 128 and icmp6[icmp6code] = 3", &k, 0));
	assert_false(passes("icmp6[icmp6type] = 129", &k, 0));
	assert_true(passes("src host 2001:db8::a:1 and dst host 2001:db8::b:2", &k, 0));
	assert_false(passes("icmp or tcp or udp or ip", &k, 0));
	/* As a flow over IPv6 this is none over IPv4. */
	assert_false(passes(
		"ip", &(struct fffa_key){.view = FFFA_VIEW_IPV6, .src = {[10] = 0xff, [11] = 0xff}},
		0));
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
	assert_string_equal(err.text, "column 1025: the text is too long; allowed: 1024 bytes");
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
		cmocka_unit_test(flows_of_icmp6),
		cmocka_unit_test(the_flags_are_asked_for_only_where_they_are_read),
		cmocka_unit_test(the_text_is_bounded),
		cmocka_unit_test(the_longest_texts_take_bounded_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
