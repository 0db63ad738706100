/* SPDX-License-Identifier: MIT */
/* Elastic Common Schema: every member is one that the schema defines, or stands under aws.vpcflow or fffa. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/encode/encoder_internal.h"
#include "tests/unit/encode/model.h"
#include "tests/unit/encode/random.h"
#include "tests/unit/encode/shape_rules.h"

#define RANDOM_RECORDS 5000
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

static const struct rule rules[] = {
	{"@timestamp", RULE_TIME, true, NULL},
	{"ecs", RULE_OBJECT, true, NULL},
	{"ecs.version", RULE_STR, true, NULL},
	{"event", RULE_OBJECT, true, NULL},
	{"event.kind", RULE_STR, true, NULL},
	{"event.category", RULE_STRS, true, NULL},
	{"event.provider", RULE_STR, false, NULL},
	{"event.dataset", RULE_STR, false, NULL},
	{"event.type", RULE_STRS, true, NULL},
	{"event.action", RULE_STR, false, NULL},
	{"event.outcome", RULE_STR, false, NULL},
	{"event.reason", RULE_STR, false, "lost_reason"},
	{"event.start", RULE_TIME, false, NULL},
	{"event.end", RULE_TIME, false, NULL},
	{"event.duration", RULE_INT, false, NULL},
	{"event.id", RULE_STR, false, NULL},
	{"event.sequence", RULE_INT, false, "seq"},
	{"agent", RULE_OBJECT, true, NULL},
	{"agent.type", RULE_STR, true, NULL},
	{"agent.id", RULE_STR, false, "agent_id"},
	{"source", RULE_OBJECT, false, NULL},
	{"source.address", RULE_STR, false, "srcaddr"},
	{"source.ip", RULE_IP, false, "srcaddr"},
	{"source.port", RULE_INT, false, "srcport"},
	{"destination", RULE_OBJECT, false, NULL},
	{"destination.address", RULE_STR, false, "dstaddr"},
	{"destination.ip", RULE_IP, false, "dstaddr"},
	{"destination.port", RULE_INT, false, "dstport"},
	{"source.packets", RULE_INT, false, "packets"},
	{"source.bytes", RULE_INT, false, "bytes"},
	{"network", RULE_OBJECT, false, NULL},
	{"network.type", RULE_STR, false, NULL},
	{"network.iana_number", RULE_STR, false, "protocol"},
	{"network.transport", RULE_STR, false, NULL},
	{"network.direction", RULE_STR, false, "flow_direction"},
	{"network.packets", RULE_INT, false, "packets"},
	{"network.bytes", RULE_INT, false, "bytes"},
	{"cloud", RULE_OBJECT, false, NULL},
	{"cloud.provider", RULE_STR, false, NULL},
	{"cloud.account", RULE_OBJECT, false, NULL},
	{"cloud.account.id", RULE_STR, false, "account_id"},
	{"cloud.instance", RULE_OBJECT, false, NULL},
	{"cloud.instance.id", RULE_STR, false, "instance_id"},
	{"cloud.region", RULE_STR, false, "region"},
	{"cloud.availability_zone", RULE_STR, false, "az_id"},
	{"observer", RULE_OBJECT, true, NULL},
	{"observer.vendor", RULE_STR, false, NULL},
	{"observer.product", RULE_STR, false, NULL},
	{"observer.type", RULE_STR, false, NULL},
	{"observer.ingress", RULE_OBJECT, false, NULL},
	{"observer.ingress.interface", RULE_OBJECT, false, NULL},
	{"observer.ingress.interface.name", RULE_STR, false, NULL},
	{"observer.ingress.interface.id", RULE_STR, false, NULL},
	{"observer.egress", RULE_OBJECT, false, NULL},
	{"observer.egress.interface", RULE_OBJECT, false, NULL},
	{"observer.egress.interface.name", RULE_STR, false, NULL},
	{"observer.egress.interface.id", RULE_STR, false, NULL},
	{"orchestrator", RULE_OBJECT, false, NULL},
	{"orchestrator.type", RULE_STR, false, NULL},
	{"orchestrator.cluster", RULE_OBJECT, false, NULL},
	{"orchestrator.cluster.id", RULE_STR, false, "ecs_cluster_arn"},
	{"orchestrator.cluster.name", RULE_STR, false, "ecs_cluster_name"},
	{"container", RULE_OBJECT, false, NULL},
	{"container.id", RULE_STR, false, "ecs_container_id"},
	{"service", RULE_OBJECT, false, NULL},
	{"service.name", RULE_STR, false, "ecs_service_name"},
	{"aws", RULE_OBJECT, true, NULL},
	{"aws.vpcflow", RULE_OBJECT, true, NULL},
	{"aws.vpcflow.tcp_flags_array", RULE_STRS, false, NULL},
	{"aws.vpcflow.pkt_src_service", RULE_STR, false, "pkt_src_aws_service"},
	{"aws.vpcflow.pkt_dst_service", RULE_STR, false, "pkt_dst_aws_service"},
	{"fffa", RULE_OBJECT, false, NULL},
	{"aws.vpcflow.action", RULE_ANY, false, "action"},
	{"aws.vpcflow.log_status", RULE_ANY, false, "log_status"},
	{"aws.vpcflow.interface_id", RULE_ANY, false, "interface_id"},
	{"aws.vpcflow.vpc_id", RULE_ANY, false, "vpc_id"},
	{"aws.vpcflow.subnet_id", RULE_ANY, false, "subnet_id"},
	{"aws.vpcflow.tcp_flags", RULE_ANY, false, "tcp_flags"},
	{"aws.vpcflow.type", RULE_ANY, false, "type"},
	{"aws.vpcflow.pkt_srcaddr", RULE_ANY, false, "pkt_srcaddr"},
	{"aws.vpcflow.pkt_dstaddr", RULE_ANY, false, "pkt_dstaddr"},
	{"aws.vpcflow.traffic_path", RULE_ANY, false, "traffic_path"},
	{"aws.vpcflow.sublocation_type", RULE_ANY, false, "sublocation_type"},
	{"aws.vpcflow.sublocation_id", RULE_ANY, false, "sublocation_id"},
	{"aws.vpcflow.ecs_container_instance_arn", RULE_ANY, false, "ecs_container_instance_arn"},
	{"aws.vpcflow.ecs_container_instance_id", RULE_ANY, false, "ecs_container_instance_id"},
	{"aws.vpcflow.ecs_second_container_id", RULE_ANY, false, "ecs_second_container_id"},
	{"aws.vpcflow.ecs_task_definition_arn", RULE_ANY, false, "ecs_task_definition_arn"},
	{"aws.vpcflow.ecs_task_arn", RULE_ANY, false, "ecs_task_arn"},
	{"aws.vpcflow.ecs_task_id", RULE_ANY, false, "ecs_task_id"},
	{"aws.vpcflow.instance_tag", RULE_ANY, false, "instance_tag"},
	{"aws.vpcflow.instance_tag_2", RULE_ANY, false, "instance_tag_2"},
	{"aws.vpcflow.interface_tag", RULE_ANY, false, "interface_tag"},
	{"aws.vpcflow.interface_tag_2", RULE_ANY, false, "interface_tag_2"},
	{"aws.vpcflow.asg_tag", RULE_ANY, false, "asg_tag"},
	{"aws.vpcflow.asg_tag_2", RULE_ANY, false, "asg_tag_2"},
	{"fffa.ifname", RULE_ANY, false, "ifname"},
	{"fffa.az", RULE_ANY, false, "az"},
	{"fffa.hook", RULE_ANY, false, "hook"},
	{"fffa.tcp_flags_raw", RULE_ANY, false, "tcp_flags_raw"},
	{"fffa.icmp_type", RULE_ANY, false, "icmp_type"},
	{"fffa.icmp_code", RULE_ANY, false, "icmp_code"},
	{"fffa.end_reason", RULE_ANY, false, "end_reason"},
	{"fffa.sampled", RULE_ANY, false, "sampled"},
	{"fffa.tunnel", RULE_ANY, false, "tunnel"},
	{"fffa.tunnel_src", RULE_ANY, false, "tunnel_src"},
	{"fffa.tunnel_dst", RULE_ANY, false, "tunnel_dst"},
	{"fffa.vni", RULE_ANY, false, "vni"},
	{"fffa.gwlbe_id", RULE_ANY, false, "gwlbe_id"},
	{"fffa.gwlb_attachment_id", RULE_ANY, false, "gwlb_attachment_id"},
	{"fffa.gwlb_flow_cookie", RULE_ANY, false, "gwlb_flow_cookie"},
	{"fffa.lost_packets", RULE_ANY, false, "lost_packets"},
	{"fffa.lost_bytes", RULE_ANY, false, "lost_bytes"},
	{"fffa.lost_records", RULE_ANY, false, "lost_records"},
};

static json_t *encode(enum fffa_format format, const struct fffa_record *r)
{
	char line[FFFA_RECORD_BYTES_MAX];
	struct fffa_encoder *e = NULL;
	json_t *o;
	size_t len;

	assert_int_equal(fffa_encoder_new(format, NULL, &e, NULL), 0);
	len = fffa_encode(e, r, (uint8_t *)line, sizeof(line));
	fffa_encoder_free(e);
	assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
	o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (!o)
		fail_msg("no JSON: %.*s", (int)len, line);
	return o;
}

static void check_int(const json_t *o, const char *path, int64_t want)
{
	const json_t *v = shape_at(o, path);

	if (!json_is_integer(v) || json_integer_value(v) != want)
		fail_msg("%s: %s is not %lld", path, v ? json_dumps(v, JSON_ENCODE_ANY) : "nothing",
			 (long long)want);
}

/* want NULL: must not be there. */
static void check_str(const json_t *o, const char *path, const char *want)
{
	const char *v = json_string_value(shape_at(o, path));

	if (want ? !v || strcmp(v, want) != 0 : shape_at(o, path) != NULL)
		fail_msg("%s: %s is not %s", path, v ? v : "nothing", want ? want : "nothing");
}

/* The listing of `fffa fields` tells the truth about the shape. */
static void check_listing(enum fffa_format format, const struct fffa_shape *shape)
{
	const struct fffa_field_info *infos;
	size_t count;
	bool used;

	infos = fffa_field_table(&count);
	assert_true(shape->n <= FFFA_STEPS_MAX);
	for (size_t id = 0; id < count; id++) {
		used = false;
		for (size_t i = 0; i < shape->n; i++)
			used |= shape->rows[i].kind == FFFA_STEP_VALUE && shape->rows[i].id == id;
		if (used != !!(infos[id].formats & 1U << format))
			fail_msg("%s: its row of fields.def says otherwise", infos[id].name);
	}
}

static void check_flow(const json_t *o, const struct fffa_record *r, const json_t *model)
{
	bool out = r->key.view & FFFA_VIEW_EGRESS;
	const json_t *name = json_object_get(model, "ifname");
	const json_t *seen = shape_at(o, out ? "observer.egress.interface.name"
					     : "observer.ingress.interface.name");

	assert_null(shape_at(o, out ? "observer.ingress" : "observer.egress"));
	assert_true(name ? json_equal(seen, name) : !seen);
	check_str(o, "network.type",
		  strcmp(json_string_value(json_object_get(model, "type")), "IPv4") ? "ipv6"
										    : "ipv4");
	check_str(o, "event.action", "accept");
	check_str(o, "event.outcome", "success");
}

static void random_records_keep_the_rules(void **state)
{
	uint64_t seed = 11;
	json_t *o, *model;
	struct sample s;

	(void)state;
	for (int i = 0; i < RANDOM_RECORDS; i++) {
		random_record(&seed, &s);
		o = encode(FFFA_FORMAT_ECS, &s.r);
		model = model_json(&s.r);
		shape_check(o, rules, COUNT(rules), model);
		if (s.r.status == FFFA_STATUS_OK)
			check_flow(o, &s.r, model);
		else
			assert_null(shape_at(o, "network"));
		json_decref(o);
		json_decref(model);
	}
}

static void check_flags(uint16_t flags, const char *want)
{
	struct sample s;
	const json_t *v;
	char *text;
	json_t *o;

	sample_tcp(&s);
	s.r.flags = flags;
	o = encode(FFFA_FORMAT_ECS, &s.r);
	v = shape_at(o, "aws.vpcflow.tcp_flags_array");
	text = v ? json_dumps(v, JSON_COMPACT) : NULL;
	assert_string_equal(text ? text : "", want);
	free(text);
	json_decref(o);
}

static void flags_by_name(void **state)
{
	(void)state;
	check_flags(FFFA_F_ACK | FFFA_F_PSH, "");
	check_flags(FFFA_F_SYN | FFFA_F_ACK, "[\"syn\"]");
	check_flags(FFFA_F_SYN | FFFA_F_ACK | FFFA_F_SYNACK, "[\"syn\",\"ack\"]");
	check_flags(0x1ff, "[\"fin\",\"syn\",\"rst\",\"ack\"]");
}

static void times_and_names(void **state)
{
	struct sample s;
	json_t *o;

	(void)state;
	sample_tcp(&s);
	strcpy(s.host.ecs.cluster_arn, "arn:aws:ecs:us-east-1:111122223333:cluster/a");
	o = encode(FFFA_FORMAT_ECS, &s.r);
	check_str(o, "@timestamp", "2023-11-14T22:14:30.001Z");
	check_str(o, "event.start", "2023-11-14T22:13:30.999Z");
	check_int(o, "event.duration", 59002000000);
	check_str(o, "event.id", "i-1234567890abcdef0-3-41");
	check_str(o, "network.transport", "tcp");
	check_str(o, "cloud.provider", "aws");
	check_str(o, "orchestrator.type", "ecs");
	json_decref(o);
	sample_unknown(&s);
	o = encode(FFFA_FORMAT_ECS, &s.r);
	assert_null(shape_at(o, "cloud"));
	assert_null(shape_at(o, "orchestrator"));
	json_decref(o);
	s.r.status = FFFA_STATUS_NODATA;
	o = encode(FFFA_FORMAT_ECS, &s.r);
	check_str(o, "event.action", "nodata");
	assert_null(shape_at(o, "source"));
	json_decref(o);
}

static void listing(void **state)
{
	(void)state;
	check_listing(FFFA_FORMAT_ECS, &fffa_elastic_shape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_records_keep_the_rules),
		cmocka_unit_test(flags_by_name),
		cmocka_unit_test(times_and_names),
		cmocka_unit_test(listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
