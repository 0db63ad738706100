/* SPDX-License-Identifier: MIT */
/* A folder in AWS's layout under test: batches go in, objects are read back. */
#ifndef FFFA_TESTS_UNIT_SINKS_AWS_PLACE_H
#define FFFA_TESTS_UNIT_SINKS_AWS_PLACE_H

#include "sinks/file/aws/aws.h"

#define T0_S	INT64_C(1778494500) /* 2026-05-11T10:15:00Z, where a slot begins */
#define SLOT_MS (INT64_C(300000))
#define HEAD	"head er\n"

struct aws_place {
	char dir[64];
	struct fffa_aws_conf conf;
	struct fffa_aws *aws;
	struct fffa_aws_job job;
};

int aws_place_setup(void **state);
int aws_place_teardown(void **state);
void aws_place_open(struct aws_place *p);
/* n records "SEQ SLOT ...\n"; the i-th ends at times[i % n_times] ms. */
struct fffa_batch *aws_place_batch(uint64_t first, uint32_t n, const int64_t *times,
				   size_t n_times);
/* Takes the batch (NULL: none); returns the job's result. */
int aws_place_work(struct aws_place *p, struct fffa_batch *b);
void aws_place_complete_all(struct aws_place *p);
/* The objects that find names with these options, a line each; the caller frees. */
char *aws_place_find(const struct aws_place *p, const char *options);
size_t aws_place_count(const struct aws_place *p, const char *options);
/* Every complete object is sound gzip, begins with the header and holds records of its slot only;
 * together they hold first to last, each once. */
void aws_place_expect_once(const struct aws_place *p, uint64_t first, uint64_t last);

#define CASE(f) cmocka_unit_test_setup_teardown(f, aws_place_setup, aws_place_teardown)

#endif
