/* SPDX-License-Identifier: MIT */
/* A directory for spools, and pipelines that live one after the other on it. */
#ifndef FFFA_TESTS_COMPONENT_PIPELINE_SPOOL_RIG_H
#define FFFA_TESTS_COMPONENT_PIPELINE_SPOOL_RIG_H

#include "tests/unit/pipeline/pipeline_fixture.h"

/* Records as the peer reads them. */
#define RIG_FIELDS "seq epoch lost_records lost_reason"

struct rig {
	char dir[64];
	struct fixture *f; /* the pipeline alive */
	uint64_t epoch;
};

/* cmocka set-up and tear-down of a struct rig; no pipeline yet. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* A fixture whose first sink has a spool of so many bytes; not open yet. Ends the one before. */
struct fixture *rig_life(struct rig *r, int64_t spool_bytes);
/* Bytes of all that lies in the spool of sink a. */
uint64_t rig_disk_bytes(const struct rig *r);
/* Number of files there whose name ends so. */
size_t rig_files(const struct rig *r, const char *suffix);
/* Path of the i-th segment there, in order. */
const char *rig_segment(const struct rig *r, size_t i, char *dst, size_t cap);

/* What a peer has of one epoch. */
struct rig_epoch {
	uint64_t epoch;
	uint64_t records, skips, lost, last_seq;
	uint64_t repeats;
	bool in_order;
	char reason[32];
};
/* Reads peer i of f; at most n epochs, in the order of their first record. Returns how many. */
size_t rig_read(const struct fixture *f, size_t i, struct rig_epoch *out, size_t n);

struct fffa_outcome rig_refuse(void *arg, const struct fffa_batch *b);

#define RIG_CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

#endif
