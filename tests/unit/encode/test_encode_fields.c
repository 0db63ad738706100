// SPDX-License-Identifier: MIT
/* The choice of fields, the table of fields, the names of the formats, and no memory. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/encode/field/field_list.h"
#include "tests/unit/encode/sample.h"

#define V2                                                                                         \
	"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "  \
	"start end action log-status"
#define V5                                                                                         \
	V2 " vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id "    \
	   "sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service "              \
	   "flow-direction traffic-path"

#define V11                                                                                        \
	V5 " ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn "                         \
	   "ecs-container-instance-id ecs-container-id ecs-second-container-id "                   \
	   "ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason "      \
	   "resource-id encryption-status instance-tag instance-tag-2 interface-tag "              \
	   "interface-tag-2 asg-tag asg-tag-2 interface-type next-hop-interface-id "               \
	   "next-hop-subnet-id next-hop-az-id next-hop-vpc-id next-hop-interface-type"

static unsigned int memory_left; /* allocations that work before one fails; 0: all work */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (memory_left && !--memory_left)
		return NULL;
	return __real_calloc(n, size);
}

static void check_header(const char *fields, const char *want)
{
	char line[FFFA_HEADER_BYTES_MAX + 1];
	struct fffa_encoder *e = NULL;
	size_t len;

	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_VPC, fields, &e, NULL), 0);
	len = fffa_encoder_write_header(e, (uint8_t *)line, sizeof(line) - 1);
	line[len] = 0;
	assert_string_equal(line, want);
	fffa_encoder_free(e);
}

static void header_lines(void **state)
{
	(void)state;
	check_header(NULL, V2 "\n");
	check_header("default", V2 "\n");
	check_header("v5", V5 "\n");
	check_header("all", V11 "\n");
	check_header("${bytes}", "bytes\n");
	check_header("${end} ${tcp-flags} ${version}", "end tcp-flags version\n");
}

static void check_error(enum fffa_format format, const char *fields, const char *want)
{
	struct fffa_encoder *const untouched = (struct fffa_encoder *)(void *)&memory_left;
	struct fffa_encoder *e = untouched;
	struct fffa_err err = {""};

	assert_int_equal(fffa_encoder_new(format, fields, &e, &err), -EINVAL);
	assert_ptr_equal(e, untouched);
	if (!strstr(err.text, want))
		fail_msg("\"%s\" gives \"%s\", which lacks \"%s\"", fields, err.text, want);
	assert_int_equal(fffa_encoder_new(format, fields, &e, NULL), -EINVAL);
}

static void vpc_errors_name_the_bad_field(void **state)
{
	static const struct {
		const char *fields, *want;
	} cases[] = {
		{"${srcadr}", "unknown vpc field \"srcadr\"; the nearest is \"srcaddr\""},
		{"${version} ${account_id}", "\"account_id\"; the nearest is \"account-id\""},
		{"${BYTES}", "unknown vpc field \"BYTES\""},
		{"${ifname}", "unknown vpc field \"ifname\""},
		{"${tcp-flag}", "the nearest is \"tcp-flags\""},
		{"${}", "unknown vpc field \"\""},
		{"${bytes} ${end} ${bytes}", "field \"bytes\" is given twice"},
		{"", "bad vpc fields at \"\""},
		{" ${bytes}", "bad vpc fields at \" ${bytes}\""},
		{"${bytes} ", "bad vpc fields at \"\""},
		{"${bytes}  ${end}", "bad vpc fields at \" ${end}\""},
		{"${bytes}${end}", "bad vpc fields at \"${end}\""},
		{"${bytes},${end}", "bad vpc fields at \",${end}\""},
		{"${bytes}\t${end}", "bad vpc fields at \"?${end}\""},
		{"${bytes", "bad vpc fields at \"${bytes\""},
		{"${bytes ${end}", "bad vpc fields at \"${bytes ${end}\""},
		{"$", "bad vpc fields at \"$\""},
		{"bytes end", "bad vpc fields at \"bytes end\""},
		{"v4", "allowed are default, v5, all"},
		{"${\x1b[31m\"}", "unknown vpc field \"?[31m?\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_error(FFFA_FORMAT_VPC, cases[i].fields, cases[i].want);
}

static void json_errors_name_the_bad_field(void **state)
{
	static const struct {
		const char *fields, *want;
	} cases[] = {
		{"srcadr", "unknown json field \"srcadr\"; the nearest is \"srcaddr\""},
		{"bytes, account-id", "\"account-id\"; the nearest is \"account_id\""},
		{"gwlb_cookie", "unknown json field \"gwlb_cookie\""},
		{"bytes end bytes", "field \"bytes\" is given twice"},
		{"", "bad json fields at \"\""},
		{"   ", "bad json fields at \"\""},
		{",bytes", "bad json fields at \",bytes\""},
		{"bytes,", "bad json fields at \"\""},
		{"bytes,,end", "bad json fields at \",end\""},
		{"default", "unknown json field \"default\""},
		{"${bytes}", "unknown json field \"${bytes}\"; the nearest is \"bytes\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_error(FFFA_FORMAT_JSON, cases[i].fields, cases[i].want);
}

/* The message cuts a long text, and comparing it takes bounded time and memory. */
static void long_names_are_cut(void **state)
{
	static char fields[200000];
	char want[64];

	(void)state;
	memset(fields, 'a', sizeof(fields) - 1);
	snprintf(want, sizeof(want), "\"%.40s\"", fields);
	check_error(FFFA_FORMAT_JSON, fields, want);
	memcpy(fields, "${", 2);
	fields[sizeof(fields) - 2] = '}';
	memset(want + 1, 'a', 40);
	check_error(FFFA_FORMAT_VPC, fields, want);
}

/* Every name is found, alone and in a list of all. */
static void every_name_is_accepted(void **state)
{
	const struct fffa_field_info *infos;
	char vpc[4096] = "", json[4096] = "", one[64];
	struct fffa_field_list list;
	size_t count, vpc_count = 0;

	(void)state;
	infos = fffa_field_table(&count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(
			fffa_field_list_parse(FFFA_FORMAT_JSON, infos[i].name, &list, NULL), 0);
		assert_int_equal(list.n, 1);
		assert_int_equal(list.id[0], i);
		snprintf(json + strlen(json), sizeof(json) - strlen(json), "%s%s", i ? "," : "",
			 infos[i].name);
		if (!infos[i].vpc_version)
			continue;
		snprintf(one, sizeof(one), "${%s}", fffa_fields[i].vpc_name);
		assert_int_equal(fffa_field_list_parse(FFFA_FORMAT_VPC, one, &list, NULL), 0);
		assert_int_equal(list.id[0], i);
		snprintf(vpc + strlen(vpc), sizeof(vpc) - strlen(vpc), "%s%s", i ? " " : "", one);
		vpc_count++;
	}
	assert_int_equal(fffa_field_list_parse(FFFA_FORMAT_VPC, vpc, &list, NULL), 0);
	assert_int_equal(list.n, vpc_count);
	assert_int_equal(fffa_field_list_parse(FFFA_FORMAT_JSON, json, &list, NULL), 0);
	assert_int_equal(list.n, count);
}

static void table_is_consistent(void **state)
{
	static const char *const types[] = {"int", "str", "bool", "ip"};
	const unsigned int vpc = 1U << FFFA_FORMAT_VPC;
	const unsigned int json = 1U << FFFA_FORMAT_JSON | 1U << FFFA_FORMAT_MSGPACK;
	const struct fffa_field_info *infos;
	size_t count, vpc_count = 0, t;
	unsigned int last = 0;
	char hyphens[64];

	(void)state;
	infos = fffa_field_table(&count);
	assert_int_equal(count, FFFA_FIELD_COUNT);
	for (size_t i = 0; i < count; i++) {
		for (t = 0; t < 4 && strcmp(types[t], infos[i].type) != 0; t++)
			;
		assert_true(t < 4);
		assert_true(infos[i].source[0]);
		assert_int_equal(infos[i].formats & json, json);
		assert_int_equal(!!infos[i].vpc_version, !!(infos[i].formats & vpc));
		assert_int_equal(!!infos[i].vpc_version, !!fffa_fields[i].vpc_name);
		if (!infos[i].vpc_version)
			continue;
		vpc_count++;
		assert_true(infos[i].vpc_version >= last);
		last = infos[i].vpc_version;
		snprintf(hyphens, sizeof(hyphens), "%s", infos[i].name);
		for (char *c = hyphens; *c; c++)
			*c = *c == '_' ? '-' : *c;
		assert_string_equal(hyphens, fffa_fields[i].vpc_name);
	}
	assert_int_equal(vpc_count, 54);
}

static void formats_have_names(void **state)
{
	enum fffa_format f = FFFA_FORMAT_MAX;

	(void)state;
	for (int i = 0; i < FFFA_FORMAT_MAX; i++) {
		assert_int_equal(fffa_format_parse(fffa_format_name((enum fffa_format)i), &f), 0);
		assert_int_equal(f, i);
	}
	assert_string_equal(fffa_format_name(FFFA_FORMAT_VPC), "vpc");
	assert_string_equal(fffa_format_name(FFFA_FORMAT_FLOWLOG), "flowlog");
	assert_string_equal(fffa_format_name(FFFA_FORMAT_JSON), "json");
	assert_string_equal(fffa_format_name(FFFA_FORMAT_MSGPACK), "msgpack");
	assert_string_equal(fffa_format_name(FFFA_FORMAT_OCSF), "ocsf");
	assert_string_equal(fffa_format_name(FFFA_FORMAT_ECS), "ecs");
	assert_int_equal(fffa_format_parse("VPC", &f), -EINVAL);
	assert_int_equal(fffa_format_parse("", &f), -EINVAL);
}

static void check_content_type(enum fffa_format format, enum fffa_envelope envelope,
			       const char *want)
{
	struct fffa_encoder *e = NULL;

	assert_int_equal(fffa_encoder_new(format, NULL, &e, NULL), 0);
	assert_int_equal(fffa_encoder_wrap(e, envelope, NULL), 0);
	assert_string_equal(fffa_encoder_content_type(e), want);
	fffa_encoder_free(e);
}

static void batches_have_content_types(void **state)
{
	(void)state;
	check_content_type(FFFA_FORMAT_VPC, FFFA_ENVELOPE_NONE, "text/plain");
	check_content_type(FFFA_FORMAT_FLOWLOG, FFFA_ENVELOPE_NONE, "text/plain");
	check_content_type(FFFA_FORMAT_JSON, FFFA_ENVELOPE_NONE, "application/x-ndjson");
	check_content_type(FFFA_FORMAT_MSGPACK, FFFA_ENVELOPE_NONE, "application/msgpack");
	check_content_type(FFFA_FORMAT_OCSF, FFFA_ENVELOPE_NONE, "application/x-ndjson");
	check_content_type(FFFA_FORMAT_ECS, FFFA_ENVELOPE_NONE, "application/x-ndjson");
	check_content_type(FFFA_FORMAT_VPC, FFFA_ENVELOPE_FIREHOSE, "application/x-ndjson");
	check_content_type(FFFA_FORMAT_FLOWLOG, FFFA_ENVELOPE_FIREHOSE, "application/x-ndjson");
}

static void some_formats_have_no_choice(void **state)
{
	(void)state;
	check_error(FFFA_FORMAT_FLOWLOG, "all", "flowlog takes no list of fields");
	check_error(FFFA_FORMAT_OCSF, "",
		    "ocsf has all fields; allowed: all, or \"all, community_id\"");
	check_error(FFFA_FORMAT_ECS, "bytes",
		    "ecs has all fields; allowed: all, or \"all, community_id\"");
	check_error(FFFA_FORMAT_FLOWLOG, "", "flowlog takes no list of fields");
	check_error(FFFA_FORMAT_MSGPACK, "srcadr",
		    "unknown msgpack field \"srcadr\"; the nearest is \"srcaddr\"");
	check_error(FFFA_FORMAT_MSGPACK, ",bytes", "bad msgpack fields at \",bytes\"");
}

/* The hash costs time, so only those who list it have it. */
static void community_id_when_listed(void **state)
{
	static const struct {
		enum fffa_format format;
		const char *begin;
	} rows[] = {{FFFA_FORMAT_ECS, "\"community_id\":\"1:"},
		    {FFFA_FORMAT_OCSF, "\"community_id\":\"1:"},
		    {FFFA_FORMAT_JSON, "\"community_id\":\"1:"},
		    {FFFA_FORMAT_MSGPACK, "\xac\x63ommunity_id\xbe\x31:"}};
	static const char *const fields[] = {"all", "all, community_id"};
	uint8_t line[FFFA_RECORD_BYTES_MAX];
	struct fffa_encoder *e;
	struct sample s;

	(void)state;
	sample_tcp(&s);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const char *begin = rows[i / 2].begin;
		size_t len;

		assert_int_equal(fffa_encoder_new(rows[i / 2].format, fields[i % 2], &e, NULL), 0);
		len = fffa_encoder_write(e, &s.r, line, sizeof(line));
		assert_int_equal(memmem(line, len, begin, strlen(begin)) != NULL, i % 2);
		fffa_encoder_free(e);
	}
}

static void only_lines_are_wrapped(void **state)
{
	struct fffa_err err = {""};
	struct fffa_encoder *e = NULL;

	(void)state;
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_JSON, NULL, &e, NULL), 0);
	assert_int_equal(fffa_encoder_wrap(e, FFFA_ENVELOPE_FIREHOSE, &err), -EINVAL);
	assert_string_equal(err.text, "an envelope needs the format vpc or flowlog, not json");
	assert_int_equal(fffa_encoder_wrap(e, FFFA_ENVELOPE_NONE, NULL), 0);
	fffa_encoder_free(e);
}

/* Records with and without networks take the same envelope. */
static void networks_do_not_lose_the_envelope(void **state)
{
	struct fffa_encoder *e = NULL;
	struct sample s;
	char line[256];
	size_t len;

	(void)state;
	sample_tcp(&s);
	assert_int_equal(
		fffa_encoder_new(FFFA_FORMAT_VPC, "${srcaddr} ${next-hop-az-id}", &e, NULL), 0);
	assert_int_equal(fffa_encoder_wrap(e, FFFA_ENVELOPE_FIREHOSE, NULL), 0);
	for (int i = 0; i < 2; i++) {
		const char *want = i ? "{\"message\":\"10.0.5.9 use1-az4\"}\n"
				     : "{\"message\":\"10.0.5.9 -\"}\n";

		len = fffa_encoder_write(e, &s.r, (uint8_t *)line, sizeof(line));
		assert_int_equal(len, strlen(want));
		assert_memory_equal(line, want, len);
		s.dst_network = (struct fffa_network){.name = "web", .az_id = "use1-az4"};
		s.r.dst_network = s.r.next_hop = &s.dst_network;
	}
	fffa_encoder_free(e);
}

static void without_memory_nothing_is_left_behind(void **state)
{
	struct fffa_encoder *e = NULL;
	struct fffa_err err = {""};
	int rc;

	(void)state;
	for (unsigned int i = 1; i <= 2; i++) {
		err.text[0] = 0;
		memory_left = i;
		rc = fffa_encoder_new(FFFA_FORMAT_VPC, "all", &e, &err);
		assert_int_equal(memory_left, 0);
		assert_int_equal(rc, -ENOMEM);
		assert_null(e);
		assert_true(err.text[0]);
	}
	fffa_encoder_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_lines),
		cmocka_unit_test(vpc_errors_name_the_bad_field),
		cmocka_unit_test(json_errors_name_the_bad_field),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(every_name_is_accepted),
		cmocka_unit_test(table_is_consistent),
		cmocka_unit_test(formats_have_names),
		cmocka_unit_test(batches_have_content_types),
		cmocka_unit_test(some_formats_have_no_choice),
		cmocka_unit_test(community_id_when_listed),
		cmocka_unit_test(only_lines_are_wrapped),
		cmocka_unit_test(networks_do_not_lose_the_envelope),
		cmocka_unit_test(without_memory_nothing_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
