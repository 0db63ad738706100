// SPDX-License-Identifier: MIT
#include "agent/cli/top_page.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define FLOWS_MAX    1000
#define WIDE_COLUMNS 140 /* room for two IPv6 addresses with ports */

struct page {
	FILE *out;
	unsigned int rows_left;
	unsigned int columns;
};

/* Prints one line, cut to the terminal's width. Control characters from outside become '?'. */
static void put_line(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_line(struct page *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!p->rows_left)
		return;
	p->rows_left--;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	if (p->columns && p->columns < sizeof(text))
		text[p->columns] = '\0';
	(void)fprintf(p->out, "%s\n", text);
}

static int64_t get_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *get_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int64_t sum_members(const json_t *o)
{
	const char *key;
	json_t *v;
	int64_t n = 0;

	json_object_foreach ((json_t *)o, key, v)
		n += json_integer_value(v);
	return n;
}

/* "1.5k", "12M": at most 6 characters. */
static const char *format_short(double v, char dst[16])
{
	static const char units[] = " kMGTPE";
	size_t u = 0;

	while (v >= 9999.5 && u + 2 < sizeof(units)) {
		v /= 1000;
		u++;
	}
	(void)snprintf(dst, 16, u ? "%.0f%c" : "%.0f", v, units[u]);
	return dst;
}

static double per_second(int64_t now, int64_t before, int64_t ms)
{
	return ms > 0 && now > before ? (double)(now - before) * 1000 / (double)ms : 0;
}

static void put_rates(struct page *p, const json_t *status, struct fffa_top_last *last)
{
	const json_t *ledger = json_object_get(status, "ledger");
	const json_t *packets = json_object_get(ledger, "packets");
	const json_t *bytes = json_object_get(ledger, "bytes");
	struct fffa_top_last now = {.uptime_ms = get_number(status, "uptime_ms"),
				    .packets = get_number(packets, "seen"),
				    .bytes = get_number(bytes, "seen"),
				    .records = get_number(ledger, "records")};
	char a[16], b[16], c[16];
	int64_t ms;

	if (now.uptime_ms < last->uptime_ms) /* the agent was restarted */
		memset(last, 0, sizeof(*last));
	ms = now.uptime_ms - last->uptime_ms;
	put_line(p, "seen %s packets/s  %s bit/s  made %s records/s  flows %" PRId64 " of %" PRId64,
		 format_short(per_second(now.packets, last->packets, ms), a),
		 format_short(8 * per_second(now.bytes, last->bytes, ms), b),
		 format_short(per_second(now.records, last->records, ms), c),
		 get_number(json_object_get(status, "flows"), "active"),
		 get_number(json_object_get(status, "flows"), "capacity"));
	*last = now;
}

static void put_losses(struct page *p, const json_t *lost, const char *what)
{
	const char *reason;
	json_t *n;

	json_object_foreach ((json_t *)lost, reason, n) {
		if (json_integer_value(n))
			put_line(p, "  lost %" JSON_INTEGER_FORMAT " %s: %s", json_integer_value(n),
				 what, reason);
	}
}

/* idle: nothing was delivered yet, and nothing has failed. */
static const char *name_state(const json_t *s)
{
	if (json_is_true(json_object_get(s, "up")))
		return "up";
	return get_number(s, "delivered") || *get_text(s, "last_error") ? "DOWN" : "idle";
}

/* One of the sink's numbers, short. */
static const char *format_count(const json_t *s, const char *key, char dst[16])
{
	return format_short((double)get_number(s, key), dst);
}

/* Each line has room in 80 columns; the last error has one of its own. */
static void put_sinks(struct page *p, const json_t *sinks)
{
	size_t i;
	json_t *s;

	put_line(p, "%-16s %-8s %-5s %9s %8s %8s %9s %8s", "SINK", "TYPE", "STATE", "DELIVERED",
		 "REJECTED", "LOST", "IN FLIGHT", "RETRIES");
	json_array_foreach ((json_t *)sinks, i, s) {
		const json_t *lost = json_object_get(s, "lost");
		char t[5][16];

		put_line(p, "%-16.16s %-8s %-5s %9s %8s %8s %9s %8s", get_text(s, "name"),
			 get_text(s, "type"), name_state(s), format_count(s, "delivered", t[0]),
			 format_count(s, "rejected", t[1]),
			 format_short((double)sum_members(lost), t[2]),
			 format_count(s, "in_flight", t[3]), format_count(s, "retries", t[4]));
		if (*get_text(s, "last_error"))
			put_line(p, "  last error: %s", get_text(s, "last_error"));
		put_losses(p, lost, "records");
	}
}

/* "10.0.0.1:443", "[::1]:443", or "10.0.0.1" without ports. */
static const char *format_endpoint(const json_t *f, const char *addr, const char *port,
				   char dst[64])
{
	const char *ip = get_text(f, addr);
	bool v6 = strchr(ip, ':') != NULL;

	if (!json_object_get(f, port))
		(void)snprintf(dst, 64, "%s", ip);
	else
		(void)snprintf(dst, 64, "%s%s%s:%" PRId64, v6 ? "[" : "", ip, v6 ? "]" : "",
			       get_number(f, port));
	return dst;
}

static const char *format_protocol(const json_t *f, char dst[16])
{
	int64_t n = get_number(f, "protocol");

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

static void read_address(const json_t *f, const char *name, uint8_t dst[16], uint8_t *view)
{
	const char *text = get_text(f, name);
	char mapped[64];

	if (strchr(text, ':')) {
		*view |= FFFA_VIEW_IPV6;
		(void)inet_pton(AF_INET6, text, dst);
		return;
	}
	(void)snprintf(mapped, sizeof(mapped), "::ffff:%.40s", text);
	(void)inet_pton(AF_INET6, mapped, dst);
}

static bool is_wanted(const json_t *f, const struct fffa_filter *filter)
{
	struct fffa_key k = {.proto = (uint8_t)get_number(f, "protocol"),
			     .sport = htons((uint16_t)get_number(f, "srcport")),
			     .dport = htons((uint16_t)get_number(f, "dstport"))};

	if (!filter)
		return true;
	read_address(f, "srcaddr", k.src, &k.view);
	read_address(f, "dstaddr", k.dst, &k.view);
	return fffa_filter_passes(filter, &k, 0);
}

static int compare_packets(const void *a, const void *b)
{
	int64_t x = get_number(*(json_t *const *)a, "packets"),
		y = get_number(*(json_t *const *)b, "packets");

	return x < y ? 1 : x > y ? -1 : 0;
}

static void put_flow(struct page *p, const json_t *f, int end_width)
{
	char from[64], to[64], proto[16], packets[16], bytes[16], device[20];

	(void)snprintf(device, sizeof(device), "%s", get_text(f, "interface"));
	format_endpoint(f, "srcaddr", "srcport", from);
	format_endpoint(f, "dstaddr", "dstport", to);
	put_line(p, "%-9s %-3s %-5s %-*s %-*s %7s %7s", shorten(device, 9),
		 get_text(f, "direction")[0] == 'e' ? "out" : "in", format_protocol(f, proto),
		 end_width, shorten(from, (size_t)end_width), end_width,
		 shorten(to, (size_t)end_width),
		 format_short((double)get_number(f, "packets"), packets),
		 format_short((double)get_number(f, "bytes"), bytes));
}

/* They come with the most bytes first. */
static void put_flows(struct page *p, const json_t *flows, const struct fffa_top_view *v)
{
	const json_t *rows[FLOWS_MAX];
	size_t i, n = 0;
	json_t *f;
	int width = p->columns > WIDE_COLUMNS ? 47 : p->columns && p->columns < 80 ? 16 : 21;

	json_array_foreach ((json_t *)flows, i, f) {
		if (n < FLOWS_MAX && is_wanted(f, v->filter))
			rows[n++] = f;
	}
	if (v->by_packets)
		qsort(rows, n, sizeof(const json_t *), compare_packets);
	put_line(p, "%-9s %-3s %-5s %-*s %-*s %7s %7s", "INTERFACE", "DIR", "PROTO", width,
		 "SOURCE", width, "DESTINATION", "PACKETS", "BYTES");
	for (i = 0; i < n; i++)
		put_flow(p, rows[i], width);
}

int fffa_top_page(FILE *out, const char *status, const char *flows, const struct fffa_top_view *v,
		  struct fffa_top_last *last)
{
	struct page p = {.out = out,
			 .rows_left = (v->rows ? v->rows : UINT32_MAX) - v->keys,
			 .columns = v->columns};
	json_t *s = json_loads(status, 0, NULL), *f = json_loads(flows, 0, NULL);
	int rc = -EINVAL;

	if (json_is_object(json_object_get(s, "ledger")) &&
	    json_is_array(json_object_get(f, "flows"))) {
		put_line(&p, "fffa %s  %s  %s  up %" PRId64 " s%s%s", get_text(s, "version"),
			 get_text(s, "agent_id"), get_text(s, "stage"),
			 get_number(s, "uptime_ms") / 1000,
			 *get_text(s, "not_ready") ? "  NOT READY: " : "",
			 get_text(s, "not_ready"));
		put_rates(&p, s, last);
		put_losses(&p,
			   json_object_get(json_object_get(json_object_get(s, "ledger"), "packets"),
					   "lost"),
			   "packets");
		put_line(&p, "%s", "");
		put_sinks(&p, json_object_get(s, "sinks"));
		put_line(&p, "%s", "");
		put_flows(&p, json_object_get(f, "flows"), v);
		p.rows_left += v->keys;
		while (v->keys && v->rows && p.rows_left > 1) /* the keys stand at the bottom */
			put_line(&p, "%s", "");
		if (v->keys)
			put_line(&p, "b bytes  p packets  / filter  q quit   sorted by %s%s%s",
				 v->by_packets ? "packets" : "bytes", *v->expr ? "  filter: " : "",
				 v->expr);
		rc = 0;
	}
	json_decref(s);
	json_decref(f);
	return rc;
}
