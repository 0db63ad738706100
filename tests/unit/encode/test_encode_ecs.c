// SPDX-License-Identifier: MIT
/*
 * Elastic Common Schema: every member is one that the schema defines, or stands under aws.vpcflow
 * or fffa.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

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
	{"host", RULE_OBJECT, false, NULL},
	{"host.name", RULE_STR, false, "host_name"},
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
	{"network.community_id", RULE_STR, false, "community_id"},
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
	RULE_SAME("aws.vpcflow", action),
	RULE_SAME("aws.vpcflow", log_status),
	RULE_SAME("aws.vpcflow", interface_id),
	RULE_SAME("aws.vpcflow", vpc_id),
	RULE_SAME("aws.vpcflow", subnet_id),
	RULE_SAME("aws.vpcflow", tcp_flags),
	RULE_SAME("aws.vpcflow", type),
	RULE_SAME("aws.vpcflow", pkt_srcaddr),
	RULE_SAME("aws.vpcflow", pkt_dstaddr),
	RULE_SAME("aws.vpcflow", traffic_path),
	RULE_SAME("aws.vpcflow", sublocation_type),
	RULE_SAME("aws.vpcflow", sublocation_id),
	RULE_SAME("aws.vpcflow", ecs_container_instance_arn),
	RULE_SAME("aws.vpcflow", ecs_container_instance_id),
	RULE_SAME("aws.vpcflow", ecs_second_container_id),
	RULE_SAME("aws.vpcflow", next_hop_subnet_id),
	RULE_SAME("aws.vpcflow", next_hop_az_id),
	RULE_SAME("aws.vpcflow", next_hop_vpc_id),
	RULE_SAME("aws.vpcflow", next_hop_interface_type),
	RULES_TASK_AND_TAGS("aws.vpcflow"),
	RULE_SAME("fffa", ifname),
	RULE_SAME("fffa", az),
	RULE_SAME("fffa", src_network),
	RULE_SAME("fffa", dst_network),
	RULE_SAME("fffa", src_az_id),
	RULE_SAME("fffa", dst_az_id),
	RULES_CAPTURE_AND_LOSS("fffa"),
};

static void check_flow(const json_t *o, const struct fffa_record *r, const json_t *model)
{
	bool out = r->key.view & FFFA_VIEW_EGRESS;
	const json_t *name = json_object_get(model, "ifname");
	const json_t *seen = shape_at(o, out ? "observer.egress.interface.name"
					     : "observer.ingress.interface.name");

	assert_null(shape_at(o, out ? "observer.ingress" : "observer.egress"));
	assert_true(name ? json_equal(seen, name) : !seen);
	shape_check_str(o, "network.type",
			strcmp(json_string_value(json_object_get(model, "type")), "IPv4") ? "ipv6"
											  : "ipv4");
	shape_check_str(o, "event.action", "accept");
	shape_check_str(o, "event.outcome", "success");
}

static void random_records_follow_the_rules(void **state)
{
	uint64_t seed = 11;
	json_t *o, *model;
	struct sample s;

	(void)state;
	for (int i = 0; i < RANDOM_RECORDS; i++) {
		random_record(&seed, &s);
		o = shape_encode(FFFA_FORMAT_ECS, &s.r);
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
	o = shape_encode(FFFA_FORMAT_ECS, &s.r);
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
	o = shape_encode(FFFA_FORMAT_ECS, &s.r);
	shape_check_str(o, "@timestamp", "2023-11-14T22:14:30.001Z");
	shape_check_str(o, "event.start", "2023-11-14T22:13:30.999Z");
	shape_check_int(o, "event.duration", 59002000000);
	shape_check_str(o, "event.id", "i-1234567890abcdef0-3-41");
	shape_check_str(o, "network.transport", "tcp");
	shape_check_str(o, "cloud.provider", "aws");
	shape_check_str(o, "orchestrator.type", "ecs");
	json_decref(o);
	sample_unknown(&s);
	o = shape_encode(FFFA_FORMAT_ECS, &s.r);
	assert_null(shape_at(o, "cloud"));
	assert_null(shape_at(o, "orchestrator"));
	json_decref(o);
	s.r.status = FFFA_STATUS_NODATA;
	o = shape_encode(FFFA_FORMAT_ECS, &s.r);
	shape_check_str(o, "event.action", "nodata");
	assert_null(shape_at(o, "source"));
	json_decref(o);
}

static void list_of_members(void **state)
{
	(void)state;
	shape_check_listing(FFFA_FORMAT_ECS, &fffa_elastic_shape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_records_follow_the_rules),
		cmocka_unit_test(flags_by_name),
		cmocka_unit_test(times_and_names),
		cmocka_unit_test(list_of_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
