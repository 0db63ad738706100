// SPDX-License-Identifier: MIT
#include "agent/status/report.h"

#include "agent/base/clock.h"
#include "agent/flow/record.h"
#include "agent/status/text/json.h"

static void put_amount(struct fffa_json *j, const char *key, struct fffa_amount a)
{
	fffa_json_open(j, key, '{');
	fffa_json_u64(j, "packets", a.packets);
	fffa_json_u64(j, "bytes", a.bytes);
	fffa_json_close(j, '}');
}

static struct fffa_amount count_held(const struct fffa_status_view *v)
{
	struct fffa_amount a = v->held_kernel;

	fffa_amount_add(&a, v->held_flows.packets, v->held_flows.bytes);
	return a;
}

/* seen = recorded + held + filtered + not_on_wire + sum(lost), in packets or in bytes. */
static void put_identity(struct fffa_json *j, const char *key, const struct fffa_status_view *v,
			 uint64_t (*amount_of)(struct fffa_amount a))
{
	const struct fffa_ledger *l = v->ledger;

	fffa_json_open(j, key, '{');
	fffa_json_u64(j, "seen", amount_of(fffa_ledger_seen(l)));
	fffa_json_u64(j, "recorded", amount_of(l->recorded));
	fffa_json_u64(j, "held", amount_of(count_held(v)));
	fffa_json_u64(j, "filtered", amount_of(l->filtered));
	fffa_json_u64(j, "not_on_wire", amount_of(l->not_on_wire));
	fffa_json_open(j, "lost", '{');
	for (int i = 0; i < FFFA_PL_MAX; i++)
		fffa_json_u64(j, fffa_ledger_packet_loss_name((enum fffa_packet_loss)i),
			      amount_of(l->lost[i]));
	fffa_json_close(j, '}');
	fffa_json_close(j, '}');
}

static uint64_t packets_of(struct fffa_amount a)
{
	return a.packets;
}

static uint64_t bytes_of(struct fffa_amount a)
{
	return a.bytes;
}

static void put_ledger(struct fffa_json *j, const struct fffa_status_view *v)
{
	const struct fffa_ledger *l = v->ledger;

	fffa_json_open(j, "ledger", '{');
	put_identity(j, "packets", v, packets_of);
	put_identity(j, "bytes", v, bytes_of);
	fffa_json_text(j, "balance", fffa_ledger_balances(l, count_held(v)) ? "ok" : "wrong");
	put_amount(j, "held_kernel", v->held_kernel);
	put_amount(j, "held_flows", v->held_flows);
	put_amount(j, "seen_ingress", l->seen[0]);
	put_amount(j, "seen_egress", l->seen[1]);
	put_amount(j, "unattended", l->unattended);
	fffa_json_u64(j, "not_ip_frames", l->not_ip_frames);
	fffa_json_open(j, "not_ip_ether_types", '{');
	for (int i = 0; i < FFFA_LEDGER_NOT_IP_TYPES && l->not_ip[i].frames; i++) {
		char text[8];

		fffa_json_u64(j, fffa_ledger_ether_type(l->not_ip[i].ether_type, text),
			      l->not_ip[i].frames);
	}
	fffa_json_close(j, '}');
	fffa_json_u64(j, "not_sampled", l->not_sampled);
	fffa_json_u64(j, "no_first_fragment", l->no_first_fragment);
	fffa_json_u64(j, "no_tunnel_id", l->no_tunnel_id);
	fffa_json_u64(j, "records", l->records);
	fffa_json_u64(j, "skipdata_records", l->skipdata_records);
	fffa_json_u64(j, "nodata_records", l->nodata_records);
	fffa_json_open(j, "records_by_end_reason", '{');
	for (int i = 1; i < FFFA_END_MAX; i++)
		fffa_json_u64(j, fffa_record_end_reason_name((enum fffa_end_reason)i),
			      l->records_by_end[i]);
	fffa_json_close(j, '}');
	fffa_json_close(j, '}');
}

static void put_interfaces(struct fffa_json *j, const struct fffa_interfaces *s)
{
	fffa_json_open(j, "interfaces", '[');
	for (size_t i = 1; i <= s->n; i++) {
		fffa_json_open(j, NULL, '{');
		fffa_json_text(j, "interface", s->v[i].name);
		put_amount(j, "ingress", s->v[i].amount[0]);
		put_amount(j, "egress", s->v[i].amount[1]);
		fffa_json_close(j, '}');
	}
	fffa_json_close(j, ']');
}

static void put_hooks(struct fffa_json *j, const struct fffa_status_view *v)
{
	fffa_json_open(j, "hooks", '[');
	for (size_t i = 0; i < v->hook_count; i++) {
		const struct fffa_status_hook *h = &v->hooks[i];

		fffa_json_open(j, NULL, '{');
		fffa_json_text(j, "interface", h->interface);
		fffa_json_u64(j, "ifindex", h->ifindex);
		fffa_json_text(j, "direction", h->direction);
		fffa_json_text(j, "hook", h->hook);
		fffa_json_text(j, "selected_by", h->selected_by);
		fffa_json_text(j, "why", h->why);
		fffa_json_bool(j, "up", h->up);
		fffa_json_text(j, "problem", h->problem);
		fffa_json_u64(j, "put_back", h->put_backs);
		fffa_json_close(j, '}');
	}
	fffa_json_close(j, ']');
}

static void put_counts(struct fffa_json *j, const char *key, const struct fffa_status_count *c,
		       size_t n)
{
	fffa_json_open(j, key, '{');
	for (size_t i = 0; i < n; i++)
		fffa_json_u64(j, c[i].name, c[i].n);
	fffa_json_close(j, '}');
}

static void put_kernel(struct fffa_json *j, const struct fffa_status_kernel *k)
{
	fffa_json_open(j, "kernel", '{');
	fffa_json_u64(j, "table_entries", k->table_entries);
	fffa_json_u64(j, "cpus_with_room", k->slices);
	fffa_json_u64(j, "ring_bytes", k->ring_bytes);
	fffa_json_text(j, "clock", k->clock);
	fffa_json_text(j, "grace_period", k->grace_period);
	put_counts(j, "ring_events", k->ring_events, k->ring_event_count);
	if (k->drains) {
		fffa_json_u64(j, "drains", k->drains->count);
		fffa_json_u64(j, "drains_ns", k->drains->sum_ns);
	}
	fffa_json_open(j, "programs", '[');
	for (size_t i = 0; i < k->program_count; i++) {
		fffa_json_open(j, NULL, '{');
		fffa_json_text(j, "program", k->programs[i].name);
		fffa_json_u64(j, "runs", k->programs[i].runs);
		fffa_json_u64(j, "run_ns", k->programs[i].run_ns);
		fffa_json_close(j, '}');
	}
	fffa_json_close(j, ']');
	fffa_json_close(j, '}');
}

static void put_metadata(struct fffa_json *j, const struct fffa_status_metadata *m)
{
	fffa_json_open(j, "metadata", '{');
	fffa_json_text(j, "imds", m->state);
	if (m->age_ns != UINT64_MAX)
		fffa_json_u64(j, "age_ms", m->age_ns / FFFA_NS_PER_MS);
	fffa_json_text(j, "endpoint", m->endpoint);
	fffa_json_text(j, "last_error", m->last_error);
	fffa_json_text(j, "account_id", m->account_id);
	fffa_json_text(j, "instance_id", m->instance_id);
	fffa_json_text(j, "region", m->region);
	fffa_json_text(j, "az", m->az);
	fffa_json_text(j, "az_id", m->az_id);
	put_counts(j, "errors", m->errors, m->error_count);
	fffa_json_close(j, '}');
}

static void put_fact(void *arg, const char *key, const char *value)
{
	fffa_json_text(arg, key, value);
}

/* records = delivered + rejected + in_flight + sum(lost). */
static void put_sink(struct fffa_json *j, const struct fffa_status_view *v, size_t i)
{
	const struct fffa_sink_status *s = &v->sinks[i];

	fffa_json_open(j, NULL, '{');
	fffa_json_text(j, "name", s->name);
	fffa_json_text(j, "type", s->type);
	fffa_json_bool(j, "up", s->up);
	fffa_json_u64(j, "records", s->ledger->records);
	fffa_json_u64(j, "delivered", s->ledger->delivered);
	fffa_json_u64(j, "rejected", s->ledger->rejected);
	fffa_json_u64(j, "filtered", s->ledger->filtered);
	fffa_json_u64(j, "in_flight", s->in_flight);
	fffa_json_open(j, "lost", '{');
	for (int why = 0; why < FFFA_RL_MAX; why++)
		fffa_json_u64(j, fffa_ledger_record_loss_name((enum fffa_record_loss)why),
			      s->ledger->lost[why]);
	fffa_json_close(j, '}');
	fffa_json_text(j, "balance", fffa_ledger_sink_balances(s->ledger) ? "ok" : "wrong");
	fffa_json_u64(j, "retries", s->retries);
	fffa_json_u64(j, "queue_bytes", s->queue_bytes);
	fffa_json_u64(j, "spool_bytes", s->spool_bytes);
	fffa_json_u64(j, "queue_capacity_bytes", s->queue_capacity);
	fffa_json_u64(j, "spool_capacity_bytes", s->spool_capacity);
	fffa_json_u64(j, "last_delivery_ms", s->last_delivery_ns / FFFA_NS_PER_MS);
	fffa_json_u64(j, "oldest_record_age_ms", s->oldest_ns / FFFA_NS_PER_MS);
	fffa_json_text(j, "last_error", s->last_error ? s->last_error : "");
	fffa_json_u64(j, "last_error_ms", s->last_error_ns / FFFA_NS_PER_MS);
	fffa_json_open(j, "facts", '{');
	if (v->sink_report)
		v->sink_report(v->sink_report_arg, i, put_fact, j);
	fffa_json_close(j, '}');
	fffa_json_close(j, '}');
}

void fffa_report_write(struct fffa_buf *o, const struct fffa_status_view *v)
{
	struct fffa_json j = {.out = o};

	fffa_json_open(&j, NULL, '{');
	fffa_json_text(&j, "version", v->version);
	fffa_json_text(&j, "commit", v->commit);
	fffa_json_text(&j, "agent_id", v->metadata.agent_id);
	fffa_json_text(&j, "config_file", v->config_file);
	fffa_json_text(&j, "stage", v->stage);
	fffa_json_bool(&j, "ready", !v->not_ready);
	fffa_json_text(&j, "not_ready", v->not_ready ? v->not_ready : "");
	fffa_json_i64(&j, "start_ms", v->start_ms);
	fffa_json_u64(&j, "uptime_ms", v->uptime_ns / FFFA_NS_PER_MS);
	put_ledger(&j, v);
	put_interfaces(&j, v->interfaces);
	fffa_json_open(&j, "flows", '{');
	fffa_json_u64(&j, "active", v->flows_active);
	fffa_json_u64(&j, "capacity", v->flows_capacity);
	fffa_json_close(&j, '}');
	fffa_json_open(&j, "sinks", '[');
	for (size_t i = 0; i < v->sink_count; i++)
		put_sink(&j, v, i);
	fffa_json_close(&j, ']');
	put_hooks(&j, v);
	put_kernel(&j, &v->kernel);
	put_metadata(&j, &v->metadata);
	fffa_json_open(&j, "config_reloads", '{');
	fffa_json_u64(&j, "success", v->reloads_done);
	fffa_json_u64(&j, "failure", v->reloads_failed);
	fffa_json_bool(&j, "last_successful", !v->last_reload_failed);
	fffa_json_u64(&j, "pending_restart", v->pending_restart);
	fffa_json_close(&j, '}');
	fffa_json_u64(&j, "log_lines_lost", v->log_lines_lost);
	fffa_json_close(&j, '}');
	fffa_buf_text(o, "\n");
}
