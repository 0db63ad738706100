/* SPDX-License-Identifier: MIT */
/* A directory for spools, and pipelines that use it one after the other. */
#ifndef FFFA_TESTS_COMPONENT_PIPELINE_SPOOL_FIXTURE_H
#define FFFA_TESTS_COMPONENT_PIPELINE_SPOOL_FIXTURE_H

#include "tests/unit/pipeline/pipeline_fixture.h"

/* The fields of the records that the peer gets. */
#define SPOOL_FIXTURE_FIELDS "seq epoch lost_records lost_reason"

struct spool_fixture {
	char dir[64];
	struct fixture *f; /* of the current pipeline */
	uint64_t epoch;
};

/* Set-up and tear-down for cmocka of a struct spool_fixture without a pipeline. */
int spool_fixture_setup(void **state);
int spool_fixture_teardown(void **state);

/*
 * Makes a pipeline, not open yet, whose first sink has a spool of so many bytes. Ends the
 * previous one.
 */
struct fixture *spool_fixture_life(struct spool_fixture *r, int64_t spool_bytes);
/*
 * Returns the bytes of the files in the spool of sink a whose name ends with suffix: at most what
 * was there when it was called, while the spool deletes and writes.
 */
uint64_t spool_fixture_disk_bytes(const struct spool_fixture *r, const char *suffix);
/*
 * Waits until the spool of sink a counts what is on disk, and goes on to do so for some turns of the
 * loop: then its thread has nothing left to do. A wrong sum never heals.
 */
void spool_fixture_await_rest(struct spool_fixture *r);
/* Returns the number of files there whose name ends with suffix. */
size_t spool_fixture_files(const struct spool_fixture *r, const char *suffix);
/* Writes the path of the i-th segment there to dst and returns it. */
const char *spool_fixture_segment(const struct spool_fixture *r, size_t i, char *dst, size_t cap);

/* The records of one epoch that a peer has. */
struct stream_epoch {
	uint64_t epoch;
	uint64_t records, skips, lost, last_seq;
	uint64_t repeats;
	bool in_order;
	char reason[32];
};
/*
 * Reads what peer i of f has: at most n epochs, in the order of their first record. Returns
 * their number.
 */
size_t spool_fixture_read(const struct fixture *f, size_t i, struct stream_epoch *out, size_t n);

struct fffa_outcome spool_fixture_refuse(void *arg, const struct fffa_batch *b);

#define SPOOL_CASE(f)                                                                              \
	cmocka_unit_test_setup_teardown(f, spool_fixture_setup, spool_fixture_teardown)

#endif
