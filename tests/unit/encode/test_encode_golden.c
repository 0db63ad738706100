// SPDX-License-Identifier: MIT
/*
 * Compares every format with the files of tests/data/encode, byte by byte. A file is one stream,
 * as a sink would write it. A failure names the record that differs.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/encode/encoder.h"
#include "tests/stubs/failing_alloc.h"
#include "tests/unit/encode/cases.h"

#define FILE_BYTES_MAX (256 * 1024)

#define NAT_FIELDS                                                                                 \
	"${instance-id} ${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr}"

static const struct golden {
	const char *file;
	enum fffa_format format;
	const char *fields;
	enum fffa_envelope envelope;
} goldens[] = {
	{"vpc-default.log", FFFA_FORMAT_VPC, NULL, FFFA_ENVELOPE_NONE},
	{"vpc-v5.log", FFFA_FORMAT_VPC, "v5", FFFA_ENVELOPE_NONE},
	{"vpc-all.log", FFFA_FORMAT_VPC, "all", FFFA_ENVELOPE_NONE},
	{"vpc-custom.log", FFFA_FORMAT_VPC, NAT_FIELDS, FFFA_ENVELOPE_NONE},
	{"vpc-firehose.json", FFFA_FORMAT_VPC, NULL, FFFA_ENVELOPE_FIREHOSE},
	{"flowlog.log", FFFA_FORMAT_FLOWLOG, NULL, FFFA_ENVELOPE_NONE},
	{"flowlog-firehose.json", FFFA_FORMAT_FLOWLOG, NULL, FFFA_ENVELOPE_FIREHOSE},
	{"all.json", FFFA_FORMAT_JSON, "all", FFFA_ENVELOPE_NONE},
	{"all.msgpack", FFFA_FORMAT_MSGPACK, "all", FFFA_ENVELOPE_NONE},
	{"ocsf.json", FFFA_FORMAT_OCSF, NULL, FFFA_ENVELOPE_NONE},
	{"ecs.json", FFFA_FORMAT_ECS, NULL, FFFA_ENVELOPE_NONE},
};

static size_t read_golden(const char *name, uint8_t *dst)
{
	char path[512];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), FFFA_SOURCE_DIR "/tests/data/encode/%s", name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: cannot be read", path);
	len = fread(dst, 1, FILE_BYTES_MAX, f);
	assert_true(len < FILE_BYTES_MAX && !ferror(f));
	fclose(f);
	return len;
}

/* Checks one record and returns the rest of the golden. stamped: from the cached text. */
static size_t take_record(const struct fffa_encoder *e, const struct golden *g, size_t i,
			  bool stamped, const uint8_t *golden, size_t left)
{
	uint8_t line[FFFA_RECORD_BYTES_MAX];
	struct sample s;
	size_t len = 0;

	sample_tcp(&s);
	encode_cases[i].make(&s);
	for (int round = 0; round < (stamped ? 2 : 1); round++) {
		if (stamped)
			fffa_ident_stamp(&s.ident);
		failing_alloc_arm(1); /* a record allocates nothing */
		len = fffa_encoder_write(e, &s.r, line, sizeof(line));
		assert_false(failing_alloc_fired());
		failing_alloc_arm(0);
		if (len > left || memcmp(line, golden, len) != 0)
			fail_msg("%s, record \"%s\":\n%.*s", g->file, encode_cases[i].name,
				 (int)len, (const char *)line);
	}
	return len;
}

static void check_golden(const struct golden *g, bool stamped)
{
	uint8_t *golden = malloc(FILE_BYTES_MAX), header[FFFA_HEADER_BYTES_MAX];
	struct fffa_encoder *e = NULL;
	size_t len, at;

	assert_non_null(golden);
	assert_int_equal(fffa_encoder_new(g->format, g->fields, &e, NULL), 0);
	assert_int_equal(fffa_encoder_wrap(e, g->envelope, NULL), 0);
	len = read_golden(g->file, golden);
	at = fffa_encoder_write_header(e, header, sizeof(header));
	assert_true(at <= len);
	assert_memory_equal(header, golden, at);
	for (size_t i = 0; i < encode_case_count; i++)
		at += take_record(e, g, i, stamped, golden + at, len - at);
	assert_int_equal(at, len);
	fffa_encoder_free(e);
	free(golden);
}

static void every_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		check_golden(&goldens[i], false);
}

/*
 * With stamps the text of an identity is cached. The bytes are the same, also when it is used again
 * and when there are more identities than the cache holds.
 */
static void with_cached_identities(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		check_golden(&goldens[i], true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format),
		cmocka_unit_test(with_cached_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
