// SPDX-License-Identifier: MIT
/* The words of a filter. libpcap looks up a word that it does not know, so none may reach it. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "agent/filter/filter_internal.h"

/* What a word without a qualifier of its own would be: as in pcap-filter(7), the last one holds. */
enum context { CONTEXT_HOST, CONTEXT_PORT, CONTEXT_PROTO };

static const char *const known[] = {
	"ah",
	"and",
	"arp",
	"broadcast",
	"byte",
	"carp",
	"dst",
	"esp",
	"ether",
	"host",
	"icmp",
	"icmp6",
	"icmp6code",
	"icmp6type",
	"icmpcode",
	"icmptype",
	"igmp",
	"igrp",
	"ip",
	"ip6",
	"link",
	"mask",
	"multicast",
	"net",
	"not",
	"or",
	"pim",
	"port",
	"portrange",
	"proto",
	"rarp",
	"sctp",
	"src",
	"tcp",
	"tcpflags",
	"tcp-ack",
	"tcp-cwr",
	"tcp-ece",
	"tcp-fin",
	"tcp-push",
	"tcp-rst",
	"tcp-syn",
	"tcp-urg",
	"udp",
	"vrrp",
	"icmp-echo",
	"icmp-echoreply",
	"icmp-ireq",
	"icmp-ireqreply",
	"icmp-maskreply",
	"icmp-maskreq",
	"icmp-paramprob",
	"icmp-redirect",
	"icmp-routeradvert",
	"icmp-routersolicit",
	"icmp-sourcequench",
	"icmp-timxceed",
	"icmp-tstamp",
	"icmp-tstampreply",
	"icmp-unreach",
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
	NULL,
};

/* Words of pcap-filter(7) that ask for what a flow does not have. */
static const struct {
	const char *word, *why;
} refused[] = {
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

static int refuse(const struct fffa_filter_text *t, size_t i, struct fffa_err *err, const char *why)
{
	const struct fffa_filter_token *k = &t->tokens[i];

	return fffa_fail(err, EINVAL, "column %zu: \"%.*s\": %s", k->at + 1, (int)k->len,
			 t->text + k->at, why);
}

bool fffa_filter__text_is(const struct fffa_filter_text *t, size_t i, const char *word)
{
	return i < t->n && strlen(word) == t->tokens[i].len &&
	       !memcmp(t->text + t->tokens[i].at, word, t->tokens[i].len);
}

/* The length of the token at p. in_index: between brackets, where ':' stands before a size. */
static size_t token_length(const char *p, bool in_index)
{
	size_t n = 0;

	if (*p == '\\')
		return strcspn(p, " !()\n\t\r");
	while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '.' || (n && p[n] == '-') ||
	       (!in_index && p[n] == ':'))
		n++;
	if (n)
		return n;
	if (!strncmp(p, "&&", 2) || !strncmp(p, "||", 2) || !strncmp(p, ">=", 2) ||
	    !strncmp(p, "<=", 2) || !strncmp(p, "!=", 2) || !strncmp(p, "==", 2) ||
	    !strncmp(p, "<<", 2) || !strncmp(p, ">>", 2))
		return 2;
	return strchr("!()[]<>=+-*/%&|^:", *p) ? 1 : 0;
}

int fffa_filter__text_read(struct fffa_filter_text *t, const char *text, struct fffa_err *err)
{
	size_t len = strnlen(text, FFFA_FILTER_BYTES_MAX + 1), depth = 0;

	*t = (struct fffa_filter_text){.text = text};
	if (len > FFFA_FILTER_BYTES_MAX)
		return fffa_fail(err, EINVAL, "column %d: the text is too long; allowed: %d bytes",
				 FFFA_FILTER_BYTES_MAX + 1, FFFA_FILTER_BYTES_MAX);
	for (size_t at = 0; at < len;) {
		size_t n;

		if (strchr(" \t\r\n", text[at])) {
			at++;
			continue;
		}
		n = token_length(text + at, depth);
		if (!n)
			return fffa_fail(err, EINVAL,
					 "column %zu: the character has no meaning in a filter",
					 at + 1);
		depth += text[at] == '[';
		depth -= text[at] == ']' && depth;
		t->tokens[t->n++] = (struct fffa_filter_token){at, n};
		at += n;
	}
	return 0;
}

static bool is_decimal(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

/* 1 to 4 decimal numbers with dots between: an address, or the beginning of one. */
static bool is_ipv4(const char *s)
{
	unsigned int dots = 0;

	for (; *s; s++) {
		if (!isdigit((unsigned char)*s))
			return false;
		s += strspn(s, "0123456789") - 1;
		if (s[1] == '.') {
			dots++;
			s++;
			if (!s[1])
				return false;
		}
	}
	return dots <= 3;
}

/* A number or an address, which libpcap looks up nowhere. */
static bool is_numeric(const char *s)
{
	struct in6_addr a;

	if (!strncmp(s, "0x", 2))
		return s[2] && !s[2 + strspn(s + 2, "0123456789abcdefABCDEF")];
	return is_decimal(s) || is_ipv4(s) || inet_pton(AF_INET6, s, &a) == 1;
}

static bool is_range(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && s[n] == '-' && is_decimal(s + n + 1);
}

static bool is_known(const char *word)
{
	for (size_t i = 0; known[i]; i++) {
		if (!strcmp(known[i], word))
			return true;
	}
	return false;
}

/* The names of ports and protocols are in files of this host. */
static bool is_service(const char *word, enum context context)
{
	return (context == CONTEXT_PORT && (isalpha((unsigned char)*word) || is_range(word)) &&
		!strchr(word, ':')) ||
	       (context == CONTEXT_PROTO && (isalpha((unsigned char)*word) || *word == '\\'));
}

static int check_word(const struct fffa_filter_text *t, size_t i, enum context context,
		      struct fffa_err *err)
{
	char word[64];

	if (t->tokens[i].len >= sizeof(word))
		return refuse(t, i, err, "the word is too long");
	memcpy(word, t->text + t->tokens[i].at, t->tokens[i].len);
	word[t->tokens[i].len] = '\0';
	for (size_t k = 0; k < sizeof(refused) / sizeof(refused[0]); k++) {
		if (!strcmp(word, refused[k].word))
			return refuse(t, i, err, refused[k].why);
	}
	if ((!strcmp(word, "ether") || !strcmp(word, "link")) &&
	    fffa_filter__text_is(t, i + 1, "["))
		return refuse(t, i, err, "a flow has no link layer");
	if (is_numeric(word) || is_known(word) || is_service(word, context))
		return 0;
	return refuse(t, i, err, "no word of a filter; names are not looked up, give an address");
}

static bool is_word(const struct fffa_filter_text *t, size_t i)
{
	char c = t->text[t->tokens[i].at];

	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '\\' ||
	       (c == ':' && t->tokens[i].len > 1);
}

/* Operators, and words between qualified ones, leave the context as it is. */
static enum context next_context(const struct fffa_filter_text *t, size_t i, enum context context)
{
	static const char *const kept[] = {"and", "or", "not", "&&", "||", "!", "(", NULL};

	if (fffa_filter__text_is(t, i, "port") || fffa_filter__text_is(t, i, "portrange"))
		return CONTEXT_PORT;
	if (fffa_filter__text_is(t, i, "proto"))
		return CONTEXT_PROTO;
	for (size_t k = 0; kept[k]; k++) {
		if (fffa_filter__text_is(t, i, kept[k]))
			return context;
	}
	if (!is_word(t, i))
		return CONTEXT_HOST;
	for (size_t k = 0; known[k]; k++) {
		if (fffa_filter__text_is(t, i, known[k]))
			return CONTEXT_HOST;
	}
	return context;
}

int fffa_filter__text_check(const struct fffa_filter_text *t, struct fffa_err *err)
{
	enum context context = CONTEXT_HOST;

	for (size_t i = 0; i < t->n; i++) {
		int rc = is_word(t, i) ? check_word(t, i, context, err) : 0;

		if (rc)
			return rc;
		context = next_context(t, i, context);
	}
	return 0;
}
