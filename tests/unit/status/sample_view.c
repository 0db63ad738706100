// SPDX-License-Identifier: MIT
#include "sample_view.h"

#include <string.h>

static struct fffa_amount amount(uint64_t packets)
{
	return (struct fffa_amount){packets, packets * 100};
}

static void fill_ledger(struct sample_view *s)
{
	struct fffa_ledger *l = &s->ledger;
	struct fffa_amount gone;

	l->recorded = amount(5000);
	l->filtered = amount(60);
	l->lost[FFFA_PL_MALFORMED] = amount(700);
	l->lost[FFFA_PL_NOT_ATTACHED] = amount(701);
	l->lost[FFFA_PL_FLOW_TABLE] = amount(702);
	l->unattended = l->lost[FFFA_PL_NOT_ATTACHED];
	s->view.held_kernel = amount(81);
	s->view.held_flows = amount(82);
	gone = fffa_ledger_lost(l);
	l->seen[0] = amount(2000);
	l->seen[1] = amount(5000 + 60 + 81 + 82 + gone.packets - 2000 - l->unattended.packets);
	l->not_ip_frames = 11;
	fffa_ledger_add_not_ip(l, 0x0806, 5);
	fffa_ledger_add_not_ip(l, 0, 4);
	l->not_sampled = 12;
	l->no_first_fragment = 13;
	l->no_tunnel_id = 14;
	l->records = 150;
	for (int i = 1; i < FFFA_LEDGER_END_REASONS; i++)
		l->records_by_end[i] = 28 + (uint64_t)i - 1;
	l->skipdata_records = 15;
	l->nodata_records = 16;
}

static void fill_sinks(struct sample_view *s)
{
	struct fffa_sink_ledger *a = &s->sinks[0], *b = &s->sinks[1];

	*a = (struct fffa_sink_ledger){.records = 181, .delivered = 100, .rejected = 21};
	a->lost[FFFA_RL_QUEUE_FULL] = 1;
	a->lost[FFFA_RL_SHUTDOWN] = 2;
	a->in_flight = a->records - a->delivered - a->rejected - fffa_ledger_sink_lost(a);
	*b = (struct fffa_sink_ledger){.records = 181, .delivered = 181};
	fffa_histogram_observe_ns(&s->latency, 1000000);
	fffa_histogram_observe_ns(&s->latency, UINT64_C(90000000000));
	s->view.sinks[0] =
		(struct fffa_sink_status){.name = "stream",
					  .type = "kafka",
					  .in_flight = a->in_flight,
					  .queue_bytes = 4096,
					  .spool_bytes = 8192,
					  .queue_capacity = 33554432,
					  .spool_capacity = 1048576,
					  .last_error_ns = UINT64_C(1700000000400000000),
					  .last_delivery_ns = UINT64_C(1700000000500000000),
					  .oldest_ns = UINT64_C(2500000000),
					  .retries = 7,
					  .ledger = a,
					  .latency = &s->latency,
					  .last_error = "topic \"flows\": unknown"};
	s->view.sinks[1] = (struct fffa_sink_status){
		.name = "local", .type = "file", .up = true, .ledger = b, .last_error = ""};
	s->view.sink_count = 2;
}

static void fill_kernel(struct sample_view *s)
{
	struct fffa_status_kernel *k = &s->view.kernel;

	k->table_entries = 131072;
	k->slices = 4;
	k->ring_bytes = 4194304;
	k->clock = "jiffies";
	k->grace_period = "membarrier";
	k->ring_events[0] = (struct fffa_status_count){"no_room", 31};
	k->ring_events[1] = (struct fffa_status_count){"victim", 32};
	k->ring_event_count = 2;
	k->programs[0] = (struct fffa_status_program){"tc_ingress", 1234567890, 33};
	k->program_count = 1;
	fffa_histogram_observe_ns(&s->drains, 250000);
	fffa_histogram_observe_ns(&s->drains, 2000000);
	k->drains = &s->drains;
	s->view.hooks[0] =
		(struct fffa_status_hook){"eth0",    2,
					  "ingress", "xdp",
					  "a glob",  "it \"fits\"",
					  false,     "eth0 ingress: the hook was \"taken off\"",
					  3};
	s->view.hook_count = 1;
}

static void report(const void *arg, size_t i,
		   void (*put)(void *arg, const char *key, const char *value), void *put_arg)
{
	(void)arg;
	put(put_arg, "brokers", i ? "" : "b1:9092\n");
}

void sample_view_fill(struct sample_view *s)
{
	struct fffa_status_view *v = &s->view;

	memset(s, 0, sizeof(*s));
	fill_ledger(s);
	fill_sinks(s);
	fill_kernel(s);
	fffa_interfaces_name(&s->interfaces, 2, "eth0");
	fffa_interfaces_name(&s->interfaces, 3, "a\"b\\\xff\n");
	fffa_interfaces_count(&s->interfaces, 2, false, 41, 4100);
	fffa_interfaces_count(&s->interfaces, 2, true, 42, 4200);
	fffa_interfaces_count(&s->interfaces, 3, true, 43, 4300);
	fffa_interfaces_count(&s->interfaces, 4, true, 44, 4400);
	v->version = "1.2.3";
	v->commit = "abcdef";
	v->config_file = "/etc/fffa/fffa.yaml";
	v->stage = "running";
	v->start_ms = 1700000000123;
	v->uptime_ns = UINT64_C(5123000000);
	v->ledger = &s->ledger;
	v->interfaces = &s->interfaces;
	v->flows_active = 51;
	v->flows_capacity = 1048576;
	static const struct fffa_network_series series[] = {
		{"web \"a\"", "b\xc3\xbcro", "use1-az4", "use1-az6", true, 7000},
		{"db", "web", "use1-az4", "use1-az4", false, 6},
		{"", "web", "", "use1-az4", false, 5},
	};

	v->metadata = (struct fffa_status_metadata){.state = "known",
						    .endpoint = "http://169.254.169.254",
						    .last_error = "timeout",
						    .age_ns = UINT64_C(61500000000),
						    .errors = {{"timeout", 1}, {"server", 2}},
						    .error_count = 2,
						    .series = series,
						    .series_count = 3,
						    .agent_id = "i-1",
						    .account_id = "123456789012",
						    .instance_id = "i-1",
						    .region = "us-east-1",
						    .az = "us-east-1a",
						    .az_id = "use1-az4"};
	v->sink_report = report;
	v->reloads_done = 3;
	v->reloads_failed = 4;
	v->last_reload_failed = true;
	v->pending_restart = 2;
	v->log_lines_lost = 5;
	v->process = (struct fffa_process){.cpu_ns = 1500000000,
					   .rss_bytes = 20480,
					   .virtual_bytes = 40960,
					   .open_fds = 21,
					   .max_fds = 1024};
}
