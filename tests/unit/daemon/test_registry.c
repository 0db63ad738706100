// SPDX-License-Identifier: MIT
/* The sink types, and which formats, fields and envelopes each takes. */
#include "agent/daemon/registry.h"

#include <errno.h>
#include <string.h>

#include "agent/base/format.h"
#include "sinks/file/file.h"
#include "sinks/http/http.h"
#include "sinks/kafka/kafka.h"
#include "tests/stubs/cmocka_all.h"

static void types_are_found_by_name(void **state)
{
	static const char *const names[] = {"file", "http", "kafka"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(fffa_registry[i]->name, names[i]);
		assert_ptr_equal(fffa_registry_find(names[i]), fffa_registry[i]);
	}
	assert_null(fffa_registry[3]);
	assert_null(fffa_registry_find("fil"));
	assert_null(fffa_registry_find(""));
}

static void each_type_is_known_to_the_configuration(void **state)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS], probing[FFFA_REGISTRY_ROWS];

	(void)state;
	memset(rows, 0xff, sizeof(rows));
	fffa_registry_schema(rows);
	fffa_registry_schema_probing(probing);
	for (size_t i = 0; i < 3; i++) {
		const struct fffa_sink_ops *ops = fffa_registry[i];

		assert_ptr_equal(rows[i].ops, ops);
		assert_string_equal(rows[i].name, ops->name);
		assert_int_equal(rows[i].conf_size, ops->conf_size);
		assert_ptr_equal(rows[i].opts, ops->opts);
		assert_ptr_equal(rows[i].check, ops->check);
		assert_ptr_equal(rows[i].output, ops->output);
		assert_non_null(rows[i].check_format);
		assert_null(rows[i].probe); /* it would ask the host */
		assert_ptr_equal(probing[i].probe, ops->probe);
		assert_ptr_equal(probing[i].check_format, rows[i].check_format);
	}
	assert_null(rows[3].name);
	assert_null(probing[3].name);
}

/* What is said of a sink's format; "": nothing. */
static void expect_format(const char *type, const void *own, const char *format, const char *fields,
			  int envelope, const char *want)
{
	const struct fffa_sink_common_conf c = {.format = (char *)(uintptr_t)format,
						.fields = (char *)(uintptr_t)fields,
						.envelope = envelope};
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS], *row = rows;
	struct fffa_err err = {""};
	int rc;

	fffa_registry_schema(rows);
	while (strcmp(row->name, type) != 0)
		row++;
	rc = row->check_format(row->ops, &c, own, &err);
	assert_int_equal(rc, *want ? -EINVAL : 0);
	if (strncmp(err.text, want, strlen(want)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", err.text, want);
}

static void formats_are_checked(void **state)
{
	struct fffa_sink_file_conf file = {.path = (char[]){"x"}};
	struct fffa_sink_http_conf http = {.shape = FFFA_HTTP_PLAIN};
	struct fffa_sink_kafka_conf kafka = {.topic = (char[]){"x"}};

	(void)state;
	for (int f = 0; f < FFFA_FORMAT_MAX; f++) {
		const char *name = fffa_format_name((enum fffa_format)f);

		expect_format("file", &file, name, NULL, FFFA_ENVELOPE_NONE, "");
		expect_format("http", &http, name, NULL, FFFA_ENVELOPE_NONE, "");
		expect_format("kafka", &kafka, name, NULL, FFFA_ENVELOPE_NONE, "");
	}
	expect_format("file", &file, "xml", NULL, FFFA_ENVELOPE_NONE,
		      "format: unknown format \"xml\"; allowed: vpc, flowlog, json, msgpack, ocsf, "
		      "ecs");
	file.layout = FFFA_FILE_LAYOUT_AWS;
	expect_format("file", &file, "json", NULL, FFFA_ENVELOPE_NONE,
		      "layout: aws and aws_hive need format vpc");
	expect_format("file", &file, "vpc", NULL, FFFA_ENVELOPE_NONE, "");
	http.shape = FFFA_HTTP_ELASTICSEARCH;
	expect_format("http", &http, "msgpack", NULL, FFFA_ENVELOPE_NONE, "format: shape ");
}

static void fields_and_envelopes_are_checked(void **state)
{
	const struct fffa_sink_kafka_conf own = {.topic = (char[]){"x"}};

	(void)state;
	expect_format("kafka", &own, "json", "srcaddr, bytes", FFFA_ENVELOPE_NONE, "");
	expect_format("kafka", &own, "json", "srcaddr, bites", FFFA_ENVELOPE_NONE, "fields: ");
	expect_format("kafka", &own, "ocsf", "srcaddr", FFFA_ENVELOPE_NONE, "fields: ");
	expect_format("kafka", &own, "vpc", "v5", FFFA_ENVELOPE_NONE, "");
	expect_format("kafka", &own, "vpc", "v5", FFFA_ENVELOPE_FIREHOSE, "");
	expect_format("kafka", &own, "msgpack", NULL, FFFA_ENVELOPE_FIREHOSE, "envelope: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_found_by_name),
		cmocka_unit_test(each_type_is_known_to_the_configuration),
		cmocka_unit_test(formats_are_checked),
		cmocka_unit_test(fields_and_envelopes_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
