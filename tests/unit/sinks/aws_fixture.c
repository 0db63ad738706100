// SPDX-License-Identifier: MIT
#include "tests/unit/sinks/aws_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sinks/file/aws/aws_object.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

static const struct fffa_file_access access_640 = {
	.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1};

int aws_fixture_setup(void **state)
{
	struct aws_fixture *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "fffa-aws-XXXXXX");
	if (!mkdtemp(p->dir)) {
		free(p);
		return -1;
	}
	p->conf = (struct fffa_aws_conf){.path = p->dir,
					 .flow_log_id = "fl-0123456789abcdef0",
					 .access = &access_640,
					 .preamble = {(const uint8_t *)HEAD, strlen(HEAD)}};
	p->job.now_s = T0_S + 10;
	p->open = files_open();
	*state = p;
	return 0;
}

int aws_fixture_teardown(void **state)
{
	struct aws_fixture *p = *state;

	fffa_aws_free(p->aws);
	assert_int_equal(files_open(), p->open);
	files_remove(p->dir);
	free(p);
	return 0;
}

void aws_fixture_open(struct aws_fixture *p)
{
	struct fffa_err err;

	assert_int_equal(fffa_aws_new(&p->conf, &p->aws, &err), 0);
}

struct fffa_batch *aws_fixture_batch(uint64_t first, uint32_t n, const int64_t *times,
				     size_t n_times)
{
	static const struct fffa_batch_origin origin = {
		.agent_id = "i-1", .account_id = "123456789012", .region = "us-east-1"};
	struct fffa_batch *b = fffa_batch_new(n * (size_t)64, n);

	for (uint32_t i = 0; i < n; i++) {
		int64_t t = times[i % n_times];
		uint8_t *dst = fffa_batch_room(b, 64);
		int len = snprintf((char *)dst, 64, "%" PRIu64 " %" PRId64 " some more text\n",
				   first + i, t / SLOT_MS);

		assert_non_null(dst);
		fffa_batch_commit(b, (size_t)len,
				  &(struct fffa_record_info){.seq = first + i, .time_ms = t});
	}
	fffa_batch_set_origin(b, &origin);
	fffa_batch_seal(b);
	return b;
}

int aws_fixture_work(struct aws_fixture *p, struct fffa_batch *b)
{
	p->job.batch = b;
	fffa_aws_write(p->aws, &p->job);
	fffa_batch_unref(b);
	p->job.batch = NULL;
	return p->job.rc;
}

void aws_fixture_complete_all(struct aws_fixture *p)
{
	p->job.complete_all = true;
	assert_int_equal(aws_fixture_work(p, NULL), 0);
	assert_int_equal(p->job.completion_error, 0);
	p->job.complete_all = false;
}

char *aws_fixture_find(const struct aws_fixture *p, const char *options)
{
	char command[400], *text = calloc(1, 65536);
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "find %s %s -name '*.log.gz' | sort", p->dir,
		       options);
	pipe = popen(command, "r"); /* NOLINT: a fixed command on a folder of ours */
	assert_non_null(pipe);
	(void)!fread(text, 1, 65535, pipe);
	assert_int_equal(pclose(pipe), 0);
	return text;
}

size_t aws_fixture_count(const struct aws_fixture *p, const char *options)
{
	char *text = aws_fixture_find(p, options);
	size_t n = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	free(text);
	return n;
}

/* Reads every complete object: header, records of its own slot only. Counts each seq in seen. */
static void read_objects(const struct aws_fixture *p, uint8_t *seen, size_t max)
{
	char *list = aws_fixture_find(p, "-path '*AWSLogs*'"), *save = NULL;

	for (char *path = strtok_r(list, "\n", &save); path; path = strtok_r(NULL, "\n", &save)) {
		struct fffa_aws_object o;
		char line[128], *end;
		gzFile in = gzopen(path, "rb");
		char stamp[16] = "";

		assert_non_null(in);
		assert_true(fffa_aws_object_parse(strrchr(path, '/') + 1, &o));
		assert_string_equal(gzgets(in, line, sizeof(line)), HEAD);
		while (gzgets(in, line, sizeof(line))) {
			uint64_t seq = strtoull(line, &end, 10);
			struct fffa_aws_object want;

			assert_true(seq < max);
			seen[seq]++;
			fffa_aws_object_init(&want, &(struct fffa_batch_origin){.agent_id = ""},
					     NULL, strtoll(end, NULL, 10), 0);
			assert_string_equal(want.stamp, o.stamp);
			strcpy(stamp, want.stamp);
			assert_non_null(strchr(line, '\n'));
		}
		assert_true(stamp[0]);		     /* no object without a record */
		assert_int_equal(gzclose(in), Z_OK); /* CRC and length were right */
	}
	free(list);
}

void aws_fixture_expect_once(const struct aws_fixture *p, uint64_t first, uint64_t last)
{
	uint8_t *seen = calloc(1, last + 2);

	read_objects(p, seen, last + 2);
	for (uint64_t i = 0; i <= last + 1; i++)
		assert_int_equal(seen[i], i >= first && i <= last);
	free(seen);
}
