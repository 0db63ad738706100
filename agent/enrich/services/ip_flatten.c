// SPDX-License-Identifier: MIT
#include "agent/enrich/services/ip_flatten.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "agent/base/assert.h"
#include "agent/enrich/services/aws_service.h"

#define IPV4_START ((fffa_ip_number)0xffff << 32)
#define SPECIALS   10
#define DEPTH_MAX  130 /* prefixes within each other: one of each length, and one more */

struct span {
	fffa_ip_number first;
	fffa_ip_number last;
	uint8_t bits;
	uint16_t value;
};

struct sweep {
	struct fffa_ip_range *v;
	size_t n, cap;
	bool services;
	struct span open[DEPTH_MAX]; /* each within the one before */
	size_t depth;
};

static struct span span_of(const struct fffa_cidr *c, uint16_t value)
{
	struct span s = {.bits = c->bits, .value = value};
	fffa_ip_number rest = c->bits < 128 ? ~(fffa_ip_number)0 >> c->bits : 0;

	for (int i = 0; i < 16; i++)
		s.first = s.first << 8 | c->addr[i];
	s.first &= ~rest;
	s.last = s.first | rest;
	return s;
}

/*
 * Addresses without an owner (RFC 1918, 3927, 6598, 1122, 4193, 4291), and where IPv4 begins
 * and ends.
 */
static void fill_specials(struct span out[SPECIALS])
{
	static const char *const text[SPECIALS] = {
		"10.0.0.0/8",	 "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
		"100.64.0.0/10", "127.0.0.0/8",	  "fc00::/7",	    "fe80::/10",
		"::1/128",	 "::ffff:0:0/96"};
	struct fffa_cidr c;

	for (size_t i = 0; i < SPECIALS; i++) {
		(void)fffa_cidr_parse(text[i], &c, NULL); /* constants */
		out[i] = span_of(&c, FFFA_AWS_NONE);
	}
}

static bool is_special(const struct span *s, const struct span specials[SPECIALS])
{
	/* The last one is no kind of address, only a border. */
	for (size_t i = 0; i + 1 < SPECIALS; i++) {
		if (s->first >= specials[i].first && s->last <= specials[i].last)
			return true;
	}
	return false;
}

/* By start, the wider first: a prefix follows those that contain it. */
static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->bits > y->bits) - (x->bits < y->bits);
}

static void emit_range(struct sweep *w, fffa_ip_number start, uint16_t value)
{
	if (w->n && w->v[w->n - 1].start == start)
		w->n--; /* the range before is empty */
	/* IPv4 always begins a range of its own. */
	if (start != IPV4_START && (w->n ? w->v[w->n - 1].value : FFFA_AWS_NONE) == value)
		return;
	FFFA_ASSERT(w->n < w->cap);
	w->v[w->n++] = (struct fffa_ip_range){start, value};
}

/* Ends the prefixes that end before at. */
static void end_before(struct sweep *w, fffa_ip_number at)
{
	while (w->depth && w->open[w->depth - 1].last < at) {
		fffa_ip_number end = w->open[--w->depth].last + 1;

		emit_range(w, end, w->depth ? w->open[w->depth - 1].value : FFFA_AWS_NONE);
	}
}

static uint16_t better_value(const struct sweep *w, uint16_t a, uint16_t b)
{
	if (w->services)
		return fffa_aws_service_better((uint8_t)a, (uint8_t)b);
	return a > b ? a : b;
}

static void begin_prefix(struct sweep *w, const struct span *s)
{
	struct span *top = w->depth ? &w->open[w->depth - 1] : NULL;

	if (top && top->first == s->first && top->bits == s->bits) { /* the same prefix again */
		top->value = better_value(w, top->value, s->value);
	} else {
		FFFA_ASSERT(w->depth < DEPTH_MAX);
		w->open[w->depth++] = *s;
	}
	emit_range(w, s->first, w->open[w->depth - 1].value);
}

int fffa_ip_flatten(const struct fffa_ip_prefix *v, size_t n, bool services,
		    struct fffa_ip_range **out, size_t *count)
{
	struct span *spans = malloc((n + SPECIALS) * sizeof(*spans));
	struct sweep w = {.cap = 2 * (n + SPECIALS), .services = services};
	struct span specials[SPECIALS];
	size_t m = 0;

	w.v = malloc(w.cap * sizeof(*w.v)); /* each prefix has a begin and an end */
	if (!spans || !w.v) {
		free(spans);
		free(w.v);
		return -ENOMEM;
	}
	fill_specials(specials);
	for (size_t i = services ? 0 : SPECIALS - 1; i < SPECIALS; i++)
		spans[m++] = specials[i];
	for (size_t i = 0; i < n; i++) {
		struct span s = span_of(&v[i].cidr, v[i].value);

		if (!services || !is_special(&s, specials))
			spans[m++] = s;
	}
	qsort(spans, m, sizeof(*spans), compare_spans);
	for (size_t i = 0; i < m; i++) {
		end_before(&w, spans[i].first);
		begin_prefix(&w, &spans[i]);
	}
	/* Nothing begins behind the end of the address space. */
	while (w.depth && w.open[w.depth - 1].last != ~(fffa_ip_number)0)
		end_before(&w, w.open[w.depth - 1].last + 1);
	free(spans);
	*out = w.v;
	*count = w.n;
	return 0;
}
