// SPDX-License-Identifier: MIT
/* No record is longer than its bound, and nothing is written behind that. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/encode/encoder_internal.h"
#include "agent/encode/field/text.h"
#include "tests/stubs/death.h"
#include "tests/unit/encode/sample.h"

static void fill_name(char *dst, size_t size)
{
	memset(dst, 'x', size - 1);
	dst[size - 1] = 0;
}

#define FILL(array) fill_name((array), sizeof(array))

static void longest_aws(struct sample *s)
{
	struct fffa_ident_ecs *ecs = &s->host.ecs;

	FILL(s->host.sublocation_type);
	FILL(s->host.sublocation_id);
	FILL(ecs->cluster_arn);
	FILL(ecs->cluster_name);
	FILL(ecs->container_instance_arn);
	FILL(ecs->container_instance_id);
	FILL(ecs->container_id);
	FILL(ecs->second_container_id);
	FILL(ecs->service_name);
	FILL(ecs->task_definition_arn);
	FILL(ecs->task_arn);
	FILL(ecs->task_id);
	for (int i = 0; i < 2; i++) {
		FILL(s->host.instance_tags.v[i]);
		FILL(s->host.asg_tags.v[i]);
		FILL(s->ident.interface_tags.v[i]);
	}
}

/* Every value as long as it can be. proto decides between TCP and ICMP members. */
static void longest(struct sample *s, uint8_t proto)
{
	sample_tcp(s);
	sample_geneve(s);
	memset(s->r.key.src, 0xff, 16);
	memset(s->r.key.dst, 0xff, 16);
	memset(s->tunnel.src, 0xff, 16);
	memset(s->tunnel.dst, 0xff, 16);
	s->r.key.sport = s->r.key.dport = 0xffff;
	s->r.key.proto = proto;
	s->r.packets = s->r.bytes = s->r.seq = s->r.epoch = UINT64_MAX;
	s->r.start_ms = s->r.end_ms = INT64_MIN;
	s->r.flags = 0x1ff;
	s->r.end_reason = FFFA_END_RESOURCES;
	s->r.cookie = s->r.sampled = UINT32_MAX;
	s->r.lost_packets = s->r.lost_bytes = s->r.lost_records = UINT64_MAX;
	s->r.lost_reason = "a reason longer than any that the ledger has";
	s->tunnel.vni = UINT32_MAX;
	s->r.src_service = s->r.dst_service =
		"A_SERVICE_WITH_A_NAME_THAT_IS_LONGER_THAN_ANY_THAT_AWS_HAS_BY_NOW_OR_EVER";
	s->r.traffic_path = 8;
	memset(&s->src_network, '"', sizeof(s->src_network));
	s->src_network.name[sizeof(s->src_network.name) - 1] = '\0';
	fill_name(s->src_network.az_id, sizeof(s->src_network.az_id));
	fill_name(s->src_network.subnet_id, sizeof(s->src_network.subnet_id));
	fill_name(s->src_network.vpc_id, sizeof(s->src_network.vpc_id));
	s->r.src_network = s->r.dst_network = s->r.next_hop = &s->src_network;
	s->r.next_hop_type = "a_type_with_a_name_of_31_bytes_";
	s->r.key.view = FFFA_VIEW_EGRESS;
	longest_aws(s);
	fill_name(s->host.agent_id, sizeof(s->host.agent_id));
	fill_name(s->host.host_name, sizeof(s->host.host_name));
	fill_name(s->host.account_id, sizeof(s->host.account_id));
	fill_name(s->host.instance_id, sizeof(s->host.instance_id));
	fill_name(s->host.region, sizeof(s->host.region));
	fill_name(s->host.az, sizeof(s->host.az));
	fill_name(s->host.az_id, sizeof(s->host.az_id));
	fill_name(s->ident.interface_id, sizeof(s->ident.interface_id));
	fill_name(s->ident.subnet_id, sizeof(s->ident.subnet_id));
	fill_name(s->ident.vpc_id, sizeof(s->ident.vpc_id));
	fill_name(s->ident.owner_id, sizeof(s->ident.owner_id));
	memset(s->ident.ifname, 0xff, sizeof(s->ident.ifname)); /* without a NUL */
}

static void check_bound(enum fffa_format format, const char *fields, const struct fffa_record *r)
{
	struct fffa_encoder *e = NULL;
	uint8_t *dst;
	size_t len;

	assert_int_equal(fffa_encoder_new(format, fields, &e, NULL), 0);
	assert_true(e->bound_bytes <= FFFA_RECORD_BYTES_MAX);
	/* Exactly the bound: a sanitizer or the guard sees the first byte too many. */
	dst = malloc(e->bound_bytes + 64);
	assert_non_null(dst);
	memset(dst, 0xa5, e->bound_bytes + 64);
	len = fffa_encoder_write(e, r, dst, e->bound_bytes);
	assert_true(len > 0 && len + FFFA_TEXT_SLACK_BYTES <= e->bound_bytes);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(dst[e->bound_bytes + i], 0xa5);
	memset(dst, 0xa5, e->bound_bytes);
	assert_int_equal(fffa_encoder_write(e, r, dst, e->bound_bytes - 1), 0);
	assert_int_equal(dst[0], 0xa5);
	free(dst);
	dst = malloc(e->bound_bytes);
	assert_non_null(dst);
	assert_int_equal(fffa_encoder_write(e, r, dst, e->bound_bytes), len);
	free(dst);
	fffa_encoder_free(e);
}

static void presets_stay_within_their_bound(void **state)
{
	static const uint8_t protos[] = {6, 1, 58, 255};
	struct sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(protos); i++) {
		longest(&s, protos[i]);
		check_bound(FFFA_FORMAT_VPC, "default", &s.r);
		check_bound(FFFA_FORMAT_VPC, "v5", &s.r);
		check_bound(FFFA_FORMAT_VPC, "all", &s.r);
		check_bound(FFFA_FORMAT_FLOWLOG, NULL, &s.r);
		check_bound(FFFA_FORMAT_JSON, "all", &s.r);
		check_bound(FFFA_FORMAT_MSGPACK, "all", &s.r);
		check_bound(FFFA_FORMAT_OCSF, NULL, &s.r);
		check_bound(FFFA_FORMAT_ECS, NULL, &s.r);
		s.r.status = FFFA_STATUS_SKIPDATA;
		check_bound(FFFA_FORMAT_VPC, "all", &s.r);
		check_bound(FFFA_FORMAT_JSON, "all", &s.r);
		check_bound(FFFA_FORMAT_MSGPACK, "all", &s.r);
		check_bound(FFFA_FORMAT_FLOWLOG, NULL, &s.r);
	}
}

static void single_fields_stay_within_their_bound(void **state)
{
	const struct fffa_field_info *infos;
	char fields[64];
	struct sample s;
	size_t count;

	(void)state;
	infos = fffa_field_table(&count);
	for (size_t i = 0; i < count; i++) {
		longest(&s, 6);
		check_bound(FFFA_FORMAT_JSON, infos[i].name, &s.r);
		sample_unknown(&s);
		check_bound(FFFA_FORMAT_JSON, infos[i].name, &s.r);
		longest(&s, 6);
		check_bound(FFFA_FORMAT_MSGPACK, infos[i].name, &s.r);
		if (!fffa_fields[i].vpc_name)
			continue;
		snprintf(fields, sizeof(fields), "${%s}", fffa_fields[i].vpc_name);
		longest(&s, 6);
		check_bound(FFFA_FORMAT_VPC, fields, &s.r);
	}
}

/* max_bytes of each row is a bound, and the longest known value reaches it. */
static void rows_have_the_length_of_the_longest_value(void **state)
{
	struct fffa_consts consts = {.version = 11};
	const char *const stream = "abcdefghijklmnopqrstuvwxyz012345"; /* a sink's longest name */
	uint8_t dst[1024];
	struct sample s;
	size_t len, most;

	(void)state;
	for (int i = FFFA_END_IDLE; i < FFFA_END_MAX; i++)
		snprintf(consts.end_reason[i].text, sizeof(consts.end_reason[i].text), "%s",
			 fffa_record_end_reason_name((enum fffa_end_reason)i));
	(void)snprintf(consts.stream, sizeof(consts.stream), "%s", stream);
	for (size_t i = 0; i < FFFA_FIELD_COUNT; i++) {
		most = 0;
		for (int proto = 0; proto < 256; proto++) {
			longest(&s, (uint8_t)proto);
			s.r.status = (uint8_t)(proto % 3);
			len = (size_t)(fffa_fields[i].write(dst, &s.r, &consts) - dst);
			if (len > most)
				most = len;
		}
		assert_true(most <= fffa_fields[i].max_bytes);
		assert_true(most > 0 || fffa_fields[i].max_bytes == 0);
	}
}

static void header_needs_its_room(void **state)
{
	struct fffa_encoder *e = NULL;
	uint8_t dst[FFFA_RECORD_BYTES_MAX];
	size_t len;

	(void)state;
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_VPC, "all", &e, NULL), 0);
	len = fffa_encoder_write_header(e, dst, FFFA_HEADER_BYTES_MAX);
	assert_true(len > 0);
	for (size_t cap = 0; cap < len; cap++) {
		dst[cap] = 0xa5;
		assert_int_equal(fffa_encoder_write_header(e, dst, cap), 0);
		assert_int_equal(dst[cap], 0xa5);
	}
	assert_int_equal(fffa_encoder_write_header(e, dst, len), len);
	fffa_encoder_free(e);
}

static void encode_beyond_the_bound(void *arg)
{
	uint8_t dst[FFFA_RECORD_BYTES_MAX];
	struct fffa_encoder *e = NULL;
	struct sample s;

	(void)arg;
	sample_tcp(&s);
	if (fffa_encoder_new(FFFA_FORMAT_JSON, NULL, &e, NULL) != 0)
		return;
	e->bound_bytes = 64; /* as if the rows of fields.def had too small a bound */
	(void)fffa_encoder_write(e, &s.r, dst, sizeof(dst));
}

static void a_record_beyond_its_bound_aborts(void **state)
{
	char said[512];

	(void)state;
	death_expect(encode_beyond_the_bound, NULL, said, sizeof(said));
	assert_non_null(strstr(said, "bound_bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_stay_within_their_bound),
		cmocka_unit_test(single_fields_stay_within_their_bound),
		cmocka_unit_test(rows_have_the_length_of_the_longest_value),
		cmocka_unit_test(header_needs_its_room),
		cmocka_unit_test(a_record_beyond_its_bound_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
