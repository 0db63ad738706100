/* SPDX-License-Identifier: MIT */
/*
 * A metadata reader whose sources are the test's: what IMDS, the ECS task, the files and the kernel's name say is set by
 * the test. The linker puts these in the place of the real ones (CMakeLists.txt). One fixture at a time.
 */
#ifndef FFFA_TESTS_UNIT_ENRICH_META_FIXTURE_H
#define FFFA_TESTS_UNIT_ENRICH_META_FIXTURE_H

#include <stdbool.h>

#include "agent/enrich/ecs/ecs.h"
#include "agent/enrich/imds/imds.h"
#include "agent/enrich/meta.h"
#include "agent/enrich/meta_tuning.h"
#include "tests/unit/enrich/fake_loop.h"

enum meta_source_kind { SOURCE_IMDS, SOURCE_ECS, SOURCE_RANGES, SOURCE_NETWORKS, SOURCE_NAME };

/* A source that was opened. Its address is its handle. */
struct meta_source {
	enum meta_source_kind kind;
	bool settled;
	uint64_t errors[FFFA_IE_MAX]; /* of a file the first one */
	const void *known;	      /* what it says; of a name the text; NULL: nothing */
	struct fffa_imds_options imds;
	struct fffa_ecs_options ecs;
	char path[64];
	uint64_t refresh_ns;
	void (*changed)(void *arg);
	void *arg;
	unsigned int triggers;
	const struct meta_source *inherited;
	void (*closed)(void *arg);
	void *closed_arg;
};

struct meta_fixture {
	struct fffa_metadata_conf conf;
	struct fffa_meta_tuning tuning;
	struct fffa_meta *meta;
	struct meta_source sources[16];
	size_t n;
	int open_error[SOURCE_NAME + 1];
	uint64_t hrtime_ns;
	unsigned int settled, closed;
	unsigned int ranges_applied, networks_applied;
	uv_prepare_t *prepare; /* the last one that was started; NULL: none is */
	uv_prepare_cb on_prepare;
};

extern struct meta_fixture meta_fixture;

/* cmocka fixtures: all sources are asked for, but nothing is open. The teardown closes the reader. */
int meta_fixture_setup(void **state);
int meta_fixture_teardown(void **state);

void meta_fixture_open(void);
/* Closes all that is closing, the handles first, and expects that the reader ends then. */
void meta_fixture_close(void);
/* Closes the handles and sources that are closing. */
void meta_fixture_turn(void);
/* The n-th of this kind that was opened, from 0; NULL: there is none. */
struct meta_source *meta_fixture_source(enum meta_source_kind kind, size_t n);
/* IMDS has answered a round, or a request has failed. */
void meta_fixture_learn(struct meta_source *s, const struct fffa_imds_data *data);
void meta_fixture_fail(struct meta_source *s, enum fffa_imds_error e, bool refused,
		       uint32_t in_a_row);
/* A source other than IMDS has answered. */
void meta_fixture_settle(struct meta_source *s, const void *known);
/* fffa_meta_wait, which counts in settled. */
void meta_fixture_wait(uint64_t max_ns);
/* The count of the reason of this name. */
uint64_t meta_fixture_errors(const char *name);

#endif
