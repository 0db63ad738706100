// SPDX-License-Identifier: MIT
#include "agent/status/largest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "agent/encode/field/text.h"
#include "agent/status/text/json.h"

static uint64_t size_of(const struct fffa_largest *l, const struct fffa_largest_flow *f)
{
	return l->by_packets ? f->packets : f->bytes;
}

static void sift_down(struct fffa_largest *l)
{
	struct fffa_largest_flow moved = l->v[0];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < l->n && size_of(l, &l->v[child + 1]) < size_of(l, &l->v[child]))
			child++;
		if (child >= l->n || size_of(l, &l->v[child]) >= size_of(l, &moved))
			break;
		l->v[i] = l->v[child];
		i = child;
	}
	l->v[i] = moved;
}

static void sift_up(struct fffa_largest *l)
{
	size_t i = l->n - 1;
	struct fffa_largest_flow moved = l->v[i];

	while (i && size_of(l, &l->v[(i - 1) / 2]) > size_of(l, &moved)) {
		l->v[i] = l->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	l->v[i] = moved;
}

void fffa_largest_add(struct fffa_largest *l, const struct fffa_flow_window *w)
{
	struct fffa_largest_flow f = {
		.key = *w->key,
		.packets = w->packets,
		.bytes = w->bytes,
		.start_ms = w->start_ms,
		.end_ms = w->end_ms,
		.flags = w->flags,
	};

	if (l->n < FFFA_LARGEST_MAX) {
		l->v[l->n++] = f;
		sift_up(l);
	} else if (size_of(l, &f) > size_of(l, &l->v[0])) {
		l->v[0] = f;
		sift_down(l);
	}
	if (l->n == FFFA_LARGEST_MAX && !l->by_packets)
		l->min_bytes = l->v[0].bytes + 1;
}

/* When both are equal, the key decides, so that the order is always the same. */
static int more_bytes_first(const void *a, const void *b)
{
	const struct fffa_largest_flow *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int more_packets_first(const void *a, const void *b)
{
	const struct fffa_largest_flow *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	return more_bytes_first(a, b);
}

void fffa_largest_sort(struct fffa_largest *l)
{
	qsort(l->v, l->n, sizeof(*l->v), l->by_packets ? more_packets_first : more_bytes_first);
}

static void put_ip(struct fffa_json *j, const char *key, uint8_t view, const uint8_t addr[16])
{
	uint8_t text[FFFA_TEXT_IP_MAX + FFFA_TEXT_SLACK_BYTES];

	*(view & FFFA_VIEW_IPV6 ? fffa_text_ip6 : fffa_text_ip)(text, addr) = '\0';
	fffa_json_text(j, key, (char *)text);
}

static void put_flow(struct fffa_json *j, const struct fffa_largest_flow *f,
		     const struct fffa_interfaces *interfaces)
{
	fffa_json_open(j, NULL, '{');
	fffa_json_text(j, "interface", fffa_interfaces_find(interfaces, f->key.ifindex));
	fffa_json_text(j, "direction", f->key.view & FFFA_VIEW_EGRESS ? "egress" : "ingress");
	put_ip(j, "srcaddr", f->key.view, f->key.src);
	put_ip(j, "dstaddr", f->key.view, f->key.dst);
	if (f->key.proto == IPPROTO_ICMP || f->key.proto == IPPROTO_ICMPV6) {
		fffa_json_u64(j, "icmp_type", ntohs(f->key.dport) >> 8);
		fffa_json_u64(j, "icmp_code", ntohs(f->key.dport) & 0xff);
	} else {
		fffa_json_u64(j, "srcport", ntohs(f->key.sport));
		fffa_json_u64(j, "dstport", ntohs(f->key.dport));
	}
	fffa_json_u64(j, "protocol", f->key.proto);
	fffa_json_u64(j, "packets", f->packets);
	fffa_json_u64(j, "bytes", f->bytes);
	fffa_json_i64(j, "start_ms", f->start_ms);
	fffa_json_i64(j, "end_ms", f->end_ms);
	if (f->key.proto == IPPROTO_TCP)
		fffa_json_u64(j, "tcp_flags_raw", f->flags & 0xff);
	fffa_json_bool(j, "encapsulated", f->key.tunnel != 0);
	fffa_json_close(j, '}');
}

void fffa_largest_write(struct fffa_buf *o, const struct fffa_largest *l, size_t n, int64_t now_ms,
			uint64_t flows_active, const struct fffa_interfaces *interfaces)
{
	struct fffa_json j = {.out = o};

	fffa_json_open(&j, NULL, '{');
	fffa_json_i64(&j, "time_ms", now_ms);
	fffa_json_u64(&j, "active", flows_active);
	fffa_json_open(&j, "flows", '[');
	for (size_t i = 0; i < n && i < l->n; i++)
		put_flow(&j, &l->v[i], interfaces);
	fffa_json_close(&j, ']');
	fffa_json_close(&j, '}');
	fffa_buf_text(o, "\n");
}

int fffa_largest_parse_count(const char *text, size_t *n)
{
	size_t v = 0;

	if (!text) {
		*n = FFFA_LARGEST_DEFAULT;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		v = v * 10 + (size_t)(*text - '0');
		if (v > FFFA_LARGEST_MAX)
			v = FFFA_LARGEST_MAX;
	}
	*n = v;
	return v ? 0 : -EINVAL;
}
