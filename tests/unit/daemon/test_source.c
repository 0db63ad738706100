// SPDX-License-Identifier: MIT
/* A source is called through its table, and what it lacks has a default. NODATA watches its devices. */
#include "agent/daemon/source/source.h"

#include <string.h>

#include "agent/daemon/nodata_watch.h"
#include "tests/stubs/cmocka_all.h"

#define S UINT64_C(1000000000)

/* A source that notes what it is asked. */
struct fake {
	struct fffa_source s;
	char called[32]; /* a letter for each call */
	uint32_t ifindexes[3];
	size_t n;
	uint64_t now_ns, window_ns;
	struct fffa_amount held; /* of the last checkpoint */
};

static const struct fffa_tunnel some_tunnel = {.type = FFFA_TUNNEL_GENEVE};

static struct fake *note(void *s, char letter)
{
	struct fake *f = s;

	f->called[strlen(f->called)] = letter;
	return f;
}

static int fake_prepare(struct fffa_source *s, struct fffa_err *err)
{
	(void)note(s, 'p');
	return fffa_fail(err, 5, "prepared");
}

static int fake_start(struct fffa_source *s, uv_loop_t *loop, struct fffa_ledger *ledger,
		      const struct fffa_source_events *ev, struct fffa_err *err)
{
	(void)note(s, 's');
	assert_true(loop && ledger && ev);
	return fffa_fail(err, 6, "started");
}

static void fake_stop(struct fffa_source *s)
{
	(void)note(s, 't');
}

static void fake_change(struct fffa_source *s)
{
	(void)note(s, 'c');
}

static void fake_close(struct fffa_source *s)
{
	(void)note(s, 'x');
}

static void fake_now(const struct fffa_source *s, uint64_t *mono_ns, uint64_t *unix_ns)
{
	*mono_ns = ((const struct fake *)s)->now_ns;
	*unix_ns = 2;
}

static const struct fffa_tunnel *fake_tunnel(const struct fffa_source *s, uint16_t id)
{
	(void)s;
	return id == 7 ? &some_tunnel : NULL;
}

static struct fffa_amount fake_held(struct fffa_source *s)
{
	(void)note(s, 'h');
	return (struct fffa_amount){3, 300};
}

static size_t fake_watched(const struct fffa_source *s, uint32_t *ifindexes, size_t max)
{
	const struct fake *f = (const struct fake *)s;

	assert_true(max >= f->n);
	memcpy(ifindexes, f->ifindexes, f->n * sizeof(*ifindexes));
	return f->n;
}

static void fake_checkpoint(struct fffa_source *s, struct fffa_amount held, int64_t unix_ms)
{
	note(s, 'k')->held = held;
	assert_int_equal(unix_ms, 77);
}

static void fake_view(struct fffa_source *s, struct fffa_status_view *v)
{
	(void)note(s, 'v');
	assert_null(v);
}

static void fake_limit(struct fffa_source *s, uint64_t window_ns)
{
	note(s, 'l')->window_ns = window_ns;
}

static const struct fffa_source_ops all = {.prepare = fake_prepare,
					   .start = fake_start,
					   .stop = fake_stop,
					   .change = fake_change,
					   .close = fake_close,
					   .now = fake_now,
					   .tunnel = fake_tunnel,
					   .held = fake_held,
					   .watched = fake_watched,
					   .checkpoint = fake_checkpoint,
					   .view = fake_view,
					   .limit_window = fake_limit};
static const struct fffa_source_ops few = {.prepare = fake_prepare,
					   .start = fake_start,
					   .stop = fake_stop,
					   .close = fake_close,
					   .now = fake_now,
					   .tunnel = fake_tunnel};

static void test_each_call_is_handed_on(void **state)
{
	struct fake f = {.s = {.ops = &all}, .ifindexes = {4, 5}, .n = 2, .now_ns = 9};
	const struct fffa_source_events ev = {.arg = NULL};
	uint64_t mono_ns = 0, unix_ns = 0;
	struct fffa_err err = {""};
	struct fffa_ledger ledger;
	uint32_t ifindexes[3];
	uv_loop_t loop;

	(void)state;
	assert_int_equal(fffa_source_prepare(&f.s, &err), -5);
	assert_int_equal(fffa_source_start(&f.s, &loop, &ledger, &ev, &err), -6);
	fffa_source_change(&f.s);
	fffa_source_now(&f.s, &mono_ns, &unix_ns);
	assert_int_equal(mono_ns, 9);
	assert_int_equal(unix_ns, 2);
	assert_ptr_equal(fffa_source_tunnel(&f.s, 7), &some_tunnel);
	assert_null(fffa_source_tunnel(&f.s, 8));
	assert_int_equal(fffa_source_held(&f.s).packets, 3);
	assert_true(fffa_source_watches(&f.s));
	assert_int_equal(fffa_source_watched(&f.s, ifindexes, 3), 2);
	assert_int_equal(ifindexes[1], 5);
	fffa_source_checkpoint(&f.s, (struct fffa_amount){8, 800}, 77);
	assert_int_equal(f.held.bytes, 800);
	fffa_source_view(&f.s, NULL);
	fffa_source_limit_window(&f.s, 55);
	assert_int_equal(f.window_ns, 55);
	fffa_source_stop(&f.s);
	fffa_source_close(&f.s);
	assert_string_equal(f.called, "pschkvltx");
}

static void test_what_a_source_lacks(void **state)
{
	struct fake f = {.s = {.ops = &few}, .n = 2};
	uint32_t ifindexes[3];

	(void)state;
	fffa_source_change(&f.s);
	assert_int_equal(fffa_source_held(&f.s).packets, 0);
	assert_int_equal(fffa_source_held(&f.s).bytes, 0);
	assert_false(fffa_source_watches(&f.s));
	assert_int_equal(fffa_source_watched(&f.s, ifindexes, 3), 0);
	fffa_source_checkpoint(&f.s, (struct fffa_amount){8, 800}, 77);
	fffa_source_view(&f.s, NULL);
	fffa_source_limit_window(&f.s, 55);
	assert_string_equal(f.called, "");
	fffa_source_free(NULL);
}

static void test_one_interface_id_for_all(void **state)
{
	struct fffa_pair pairs[] = {{.key = "region", .value = "interface_id"},
				    {.key = "interface_id", .value = "eni-1"}};
	struct fffa_config conf;

	(void)state;
	memset(&conf, 0, sizeof(conf));
	assert_false(fffa_source_names_one_interface(&conf));
	conf.metadata.fixed.v = pairs;
	conf.metadata.fixed.n = 1;
	assert_false(fffa_source_names_one_interface(&conf));
	conf.metadata.fixed.n = 2;
	assert_true(fffa_source_names_one_interface(&conf));
}

static void watch(struct fffa_nodata *w, struct fake *f, const struct fffa_source_ops *ops,
		  bool nodata, uint32_t sampled)
{
	struct fffa_config conf;

	memset(&conf, 0, sizeof(conf));
	conf.flows.nodata = nodata;
	conf.flows.active_timeout_ns = 60 * (int64_t)S;
	f->s.ops = ops;
	f->s.sampled = sampled;
	fffa_nodata_watch_start(w, &conf, &f->s);
}

/* Where it is asked for, and each packet of a device is counted. */
static void test_when_nodata_is_watched(void **state)
{
	struct fake f = {.ifindexes = {4, 5}, .n = 2, .now_ns = 100 * S};
	struct fffa_nodata w;

	(void)state;
	watch(&w, &f, &all, true, 0);
	assert_true(fffa_nodata_is_on(&w));
	watch(&w, &f, &all, true, 1);
	assert_true(fffa_nodata_is_on(&w));
	watch(&w, &f, &all, true, 2);
	assert_false(fffa_nodata_is_on(&w));
	watch(&w, &f, &all, false, 0);
	assert_false(fffa_nodata_is_on(&w));
	watch(&w, &f, &few, true, 0);
	assert_false(fffa_nodata_is_on(&w));
}

static void test_nodata_follows(void **state)
{
	struct fake f = {.s = {.ops = &all}, .ifindexes = {4, 5}, .n = 2, .now_ns = 100 * S};
	struct fffa_nodata w, before;
	struct fffa_config conf;

	(void)state;
	memset(&w, 0, sizeof(w));
	memset(&conf, 0, sizeof(conf));
	conf.flows.active_timeout_ns = 60 * (int64_t)S;
	fffa_nodata_watch_follow(&w, &conf, &f.s);
	assert_false(fffa_nodata_is_on(&w));
	conf.flows.nodata = true;
	fffa_nodata_watch_follow(&w, &conf, &f.s);
	assert_true(fffa_nodata_is_on(&w));
	assert_int_equal(w.n, 2);
	assert_int_equal(w.v[0].ifindex, 4);
	before = w;
	f.now_ns = 110 * S; /* it goes on, and does not begin anew */
	fffa_nodata_watch_follow(&w, &conf, &f.s);
	assert_memory_equal(&w, &before, sizeof(w));
	f.n = 1;
	fffa_nodata_watch_devices(&w, &f.s);
	assert_int_equal(w.n, 1);
	f.s.sampled = 2;
	fffa_nodata_watch_follow(&w, &conf, &f.s);
	assert_false(fffa_nodata_is_on(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call_is_handed_on),
		cmocka_unit_test(test_what_a_source_lacks),
		cmocka_unit_test(test_one_interface_id_for_all),
		cmocka_unit_test(test_when_nodata_is_watched),
		cmocka_unit_test(test_nodata_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
