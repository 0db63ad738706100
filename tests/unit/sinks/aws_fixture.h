/* SPDX-License-Identifier: MIT */
/* A folder in the AWS layout: a test writes batches and reads the objects. */
#ifndef FFFA_TESTS_UNIT_SINKS_AWS_PLACE_H
#define FFFA_TESTS_UNIT_SINKS_AWS_PLACE_H

#include "sinks/file/aws/aws.h"

#define T0_S	INT64_C(1778494500) /* 2026-05-11T10:15:00Z, the start of a slot */
#define SLOT_MS (INT64_C(300000))
#define HEAD	"head er\n"

struct aws_fixture {
	char dir[64];
	struct fffa_aws_conf conf;
	struct fffa_aws *aws;
	struct fffa_aws_job job;
	size_t open; /* descriptors at the begin: none more is open at the end */
};

int aws_fixture_setup(void **state);
int aws_fixture_teardown(void **state);
void aws_fixture_open(struct aws_fixture *p);
/* Makes n records "SEQ SLOT ...\n"; the window of the i-th ends at times[i % n_times] ms. */
struct fffa_batch *aws_fixture_batch(uint64_t first, uint32_t n, const int64_t *times,
				     size_t n_times);
/* Writes the batch and takes its reference (NULL: no batch); returns the result. */
int aws_fixture_work(struct aws_fixture *p, struct fffa_batch *b);
void aws_fixture_complete_all(struct aws_fixture *p);
/* What find prints for objects with these options, a line each; the caller frees. */
char *aws_fixture_find(const struct aws_fixture *p, const char *options);
size_t aws_fixture_count(const struct aws_fixture *p, const char *options);
/*
 * Every complete object is sound gzip, begins with the header, and holds records of its slot only.
 * Together they hold the records from first to last, each once.
 */
void aws_fixture_expect_once(const struct aws_fixture *p, uint64_t first, uint64_t last);

#define CASE(f) cmocka_unit_test_setup_teardown(f, aws_fixture_setup, aws_fixture_teardown)

#endif
