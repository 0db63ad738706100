// SPDX-License-Identifier: MIT
/*
 * OCSF: every record follows the rules of class 4001 of schema 1.1.0, which were written down
 * from the schema, not from samples.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "tests/unit/encode/model.h"
#include "tests/unit/encode/random.h"
#include "tests/unit/encode/shape_rules.h"

#define RANDOM_RECORDS 5000
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

/*
 * The class, its objects and the profiles cloud, host, security_control and datetime, as far as we
 * use them.
 */
static const struct rule rules[] = {
	{"category_uid", RULE_INT, true, NULL},
	{"category_name", RULE_STR, false, NULL},
	{"class_uid", RULE_INT, true, NULL},
	{"class_name", RULE_STR, false, NULL},
	{"severity_id", RULE_INT, true, NULL},
	{"severity", RULE_STR, false, NULL},
	{"activity_id", RULE_INT, true, NULL},
	{"activity_name", RULE_STR, false, NULL},
	{"type_uid", RULE_INT, true, NULL},
	{"type_name", RULE_STR, false, NULL},
	{"action_id", RULE_INT, true, NULL},
	{"action", RULE_STR, false, NULL},
	{"disposition_id", RULE_INT, true, NULL},
	{"disposition", RULE_STR, false, NULL},
	{"status_id", RULE_INT, false, NULL},
	{"status", RULE_STR, false, NULL},
	{"status_code", RULE_STR, false, "log_status"},
	{"status_detail", RULE_STR, false, "lost_reason"},
	{"time", RULE_INT, true, "end_ms"},
	{"start_time", RULE_INT, false, "start_ms"},
	{"end_time", RULE_INT, false, "end_ms"},
	{"time_dt", RULE_TIME, true, NULL},
	{"start_time_dt", RULE_TIME, false, NULL},
	{"end_time_dt", RULE_TIME, false, NULL},
	{"duration", RULE_INT, false, NULL},
	{"metadata", RULE_OBJECT, true, NULL},
	{"metadata.version", RULE_STR, true, NULL},
	{"metadata.profiles", RULE_STRS, true, NULL},
	{"metadata.product", RULE_OBJECT, true, NULL},
	{"metadata.product.name", RULE_STR, false, NULL},
	{"metadata.product.vendor_name", RULE_STR, true, NULL},
	{"metadata.product.feature", RULE_OBJECT, false, NULL},
	{"metadata.product.feature.name", RULE_STR, false, NULL},
	{"metadata.uid", RULE_STR, false, NULL},
	{"metadata.sequence", RULE_INT, false, "seq"},
	{"cloud", RULE_OBJECT, true, NULL},
	{"cloud.provider", RULE_STR, true, NULL},
	{"cloud.account", RULE_OBJECT, false, NULL},
	{"cloud.account.uid", RULE_STR, false, "account_id"},
	{"cloud.region", RULE_STR, false, "region"},
	{"cloud.zone", RULE_STR, false, "az_id"},
	{"device", RULE_OBJECT, true, NULL},
	{"device.type_id", RULE_INT, true, NULL},
	{"device.type", RULE_STR, false, NULL},
	{"device.hostname", RULE_STR, false, "host_name"},
	{"device.uid", RULE_STR, false, "agent_id"},
	{"src_endpoint", RULE_OBJECT, false, NULL},
	{"src_endpoint.ip", RULE_IP, false, "pkt_srcaddr"},
	{"src_endpoint.port", RULE_INT, false, "srcport"},
	{"src_endpoint.zone", RULE_STR, false, "src_network"},
	{"src_endpoint.svc_name", RULE_STR, false, "pkt_src_aws_service"},
	{"src_endpoint.intermediate_ips", RULE_IPS, false, NULL},
	{"src_endpoint.interface_name", RULE_STR, false, NULL},
	{"src_endpoint.interface_uid", RULE_STR, false, NULL},
	{"src_endpoint.instance_uid", RULE_STR, false, NULL},
	{"src_endpoint.subnet_uid", RULE_STR, false, NULL},
	{"src_endpoint.vpc_uid", RULE_STR, false, NULL},
	{"dst_endpoint.interface_name", RULE_STR, false, NULL},
	{"dst_endpoint.interface_uid", RULE_STR, false, NULL},
	{"dst_endpoint.instance_uid", RULE_STR, false, NULL},
	{"dst_endpoint.subnet_uid", RULE_STR, false, NULL},
	{"dst_endpoint.vpc_uid", RULE_STR, false, NULL},
	{"dst_endpoint", RULE_OBJECT, true, NULL},
	{"dst_endpoint.name", RULE_STR, false, NULL},
	{"dst_endpoint.ip", RULE_IP, false, "pkt_dstaddr"},
	{"dst_endpoint.port", RULE_INT, false, "dstport"},
	{"dst_endpoint.zone", RULE_STR, false, "dst_network"},
	{"dst_endpoint.svc_name", RULE_STR, false, "pkt_dst_aws_service"},
	{"dst_endpoint.intermediate_ips", RULE_IPS, false, NULL},
	{"connection_info", RULE_OBJECT, false, NULL},
	{"connection_info.direction_id", RULE_INT, false, NULL},
	{"connection_info.direction", RULE_STR, false, NULL},
	{"connection_info.protocol_num", RULE_INT, false, "protocol"},
	{"connection_info.protocol_name", RULE_STR, false, NULL},
	{"connection_info.protocol_ver", RULE_STR, false, "type"},
	{"connection_info.protocol_ver_id", RULE_INT, false, NULL},
	{"connection_info.tcp_flags", RULE_INT, false, "tcp_flags"},
	{"connection_info.boundary_id", RULE_INT, false, NULL},
	{"connection_info.boundary", RULE_STR, false, NULL},
	{"traffic", RULE_OBJECT, false, NULL},
	{"traffic.packets", RULE_INT, false, "packets"},
	{"traffic.bytes", RULE_INT, false, "bytes"},
	{"unmapped", RULE_OBJECT, false, NULL},
	RULE_SAME("unmapped", community_id),
	RULE_SAME("unmapped", az),
	RULE_SAME("unmapped", src_az_id),
	RULE_SAME("unmapped", dst_az_id),
	RULE_SAME("unmapped", next_hop_subnet_id),
	RULE_SAME("unmapped", next_hop_az_id),
	RULE_SAME("unmapped", next_hop_vpc_id),
	RULE_SAME("unmapped", next_hop_interface_type),
	RULE_SAME("unmapped", sublocation_type),
	RULE_SAME("unmapped", sublocation_id),
	RULE_SAME("unmapped", ecs_cluster_arn),
	RULE_SAME("unmapped", ecs_cluster_name),
	RULE_SAME("unmapped", ecs_container_id),
	RULE_SAME("unmapped", ecs_service_name),
	RULE_SAME("unmapped", ecs_container_instance_arn),
	RULE_SAME("unmapped", ecs_container_instance_id),
	RULE_SAME("unmapped", ecs_second_container_id),
	RULES_TASK_AND_TAGS("unmapped"),
	RULES_CAPTURE_AND_LOSS("unmapped"),
};

static void check_kind(const json_t *o, const struct fffa_record *r)
{
	bool flow = r->status == FFFA_STATUS_OK;

	shape_check_int(o, "category_uid", 4);
	shape_check_int(o, "class_uid", 4001);
	shape_check_int(o, "severity_id", 1);
	shape_check_int(o, "activity_id", flow ? 6 : 99);
	shape_check_int(o, "type_uid", flow ? 400106 : 400199);
	shape_check_str(o, "type_name",
			flow ? "Network Activity: Traffic" : "Network Activity: Other");
	shape_check_int(o, "action_id", flow ? 1 : 0);
	shape_check_str(o, "action", flow ? "Allowed" : "Unknown");
	shape_check_int(o, "disposition_id", flow ? 1 : 0);
	shape_check_int(o, "status_id", r->status == FFFA_STATUS_SKIPDATA ? 2 : 1);
	shape_check_str(o, "metadata.product.vendor_name", "FFFA");
	shape_check_str(o, "metadata.version", "1.1.0");
}

/* network_endpoint: at least one member that identifies it, and ports within their range. */
static void check_endpoint(const json_t *endpoint)
{
	static const char *const names[] = {"ip",	    "name",	     "svc_name",
					    "instance_uid", "interface_uid", "interface_name"};
	const json_t *port = json_object_get(endpoint, "port");
	size_t have = 0;

	for (size_t i = 0; i < COUNT(names); i++)
		have += json_object_get(endpoint, names[i]) != NULL;
	assert_true(have);
	assert_true(json_integer_value(port) >= 0 && json_integer_value(port) <= 65535);
}

/* The interface stands at its own end, and nowhere else. */
static void check_interface(const json_t *o, const struct fffa_record *r, const json_t *model)
{
	bool out = r->status == FFFA_STATUS_OK && r->key.view & FFFA_VIEW_EGRESS;
	const json_t *own = shape_at(o, out ? "src_endpoint" : "dst_endpoint");
	const json_t *other = shape_at(o, out ? "dst_endpoint" : "src_endpoint");
	static const char *const names[][2] = {{"interface_uid", "interface_id"},
					       {"interface_name", "ifname"},
					       {"instance_uid", "instance_id"},
					       {"subnet_uid", "subnet_id"},
					       {"vpc_uid", "vpc_id"}};

	for (size_t i = 0; i < COUNT(names); i++) {
		assert_null(json_object_get(other, names[i][0]));
		if (json_object_get(model, names[i][1]))
			assert_true(json_equal(json_object_get(own, names[i][0]),
					       json_object_get(model, names[i][1])));
		else
			assert_null(json_object_get(own, names[i][0]));
	}
}

/* ip is the packet's. The interface's own address follows it where that is another. */
static void check_addresses(const json_t *o, const json_t *model, const char *end, const char *addr)
{
	const json_t *shown = json_object_get(model, addr + 4), *pkt = json_object_get(model, addr);
	char path[64];
	const json_t *behind;

	snprintf(path, sizeof(path), "%s.intermediate_ips", end);
	behind = shape_at(o, path);
	if (json_equal(shown, pkt)) {
		assert_null(behind);
	} else {
		assert_int_equal(json_array_size(behind), 1);
		assert_true(json_equal(json_array_get(behind, 0), shown));
	}
}

static void check_flow(const json_t *o, const struct fffa_record *r, const json_t *model)
{
	bool out = r->key.view & FFFA_VIEW_EGRESS;
	const json_t *path = json_object_get(model, "traffic_path");

	check_endpoint(shape_at(o, "src_endpoint"));
	shape_check_int(o, "connection_info.direction_id", out ? 2 : 1);
	shape_check_int(o, "connection_info.boundary_id", path ? json_integer_value(path) + 3 : 99);
	shape_check_str(o, "connection_info.boundary", path ? NULL : "Unknown");
	shape_check_int(o, "connection_info.protocol_ver_id",
			strcmp(json_string_value(json_object_get(model, "type")), "IPv4") ? 6 : 4);
	check_addresses(o, model, "src_endpoint", "pkt_srcaddr");
	check_addresses(o, model, "dst_endpoint", "pkt_dstaddr");
}

static void random_records_follow_the_rules(void **state)
{
	uint64_t seed = 10;
	json_t *o, *model;
	struct sample s;

	(void)state;
	for (int i = 0; i < RANDOM_RECORDS; i++) {
		random_record(&seed, &s);
		strcpy(s.host.agent_id, "i-1"); /* is always known */
		s.ident.stamp = 0;
		o = shape_encode(FFFA_FORMAT_OCSF, &s.r);
		model = model_json(&s.r);
		shape_check(o, rules, COUNT(rules), model);
		check_kind(o, &s.r);
		check_endpoint(shape_at(o, "dst_endpoint"));
		check_interface(o, &s.r, model);
		if (s.r.status == FFFA_STATUS_OK)
			check_flow(o, &s.r, model);
		else
			assert_null(shape_at(o, "connection_info"));
		json_decref(o);
		json_decref(model);
	}
}

static void times_and_names(void **state)
{
	struct sample s;
	json_t *o;

	(void)state;
	sample_tcp(&s);
	o = shape_encode(FFFA_FORMAT_OCSF, &s.r);
	shape_check_str(o, "time_dt", "2023-11-14T22:14:30.001Z");
	shape_check_str(o, "start_time_dt", "2023-11-14T22:13:30.999Z");
	shape_check_int(o, "duration", 59002);
	shape_check_str(o, "metadata.uid", "i-1234567890abcdef0-3-41");
	shape_check_str(o, "connection_info.protocol_name", "tcp");
	shape_check_str(o, "cloud.provider", "AWS");
	json_decref(o);
	sample_unknown(&s);
	o = shape_encode(FFFA_FORMAT_OCSF, &s.r);
	shape_check_str(o, "cloud.provider", "Unknown");
	assert_null(shape_at(o, "cloud.account"));
	json_decref(o);
}

static void list_of_members(void **state)
{
	(void)state;
	shape_check_listing(FFFA_FORMAT_OCSF, &fffa_ocsf_shape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_records_follow_the_rules),
		cmocka_unit_test(times_and_names),
		cmocka_unit_test(list_of_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
