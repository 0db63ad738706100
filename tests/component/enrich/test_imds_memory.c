// SPDX-License-Identifier: MIT
/* For every n, the n-th allocation fails: clean errors, no leak, and in the end all is learned. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>

#include "agent/base/clock.h"
#include "tests/component/enrich/metadata_fixture.h"
#include "tests/stubs/failing_alloc.h"

static const struct fffa_device device = {.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}};

/* Opens with the failure armed. False: it failed as it should and left nothing behind. */
static bool open_armed(struct metadata_fixture *r)
{
	struct fffa_err err = {""};
	int rc = fffa_meta_open_tuned(&r->loop, &r->conf, &r->tuning, &r->meta, &err);

	if (rc == 0)
		return true;
	assert_int_equal(rc, -ENOMEM);
	assert_true(err.text[0] != '\0');
	assert_null(r->meta);
	return false;
}

static bool has_task(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return metadata_fixture_ident(r, 2)->host->ecs.task_id[0] != '\0';
}

static void test_every_allocation(void **state)
{
	struct metadata_fixture *r = *state;
	unsigned int failed_opens = 0, n;
	bool fired = true;

	r->conf.imds.refresh_ns = 20 * (int64_t)FFFA_NS_PER_MS; /* a lost snapshot is made anew */
	for (n = 1; fired && n < 100; n++) {
		failing_alloc_arm(n);
		if (open_armed(r)) {
			int rc = fffa_meta_set_devices(r->meta, &device, 1);

			assert_true(rc == 0 || rc == -ENOMEM);
			metadata_fixture_await(r, metadata_fixture_is_learned, 0);
			fired = failing_alloc_fired();
			failing_alloc_arm(0);
			if (rc)
				assert_int_equal(fffa_meta_set_devices(r->meta, &device, 1), 0);
			while (!metadata_fixture_ident(r, 2)->interface_id[0])
				(void)uv_run(&r->loop, UV_RUN_ONCE);
			assert_string_equal(metadata_fixture_ident(r, 2)->interface_id,
					    "eni-00000020000000001");
			metadata_fixture_close(r);
		} else {
			failing_alloc_arm(0);
			failed_opens++;
		}
	}
	assert_true(failed_opens >= 3);	   /* the reader, its snapshot, the client, the bridge */
	assert_true(n > failed_opens + 4); /* devices, snapshots, sockets */
	assert_true(n < 100);
}

/* Without the ECS client the rest does its work. */
static void test_every_allocation_with_a_task(void **state)
{
	struct metadata_fixture *r = *state;
	bool fired = true;
	unsigned int n;

	r->ecs_only = true;
	r->conf.imds.enabled = FFFA_SW_OFF;
	imds_child_faults(&r->mock, "[{\"kind\":\"body\",\"body\":\"{\\\"TaskARN\\\":"
				    "\\\"arn:aws:ecs:us-east-1:111122223333:task/c/0123\\\"}\"}]");
	(void)setenv("ECS_CONTAINER_METADATA_URI_V4", r->endpoint, 1);
	for (n = 1; fired && n < 100; n++) {
		failing_alloc_arm(n);
		if (open_armed(r)) {
			metadata_fixture_await(r, metadata_fixture_is_settled, 0);
			fired = failing_alloc_fired();
			if (!fired)
				metadata_fixture_await(r, has_task, 0);
			failing_alloc_arm(0);
			metadata_fixture_close(r);
		} else {
			failing_alloc_arm(0);
		}
	}
	assert_uint_in_range(n, 6, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_allocation, metadata_fixture_setup,
						metadata_fixture_teardown),
		cmocka_unit_test_setup_teardown(test_every_allocation_with_a_task,
						metadata_fixture_setup, metadata_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
