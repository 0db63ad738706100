// SPDX-License-Identifier: MIT
/* What no filter may say, with its column and the reason, and that names are not looked up. */
#include "tests/stubs/cmocka_all.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "agent/filter/filter.h"

#define TEXT_MAX 1100

static struct {
	unsigned int all, names; /* of names: such as only a name server knows */
} lookups;

/* In place of the C library's: libpcap has numbers read by it, and must give it no name. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): readable ones */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	struct addrinfo local = *hints;
	int rc;

	*(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!node)
		return libc(NULL, service, hints, out);
	local.ai_flags |= AI_NUMERICHOST;
	rc = libc(node, service, &local, out);
	lookups.all++;
	lookups.names += rc != 0;
	return rc;
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
	/* Each needs another one of the texts that are tried behind the words before. */
	{"tcp ip6", "column 5: \"ip6\" cannot stand here"},
	{"tcp[13] & 2 != dst 0", "column 16: \"dst\" cannot stand here"},
	{"tcp[13] & 2 != 0 ! mask", "column 18: \"!\" cannot stand here"},
	{"host 1.2.3.4 mask", "column 18: the filter is not complete"},
	{"ip[12:4] 0x0a000001", "column 10: \"0x0a000001\" cannot stand here"},
	{"icmp[icmptype] 8 and not tcp", "column 16: \"8\" cannot stand here"},
	{"0x10", "column 5: the filter is not complete"},
	{"((tcp or udp) and (not", "column 23: the filter is not complete"},
	{"(tcp)) or (udp", "column 6: \")\" cannot stand here"},
	/* Operators of two characters are one token. */
	{"tcp && && udp", "column 8: \"&&\" cannot stand here"},
	{"tcp || || udp", "column 8: \"||\" cannot stand here"},
	{"tcp[13] >= >= 1", "column 12: \">=\" cannot stand here"},
	{"tcp[13] <= <= 1", "column 12: \"<=\" cannot stand here"},
	{"tcp[13] != = 1", "column 12: \"=\" cannot stand here"},
	{"tcp[13] == == 1", "column 12: \"==\" cannot stand here"},
	{"tcp[13] << << 1", "column 12: \"<<\" cannot stand here"},
	{"tcp[13] >> >> 1", "column 12: \">>\" cannot stand here"},
	{"tcp[13] & & 1", "column 11: \"&\" cannot stand here"},
	{"tcp[13] | | 1", "column 11: \"|\" cannot stand here"},
	{"tcp[13] ^ ^ 1", "column 11: \"^\" cannot stand here"},
	{"tcp[13] + + 1", "column 11: \"+\" cannot stand here"},
	{"tcp[13] * * 1", "column 11: \"*\" cannot stand here"},
	{"tcp[13] / / 1", "column 11: \"/\" cannot stand here"},
	{"tcp[13] % % 1", "column 11: \"%\" cannot stand here"},
	{"tcp[13] < < 1", "column 11: \"<\" cannot stand here"},
	{"tcp[13] > > 1", "column 11: \">\" cannot stand here"},
	{"tcp[13] = = 1", "column 11: \"=\" cannot stand here"},
	{"tcp[13::2]", "column 8: \":\" cannot stand here"},
	{"tcp[[13]]", "column 5: \"[\" cannot stand here"},
	{"tcp\t\r\n, udp", "column 7: the character has no meaning"},
	/* Between brackets a colon stands before a size; elsewhere it is of an address. */
	{"ip[12:4] = 1 and host a:b", "column 23: \"a:b\": no word of a filter"},
	{"ip[ip[9]:4] = 1", "column 1: a flow does not define these bytes of ip"},
	{"] host a:b", "column 8: \"a:b\": no word of a filter"},
	/* Numbers and addresses. */
	{"host 1.", "column 6: \"1.\": no word"},
	{"host .1", "column 6: \".1\": no word"},
	{"host 1..2", "column 6: \"1..2\": no word"},
	{"host 1.2.3.4a", "column 6: \"1.2.3.4a\": no word"},
	{"host 0x", "column 6: \"0x\": no word"},
	{"host 0xg", "column 6: \"0xg\": no word"},
	{"host 0x1g", "column 6: \"0x1g\": no word"},
	{"host ::x", "column 6: \"::x\": no word"},
	{"host _x", "column 6: \"_x\": no word"},
	{"host 1-2", "column 6: \"1-2\": no word"},
	{"portrange 1-", "column 11: \"1-\": no word"},
	{"portrange 1-2x", "column 11: \"1-2x\": no word"},
	{"portrange 1:2", "column 11: \"1:2\": no word"},
	{"portrange http:https", "column 11: \"http:https\": no word"},
	{"port \\http", "column 6: \"\\http\": no word"},
	{"host \\tcp", "column 6: \"\\tcp\": no word"},
	{"ip proto _x", "column 10: \"_x\": no word"},
	/* Services and protocols are no words elsewhere. */
	{"https", "column 1: \"https\": no word"},
	{"port 80 or tcp or https", "column 19: \"https\": no word"},
	{"(port 80) or https", "column 14: \"https\": no word"},
	{"port 80 or tcp[0] = 1 or https", "column 26: \"https\": no word"},
	{"ip proto 6 or host gre", "column 20: \"gre\": no word"},
	{"port 80 or ether[0] = 1", "column 12: \"ether\": a flow has no link layer"},
	/* What a flow does not define, also where no packet gets there. */
	{"udp or (tcp and udp and tcp[4] = 1)", "column 25: a flow does not define these bytes"},
	{"ip6 and ip6[(1 + 6)] = 0",
	 "column 9: a flow does not define these bytes of ip6; it has "
	 "addresses, protocol, ports, ICMP type and code, and TCP flags"},
};

/* Why each is refused. */
static const struct {
	const char *word, *why;
} refused_words[] = {
	{"len", "a flow has no packet length"},
	{"length", "a flow has no packet length"},
	{"less", "a flow has no packet length"},
	{"greater", "a flow has no packet length"},
	{"inbound", "a filter does not know the direction"},
	{"outbound", "a filter does not know the direction"},
	{"dir", "a filter does not know the direction"},
	{"direction", "a filter does not know the direction"},
	{"ifname", "a filter does not know the device"},
	{"on", "a filter does not know the device"},
	{"ifindex", "a filter does not know the device"},
	{"protochain", "a flow has no extension headers"},
	{"gateway", "it needs a host name, and names are not looked up"},
	{"vlan", "a flow has no VLAN tag"},
	{"mpls", "a flow has no MPLS label"},
	{"pppoed", "a flow has no PPPoE header"},
	{"pppoes", "a flow has no PPPoE header"},
	{"geneve", "a flow has no tunnel header; the filter sees the inner packet"},
	{"vxlan", "a flow has no tunnel header; the filter sees the inner packet"},
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
		if (lookups.names)
			fail_msg("%s: a name was looked up", refused[i].text);
	}
}

/* What is tried to find a wrong word is no name either. */
static void no_name_is_looked_up(void **state)
{
	static const char *const words[] = {
		"host", "net", "src",	   "dst",  "ip",    "ip6",	 "tcp",	  "not",
		"and",	"or",  "(",	   "port", "proto", "portrange", "ether", "multicast",
		"mask", "1",   "10.0.0.1", "icmp", "sctp",  "["};
	const size_t n = sizeof(words) / sizeof(words[0]);
	struct fffa_filter *found;
	struct fffa_err why;

	(void)state;
	assert_int_equal(fffa_filter_new("host ::1", &found, &why), 0);
	fffa_filter_free(found);
	assert_true(lookups.all > 0); /* libpcap does use the function above */
	for (size_t i = 0; i < n * n * n; i++) {
		struct fffa_filter *f = NULL;
		struct fffa_err err = {""};
		char text[TEXT_MAX];

		(void)snprintf(text, sizeof(text), "%s %s %s", words[i / n / n], words[i / n % n],
			       words[i % n]);
		(void)fffa_filter_new(text, &f, &err);
		fffa_filter_free(f);
		if (lookups.names)
			fail_msg("%s: a name was looked up", text);
	}
}

static void a_refused_word_has_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused_words) / sizeof(refused_words[0]); i++) {
		struct fffa_filter *f;
		struct fffa_err err = {""};
		char text[TEXT_MAX], said[TEXT_MAX];

		(void)snprintf(text, sizeof(text), "tcp or %s", refused_words[i].word);
		(void)snprintf(said, sizeof(said), "column 8: \"%s\": %s", refused_words[i].word,
			       refused_words[i].why);
		assert_int_equal(fffa_filter_new(text, &f, &err), -EINVAL);
		assert_string_equal(err.text, said);
	}
}

/* libpcap may refuse it there, but it is a word. */
static void every_keyword_is_a_word(void **state)
{
	static const char *const words[] = {
		"ah",	 "and",	      "arp",	   "broadcast", "byte", "carp", "dst",	"esp",
		"ether", "host",      "icmp",	   "icmp6",	"igmp", "igrp", "ip",	"ip6",
		"link",	 "mask",      "net",	   "not",	"or",	"pim",	"port", "rarp",
		"sctp",	 "multicast", "portrange", "src",	"tcp",	"udp",	"vrrp", "proto"};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct fffa_filter *f = NULL;
		struct fffa_err err = {""};

		(void)fffa_filter_new(words[i], &f, &err);
		fffa_filter_free(f);
		assert_null(strstr(err.text, "no word"));
	}
}

static void a_word_is_bounded(void **state)
{
	char text[TEXT_MAX];
	struct fffa_filter *f;
	struct fffa_err err = {""};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[63] = '\0';
	assert_int_equal(fffa_filter_new(text, &f, &err), -EINVAL);
	assert_non_null(strstr(err.text, "x\": no word of a filter"));
	text[63] = 'x';
	text[64] = '\0';
	assert_int_equal(fffa_filter_new(text, &f, &err), -EINVAL);
	assert_non_null(strstr(err.text, "x\": the word is too long"));
}

/* The names of pcap-filter(7) for the types of ICMP and the flags of TCP. */
static const char *const icmp6_types[] = {
	"icmp6-destinationunreach",
	"icmp6-destinationrunreach",
	"icmp6-packettoobig",
	"icmp6-timeexceeded",
	"icmp6-parameterproblem",
	"icmp6-echo",
	"icmp6-echoreply",
	"icmp6-multicastlistenerquery",
	"icmp6-multicastlistenerreportv1",
	"icmp6-multicastlistenerdone",
	"icmp6-routersolicit",
	"icmp6-routeradvert",
	"icmp6-neighborsolicit",
	"icmp6-neighboradvert",
	"icmp6-redirect",
	"icmp6-routerrenum",
	"icmp6-nodeinformationquery",
	"icmp6-nodeinformationresponse",
	"icmp6-ineighbordiscoverysolicit",
	"icmp6-ineighbordiscoveryadvert",
	"icmp6-multicastlistenerreportv2",
	"icmp6-homeagentdiscoveryrequest",
	"icmp6-homeagentdiscoveryreply",
	"icmp6-mobileprefixsolicit",
	"icmp6-mobileprefixadvert",
	"icmp6-certpathsolicit",
	"icmp6-certpathadvert",
	"icmp6-multicastrouteradvert",
	"icmp6-multicastroutersolicit",
	"icmp6-multicastrouterterm",
};
static const char *const icmp_types[] = {
	"icmp-echo",	     "icmp-echoreply",	   "icmp-ireq",		"icmp-ireqreply",
	"icmp-maskreply",    "icmp-maskreq",	   "icmp-paramprob",	"icmp-redirect",
	"icmp-routeradvert", "icmp-routersolicit", "icmp-sourcequench", "icmp-timxceed",
	"icmp-tstamp",	     "icmp-tstampreply",   "icmp-unreach",
};
static const char *const tcp_flags[] = {
	"tcp-ack", "tcp-cwr", "tcp-ece", "tcp-fin", "tcp-push", "tcp-rst", "tcp-syn", "tcp-urg",
};

/* A libpcap that does not have a name says "cannot stand here"; the agent must not refuse it. */
static void expect_known(const char *format, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fffa_filter *f = NULL;
		struct fffa_err err = {""};
		char text[TEXT_MAX];

		(void)snprintf(text, sizeof(text), format, names[i]);
		if (fffa_filter_new(text, &f, &err) && !strstr(err.text, "cannot stand here"))
			fail_msg("%s: %s", text, err.text);
		fffa_filter_free(f);
	}
}

static void all_names_of_libpcap_are_known(void **state)
{
	static const char *const reads[] = {"icmp[icmptype]", "icmp[icmpcode]", "tcp[tcpflags]",
					    "icmp6[icmp6type]", "icmp6[icmp6code]"};
#define N(a) (sizeof(a) / sizeof((a)[0]))
	(void)state;
	expect_known("%s = 1", reads, N(reads));
	expect_known("icmp6[icmp6type] = %s", icmp6_types, N(icmp6_types));
	expect_known("icmp[icmptype] = %s", icmp_types, N(icmp_types));
	expect_known("tcp[tcpflags] = %s", tcp_flags, N(tcp_flags));
#undef N
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_flow_does_not_have_is_refused),
		cmocka_unit_test(no_name_is_looked_up),
		cmocka_unit_test(a_refused_word_has_a_reason),
		cmocka_unit_test(every_keyword_is_a_word),
		cmocka_unit_test(all_names_of_libpcap_are_known),
		cmocka_unit_test(a_word_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
