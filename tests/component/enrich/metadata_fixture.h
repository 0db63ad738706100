/* SPDX-License-Identifier: MIT */
/*
 * A loop, the mock of IMDS, and the metadata reader between them. The teardown closes everything
 * and checks what every test must hold: the loop closes clean, IMDSv1 was never asked, and no
 * proxy was used.
 */
#ifndef FFFA_TESTS_COMPONENT_ENRICH_METADATA_FIXTURE_H
#define FFFA_TESTS_COMPONENT_ENRICH_METADATA_FIXTURE_H

#include <stdbool.h>
#include <uv.h>

#include "agent/enrich/meta.h"
#include "agent/enrich/meta_tuning.h"
#include "tests/component/enrich/imds_child.h"

struct metadata_fixture {
	struct imds_child mock;
	uv_loop_t loop;
	uv_timer_t tick; /* every 10 ms: looks at conditions, and sees when the loop blocks */
	uint64_t ticks, last_tick_ns, longest_gap_ns;
	char endpoint[64];
	char root[80]; /* stands for / */
	struct fffa_metadata_conf conf;
	struct fffa_meta_tuning tuning;
	struct fffa_meta *meta;
	bool closed;
	bool ecs_only;		   /* no request goes to IMDS, so none may carry a token */
	const char *without_token; /* requests whose path begins so carry no token; NULL: none */
	int saved_stderr;	   /* -1: not captured */
	char captured[96];
};

/* Questions of a round: for the host without tags, and for each interface. */
#define METADATA_HOST_GETS  6
#define METADATA_IFACE_GETS 12
#define METADATA_GETS	    (METADATA_HOST_GETS + 2 * METADATA_IFACE_GETS)

/*
 * cmocka fixtures. The state is the fixture. The reader is not open yet, so that the test can
 * change conf and tuning.
 */
int metadata_fixture_setup(void **state);
int metadata_fixture_teardown(void **state);

/*
 * For a test of one file of names: IMDS is not asked, and the file is looked at every 20 ms. Returns
 * its path in the mock's directory, which the caller frees; NULL without memory.
 */
char *metadata_fixture_name_file(struct metadata_fixture *r, const char *name);
/* Puts a file with this text in the place of path, in one step. */
void metadata_fixture_write_file(const char *path, const char *text);
/* Sets the addresses of rec, and applies the metadata to it. */
void metadata_fixture_apply(struct metadata_fixture *r, struct fffa_record *rec, const char *src,
			    const char *dst);

/* Opens the reader with two devices: ifindex 2 (first MAC of the mock) and 3 (second MAC). */
void metadata_fixture_open(struct metadata_fixture *r);
/* Closes the reader and waits for it. */
void metadata_fixture_close(struct metadata_fixture *r);

/* Turns the loop until cond holds; fails the test after a minute. */
void metadata_fixture_await(struct metadata_fixture *r,
			    bool (*cond)(struct metadata_fixture *r, uint64_t arg), uint64_t arg);
/* Turns the loop for ms, to see that nothing happens. */
void metadata_fixture_run_ms(struct metadata_fixture *r, uint64_t ms);

/*
 * A clock for how long the loop takes or blocks: it stands still while this thread could run and has
 * no processor, which is the matter of a busy machine. Nanoseconds.
 */
uint64_t metadata_fixture_clock_ns(void);

/* Conditions. */
bool metadata_fixture_is_learned(struct metadata_fixture *r, uint64_t arg);
bool metadata_fixture_is_settled(struct metadata_fixture *r, uint64_t arg);
/* At least arg failures, of all reasons. */
bool metadata_fixture_has_failures(struct metadata_fixture *r, uint64_t arg);
/* The mock had at least arg requests. */
bool metadata_fixture_has_requests(struct metadata_fixture *r, uint64_t arg);

/* The count of the reason of this name; fails the test when there is none. */
uint64_t metadata_fixture_error(struct metadata_fixture *r, const char *name);
/* The identity of a record of this device. */
const struct fffa_ident *metadata_fixture_ident(struct metadata_fixture *r, uint32_t ifindex);
/* Asserts that the default data of the mock are known for both devices. */
void metadata_fixture_assert_all_known(struct metadata_fixture *r);

/* Sends standard error to a file until the teardown. */
void metadata_fixture_capture_log(struct metadata_fixture *r);
/* How often the text occurs in the captured log. */
size_t metadata_fixture_logged(struct metadata_fixture *r, const char *text);

#endif
