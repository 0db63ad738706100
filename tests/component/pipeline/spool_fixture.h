/* SPDX-License-Identifier: MIT */
/* A directory for spools, and pipelines that live one after the other on it. */
#ifndef FFFA_TESTS_COMPONENT_PIPELINE_SPOOL_FIXTURE_H
#define FFFA_TESTS_COMPONENT_PIPELINE_SPOOL_FIXTURE_H

#include "tests/unit/pipeline/pipeline_fixture.h"

/* Records as the peer reads them. */
#define SPOOL_FIXTURE_FIELDS "seq epoch lost_records lost_reason"

struct spool_fixture {
	char dir[64];
	struct fixture *f; /* the pipeline alive */
	uint64_t epoch;
};

/* cmocka set-up and tear-down of a struct spool_fixture; no pipeline yet. */
int spool_fixture_setup(void **state);
int spool_fixture_teardown(void **state);

/* A fixture whose first sink has a spool of so many bytes; not open yet. Ends the one before. */
struct fixture *spool_fixture_life(struct spool_fixture *r, int64_t spool_bytes);
/* Bytes of all that lies in the spool of sink a. */
uint64_t spool_fixture_disk_bytes(const struct spool_fixture *r);
/* Number of files there whose name ends so. */
size_t spool_fixture_files(const struct spool_fixture *r, const char *suffix);
/* Path of the i-th segment there, in order. */
const char *spool_fixture_segment(const struct spool_fixture *r, size_t i, char *dst, size_t cap);

/* What a peer has of one epoch. */
struct stream_epoch {
	uint64_t epoch;
	uint64_t records, skips, lost, last_seq;
	uint64_t repeats;
	bool in_order;
	char reason[32];
};
/* Reads peer i of f; at most n epochs, in the order of their first record. Returns how many. */
size_t spool_fixture_read(const struct fixture *f, size_t i, struct stream_epoch *out, size_t n);

struct fffa_outcome spool_fixture_refuse(void *arg, const struct fffa_batch *b);

#define SPOOL_CASE(f)                                                                              \
	cmocka_unit_test_setup_teardown(f, spool_fixture_setup, spool_fixture_teardown)

#endif
