// SPDX-License-Identifier: MIT
/* What fffa_recognize says about the golden files, whole and cut at every byte, and about others. */
#include "tests/stubs/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/encode/recognize.h"

#define FILE_BYTES_MAX (256 * 1024)
#define NAT_FIELDS                                                                                 \
	"${instance-id} ${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr}"

static const struct golden {
	const char *file;
	enum fffa_format format;
	const char *fields;
} goldens[] = {
	{"vpc-default.log", FFFA_FORMAT_VPC, NULL},
	{"vpc-v5.log", FFFA_FORMAT_VPC, "v5"},
	{"vpc-all.log", FFFA_FORMAT_VPC, "all"},
	{"vpc-custom.log", FFFA_FORMAT_VPC, NAT_FIELDS},
	{"flowlog.log", FFFA_FORMAT_FLOWLOG, NULL},
	{"all.json", FFFA_FORMAT_JSON, "all"},
	{"all.msgpack", FFFA_FORMAT_MSGPACK, "all"},
	{"ocsf.json", FFFA_FORMAT_OCSF, NULL},
	{"ecs.json", FFFA_FORMAT_ECS, NULL},
};
#define GOLDENS (sizeof(goldens) / sizeof(goldens[0]))

static struct fffa_encoder *new_encoder(enum fffa_format format, const char *fields)
{
	struct fffa_encoder *e = NULL;

	assert_int_equal(fffa_encoder_new(format, fields, &e, NULL), 0);
	return e;
}

/* The whole file in memory of exactly its length, so that a sanitizer sees a read behind it. */
static uint8_t *read_golden(const struct golden *g, size_t *len)
{
	uint8_t *all = malloc(FILE_BYTES_MAX), *exact;
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), FFFA_SOURCE_DIR "/tests/data/encode/%s", g->file);
	f = fopen(path, "rb");
	assert_non_null(f);
	*len = fread(all, 1, FILE_BYTES_MAX, f);
	assert_true(*len > 0 && *len < FILE_BYTES_MAX);
	(void)fclose(f);
	exact = malloc(*len ? *len : 1);
	memcpy(exact, all, *len);
	free(all);
	return exact;
}

static enum fffa_found recognize_copy(const struct fffa_encoder *e, const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	enum fffa_found found;
	size_t len;

	memcpy(exact, p, n);
	found = fffa_recognize(e, exact, n, &len);
	free(exact);
	return found;
}

static void check_cuts(const struct golden *g, const struct fffa_encoder *e, const uint8_t *p,
		       size_t len)
{
	bool text = g->format != FFFA_FORMAT_MSGPACK;

	for (size_t n = 1; n < len; n++) {
		enum fffa_found found = recognize_copy(e, p, n);
		bool all_but_newline = text && n + 1 == len;

		/* Whether the last word of a line is whole cannot always be seen. */
		if (all_but_newline && g->format == FFFA_FORMAT_VPC)
			assert_uint_in_range(found, FFFA_FOUND_TORN, FFFA_FOUND_UNTERMINATED);
		else
			assert_int_equal(found, all_but_newline ? FFFA_FOUND_UNTERMINATED
								: FFFA_FOUND_TORN);
	}
}

static void every_record_whole_and_cut(void **state)
{
	uint8_t header[FFFA_HEADER_BYTES_MAX], *all;

	(void)state;
	for (size_t i = 0; i < GOLDENS; i++) {
		const struct golden *g = &goldens[i];
		struct fffa_encoder *e = new_encoder(g->format, g->fields);
		size_t at = fffa_encoder_write_header(e, header, sizeof(header)), n, len, count = 0;

		all = read_golden(g, &n);
		for (; at < n; at += len, count++) {
			if (fffa_recognize(e, all + at, n - at, &len) != FFFA_FOUND_RECORD)
				fail_msg("%s, at %zu", g->file, at);
			check_cuts(g, e, all + at, len);
		}
		assert_int_equal(at, n);
		assert_true(count > 10);
		free(all);
		fffa_encoder_free(e);
	}
}

/* Every golden file is seen as this program's, but of another format or with other fields. */
static void other_formats_and_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDENS; i++) {
		struct fffa_encoder *e = new_encoder(goldens[i].format, goldens[i].fields);

		for (size_t k = 0; k < GOLDENS; k++) {
			size_t n, len;
			uint8_t *all = read_golden(&goldens[k], &n);

			if (i != k && fffa_recognize(e, all, n, &len) != FFFA_FOUND_OTHER)
				fail_msg("%s for %s", goldens[k].file, goldens[i].file);
			free(all);
		}
		fffa_encoder_free(e);
	}
}

static void fields_of_json(void **state)
{
	struct fffa_encoder *few = new_encoder(FFFA_FORMAT_JSON, "srcaddr dstaddr seq");
	struct fffa_encoder *all = new_encoder(FFFA_FORMAT_JSON, "all");
	const char *line = "{\"srcaddr\":\"10.0.0.1\",\"seq\":4}\n";
	size_t n, len;
	uint8_t *golden = read_golden(&goldens[5], &n);

	(void)state;
	assert_int_equal(recognize_copy(few, (const uint8_t *)line, strlen(line)),
			 FFFA_FOUND_RECORD);
	assert_int_equal(recognize_copy(all, (const uint8_t *)line, strlen(line)),
			 FFFA_FOUND_OTHER);
	assert_int_equal(fffa_recognize(few, golden, n, &len), FFFA_FOUND_OTHER);
	free(golden);
	fffa_encoder_free(few);
	fffa_encoder_free(all);
}

static void bytes_of_others(void **state)
{
	static const char *const texts[] = {
		"hello\n",
		"important note without newline",
		"{\"a\":1}\n",
		"{\"a\":",
		"2 words\n",
		"2 x",
		"127.0.0.1 localhost\n",
		"root:x:0:0:root:/root:/bin/bash\n",
		"\n",
		" ",
		"-",
		"[\"srcaddr\"]\n",
		"{}\n",
		"{\"srcaddr\"",
		"\x81\xa1\x61\x01",
		"\xde",
		"\xff\xfe",
		"<134>1 2023-08-19T10:30:00Z host app - - - OK\n",
		"OK\n",
	};

	(void)state;
	for (size_t i = 0; i < GOLDENS; i++) {
		struct fffa_encoder *e = new_encoder(goldens[i].format, goldens[i].fields);

		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			enum fffa_found found =
				recognize_copy(e, (const uint8_t *)texts[k], strlen(texts[k]));

			assert_int_not_equal(found, FFFA_FOUND_RECORD);
		}
		/* Words that could be ids begin a record of the ids that were chosen. */
		if (!goldens[i].fields || strcmp(goldens[i].fields, NAT_FIELDS) != 0)
			assert_int_equal(recognize_copy(e, (const uint8_t *)"important note", 14),
					 FFFA_FOUND_FOREIGN);
		fffa_encoder_free(e);
	}
}

/* One byte changed anywhere is never taken for a record that goes beyond what is there. */
static void damaged_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDENS; i++) {
		struct fffa_encoder *e = new_encoder(goldens[i].format, goldens[i].fields);
		size_t n, len;
		uint8_t *all = read_golden(&goldens[i], &n);

		n = n < 4096 ? n : 4096;
		for (size_t at = 0; at < n; at++) {
			uint8_t was = all[at];

			for (unsigned int v = 0; v < 256; v += 51) {
				all[at] = (uint8_t)v;
				(void)fffa_recognize(e, all, n, &len);
				assert_true(len <= n);
			}
			all[at] = was;
		}
		free(all);
		fffa_encoder_free(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_whole_and_cut),
		cmocka_unit_test(other_formats_and_fields),
		cmocka_unit_test(fields_of_json),
		cmocka_unit_test(bytes_of_others),
		cmocka_unit_test(damaged_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
