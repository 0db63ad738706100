// SPDX-License-Identifier: MIT
#include "tests/contract/refusal_cases.h"

#include <stdio.h>
#include <string.h>

#include "tests/contract/peer.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"

static void expect_once(const struct peer_ops *o, struct peer *f, struct fffa_span want)
{
	struct fffa_span got = o->bytes(f);

	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.ptr, want.ptr, want.len);
	free((void *)(uintptr_t)got.ptr);
}

/* A copy of the text that done lends for the call only. */
struct said {
	const struct fixture_delivery *d;
	char detail[1024];
};

static void copy_detail(struct sink_fixture *r)
{
	struct said *said = r->arg;

	if (said->d->outcome.detail)
		(void)snprintf(said->detail, sizeof(said->detail), "%s", said->d->outcome.detail);
}

/*
 * Refuses one batch, then takes it: it has the verdict while the peer refuses, and arrives once
 * when it does not.
 */
static void refuse_then_repair(const struct peer_ops *o, void (*refuse)(struct peer *f),
			       enum fffa_verdict verdict, struct said *said)
{
	struct peer *f = o->open();
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), "");
	assert_int_equal(sink_fixture_start(&r), 0);
	said->d = &d;
	r.on_done = copy_detail;
	r.arg = said;
	refuse(f);
	assert_int_equal(sink_fixture_send(&r, &d, make_batch(1, 10, 50)).verdict, verdict);
	assert_null(d.outcome.records);
	assert_int_not_equal(d.outcome.cause, 0);
	assert_true(d.outcome.repair == (verdict == FFFA_V_RETRY));
	if (verdict == FFFA_V_RETRY)
		assert_int_not_equal(d.outcome.reason, 0);
	o->repair(f);
	assert_int_equal(sink_fixture_again(&r, &d), 0);
	sink_fixture_wait(&r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	sink_fixture_close(&r);
	expect_once(o, f, fffa_batch_bytes(d.d.batch));
	fixture_delivery_fini(&d);
	o->close(f);
}

/* What a person can repair costs no record, and the outcome has the peer's own words. */
void refusal_a_wrong_setting_is_retried(void **state)
{
	const struct peer_ops *o = *state;
	struct said said = {.detail = ""};

	refuse_then_repair(o, o->refuse, FFFA_V_RETRY, &said);
	if (!strstr(said.detail, o->said))
		fail_msg("%s", said.detail);
}

/* Nothing is REJECTED as long as nothing tells that these bytes are the reason. */
void refusal_a_refusal_without_a_reason_rejects_nothing(void **state)
{
	const struct peer_ops *o = *state;
	struct said said = {.detail = ""};

	refuse_then_repair(o, o->refuse_without_reason, FFFA_V_REFUSED, &said);
}

/* A sink whose library waits for the peer tells the pipeline why nothing is delivered. */
void refusal_reports_trouble_while_it_waits(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	o->go_away(f);
	sink_fixture_create(&r, o->sink, o->conf(f), "");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_submit(&r, &d, make_batch(1, 5, 50)), 0);
	while (!r.troubles)
		assert_true(uv_run(&r.loop, UV_RUN_ONCE));
	assert_true(r.trouble[0]);
	assert_int_equal(d.outcome.verdict, FFFA_V_NONE);
	sink_fixture_close(&r);
	fixture_delivery_fini(&d);
	o->close(f);
}
