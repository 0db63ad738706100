// SPDX-License-Identifier: MIT
#include "agent/cli/top/top_flows.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/top/top_json.h"
#include "agent/ports/ports.h"

#define FLOWS_MAX      1000
#define WIDE_COLUMNS   140 /* room for two IPv6 addresses with ports */
#define FLOW_KEY_BYTES 256

static const char *format_protocol(const json_t *f, char dst[16])
{
	int64_t n = fffa_top_json_number(f, "protocol");

	if (n == 6 || n == 17)
		return n == 6 ? "tcp" : "udp";
	if (n == 1 || n == 58)
		return n == 1 ? "icmp" : "icmp6";
	(void)snprintf(dst, 16, "%" PRId64, n);
	return dst;
}

/* Cut in its middle: the beginning of an address tells the network, its end the port. */
static const char *shorten(char *text, size_t most)
{
	size_t n = strlen(text), tail = most / 2;

	if (n <= most)
		return text;
	text[most - tail - 1] = '~';
	memmove(text + most - tail, text + n - tail, tail + 1);
	return text;
}

/* A flow with what the page adds to it. */
struct flow {
	const json_t *json;
	int64_t packets, bytes, start_ms;
	double rate;  /* bytes per second */
	size_t place; /* in the answer */
};

static const char *key_of(const json_t *f, char dst[FLOW_KEY_BYTES])
{
	(void)snprintf(dst, FLOW_KEY_BYTES,
		       "%s|%s|%" PRId64 "|%s|%" PRId64 "|%s|%" PRId64 "|%" PRId64 "|%" PRId64 "|%d",
		       fffa_top_json_text(f, "interface"), fffa_top_json_text(f, "direction"),
		       fffa_top_json_number(f, "protocol"), fffa_top_json_text(f, "srcaddr"),
		       fffa_top_json_number(f, "srcport"), fffa_top_json_text(f, "dstaddr"),
		       fffa_top_json_number(f, "dstport"), fffa_top_json_number(f, "icmp_type"),
		       fffa_top_json_number(f, "icmp_code"),
		       json_is_true(json_object_get(f, "encapsulated")));
	return dst;
}

/* Since the last answer when its window is the same; else since the window began. */
static double rate_of(const json_t *f, int64_t now_ms, const struct fffa_top_last *last)
{
	char key[FLOW_KEY_BYTES];
	const json_t *before = json_object_get(last->flows, key_of(f, key));
	int64_t start_ms = fffa_top_json_number(f, "start_ms"),
		bytes = fffa_top_json_number(f, "bytes");
	int64_t age_ms = now_ms - start_ms;

	if (before && fffa_top_json_number(before, "start_ms") == start_ms &&
	    now_ms > last->flows_ms)
		return fffa_top_line_rate(bytes, fffa_top_json_number(before, "bytes"),
					  now_ms - last->flows_ms);
	return fffa_top_line_rate(bytes, 0, age_ms < 1000 ? 1000 : age_ms);
}

void fffa_top_flows_store(const json_t *answer, struct fffa_top_last *last)
{
	json_t *kept = json_object(), *f;
	char key[FLOW_KEY_BYTES];
	size_t i;

	json_array_foreach (json_object_get(answer, "flows"), i, f) {
		(void)json_object_set(kept, key_of(f, key), f);
	}
	json_decref(last->flows);
	last->flows = kept;
	last->flows_ms = fffa_top_json_number(answer, "time_ms");
}

static int compare(double a, double b)
{
	return (a > b) - (a < b);
}

/* Equal ones stay in the order in which they came, so that a screen is quiet. */
static int compare_flows(const void *a, const void *b, void *arg)
{
	const struct fffa_top_view *v = arg;
	const struct flow *x = a, *y = b;
	int order;

	if (v->sort == FFFA_TOP_BY_RATE)
		order = compare(y->rate, x->rate);
	else if (v->sort == FFFA_TOP_BY_PACKETS)
		order = compare((double)y->packets, (double)x->packets);
	else
		order = compare((double)x->start_ms, (double)y->start_ms);
	return order ? order : compare((double)x->place, (double)y->place);
}

/* An end, with the name of its port where it has room for it. */
static void format_end(const json_t *f, const char *addr, const char *port, const char *name,
		       size_t width, char dst[FFFA_PORTS_END_BYTES])
{
	const char *ip = fffa_top_json_text(f, addr);
	bool with_port = json_object_get(f, port) != NULL;
	int64_t n = fffa_top_json_number(f, port);

	(void)fffa_ports_write_end(ip, with_port, n, name, dst);
	if (name && strlen(dst) > width)
		(void)fffa_ports_write_end(ip, with_port, n, NULL, dst);
	(void)shorten(dst, width);
}

static void format_ends(const json_t *f, bool numeric, size_t width,
			char from[FFFA_PORTS_END_BYTES], char to[FFFA_PORTS_END_BYTES])
{
	struct fffa_ports_ends e = {.src_name = NULL};

	if (!numeric)
		e = fffa_ports_service(fffa_top_json_number(f, "protocol"),
				       fffa_top_json_number(f, "srcport"),
				       fffa_top_json_number(f, "dstport"));
	format_end(f, "srcaddr", "srcport", e.src_name, width, from);
	format_end(f, "dstaddr", "dstport", e.dst_name, width, to);
}

/* With rates: the table of a terminal, which knows the page before. */
static void put_flow(struct fffa_top_lines *p, const struct flow *w, int width,
		     const struct fffa_top_view *v)
{
	char from[FFFA_PORTS_END_BYTES], to[FFFA_PORTS_END_BYTES], proto[16], number[16],
		packets[16], bytes[16], rate[16], device[20];
	const json_t *f = w->json;
	const char *dir = fffa_top_json_text(f, "direction")[0] == 'e' ? "out" : "in";

	(void)snprintf(device, sizeof(device), "%s", fffa_top_json_text(f, "interface"));
	format_ends(f, v->numeric, (size_t)width, from, to);
	(void)snprintf(proto, sizeof(proto), "%s", format_protocol(f, number));
	fffa_top_line_short((double)w->packets, packets);
	fffa_top_line_short((double)w->bytes, bytes);
	if (v->screen)
		fffa_top_line_put(p, "%-6s %-3s %-4s %-*s %-*s %6s %6s %6s", shorten(device, 6),
				  dir, shorten(proto, 4), width, from, width, to,
				  fffa_top_line_short(8 * w->rate, rate), packets, bytes);
	else
		fffa_top_line_put(p, "%-9s %-3s %-5s %-*s %-*s %7s %7s", shorten(device, 9), dir,
				  proto, width, from, width, to, packets, bytes);
}

static int end_width(const struct fffa_top_lines *p)
{
	return p->columns > WIDE_COLUMNS ? 47 : p->columns && p->columns < 80 ? 16 : 21;
}

void fffa_top_flows_put(struct fffa_top_lines *p, const json_t *answer,
			const struct fffa_top_view *v, const struct fffa_top_last *last)
{
	struct flow *rows = calloc(FLOWS_MAX, sizeof(*rows));
	int width = end_width(p);
	size_t i, n = 0;
	json_t *f;

	if (!rows)
		return;
	json_array_foreach (json_object_get(answer, "flows"), i, f) {
		if (i < FLOWS_MAX)
			rows[n++] = (struct flow){
				.json = f,
				.place = i,
				.packets = fffa_top_json_number(f, "packets"),
				.bytes = fffa_top_json_number(f, "bytes"),
				.start_ms = fffa_top_json_number(f, "start_ms"),
				.rate = rate_of(f, fffa_top_json_number(answer, "time_ms"), last)};
	}
	if (v->sort != FFFA_TOP_BY_BYTES) /* they come with the most bytes first */
		qsort_r(rows, n, sizeof(*rows), compare_flows, (void *)(uintptr_t)v);
	if (v->screen)
		fffa_top_line_head(p, "%-6s %-3s %-4s %-*s %-*s %6s %6s %6s", "IFACE", "DIR",
				   "PROT", width, "SOURCE", width, "DESTINATION", "BIT/S", "PKTS",
				   "BYTES");
	else
		fffa_top_line_head(p, "%-9s %-3s %-5s %-*s %-*s %7s %7s", "INTERFACE", "DIR",
				   "PROTO", width, "SOURCE", width, "DESTINATION", "PACKETS",
				   "BYTES");
	for (i = 0; i < n; i++)
		put_flow(p, &rows[i], width, v);
	free(rows);
}
