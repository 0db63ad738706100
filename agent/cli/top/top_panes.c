// SPDX-License-Identifier: MIT
#include "agent/cli/top/top_panes.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "agent/cli/top/top_json.h"

void fffa_top_panes_losses_of(struct fffa_top_lines *p, const json_t *lost, const char *what)
{
	const char *reason;
	json_t *n;

	json_object_foreach ((json_t *)lost, reason, n) {
		if (json_integer_value(n))
			fffa_top_line_alarm(p, "  lost %" JSON_INTEGER_FORMAT " %s: %s",
					    json_integer_value(n), what, reason);
	}
}

const char *fffa_top_panes_sink_state(const json_t *s)
{
	if (json_is_true(json_object_get(s, "up")))
		return "up";
	return fffa_top_json_number(s, "delivered") || *fffa_top_json_text(s, "last_error")
		       ? "DOWN"
		       : "idle";
}

/* One of the sink's numbers, short. */
static const char *format_count(const json_t *s, const char *key, char dst[16])
{
	return fffa_top_line_short((double)fffa_top_json_number(s, key), dst);
}

static void put_last_error(struct fffa_top_lines *p, const json_t *s)
{
	const char *text = fffa_top_json_text(s, "last_error");
	time_t at = (time_t)(fffa_top_json_number(s, "last_error_ms") / 1000);
	char when[32] = "";
	struct tm tm;

	if (!*text)
		return;
	if (at && gmtime_r(&at, &tm))
		(void)strftime(when, sizeof(when), " %Y-%m-%dT%H:%M:%SZ", &tm);
	fffa_top_line_alarm(p, "  last error%s: %s", when, text);
}

void fffa_top_panes_sinks(struct fffa_top_lines *p, const json_t *sinks)
{
	size_t i;
	json_t *s;

	fffa_top_line_head(p, "%-16s %-8s %-5s %9s %8s %8s %9s %8s", "SINK", "TYPE", "STATE",
			   "DELIVERED", "REJECTED", "LOST", "IN FLIGHT", "RETRIES");
	json_array_foreach ((json_t *)sinks, i, s) {
		const json_t *lost = json_object_get(s, "lost");
		char t[5][16];

		fffa_top_line_put(
			p, "%-16.16s %-8s %-5s %9s %8s %8s %9s %8s", fffa_top_json_text(s, "name"),
			fffa_top_json_text(s, "type"), fffa_top_panes_sink_state(s),
			format_count(s, "delivered", t[0]), format_count(s, "rejected", t[1]),
			fffa_top_line_short((double)fffa_top_json_sum(lost), t[2]),
			format_count(s, "in_flight", t[3]), format_count(s, "retries", t[4]));
		put_last_error(p, s);
		fffa_top_panes_losses_of(p, lost, "records");
	}
}

const json_t *fffa_top_panes_lost_packets(const json_t *s)
{
	return json_object_get(json_object_get(json_object_get(s, "ledger"), "packets"), "lost");
}

void fffa_top_panes_interfaces(struct fffa_top_lines *p, const json_t *s)
{
	json_t *d, *h;
	size_t i;

	fffa_top_line_head(p, "%-15s %9s %9s %9s %9s", "INTERFACE", "PKTS IN", "BYTES IN",
			   "PKTS OUT", "BYTES OUT");
	json_array_foreach (json_object_get(s, "interfaces"), i, d) {
		const json_t *in = json_object_get(d, "ingress"),
			     *out = json_object_get(d, "egress");
		char t[4][16];

		fffa_top_line_put(
			p, "%-15.15s %9s %9s %9s %9s", fffa_top_json_text(d, "interface"),
			format_count(in, "packets", t[0]), format_count(in, "bytes", t[1]),
			format_count(out, "packets", t[2]), format_count(out, "bytes", t[3]));
	}
	fffa_top_line_put(p, "%s", "");
	fffa_top_line_head(p, "%-15s %-9s %-7s %-5s %s", "INTERFACE", "DIRECTION", "HOOK", "STATE",
			   "WHY");
	json_array_foreach (json_object_get(s, "hooks"), i, h) {
		bool up = json_is_true(json_object_get(h, "up"));

		(up ? fffa_top_line_put : fffa_top_line_alarm)(
			p, "%-15.15s %-9s %-7s %-5s %s", fffa_top_json_text(h, "interface"),
			fffa_top_json_text(h, "direction"), fffa_top_json_text(h, "hook"),
			up ? "up" : "OFF", fffa_top_json_text(h, up ? "why" : "problem"));
	}
}

static void put_loss(struct fffa_top_lines *p, const char *where, const char *reason, int64_t n)
{
	(n ? fffa_top_line_alarm : fffa_top_line_put)(p, "%-32.32s %-20s %15" PRId64, where, reason,
						      n);
}

void fffa_top_panes_losses(struct fffa_top_lines *p, const json_t *s)
{
	const char *reason;
	json_t *n, *sink;
	size_t i;

	fffa_top_line_head(p, "%-32s %-20s %15s", "WHERE", "REASON", "LOST");
	json_object_foreach ((json_t *)fffa_top_panes_lost_packets(s), reason, n) {
		put_loss(p, "packets", reason, json_integer_value(n));
	}
	json_array_foreach (json_object_get(s, "sinks"), i, sink) {
		json_object_foreach (json_object_get(sink, "lost"), reason, n) {
			put_loss(p, fffa_top_json_text(sink, "name"), reason,
				 json_integer_value(n));
		}
	}
}

void fffa_top_panes_help(struct fffa_top_lines *p)
{
	static const char *const lines[] = {
		"1 to 4, Tab    the panes: flows, sinks, interfaces, losses",
		"b p r a        sort flows by bytes, packets, rate, age",
		"n              ports as numbers or as names of services",
		"/              a filter in the syntax of pcap-filter(7); an empty one shows all",
		"arrows, PgUp, PgDn, Home    scroll",
		"Ctrl-L         draw again",
		"q, Ctrl-C      end",
	};

	fffa_top_line_head(p, "KEYS");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fffa_top_line_put(p, "%s", lines[i]);
}
