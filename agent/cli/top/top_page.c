// SPDX-License-Identifier: MIT
#include "agent/cli/top/top_page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "agent/cli/top/top_flows.h"
#include "agent/cli/top/top_json.h"
#include "agent/cli/top/top_line.h"
#include "agent/cli/top/top_panes.h"

static void put_rates(struct fffa_top_lines *p, const json_t *status, struct fffa_top_counts *last)
{
	const json_t *ledger = json_object_get(status, "ledger");
	const json_t *packets = json_object_get(ledger, "packets");
	const json_t *bytes = json_object_get(ledger, "bytes");
	struct fffa_top_counts now = {.uptime_ms = fffa_top_json_number(status, "uptime_ms"),
				      .packets = fffa_top_json_number(packets, "seen"),
				      .bytes = fffa_top_json_number(bytes, "seen"),
				      .records = fffa_top_json_number(ledger, "records")};
	char a[16], b[16], c[16];
	int64_t ms;

	if (now.uptime_ms < last->uptime_ms) /* the agent was restarted */
		memset(last, 0, sizeof(*last));
	ms = now.uptime_ms - last->uptime_ms;
	fffa_top_line_put(
		p, "seen %s packets/s  %s bit/s  made %s records/s  flows %" PRId64 " of %" PRId64,
		fffa_top_line_short(fffa_top_line_rate(now.packets, last->packets, ms), a),
		fffa_top_line_short(8 * fffa_top_line_rate(now.bytes, last->bytes, ms), b),
		fffa_top_line_short(fffa_top_line_rate(now.records, last->records, ms), c),
		fffa_top_json_number(json_object_get(status, "flows"), "active"),
		fffa_top_json_number(json_object_get(status, "flows"), "capacity"));
	*last = now;
}

static void put_name(struct fffa_top_lines *p, const json_t *s, struct fffa_top_counts *last)
{
	fffa_top_line_put(p, "fffa %s  %s  %s  up %" PRId64 " s%s%s",
			  fffa_top_json_text(s, "version"), fffa_top_json_text(s, "agent_id"),
			  fffa_top_json_text(s, "stage"),
			  fffa_top_json_number(s, "uptime_ms") / 1000,
			  *fffa_top_json_text(s, "not_ready") ? "  NOT READY: " : "",
			  fffa_top_json_text(s, "not_ready"));
	put_rates(p, s, last);
}

/* All in one, for scripts. */
static void put_all(struct fffa_top_lines *p, const json_t *s, const json_t *flows,
		    const struct fffa_top_view *v, struct fffa_top_last *last)
{
	put_name(p, s, &last->counts);
	fffa_top_panes_losses_of(p, fffa_top_panes_lost_packets(s), "packets");
	fffa_top_line_put(p, "%s", "");
	fffa_top_panes_sinks(p, json_object_get(s, "sinks"));
	fffa_top_line_put(p, "%s", "");
	fffa_top_flows_put(p, flows, v, last);
}

static void put_pane(struct fffa_top_lines *p, const json_t *s, const json_t *flows,
		     const struct fffa_top_view *v, const struct fffa_top_last *last)
{
	switch (v->pane) {
	case FFFA_TOP_FLOWS:
		fffa_top_flows_put(p, flows, v, last);
		break;
	case FFFA_TOP_SINKS:
		fffa_top_panes_sinks(p, json_object_get(s, "sinks"));
		break;
	case FFFA_TOP_INTERFACES:
		fffa_top_panes_interfaces(p, s);
		break;
	case FFFA_TOP_LOSSES:
		fffa_top_panes_losses(p, s);
		break;
	case FFFA_TOP_HELP:
		fffa_top_panes_help(p);
		break;
	}
}

static void put_summary(struct fffa_top_lines *p, const json_t *s)
{
	const json_t *sinks = json_object_get(s, "sinks");
	int64_t packets = fffa_top_json_sum(fffa_top_panes_lost_packets(s)), records = 0;
	size_t i, up = 0, down = 0;
	json_t *sink;

	json_array_foreach ((json_t *)sinks, i, sink) {
		records += fffa_top_json_sum(json_object_get(sink, "lost"));
		up += !strcmp(fffa_top_panes_sink_state(sink), "up");
		down += !strcmp(fffa_top_panes_sink_state(sink), "DOWN");
	}
	(packets || records || down ? fffa_top_line_alarm : fffa_top_line_put)(
		p, "sinks %zu, up %zu, down %zu   lost %" PRId64 " packets, %" PRId64 " records",
		json_array_size(sinks), up, down, packets, records);
}

static void put_keys(struct fffa_top_lines *p, const struct fffa_top_view *v)
{
	static const char *const sorts[] = {"bytes", "packets", "rate", "age"};
	static const char *const panes[] = {"flows", "sinks", "interfaces", "losses", "help"};

	fffa_top_line_head(
		p,
		"1 flows  2 sinks  3 interfaces  4 losses  / filter  b p r a sort  ? help  q quit");
	fffa_top_line_put(p, "%s   sorted by %s%s%s", panes[v->pane], sorts[v->sort],
			  *v->expr ? "  filter: " : "", v->expr);
}

/* Three lines on top, two of keys, and between them the pane. */
static void put_screen(struct fffa_top_lines *p, const json_t *s, const json_t *flows,
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
	struct fffa_top_lines p = {.out = out,
				   .rows_left = v->rows ? v->rows : UINT32_MAX,
				   .columns = v->columns,
				   .styled = v->screen};
	json_t *s = json_loads(status, 0, NULL), *f = json_loads(flows, 0, NULL);
	int rc = -EINVAL;

	if (json_is_object(json_object_get(s, "ledger")) &&
	    json_is_array(json_object_get(f, "flows"))) {
		(v->screen ? put_screen : put_all)(&p, s, f, v, last);
		fffa_top_flows_store(f, last);
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
