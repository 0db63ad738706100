// SPDX-License-Identifier: MIT
#include "agent/filter/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/filter/filter_internal.h"

#define PACKET_BYTES (FFFA_FILTER_IPV6_BYTES + FFFA_FILTER_L4_BYTES)
#define PROGRAM_MAX  4096 /* instructions; a text of FFFA_FILTER_BYTES_MAX makes fewer */

struct fffa_filter {
	struct bpf_program program;
	bool reads_flags;
};

/* Compilation. */

/* The text of libpcap's error is in why. 0: the caller frees *out with pcap_freecode. */
static int compile(const char *text, struct bpf_program *out, struct fffa_err *why)
{
	pcap_t *p = pcap_open_dead(DLT_RAW, PACKET_BYTES);
	int rc = -ENOMEM;

	if (!p)
		return fffa_fail(why, ENOMEM, "no memory for a filter");
	rc = pcap_compile(p, out, text, 1, PCAP_NETMASK_UNKNOWN);
	if (rc)
		rc = fffa_fail(why, EINVAL, "%s", pcap_geterr(p));
	pcap_close(p);
	return rc;
}

static bool compiles(const char *text, struct fffa_err *why)
{
	struct bpf_program p;

	if (compile(text, &p, why))
		return false;
	pcap_freecode(&p);
	return true;
}

/*
 * Can more words make a filter of the first n tokens? Tried with what may follow. Behind any word
 * libpcap looks up none of it: nothing that joins that word, and addresses in numbers.
 */
static bool can_go_on(const struct fffa_filter_text *t, size_t n)
{
	static const char *const more[] = {"",	      " 1",    " 1 = 0", " 10.0.0.1",
					   " 0] = 0", "] = 0", " = 0"};
	size_t len = n ? t->tokens[n - 1].at + t->tokens[n - 1].len : 0, open = 0;
	char text[FFFA_FILTER_BYTES_MAX * 2 + 64];
	struct fffa_err why;

	for (size_t i = 0; i < n; i++) {
		open += fffa_filter__text_is(t, i, "(");
		open -= fffa_filter__text_is(t, i, ")") && open;
	}
	for (size_t k = 0; k < sizeof(more) / sizeof(more[0]); k++) {
		size_t at =
			(size_t)snprintf(text, sizeof(text), "%.*s%s", (int)len, t->text, more[k]);

		memset(text + at, ')', open);
		text[at + open] = '\0';
		if (compiles(text, &why) || !strstr(why.text, "syntax error"))
			return true;
	}
	return false;
}

/* How many tokens the text has before it goes wrong: halving, as fewer can always go on. */
static size_t count_sound(const struct fffa_filter_text *t)
{
	size_t sound = 0, wrong = t->n + 1;

	while (wrong - sound > 1) {
		size_t half = sound + (wrong - sound) / 2;

		if (can_go_on(t, half))
			sound = half;
		else
			wrong = half;
	}
	return sound;
}

static int report_syntax(const struct fffa_filter_text *t, struct fffa_err *err)
{
	size_t sound = count_sound(t);
	const struct fffa_filter_token *k = &t->tokens[sound];

	if (sound >= t->n)
		return fffa_fail(err, EINVAL, "column %zu: the filter is not complete",
				 strlen(t->text) + 1);
	return fffa_fail(err, EINVAL, "column %zu: \"%.*s\" cannot stand here", k->at + 1,
			 (int)k->len, t->text + k->at);
}

/* The first token with which libpcap says why. */
static int report_meaning(const struct fffa_filter_text *t, const char *why, struct fffa_err *err)
{
	char text[FFFA_FILTER_BYTES_MAX + 1];
	struct fffa_err now;
	size_t i = 0;

	for (; i + 1 < t->n; i++) {
		(void)snprintf(text, sizeof(text), "%.*s",
			       (int)(t->tokens[i].at + t->tokens[i].len), t->text);
		if (!compiles(text, &now) && !strcmp(now.text, why))
			break;
	}
	return fffa_fail(err, EINVAL, "column %zu: %s", t->tokens[i].at + 1, why);
}

/* The token behind the bracket that closes the one at open; 0: it is not closed. */
static size_t find_end(const struct fffa_filter_text *t, size_t open)
{
	size_t depth = 0;

	for (size_t i = open; i < t->n; i++) {
		depth += fffa_filter__text_is(t, i, "[");
		if (fffa_filter__text_is(t, i, "]") && !--depth)
			return i + 1;
	}
	return 0;
}

/*
 * Reads "tcp[...]" at token i alone; is it what a flow does not define? The rest of the filter may
 * see to it that "ip[33]" is read of TCP only.
 */
static bool is_undefined(const struct fffa_filter_text *t, size_t i, bool whole)
{
	size_t end = find_end(t, i + 1), from = t->tokens[i].at;
	char text[FFFA_FILTER_BYTES_MAX + 32];
	struct fffa_filter_reads reads = {.undefined = true};
	struct bpf_program p;
	struct fffa_err why;

	if (!end)
		return false;
	(void)snprintf(text, sizeof(text), "%.*s = 0x55", (int)(t->tokens[end - 1].at + 1 - from),
		       t->text + from);
	if (compile(text, &p, &why)) /* as one that is never true */
		return false;
	(void)fffa_filter__reads(&p, &reads);
	pcap_freecode(&p);
	if (whole && (fffa_filter__text_is(t, i, "ip") || fffa_filter__text_is(t, i, "ip6")))
		return reads.header || (reads.fragment && fffa_filter__text_is(t, i, "ip"));
	return reads.undefined;
}

static int check_reads(const struct fffa_filter_text *t, const struct fffa_filter_reads *reads,
		       struct fffa_err *err)
{
	for (size_t i = 0; i + 1 < t->n; i++) {
		if (!fffa_filter__text_is(t, i + 1, "[") || !is_undefined(t, i, !reads->undefined))
			continue;
		return fffa_fail(err, EINVAL,
				 "column %zu: a flow does not define these bytes of %.*s; it has "
				 "addresses, protocol, ports, ICMP type and code, and TCP flags",
				 t->tokens[i].at + 1, (int)t->tokens[i].len,
				 t->text + t->tokens[i].at);
	}
	if (!reads->undefined)
		return 0;
	return fffa_fail(err, EINVAL, "column 1: the filter reads what a flow does not define");
}

static int compile_text(const struct fffa_filter_text *t, struct fffa_filter *f,
			struct fffa_err *err)
{
	struct fffa_filter_reads reads;
	struct fffa_err why = {""};
	int rc = compile(t->text, &f->program, &why);

	if (rc == -ENOMEM)
		return fffa_fail(err, ENOMEM, "%s", why.text);
	if (rc && strstr(why.text, "syntax error"))
		return report_syntax(t, err);
	if (rc)
		return report_meaning(t, why.text, err);
	if (f->program.bf_len > PROGRAM_MAX)
		rc = fffa_fail(err, EINVAL, "column 1: the filter is too complex");
	if (!rc && fffa_filter__reads(&f->program, &reads))
		rc = fffa_fail(err, ENOMEM, "no memory for a filter");
	if (!rc)
		rc = check_reads(t, &reads, err);
	if (rc)
		pcap_freecode(&f->program);
	else
		f->reads_flags = reads.flags;
	return rc;
}

int fffa_filter_new(const char *text, struct fffa_filter **out, struct fffa_err *err)
{
	struct fffa_filter_text *t = malloc(sizeof(*t));
	struct fffa_filter *f = calloc(1, sizeof(*f));
	int rc = t && f ? 0 : fffa_fail(err, ENOMEM, "no memory for a filter");

	if (!rc)
		rc = fffa_filter__text_read(t, text, err);
	if (!rc)
		rc = fffa_filter__text_check(t, err);
	if (!rc && t->n)
		rc = compile_text(t, f, err);
	if (!rc && t->n) {
		*out = f;
		f = NULL;
	} else if (!rc) {
		*out = NULL;
	}
	free(f);
	free(t);
	return rc;
}

int fffa_filter_replace(struct fffa_filter **f, const char *text, struct fffa_err *err)
{
	struct fffa_filter *next;
	int rc = fffa_filter_new(text, &next, err);

	if (rc)
		return rc;
	fffa_filter_free(*f);
	*f = next;
	return 0;
}

void fffa_filter_free(struct fffa_filter *f)
{
	if (!f)
		return;
	pcap_freecode(&f->program);
	free(f);
}

/* Use. */

bool fffa_filter_reads_flags(const struct fffa_filter *f)
{
	return f && f->reads_flags;
}

static void put_l4(uint8_t *p, const struct fffa_key *key, uint16_t flags)
{
	bool icmp = key->proto == 1 || key->proto == 58;

	memcpy(p, icmp ? &key->dport : &key->sport, 2); /* type and code lie in dport */
	memcpy(p + 2, &key->dport, 2);
	p[12] = 0x50;
	p[FFFA_FILTER_FLAGS_AT] = (uint8_t)flags;
}

static size_t put_packet(uint8_t p[PACKET_BYTES], const struct fffa_key *key, uint16_t flags)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memset(p, 0, PACKET_BYTES);
	if (!(key->view & FFFA_VIEW_IPV6) && !memcmp(key->src, mapped, sizeof(mapped))) {
		p[0] = 0x45;
		p[9] = key->proto;
		memcpy(p + 12, key->src + 12, 4);
		memcpy(p + 16, key->dst + 12, 4);
		put_l4(p + FFFA_FILTER_IPV4_BYTES, key, flags);
		return FFFA_FILTER_IPV4_BYTES + FFFA_FILTER_L4_BYTES;
	}
	p[0] = 0x60;
	p[6] = key->proto;
	memcpy(p + 8, key->src, 16);
	memcpy(p + 24, key->dst, 16);
	put_l4(p + FFFA_FILTER_IPV6_BYTES, key, flags);
	return PACKET_BYTES;
}

bool fffa_filter_passes(const struct fffa_filter *f, const struct fffa_key *key, uint16_t flags)
{
	uint8_t packet[PACKET_BYTES];
	struct pcap_pkthdr head = {0};

	if (!f)
		return true;
	head.caplen = head.len = (bpf_u_int32)put_packet(packet, key, flags);
	return pcap_offline_filter(&f->program, &head, packet) != 0;
}
