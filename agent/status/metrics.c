// SPDX-License-Identifier: MIT
/*
 * The metrics. One scrape is enough to check both identities of the ledger (agent/base/ledger.h):
 *
 *   sum(packets_seen) = packets_recorded + sum(packets_held) + packets_filtered +
 *   packets_not_on_wire + sum(packets_lost)
 *   sink_records_offered = sum(sink_records) + sum(records_lost) + sink_in_flight, for each sink
 */
#include "agent/status/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/flow/record.h"
#include "agent/status/text/family.h"

/* No interface name has a space. */
#define OTHER_INTERFACES "(other interfaces)"
#define NOT_ATTRIBUTED	 "(not attributed)" /* lost before the interface was known */

static const char *const directions[] = {"ingress", "egress"};

enum unit { PACKETS, BYTES };

static uint64_t amount_in(const struct fffa_amount *a, enum unit u)
{
	return u == PACKETS ? a->packets : a->bytes;
}

static void write_value(struct fffa_buf *o, const char *name, const char *type, const char *help,
			uint64_t value)
{
	fffa_family_begin(o, name, type, help);
	fffa_family_u64(o, name, NULL, value);
}

static void write_seconds(struct fffa_buf *o, const char *name, const char *type, const char *help,
			  uint64_t ns)
{
	fffa_family_begin(o, name, type, help);
	fffa_family_seconds(o, name, NULL, ns);
}

static void write_interface(struct fffa_buf *o, const char *name, const char *label,
			    const struct fffa_interface *i, enum unit u)
{
	for (int dir = 0; dir < 2; dir++)
		fffa_family_u64(o, name,
				FFFA_LABELS({"interface", label}, {"direction", directions[dir]}),
				amount_in(&i->amount[dir], u));
}

/* The samples add up to what was seen, without what the kernel holds. */
static void write_interfaces(struct fffa_buf *o, const struct fffa_status_view *v, enum unit u)
{
	const char *name = u == PACKETS ? "fffa_packets_total" : "fffa_bytes_total";
	const struct fffa_interfaces *s = v->interfaces;
	struct fffa_amount lost = fffa_ledger_lost(v->ledger);

	fffa_family_begin(o, name, "counter",
			  u == PACKETS ? "IP packets counted, as on the wire."
				       : "IP bytes counted, header and payload, as on the wire.");
	for (size_t i = 1; i <= s->n; i++)
		write_interface(o, name, s->v[i].name, &s->v[i], u);
	if (s->v[0].amount[0].packets || s->v[0].amount[1].packets)
		write_interface(o, name, OTHER_INTERFACES, &s->v[0], u);
	fffa_family_u64(o, name,
			FFFA_LABELS({"interface", NOT_ATTRIBUTED}, {"direction", "unknown"}),
			amount_in(&lost, u) + amount_in(&v->ledger->not_on_wire, u) -
				amount_in(&v->ledger->lost[FFFA_PL_FLOW_TABLE], u));
}

/* The names of the terms of the first identity, in packets or in bytes. */
struct identity_names {
	const char *seen, *recorded, *held, *filtered, *not_on_wire, *lost;
};

static void write_seen(struct fffa_buf *o, const char *name, const struct fffa_status_view *v,
		       enum unit u)
{
	fffa_family_begin(o, name, "counter",
			  "Seen by the hooks until now; direction unattended: passed while no "
			  "agent ran or a hook was off.");
	for (int dir = 0; dir < 2; dir++)
		fffa_family_u64(o, name, FFFA_LABELS({"direction", directions[dir]}),
				amount_in(&v->ledger->seen[dir], u));
	fffa_family_u64(o, name, FFFA_LABELS({"direction", "unattended"}),
			amount_in(&v->ledger->unattended, u));
}

static void write_identity(struct fffa_buf *o, const struct fffa_status_view *v, enum unit u)
{
	static const struct identity_names all[] = {
		[PACKETS] = {"fffa_packets_seen_total", "fffa_packets_recorded_total",
			     "fffa_packets_held", "fffa_packets_filtered_total",
			     "fffa_packets_not_on_wire_total", "fffa_packets_lost_total"},
		[BYTES] = {"fffa_bytes_seen_total", "fffa_bytes_recorded_total", "fffa_bytes_held",
			   "fffa_bytes_filtered_total", "fffa_bytes_not_on_wire_total",
			   "fffa_bytes_lost_total"},
	};
	const struct identity_names *n = &all[u];

	write_seen(o, n->seen, v, u);
	write_value(o, n->recorded, "counter", "Counted in records.",
		    amount_in(&v->ledger->recorded, u));
	fffa_family_begin(o, n->held, "gauge",
			  "Seen and in no record yet; where kernel: not handed over, where flows: "
			  "in the flow table.");
	fffa_family_u64(o, n->held, FFFA_LABELS({"where", "kernel"}),
			amount_in(&v->held_kernel, u));
	fffa_family_u64(o, n->held, FFFA_LABELS({"where", "flows"}), amount_in(&v->held_flows, u));
	write_value(o, n->filtered, "counter",
		    "Left out by capture.parity_filter and capture.filter.",
		    amount_in(&v->ledger->filtered, u));
	write_value(o, n->not_on_wire, "counter",
		    "Decrypted by IPsec on this host; the encrypted packet is recorded.",
		    amount_in(&v->ledger->not_on_wire, u));
	fffa_family_begin(o, n->lost, "counter", "Lost: in no record, by reason.");
	for (int i = 0; i < FFFA_PL_MAX; i++)
		fffa_family_u64(o, n->lost,
				FFFA_LABELS({"reason", fffa_ledger_packet_loss_name(
							       (enum fffa_packet_loss)i)}),
				amount_in(&v->ledger->lost[i], u));
}

static void write_not_ip(struct fffa_buf *o, const struct fffa_ledger *l)
{
	const char *name = "fffa_frames_not_ip_total";

	fffa_family_begin(o, name, "counter", "Frames without an IP packet, by ether type.");
	for (int i = 0; i < FFFA_LEDGER_NOT_IP_TYPES && l->not_ip[i].frames; i++) {
		char text[8];

		fffa_family_u64(o, name,
				FFFA_LABELS({"ether_type", fffa_ledger_ether_type(
								   l->not_ip[i].ether_type, text)}),
				l->not_ip[i].frames);
	}
	fffa_family_u64(o, name, FFFA_LABELS({"ether_type", "other"}), fffa_ledger_not_ip_other(l));
}

static void write_other_counts(struct fffa_buf *o, const struct fffa_ledger *l)
{
	write_not_ip(o, l);
	write_value(o, "fffa_packets_not_sampled_total", "counter",
		    "Packets not counted because of capture.sample.", l->not_sampled);
	write_value(
		o, "fffa_packets_no_first_fragment_total", "counter",
		"Later fragments recorded with ports 0 because the first fragment was not seen.",
		l->no_first_fragment);
	write_value(
		o, "fffa_packets_no_tunnel_id_total", "counter",
		"Packets in a tunnel recorded as the outer packet because no tunnel id was free.",
		l->no_tunnel_id);
}

static void write_flows(struct fffa_buf *o, const struct fffa_status_view *v)
{
	const char *name = "fffa_records_total";

	write_value(o, "fffa_flows_active", "gauge", "Flows in the agent's table.",
		    v->flows_active);
	write_value(o, "fffa_flow_table_capacity", "gauge",
		    "Flows that the agent's table has room for.", v->flows_capacity);
	write_value(o, "fffa_kernel_table_capacity", "gauge",
		    "Flows that the kernel's table has room for.", v->kernel.table_entries);
	fffa_family_begin(o, name, "counter",
			  "Records made, by the reason why the window ended; nodata and skipdata "
			  "stand for no flow.");
	for (int i = 1; i < FFFA_END_MAX; i++)
		fffa_family_u64(o, name,
				FFFA_LABELS({"end_reason",
					     fffa_record_end_reason_name((enum fffa_end_reason)i)}),
				v->ledger->records_by_end[i]);
	fffa_family_u64(o, name, FFFA_LABELS({"end_reason", "nodata"}), v->ledger->nodata_records);
	fffa_family_u64(o, name, FFFA_LABELS({"end_reason", "skipdata"}),
			v->ledger->skipdata_records);
}

static void write_lost_records(struct fffa_buf *o, const struct fffa_status_view *v)
{
	const char *name = "fffa_records_lost_total";

	fffa_family_begin(o, name, "counter", "Records that a sink will never deliver, by reason.");
	for (size_t i = 0; i < v->sink_count; i++) {
		const struct fffa_sink_status *s = &v->sinks[i];

		for (int why = 0; why < FFFA_RL_MAX; why++)
			fffa_family_u64(o, name,
					FFFA_LABELS({"sink", s->name},
						    {"reason", fffa_ledger_record_loss_name((
								       enum fffa_record_loss)why)}),
					s->ledger->lost[why]);
	}
}

static void write_outcomes(struct fffa_buf *o, const struct fffa_status_view *v)
{
	const char *name = "fffa_sink_records_total";

	fffa_family_begin(
		o, name, "counter",
		"Records that the destination confirmed (delivered) or refused (rejected).");
	for (size_t i = 0; i < v->sink_count; i++) {
		const struct fffa_sink_status *s = &v->sinks[i];

		fffa_family_u64(o, name, FFFA_LABELS({"sink", s->name}, {"outcome", "delivered"}),
				s->ledger->delivered);
		fffa_family_u64(o, name, FFFA_LABELS({"sink", s->name}, {"outcome", "rejected"}),
				s->ledger->rejected);
	}
}

static uint64_t sink_filtered(const struct fffa_sink_status *s)
{
	return s->ledger->filtered;
}

static uint64_t sink_offered(const struct fffa_sink_status *s)
{
	return s->ledger->records;
}

static uint64_t sink_in_flight(const struct fffa_sink_status *s)
{
	return s->in_flight;
}

static uint64_t sink_queue_bytes(const struct fffa_sink_status *s)
{
	return s->queue_bytes;
}

static uint64_t sink_spool_bytes(const struct fffa_sink_status *s)
{
	return s->spool_bytes;
}

static uint64_t sink_retries(const struct fffa_sink_status *s)
{
	return s->retries;
}

static uint64_t sink_up(const struct fffa_sink_status *s)
{
	return s->up;
}

static uint64_t sink_queue_capacity(const struct fffa_sink_status *s)
{
	return s->queue_capacity;
}

static uint64_t sink_spool_capacity(const struct fffa_sink_status *s)
{
	return s->spool_capacity;
}

static uint64_t sink_last_delivery_ns(const struct fffa_sink_status *s)
{
	return s->last_delivery_ns;
}

static uint64_t sink_oldest_ns(const struct fffa_sink_status *s)
{
	return s->oldest_ns;
}

/* The same in seconds. */
static const struct {
	const char *name, *help;
	uint64_t (*get_ns)(const struct fffa_sink_status *s);
} sink_times[] = {
	{"fffa_sink_last_delivery_timestamp_seconds",
	 "When the destination last confirmed records, in Unix time; 0: never.",
	 sink_last_delivery_ns},
	{"fffa_sink_oldest_record_age_seconds",
	 "Age of the oldest batch that waits or is sent; 0: there is none.", sink_oldest_ns},
};

/* The metrics that have one sample for each sink. */
static const struct {
	const char *name, *type, *help;
	uint64_t (*get)(const struct fffa_sink_status *s);
} sink_numbers[] = {
	{"fffa_sink_records_offered_total", "counter", "Records made for this sink.", sink_offered},
	{"fffa_sink_records_filtered_total", "counter", "Records that the sink's filter left out.",
	 sink_filtered},
	{"fffa_sink_in_flight_records", "gauge",
	 "Records batched, queued, spooled or sent, without an answer yet.", sink_in_flight},
	{"fffa_sink_queue_bytes", "gauge", "Memory that queued and sent records take.",
	 sink_queue_bytes},
	{"fffa_sink_spool_bytes", "gauge", "Disk space that spooled records take.",
	 sink_spool_bytes},
	{"fffa_sink_queue_capacity_bytes", "gauge", "Memory that queued and sent records may take.",
	 sink_queue_capacity},
	{"fffa_sink_spool_capacity_bytes", "gauge",
	 "Disk space that spooled records may take; 0: the sink has no spool.",
	 sink_spool_capacity},
	{"fffa_sink_retries_total", "counter", "Deliveries that were sent again.", sink_retries},
	{"fffa_sink_up", "gauge",
	 "1 when the destination said last that it took records; 0 before the first delivery, too.",
	 sink_up},
};

static void write_sink_times(struct fffa_buf *o, const struct fffa_status_view *v)
{
	for (size_t k = 0; k < sizeof(sink_times) / sizeof(sink_times[0]); k++) {
		fffa_family_begin(o, sink_times[k].name, "gauge", sink_times[k].help);
		for (size_t i = 0; i < v->sink_count; i++)
			fffa_family_seconds(o, sink_times[k].name,
					    FFFA_LABELS({"sink", v->sinks[i].name}),
					    sink_times[k].get_ns(&v->sinks[i]));
	}
}

static void write_sinks(struct fffa_buf *o, const struct fffa_status_view *v)
{
	const char *name = "fffa_sink_latency_seconds";

	write_outcomes(o, v);
	write_lost_records(o, v);
	for (size_t k = 0; k < sizeof(sink_numbers) / sizeof(sink_numbers[0]); k++) {
		fffa_family_begin(o, sink_numbers[k].name, sink_numbers[k].type,
				  sink_numbers[k].help);
		for (size_t i = 0; i < v->sink_count; i++)
			fffa_family_u64(o, sink_numbers[k].name,
					FFFA_LABELS({"sink", v->sinks[i].name}),
					sink_numbers[k].get(&v->sinks[i]));
	}
	write_sink_times(o, v);
	fffa_family_begin(o, name, "histogram",
			  "Time from the end of a batch until its delivery was confirmed.");
	for (size_t i = 0; i < v->sink_count; i++) {
		if (v->sinks[i].latency)
			fffa_family_histogram(o, name,
					      &(struct fffa_label){"sink", v->sinks[i].name},
					      v->sinks[i].latency);
	}
}

static void write_programs(struct fffa_buf *o, const struct fffa_status_kernel *k)
{
	const char *seconds = "fffa_bpf_run_seconds_total", *runs = "fffa_bpf_runs_total";

	fffa_family_begin(o, seconds, "counter",
			  "Time in the kernel programs; counted while the sysctl "
			  "kernel.bpf_stats_enabled is on.");
	for (size_t i = 0; i < k->program_count; i++)
		fffa_family_seconds(o, seconds, FFFA_LABELS({"program", k->programs[i].name}),
				    k->programs[i].run_ns);
	fffa_family_begin(o, runs, "counter",
			  "Runs of the kernel programs; counted while the sysctl "
			  "kernel.bpf_stats_enabled is on.");
	for (size_t i = 0; i < k->program_count; i++)
		fffa_family_u64(o, runs, FFFA_LABELS({"program", k->programs[i].name}),
				k->programs[i].runs);
}

static void write_capture(struct fffa_buf *o, const struct fffa_status_view *v)
{
	const struct fffa_status_kernel *k = &v->kernel;

	fffa_family_begin(o, "fffa_ring_events_total", "counter",
			  "Entries handed over by the ring buffer; kind no_room: entries that "
			  "found it full.");
	for (size_t i = 0; i < k->ring_event_count; i++)
		fffa_family_u64(o, "fffa_ring_events_total",
				FFFA_LABELS({"kind", k->ring_events[i].name}), k->ring_events[i].n);
	if (k->drains) {
		fffa_family_begin(o, "fffa_drain_seconds", "histogram",
				  "Time to drain the kernel's table and merge all of it.");
		fffa_family_histogram(o, "fffa_drain_seconds", NULL, k->drains);
	}
	write_programs(o, k);
	fffa_family_begin(o, "fffa_hook_info", "gauge", "1 for each hook that is attached.");
	for (size_t i = 0; i < v->hook_count; i++)
		fffa_family_u64(o, "fffa_hook_info",
				FFFA_LABELS({"interface", v->hooks[i].interface},
					    {"direction", v->hooks[i].direction},
					    {"hook", v->hooks[i].hook}),
				1);
	fffa_family_begin(o, "fffa_hook_up", "gauge",
			  "1: the hook is in its place and sees packets first; 0: see /readyz.");
	for (size_t i = 0; i < v->hook_count; i++)
		fffa_family_u64(o, "fffa_hook_up",
				FFFA_LABELS({"interface", v->hooks[i].interface},
					    {"direction", v->hooks[i].direction}),
				v->hooks[i].up);
	fffa_family_begin(o, "fffa_hook_put_back_total", "counter",
			  "How often a hook was taken off or stood behind another program, and was "
			  "put back.");
	for (size_t i = 0; i < v->hook_count; i++)
		fffa_family_u64(o, "fffa_hook_put_back_total",
				FFFA_LABELS({"interface", v->hooks[i].interface},
					    {"direction", v->hooks[i].direction}),
				v->hooks[i].put_backs);
}

static void write_metadata(struct fffa_buf *o, const struct fffa_status_metadata *m)
{
	const char *name = "fffa_metadata_age_seconds";
	bool off = !m->state || !strcmp(m->state, "off");

	fffa_family_begin(
		o, name, "gauge",
		"Time since IMDS last answered completely; +Inf: never, NaN: IMDS is not asked.");
	if (off || m->age_ns == UINT64_MAX)
		fffa_buf_format(o, "%s %s\n", name, off ? "NaN" : "+Inf");
	else
		fffa_family_seconds(o, name, NULL, m->age_ns);
	name = "fffa_metadata_errors_total";
	fffa_family_begin(o, name, "counter",
			  "Failed IMDS requests, refused values and bad files, by reason.");
	for (size_t i = 0; i < m->error_count; i++)
		fffa_family_u64(o, name, FFFA_LABELS({"reason", m->errors[i].name}),
				m->errors[i].n);
}

/* The query language cannot compare two labels, so cross_az does. */
static const char *cross_az(const struct fffa_network_series *s)
{
	if (!s->src_az_id[0] || !s->dst_az_id[0])
		return "";
	return strcmp(s->src_az_id, s->dst_az_id) ? "yes" : "no";
}

static void write_networks(struct fffa_buf *o, const struct fffa_status_view *v)
{
	static const char name[] = "fffa_network_bytes_total";
	const struct fffa_status_metadata *m = &v->metadata;

	if (!m->series)
		return;
	fffa_family_begin(o, name, "counter",
			  "Bytes of records between two networks of metadata.networks.");
	for (size_t i = 0; i < m->series_count; i++) {
		const struct fffa_network_series *s = &m->series[i];

		fffa_family_u64(o, name,
				FFFA_LABELS({"src_network", s->src_network},
					    {"dst_network", s->dst_network},
					    {"src_az_id", s->src_az_id},
					    {"dst_az_id", s->dst_az_id},
					    {"direction", s->egress ? "egress" : "ingress"},
					    {"cross_az", cross_az(s)}),
				s->bytes);
	}
}

static void write_process(struct fffa_buf *o, const struct fffa_status_view *v)
{
	const struct fffa_process *p = &v->process;

	write_seconds(o, "process_cpu_seconds_total", "counter", "CPU time, user and system.",
		      p->cpu_ns);
	write_value(o, "process_resident_memory_bytes", "gauge", "Resident memory.", p->rss_bytes);
	write_value(o, "process_virtual_memory_bytes", "gauge", "Address space.", p->virtual_bytes);
	write_value(o, "process_open_fds", "gauge", "Open file descriptors.", p->open_fds);
	write_value(o, "process_max_fds", "gauge", "File descriptors that may be open.",
		    p->max_fds);
	write_seconds(o, "process_start_time_seconds", "gauge", "Start, in Unix time.",
		      (uint64_t)v->start_ms * FFFA_NS_PER_MS);
}

static void write_reloads(struct fffa_buf *o, const struct fffa_status_view *v)
{
	fffa_family_begin(o, "fffa_config_reloads_total", "counter",
			  "Reloads of the configuration by HUP.");
	fffa_family_u64(o, "fffa_config_reloads_total", FFFA_LABELS({"result", "success"}),
			v->reloads_done);
	fffa_family_u64(o, "fffa_config_reloads_total", FFFA_LABELS({"result", "failure"}),
			v->reloads_failed);
	write_value(o, "fffa_config_last_reload_successful", "gauge",
		    "1 unless the last reload of the configuration failed.",
		    !v->last_reload_failed);
	write_value(o, "fffa_config_pending_restart", "gauge",
		    "Keys of the configuration file whose new value needs a restart.",
		    v->pending_restart);
}

void fffa_metrics_write(struct fffa_buf *o, const struct fffa_status_view *v)
{
	fffa_family_begin(o, "fffa_build_info", "gauge", "1, with what this program is.");
	fffa_family_u64(o, "fffa_build_info",
			FFFA_LABELS({"version", v->version}, {"commit", v->commit}), 1);
	for (enum unit u = PACKETS; u <= BYTES; u++) {
		write_interfaces(o, v, u);
		write_identity(o, v, u);
	}
	write_other_counts(o, v->ledger);
	write_flows(o, v);
	write_sinks(o, v);
	write_capture(o, v);
	write_metadata(o, &v->metadata);
	write_networks(o, v);
	write_reloads(o, v);
	write_value(o, "fffa_log_lines_lost_total", "counter",
		    "Log lines lost because the reader of standard error stood still.",
		    v->log_lines_lost);
	write_process(o, v);
}
