// SPDX-License-Identifier: MIT
#include "tests/stubs/sink_fixture.h"

#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

static void on_done(void *pipe, struct fffa_delivery *d, const struct fffa_outcome *o)
{
	struct sink_fixture *r = pipe;
	struct fixture_delivery *rd = (struct fixture_delivery *)d;

	assert_int_equal(r->inside, 0);
	assert_false(r->closed);
	assert_true(rd->accepted);
	assert_int_equal(rd->outcome.verdict, FFFA_V_NONE);
	assert_uint_in_range(o->verdict, FFFA_V_DELIVERED, FFFA_V_LAST);
	if (o->verdict == FFFA_V_DELIVERED)
		assert_int_equal(o->cause, 0);
	rd->outcome = *o;
	r->dones++;
	if (r->on_done)
		r->on_done(r);
}

static void on_ready(void *pipe)
{
	struct sink_fixture *r = pipe;

	assert_int_equal(r->inside, 0);
	r->readies++;
}

static void on_trouble(void *pipe, const struct fffa_outcome *o)
{
	struct sink_fixture *r = pipe;

	assert_false(r->closed);
	assert_int_not_equal(o->cause, 0);
	r->troubles++;
	(void)snprintf(r->trouble, sizeof(r->trouble), "%s", o->detail ? o->detail : "");
}

static void on_closed(void *arg)
{
	struct sink_fixture *r = arg;

	assert_int_equal(r->inside, 0);
	assert_false(r->closed);
	assert_int_equal(r->dones, r->accepted);
	r->closed = true;
	r->sink = NULL;
}

void sink_fixture_create(struct sink_fixture *r, const struct fffa_sink_ops *ops, const void *conf,
			 const char *preamble)
{
	memset(r, 0, sizeof(*r));
	r->ops = ops;
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_true(strlen(preamble) < sizeof(r->preamble));
	memcpy(r->preamble, preamble, strlen(preamble) + 1);
	r->env = (struct fffa_sink_env){
		.loop = &r->loop,
		.tag = "sink.test",
		.pipe = r,
		.done = on_done,
		.ready = on_ready,
		.trouble = on_trouble,
		.preamble = {(const uint8_t *)r->preamble, strlen(preamble)},
	};
	if (ops->check)
		assert_int_equal(ops->check(conf, &r->err), 0);
	assert_int_equal(ops->create(&r->env, conf, &r->sink, &r->err), 0);
	assert_non_null(r->sink);
}

int sink_fixture_start(struct sink_fixture *r)
{
	int rc;

	r->inside++;
	rc = r->ops->start(r->sink, &r->err);
	r->inside--;
	return rc;
}

int sink_fixture_again(struct sink_fixture *r, struct fixture_delivery *d)
{
	int rc;

	d->outcome = (struct fffa_outcome){.verdict = FFFA_V_NONE};
	d->accepted = true;
	r->inside++;
	rc = r->ops->submit(r->sink, &d->d);
	r->inside--;
	d->accepted = rc == 0;
	r->accepted += rc == 0;
	return rc;
}

int sink_fixture_submit(struct sink_fixture *r, struct fixture_delivery *d,
			struct fffa_batch *give_batch)
{
	d->d.batch = give_batch;
	return sink_fixture_again(r, d);
}

void sink_fixture_wait(struct sink_fixture *r, const struct fixture_delivery *d)
{
	while (d->outcome.verdict == FFFA_V_NONE)
		assert_true(uv_run(&r->loop, UV_RUN_ONCE) || d->outcome.verdict != FFFA_V_NONE);
}

struct fffa_outcome sink_fixture_send(struct sink_fixture *r, struct fixture_delivery *d,
				      struct fffa_batch *give_batch)
{
	int rc = sink_fixture_submit(r, d, give_batch);

	while (rc == -EAGAIN) {
		size_t before = r->readies;

		while (r->readies == before)
			assert_true(uv_run(&r->loop, UV_RUN_ONCE) || r->readies != before);
		rc = sink_fixture_again(r, d);
	}
	assert_int_equal(rc, 0);
	sink_fixture_wait(r, d);
	return d->outcome;
}

void fixture_delivery_fini(struct fixture_delivery *d)
{
	assert_true(!d->accepted || d->outcome.verdict != FFFA_V_NONE);
	fffa_batch_unref(d->d.batch);
	memset(d, 0, sizeof(*d));
}

void sink_fixture_reopen(struct sink_fixture *r)
{
	if (!r->ops->reopen)
		return;
	r->inside++;
	r->ops->reopen(r->sink);
	r->inside--;
}

void sink_fixture_close_begin(struct sink_fixture *r)
{
	r->inside++;
	r->ops->close(r->sink, on_closed, r);
	r->inside--;
	assert_false(r->closed);
}

void sink_fixture_close_end(struct sink_fixture *r)
{
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_true(r->closed);
	assert_int_equal(r->dones, r->accepted);
	assert_int_equal(uv_loop_close(&r->loop), 0);
}

void sink_fixture_close(struct sink_fixture *r)
{
	sink_fixture_close_begin(r);
	sink_fixture_close_end(r);
}
