// SPDX-License-Identifier: MIT
/* Where a hook stands among other programs, and who is in front. */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "agent/capture/kernel/chain.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/unit/capture/attach_host.h"

static void expect_place(const struct fffa_attachment *a, enum fffa_place want, uint32_t id,
			 const char *name)
{
	struct fffa_chain_head h;

	memset(&h, 0xff, sizeof(h));
	assert_int_equal(fffa_chain_place(a, &h), want);
	assert_int_equal(h.prog_id, id);
	assert_string_equal(h.name, name);
}

static void the_place_in_a_tcx_chain(void **state)
{
	struct fffa_attachment a = attach_host_attached(FFFA_PROGRAM_TC_OUT, true);

	(void)state;
	attach_host.n = 2;
	attach_host.ids[0] = 1001;
	attach_host.ids[1] = 5000;
	expect_place(&a, FFFA_PLACE_FIRST, 0, "");
	attach_host_expect("chain 7 out, ");
	attach_host.ids[0] = 5000;
	attach_host.ids[1] = 1001;
	expect_place(&a, FFFA_PLACE_BEHIND, 5000, "other");
	attach_host.ids[0] = 4999;
	expect_place(&a, FFFA_PLACE_BEHIND, 4999, ""); /* its name cannot be read */
	attach_host.n = 1;
	expect_place(&a, FFFA_PLACE_NONE, 0, "");
	attach_host.n = 0;
	expect_place(&a, FFFA_PLACE_NONE, 0, "");
	attach_host.n = 70; /* more than the kernel has */
	attach_host.ids[0] = attach_host.ids[1] = attach_host.ids[2] = 5000;
	expect_place(&a, FFFA_PLACE_NONE, 0, "");
	attach_host.query_error = ENOENT;
	expect_place(&a, FFFA_PLACE_NONE, 0, "");
	attach_host.query_error = EPERM;
	expect_place(&a, FFFA_PLACE_UNKNOWN, 0, "");
	fffa_attach_undo(&a, 1);
	a = attach_host_attached(FFFA_PROGRAM_IP_IN, true);
	expect_place(&a, FFFA_PLACE_UNKNOWN, 0, "");
	attach_host_expect("chain 7 in, ");
	fffa_attach_undo(&a, 1);
}

static void the_place_of_xdp(void **state)
{
	struct fffa_attachment a = {0}, none = {0};
	struct fffa_chain_head h;
	struct fffa_err err;

	(void)state;
	expect_place(&none, FFFA_PLACE_UNKNOWN, 0, "");
	assert_int_equal(fffa_attach_xdp(NULL, IFINDEX, "da", &a, &err), 0);
	attach_host.xdp_id = 1002;
	expect_place(&a, FFFA_PLACE_FIRST, 0, "");
	assert_int_equal(attach_host.xdp_flags, XDP_FLAGS_DRV_MODE);
	attach_host.xdp_id = 0;
	expect_place(&a, FFFA_PLACE_NONE, 0, "");
	attach_host.xdp_id = 5001;
	expect_place(&a, FFFA_PLACE_NONE, 5001, "other");
	fffa_chain_xdp(IFINDEX, &h); /* in any mode */
	assert_int_equal(h.prog_id, 5001);
	assert_string_equal(h.name, "other");
	assert_int_equal(attach_host.xdp_flags, 0);
	attach_host.xdp_query_error = EINVAL;
	expect_place(&a, FFFA_PLACE_UNKNOWN, 0, "");
	fffa_chain_xdp(IFINDEX, &h);
	assert_int_equal(h.prog_id, 0);
	assert_string_equal(h.name, "");
	fffa_attach_undo(&a, 1);
}

static void the_place_of_a_filter(void **state)
{
	struct fffa_attachment a = attach_host_attached(FFFA_PROGRAM_TC_IN, false);

	(void)state;
	attach_host.order = (struct fffa_clsact_order){.attached = true, .first = true};
	expect_place(&a, FFFA_PLACE_FIRST, 0, "");
	attach_host_expect("order of 1000 7 in, ");
	attach_host.order = (struct fffa_clsact_order){.attached = true, .first_name = "flower"};
	expect_place(&a, FFFA_PLACE_BEHIND, 0, "flower");
	attach_host.order.first_prog_id = 4999;
	expect_place(&a, FFFA_PLACE_BEHIND, 4999, "flower");
	attach_host.order.first_prog_id = 5000; /* the program's own name counts more */
	expect_place(&a, FFFA_PLACE_BEHIND, 5000, "other");
	attach_host.order.attached = false;
	expect_place(&a, FFFA_PLACE_NONE, 0, "");
	attach_host.order_error = EMFILE;
	expect_place(&a, FFFA_PLACE_UNKNOWN, 0, "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, attach_host_setup)
	const struct CMUnitTest tests[] = {
		T(the_place_in_a_tcx_chain),
		T(the_place_of_xdp),
		T(the_place_of_a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
