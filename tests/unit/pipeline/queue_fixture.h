/* SPDX-License-Identifier: MIT */
/* A backlog without a spool, and batches of records with a JSON line each. */
#ifndef FFFA_TESTS_UNIT_PIPELINE_QUEUE_FIXTURE_H
#define FFFA_TESTS_UNIT_PIPELINE_QUEUE_FIXTURE_H

#include "agent/pipeline/queue/backlog.h"
#include "tests/stubs/cmocka_all.h"

#define QUEUE_FIXTURE_EPOCH   77
#define QUEUE_FIXTURE_BASE_MS 1000 /* a record with number N ends at BASE + 10 N */

struct queue_fixture {
	struct fffa_backlog q;
	struct fffa_encoder *encoder;
	struct fffa_origin_source source;
};

/* Set-up and tear-down for cmocka; the backlog has room for memory_bytes. */
int queue_fixture_setup(void **state);
int queue_fixture_teardown(void **state);

/* Makes the backlog anew. */
void queue_fixture_begin(struct queue_fixture *f, size_t memory_bytes, bool drops_oldest);

/* A sealed batch of n records, of which the first has this number. */
struct fffa_batch *queue_fixture_batch(uint64_t epoch, uint64_t first_seq, uint32_t n);
/* The memory that such a batch takes. */
size_t queue_fixture_footprint(uint32_t n);
/* Counts n records as offered and adds their batch. */
void queue_fixture_add(struct queue_fixture *f, uint64_t epoch, uint64_t first_seq, uint32_t n);
/* Takes the first batch, as if it were submitted. */
struct fffa_queued_batch *queue_fixture_take(struct queue_fixture *f);
/* Asserts that exactly these batches are queued, by their first numbers; 0 ends the list. */
void queue_fixture_expect(const struct queue_fixture *f, const uint64_t *first_seqs);

#define QUEUE_CASE(f)                                                                              \
	cmocka_unit_test_setup_teardown(f, queue_fixture_setup, queue_fixture_teardown)

#endif
