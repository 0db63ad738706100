// SPDX-License-Identifier: MIT
#include "agent/cli/top/top_page.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define FLOWS_MAX      1000
#define WIDE_COLUMNS   140 /* room for two IPv6 addresses with ports */
#define FLOW_KEY_BYTES 256

struct page {
	FILE *out;
	unsigned int rows_left;
	unsigned int columns;
	bool styled;	    /* each line begins with its style, FFFA_TOP_* */
	unsigned int skip;  /* lines that are scrolled away */
	unsigned int count; /* lines that were put, also those without room */
};

static void put_styled(struct page *p, char style, const char *fmt, va_list ap)
{
	char text[512];

	p->count++;
	if (p->skip) {
		p->skip--;
		return;
	}
	if (!p->rows_left)
		return;
	p->rows_left--;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	for (char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	if (p->columns && p->columns < sizeof(text))
		text[p->columns] = '\0';
	if (p->styled)
		(void)fputc(style, p->out);
	(void)fprintf(p->out, "%s\n", text);
}

/* Prints one line, cut to the terminal's width. Control characters from outside become '?'. */
static void put_line(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_line(struct page *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_styled(p, FFFA_TOP_PLAIN, fmt, ap);
	va_end(ap);
}

static void put_head(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_head(struct page *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_styled(p, FFFA_TOP_HEAD, fmt, ap);
	va_end(ap);
}

static void put_alarm(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_alarm(struct page *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_styled(p, FFFA_TOP_ALARM, fmt, ap);
	va_end(ap);
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

static void put_rates(struct page *p, const json_t *status, struct fffa_top_counts *last)
{
	const json_t *ledger = json_object_get(status, "ledger");
	const json_t *packets = json_object_get(ledger, "packets");
	const json_t *bytes = json_object_get(ledger, "bytes");
	struct fffa_top_counts now = {.uptime_ms = get_number(status, "uptime_ms"),
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
			put_alarm(p, "  lost %" JSON_INTEGER_FORMAT " %s: %s",
				  json_integer_value(n), what, reason);
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

	put_head(p, "%-16s %-8s %-5s %9s %8s %8s %9s %8s", "SINK", "TYPE", "STATE", "DELIVERED",
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
			put_alarm(p, "  last error: %s", get_text(s, "last_error"));
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

/* A flow with what the page adds to it. */
struct flow {
	const json_t *json;
	int64_t packets, bytes, start_ms;
	double rate; /* bytes per second */
};

static const char *key_of(const json_t *f, char dst[FLOW_KEY_BYTES])
{
	(void)snprintf(
		dst, FLOW_KEY_BYTES, "%s|%s|%" PRId64 "|%s|%" PRId64 "|%s|%" PRId64 "|%" PRId64,
		get_text(f, "interface"), get_text(f, "direction"), get_number(f, "protocol"),
		get_text(f, "srcaddr"), get_number(f, "srcport"), get_text(f, "dstaddr"),
		get_number(f, "dstport"), get_number(f, "icmp_type"));
	return dst;
}

/* Since the last answer when its window is the same; else since the window began. */
static double rate_of(const json_t *f, int64_t now_ms, const struct fffa_top_last *last)
{
	char key[FLOW_KEY_BYTES];
	const json_t *before = json_object_get(last->flows, key_of(f, key));
	int64_t start_ms = get_number(f, "start_ms"), bytes = get_number(f, "bytes");
	int64_t age_ms = now_ms - start_ms;

	if (before && get_number(before, "start_ms") == start_ms && now_ms > last->flows_ms)
		return per_second(bytes, get_number(before, "bytes"), now_ms - last->flows_ms);
	return per_second(bytes, 0, age_ms < 1000 ? 1000 : age_ms);
}

/* For the rates of the next page. */
static void store_flows(const json_t *answer, struct fffa_top_last *last)
{
	json_t *kept = json_object(), *f;
	char key[FLOW_KEY_BYTES];
	size_t i;

	json_array_foreach (json_object_get(answer, "flows"), i, f) {
		(void)json_object_set(kept, key_of(f, key), f);
	}
	json_decref(last->flows);
	last->flows = kept;
	last->flows_ms = get_number(answer, "time_ms");
}

static int compare_flows(const void *a, const void *b, void *arg)
{
	const struct fffa_top_view *v = arg;
	const struct flow *x = a, *y = b;

	if (v->sort == FFFA_TOP_BY_RATE)
		return x->rate < y->rate ? 1 : x->rate > y->rate ? -1 : 0;
	if (v->sort == FFFA_TOP_BY_PACKETS)
		return x->packets < y->packets ? 1 : x->packets > y->packets ? -1 : 0;
	return x->start_ms > y->start_ms ? 1 : x->start_ms < y->start_ms ? -1 : 0;
}

/* With rates: the table of a terminal, which knows the page before. */
static void put_flow(struct page *p, const struct flow *w, int width, bool rates)
{
	char from[64], to[64], proto[16], number[16], packets[16], bytes[16], rate[16], device[20];
	const json_t *f = w->json;
	const char *dir = get_text(f, "direction")[0] == 'e' ? "out" : "in";

	(void)snprintf(device, sizeof(device), "%s", get_text(f, "interface"));
	format_endpoint(f, "srcaddr", "srcport", from);
	format_endpoint(f, "dstaddr", "dstport", to);
	(void)snprintf(proto, sizeof(proto), "%s", format_protocol(f, number));
	(void)shorten(from, (size_t)width);
	(void)shorten(to, (size_t)width);
	format_short((double)w->packets, packets);
	format_short((double)w->bytes, bytes);
	if (rates)
		put_line(p, "%-6s %-3s %-4s %-*s %-*s %6s %6s %6s", shorten(device, 6), dir,
			 shorten(proto, 4), width, from, width, to, format_short(8 * w->rate, rate),
			 packets, bytes);
	else
		put_line(p, "%-9s %-3s %-5s %-*s %-*s %7s %7s", shorten(device, 9), dir, proto,
			 width, from, width, to, packets, bytes);
}

static int end_width(const struct page *p)
{
	return p->columns > WIDE_COLUMNS ? 47 : p->columns && p->columns < 80 ? 16 : 21;
}

static void put_flows(struct page *p, const json_t *answer, const struct fffa_top_view *v,
		      const struct fffa_top_last *last)
{
	struct flow *rows = calloc(FLOWS_MAX, sizeof(*rows));
	int width = end_width(p);
	size_t i, n = 0;
	json_t *f;

	if (!rows)
		return;
	json_array_foreach (json_object_get(answer, "flows"), i, f) {
		if (n < FLOWS_MAX && is_wanted(f, v->filter))
			rows[n++] = (struct flow){
				.json = f,
				.packets = get_number(f, "packets"),
				.bytes = get_number(f, "bytes"),
				.start_ms = get_number(f, "start_ms"),
				.rate = rate_of(f, get_number(answer, "time_ms"), last)};
	}
	if (v->sort != FFFA_TOP_BY_BYTES) /* they come with the most bytes first */
		qsort_r(rows, n, sizeof(*rows), compare_flows, (void *)(uintptr_t)v);
	if (v->screen)
		put_head(p, "%-6s %-3s %-4s %-*s %-*s %6s %6s %6s", "IFACE", "DIR", "PROT", width,
			 "SOURCE", width, "DESTINATION", "BIT/S", "PKTS", "BYTES");
	else
		put_head(p, "%-9s %-3s %-5s %-*s %-*s %7s %7s", "INTERFACE", "DIR", "PROTO", width,
			 "SOURCE", width, "DESTINATION", "PACKETS", "BYTES");
	for (i = 0; i < n; i++)
		put_flow(p, &rows[i], width, v->screen);
	free(rows);
}

static void put_name(struct page *p, const json_t *s, struct fffa_top_counts *last)
{
	put_line(p, "fffa %s  %s  %s  up %" PRId64 " s%s%s", get_text(s, "version"),
		 get_text(s, "agent_id"), get_text(s, "stage"), get_number(s, "uptime_ms") / 1000,
		 *get_text(s, "not_ready") ? "  NOT READY: " : "", get_text(s, "not_ready"));
	put_rates(p, s, last);
}

static const json_t *lost_packets(const json_t *s)
{
	return json_object_get(json_object_get(json_object_get(s, "ledger"), "packets"), "lost");
}

/* All in one, for scripts. */
static void put_all(struct page *p, const json_t *s, const json_t *flows,
		    const struct fffa_top_view *v, struct fffa_top_last *last)
{
	put_name(p, s, &last->counts);
	put_losses(p, lost_packets(s), "packets");
	put_line(p, "%s", "");
	put_sinks(p, json_object_get(s, "sinks"));
	put_line(p, "%s", "");
	put_flows(p, flows, v, last);
}

/* The panes of a terminal. */

static void put_interfaces(struct page *p, const json_t *s)
{
	json_t *d, *h;
	size_t i;

	put_head(p, "%-15s %9s %9s %9s %9s", "INTERFACE", "PKTS IN", "BYTES IN", "PKTS OUT",
		 "BYTES OUT");
	json_array_foreach (json_object_get(s, "interfaces"), i, d) {
		const json_t *in = json_object_get(d, "ingress"),
			     *out = json_object_get(d, "egress");
		char t[4][16];

		put_line(p, "%-15.15s %9s %9s %9s %9s", get_text(d, "interface"),
			 format_count(in, "packets", t[0]), format_count(in, "bytes", t[1]),
			 format_count(out, "packets", t[2]), format_count(out, "bytes", t[3]));
	}
	put_line(p, "%s", "");
	put_head(p, "%-15s %-9s %-7s %-5s %s", "INTERFACE", "DIRECTION", "HOOK", "STATE", "WHY");
	json_array_foreach (json_object_get(s, "hooks"), i, h) {
		bool up = json_is_true(json_object_get(h, "up"));

		(up ? put_line : put_alarm)(p, "%-15.15s %-9s %-7s %-5s %s",
					    get_text(h, "interface"), get_text(h, "direction"),
					    get_text(h, "hook"), up ? "up" : "OFF",
					    get_text(h, up ? "why" : "problem"));
	}
}

static void put_loss(struct page *p, const char *where, const char *reason, int64_t n)
{
	(n ? put_alarm : put_line)(p, "%-32.32s %-20s %15" PRId64, where, reason, n);
}

static void put_loss_pane(struct page *p, const json_t *s)
{
	const char *reason;
	json_t *n, *sink;
	size_t i;

	put_head(p, "%-32s %-20s %15s", "WHERE", "REASON", "LOST");
	json_object_foreach ((json_t *)lost_packets(s), reason, n) {
		put_loss(p, "packets", reason, json_integer_value(n));
	}
	json_array_foreach (json_object_get(s, "sinks"), i, sink) {
		json_object_foreach (json_object_get(sink, "lost"), reason, n) {
			put_loss(p, get_text(sink, "name"), reason, json_integer_value(n));
		}
	}
}

static void put_help(struct page *p)
{
	static const char *const lines[] = {
		"1 to 4, Tab    the panes: flows, sinks, interfaces, losses",
		"b p r a        sort flows by bytes, packets, rate, age",
		"/              a filter in the syntax of pcap-filter(7); an empty one shows all",
		"arrows, PgUp, PgDn, Home    scroll",
		"Ctrl-L         draw again",
		"q, Ctrl-C      end",
	};

	put_head(p, "KEYS");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put_line(p, "%s", lines[i]);
}

static void put_pane(struct page *p, const json_t *s, const json_t *flows,
		     const struct fffa_top_view *v, const struct fffa_top_last *last)
{
	switch (v->pane) {
	case FFFA_TOP_FLOWS:
		put_flows(p, flows, v, last);
		break;
	case FFFA_TOP_SINKS:
		put_sinks(p, json_object_get(s, "sinks"));
		break;
	case FFFA_TOP_INTERFACES:
		put_interfaces(p, s);
		break;
	case FFFA_TOP_LOSSES:
		put_loss_pane(p, s);
		break;
	case FFFA_TOP_HELP:
		put_help(p);
		break;
	}
}

static void put_summary(struct page *p, const json_t *s)
{
	const json_t *sinks = json_object_get(s, "sinks");
	int64_t packets = sum_members(lost_packets(s)), records = 0;
	size_t i, up = 0, down = 0;
	json_t *sink;

	json_array_foreach ((json_t *)sinks, i, sink) {
		records += sum_members(json_object_get(sink, "lost"));
		up += !strcmp(name_state(sink), "up");
		down += !strcmp(name_state(sink), "DOWN");
	}
	(packets || records || down ? put_alarm : put_line)(
		p, "sinks %zu, up %zu, down %zu   lost %" PRId64 " packets, %" PRId64 " records",
		json_array_size(sinks), up, down, packets, records);
}

static void put_keys(struct page *p, const struct fffa_top_view *v)
{
	static const char *const sorts[] = {"bytes", "packets", "rate", "age"};
	static const char *const panes[] = {"flows", "sinks", "interfaces", "losses", "help"};

	put_head(
		p,
		"1 flows  2 sinks  3 interfaces  4 losses  / filter  b p r a sort  ? help  q quit");
	put_line(p, "%s   sorted by %s%s%s", panes[v->pane], sorts[v->sort],
		 *v->expr ? "  filter: " : "", v->expr);
}

/* Three lines on top, two of keys, and between them the pane. */
static void put_screen(struct page *p, const json_t *s, const json_t *flows,
		       const struct fffa_top_view *v, struct fffa_top_last *last)
{
	unsigned int above = 3, below = 2,
		     room = v->rows > above + below ? v->rows - above - below : 0;

	put_name(p, s, &last->counts);
	put_summary(p, s);
	put_keys(p, v);
	p->rows_left = room;
	p->count = 0;
	p->skip = v->scroll;
	put_pane(p, s, flows, v, last);
	last->pane_lines = p->count;
}

int fffa_top_page(FILE *out, const char *status, const char *flows, const struct fffa_top_view *v,
		  struct fffa_top_last *last)
{
	struct page p = {.out = out,
			 .rows_left = v->rows ? v->rows : UINT32_MAX,
			 .columns = v->columns,
			 .styled = v->screen};
	json_t *s = json_loads(status, 0, NULL), *f = json_loads(flows, 0, NULL);
	int rc = -EINVAL;

	if (json_is_object(json_object_get(s, "ledger")) &&
	    json_is_array(json_object_get(f, "flows"))) {
		(v->screen ? put_screen : put_all)(&p, s, f, v, last);
		store_flows(f, last);
		rc = 0;
	}
	json_decref(s);
	json_decref(f);
	return rc;
}

void fffa_top_page_forget(struct fffa_top_last *last)
{
	json_decref(last->flows);
	last->flows = NULL;
}
