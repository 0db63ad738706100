// SPDX-License-Identifier: MIT
/* The host's name of the kernel: in a UTS namespace of its own, it changes under the reader. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/enrich/host_name.h"

struct reader {
	uv_loop_t loop;
	struct fffa_host_name *name;
	unsigned int changes;
	bool closed;
};

static bool own_namespace(void)
{
	return unshare(CLONE_NEWUTS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0;
}

static void set_name(const char *name)
{
	assert_int_equal(sethostname(name, strlen(name)), 0);
}

static void on_changed(void *arg)
{
	struct reader *r = arg;

	r->changes++;
	uv_stop(&r->loop);
}

static void on_closed(void *arg)
{
	struct reader *r = arg;

	assert_false(r->closed);
	r->closed = true;
}

static void on_late(uv_timer_t *t)
{
	(void)t;
	fail_msg("a change was not noticed within 20 s");
}

/* Without a change to wait for, an idle watch does not hold the loop. */
static void await_change(struct reader *r)
{
	unsigned int before = r->changes;
	uv_timer_t late;

	(void)uv_timer_init(&r->loop, &late);
	(void)uv_timer_start(&late, on_late, 20000, 0);
	while (r->changes == before)
		(void)uv_run(&r->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&late, NULL);
	(void)uv_run(&r->loop, UV_RUN_NOWAIT);
}

static void follows_the_kernel(void **state)
{
	struct reader r = {.changes = 0};

	(void)state;
	if (!own_namespace())
		skip();
	set_name("web-1");
	assert_int_equal(uv_loop_init(&r.loop), 0);
	assert_int_equal(fffa_host_name_open(&r.loop, on_changed, &r, &r.name), 0);
	assert_string_equal(fffa_host_name_text(r.name), "web-1");
	(void)uv_run(&r.loop, UV_RUN_NOWAIT); /* begins the watch */
	set_name("web-2");
	await_change(&r);
	assert_string_equal(fffa_host_name_text(r.name), "web-2");
	set_name("has \"quotes\"");
	await_change(&r);
	assert_string_equal(fffa_host_name_text(r.name), "");
	set_name("(none)");
	set_name("web-3");
	await_change(&r);
	assert_string_equal(fffa_host_name_text(r.name), "web-3");
	assert_int_equal(r.changes, 3);
	fffa_host_name_close(r.name, on_closed, &r);
	assert_false(r.closed);
	(void)uv_run(&r.loop, UV_RUN_DEFAULT);
	assert_true(r.closed);
	assert_int_equal(uv_loop_close(&r.loop), 0);
}

static void a_name_of_the_configuration(void **state)
{
	char name[FFFA_IDENT_HOST_NAME_BYTES], longest[FFFA_IDENT_HOST_NAME_BYTES + 1];
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_host_name_read(NULL, name, &err), 0);
	assert_string_equal(name, "");
	assert_int_equal(fffa_host_name_read("web-1.example.com", name, &err), 0);
	assert_string_equal(name, "web-1.example.com");
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_not_equal(fffa_host_name_read(longest, name, &err), 0);
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(fffa_host_name_read(longest, name, &err), 0);
	assert_int_not_equal(fffa_host_name_read("two words", name, &err), 0);
	assert_non_null(strstr(err.text, "metadata.host_name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_of_the_configuration),
		cmocka_unit_test(follows_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
