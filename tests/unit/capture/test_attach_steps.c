// SPDX-License-Identifier: MIT
/* How a hook is attached, put back and taken off, step by step, and what each error says. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/unit/capture/attach_host.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void tcx_else_clsact(void **state)
{
	struct fffa_attachment a;
	struct fffa_err err;

	(void)state;
	assert_int_equal(attach_host_attach(FFFA_PROGRAM_TC_OUT, true, &a, &err), 0);
	attach_host_expect("+link 101 7 out, ");
	assert_int_equal(a.how, FFFA_ATTACH_TCX);
	assert_int_equal(a.program, FFFA_PROGRAM_TC_OUT);
	assert_int_equal(a.ifindex, IFINDEX);
	assert_int_equal(a.prog_id, 1001);
	fffa_attach_undo(&a, 1);
	attach_host_expect("-link, ");
	assert_false(is_open(a.link_fd));
	assert_int_equal(a.how, FFFA_ATTACH_NONE);
	fffa_attach_undo(&a, 1);
	attach_host_expect("");
	attach_host.tcx_error = EINVAL; /* an old kernel */
	assert_int_equal(attach_host_attach(FFFA_PROGRAM_TC_IN, true, &a, &err), 0);
	attach_host_expect("+clsact 100 7 in, ");
	assert_int_equal(a.how, FFFA_ATTACH_CLSACT);
	assert_int_equal(a.clsact.prog_id, 1000);
	attach_host.tcx_error = 0;
	assert_int_equal(attach_host_attach(FFFA_PROGRAM_IP_OUT, false, &a, &err), 0);
	attach_host_expect("+clsact 106 7 out, ");
	fffa_attach_undo(&a, 1);
	attach_host_expect("-clsact 1006 7 out, ");
}

static void errors_say_what_to_do(void **state)
{
	static const struct {
		int tcx, clsact, xdp;
		const char *in, *out;
	} rows[] = {
		{EPERM, 0, 0, "da: not allowed to attach TC ingress: CAP_NET_ADMIN is missing",
		 "da: not allowed to attach TC egress: CAP_NET_ADMIN is missing"},
		{ENODEV, 0, 0, "da: the interface is gone", "da: the interface is gone"},
		{EINVAL, EEXIST, 0,
		 "da: another program is attached at TC ingress; detach it or set capture.hook to "
		 "the other hook",
		 "da: another program is attached at TC egress; detach it or set capture.hook to "
		 "the other hook"},
		{EINVAL, EINVAL, 0,
		 "da: cannot attach TC ingress: an ingress qdisc is there instead of clsact, or a "
		 "filter of another kind at priority 1; look with `tc qdisc show dev da` and `tc "
		 "filter show dev da ingress`",
		 "da: cannot attach TC egress: an ingress qdisc is there instead of clsact, or a "
		 "filter of another kind at priority 1; look with `tc qdisc show dev da` and `tc "
		 "filter show dev da egress`"},
		{ENOMEM, 0, 0, "da: cannot attach TC ingress: Cannot allocate memory",
		 "da: cannot attach TC egress: Cannot allocate memory"},
		{0, 0, EBUSY,
		 "da: another program is attached at XDP; detach it or set capture.hook to the "
		 "other hook",
		 NULL},
		{0, 0, EOPNOTSUPP, "da: its driver has no native XDP; set capture.hook: tc", NULL},
		{0, 0, EINVAL, "da: cannot attach XDP: Invalid argument", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_attachment a;
		struct fffa_err err;
		int rc;

		attach_host.tcx_error = rows[i].tcx;
		attach_host.clsact_error = rows[i].clsact;
		attach_host.xdp_error = rows[i].xdp;
		memset(&a, 0, sizeof(a));
		rc = rows[i].out ? attach_host_attach(FFFA_PROGRAM_TC_IN, true, &a, &err)
				 : fffa_attach_xdp(NULL, IFINDEX, "da", &a, &err);
		assert_true(rc < 0);
		assert_string_equal(err.text, rows[i].in);
		assert_int_equal(a.how, FFFA_ATTACH_NONE);
		if (!rows[i].out)
			continue;
		assert_int_equal(attach_host_attach(FFFA_PROGRAM_IP_OUT, true, &a, &err), rc);
		assert_string_equal(err.text, rows[i].out);
	}
	attach_host_expect("");
}

static void xdp_is_native(void **state)
{
	struct fffa_attachment a = {0};
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_attach_xdp(NULL, IFINDEX, "da", &a, &err), 0);
	attach_host_expect("+link 102 7 xdp, ");
	assert_int_equal(a.how, FFFA_ATTACH_XDP);
	assert_int_equal(a.program, FFFA_PROGRAM_XDP_IN);
	assert_int_equal(a.ifindex, IFINDEX);
	assert_int_equal(a.prog_id, 1002);
	assert_true(fffa_attach_is_in_place(&a));
	fffa_attach_undo(&a, 1);
	attach_host_expect("-link, ");
	assert_false(is_open(a.link_fd));
}

static void what_is_in_place(void **state)
{
	struct fffa_attachment none = {0}, tcx = attach_host_attached(FFFA_PROGRAM_TC_IN, true),
			       out = attach_host_attached(FFFA_PROGRAM_TC_OUT, false);

	(void)state;
	assert_false(fffa_attach_is_in_place(&none));
	assert_true(fffa_attach_is_in_place(&tcx));
	attach_host.link_ifindex = 0;
	assert_false(fffa_attach_is_in_place(&tcx));
	attach_host.link_ifindex = IFINDEX;
	attach_host.clsact_id = 1001;
	assert_true(fffa_attach_is_in_place(&out));
	attach_host_expect("clsact? 7 out, ");
	attach_host.clsact_id = 1;
	assert_false(fffa_attach_is_in_place(&out));
	fffa_attach_undo(&tcx, 1);
	tcx.how = FFFA_ATTACH_TCX; /* its descriptor is closed: nobody can be asked */
	assert_false(fffa_attach_is_in_place(&tcx));
}

/* The twin comes first and muted; the two change roles; the old one goes. No packet is counted twice. */
static void a_move_to_the_front(void **state)
{
	struct fffa_attachment a = attach_host_attached(FFFA_PROGRAM_TC_OUT, true);
	struct fffa_err err;
	int old = a.link_fd;

	(void)state;
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), 0);
	attach_host_expect("mute 4 on 7, +link 104 7 out, mute 1 on 7, -link, mute 4 on 0, ");
	assert_int_equal(a.program, FFFA_PROGRAM_TC_OUT_2ND);
	assert_int_equal(a.prog_id, 1004);
	assert_false(is_open(old));
	assert_true(is_open(a.link_fd) && a.link_fd != old);
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), 0); /* and back */
	attach_host_expect("mute 1 on 7, +link 101 7 out, mute 4 on 7, -link, mute 1 on 0, ");
	/* A move that fails: off, then on; what fails then is told, and may be tried again. */
	attach_host.tcx_error = ENOMEM;
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), -ENOMEM);
	attach_host_expect("mute 4 on 7, mute 4 on 0, -link, ");
	assert_string_equal(err.text, "da: cannot attach TC egress: Cannot allocate memory");
	assert_int_equal(a.how, FFFA_ATTACH_TCX);
	assert_int_equal(a.program, FFFA_PROGRAM_TC_OUT);
	assert_int_equal(a.link_fd, -1);
	attach_host.tcx_error = 0;
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), 0);
	attach_host_expect("-link that is none, +link 101 7 out, ");
	assert_true(is_open(a.link_fd));
	fffa_attach_undo(&a, 1);
}

/* What is off is attached anew, in the way that it was. */
static void what_is_off_is_put_back(void **state)
{
	struct fffa_attachment none = {0}, a = attach_host_attached(FFFA_PROGRAM_TC_IN, true);
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_attach_put_back(NULL, &none, "da", &err), 0);
	attach_host_expect("");
	attach_host.link_ifindex = 0;
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), 0);
	attach_host_expect("-link, +link 100 7 in, ");
	fffa_attach_undo(&a, 1);
	assert_int_equal(fffa_attach_xdp(NULL, IFINDEX, "da", &a, &err), 0);
	attach_host.steps[0] = '\0';
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), 0);
	attach_host_expect("-link, +link 102 7 xdp, ");
	assert_int_equal(a.how, FFFA_ATTACH_XDP);
	fffa_attach_undo(&a, 1);
	attach_host.makes_qdisc = true;
	a = attach_host_attached(FFFA_PROGRAM_TC_IN, false);
	attach_host.makes_qdisc = false;
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), 0);
	attach_host_expect("-clsact 1000 7 in, +clsact 100 7 in, ");
	assert_true(a.clsact.made_qdisc); /* by us, the first time */
	attach_host.clsact_error = EEXIST;
	assert_int_equal(fffa_attach_put_back(NULL, &a, "da", &err), -EBUSY);
	assert_int_equal(a.how, FFFA_ATTACH_CLSACT);
	attach_host.steps[0] = '\0';
	fffa_attach_undo(&a, 1);
	attach_host_expect("-clsact 1000 7 in, -qdisc 7, ");
}

/* The qdisc goes after both filters, whichever of them made it. */
static void the_qdisc_goes_last(void **state)
{
	(void)state;
	for (int maker = 0; maker < 3; maker++) {
		struct fffa_attachment a[2];

		for (int i = 0; i < 2; i++) {
			attach_host.makes_qdisc = maker == i;
			a[i] = attach_host_attached((enum fffa_program)i, false);
		}
		fffa_attach_undo(a, 2);
		attach_host_expect(maker < 2 ? "-clsact 1000 7 in, -clsact 1001 7 out, -qdisc 7, "
					     : "-clsact 1000 7 in, -clsact 1001 7 out, ");
	}
}

static void hooks_have_names(void **state)
{
	(void)state;
	assert_string_equal(fffa_attach_name(FFFA_ATTACH_NONE), "none");
	assert_string_equal(fffa_attach_name(FFFA_ATTACH_TCX), "tcx");
	assert_string_equal(fffa_attach_name(FFFA_ATTACH_CLSACT), "clsact");
	assert_string_equal(fffa_attach_name(FFFA_ATTACH_XDP), "xdp");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, attach_host_setup)
	const struct CMUnitTest tests[] = {
		T(tcx_else_clsact),	T(errors_say_what_to_do), T(xdp_is_native),
		T(what_is_in_place),	T(a_move_to_the_front),	  T(what_is_off_is_put_back),
		T(the_qdisc_goes_last), T(hooks_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
