// SPDX-License-Identifier: MIT
/*
 * Hooks on devices of a namespace of our own: what is left after a crash and after a clean end, and
 * what belongs to other programs.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/capture/kernel/attach.h"
#include "agent/capture/kernel/chain.h"
#include "agent/service/privileges.h"

#define HANDLE 0xfffa

static struct fffa_kernel *open_kernel(void)
{
	struct fffa_kernel_conf c = {.max_flows = 1024, .ring_bytes = 65536, .slices = 1};
	struct fffa_kernel *k;
	struct fffa_err err;

	if (!fffa_kernel_open(&c, &k, &err))
		return k;
	(void)fprintf(stderr, "%s\n", err.text);
	return NULL;
}

static int setup_kernel(void **state)
{
	*state = open_kernel();
	return *state ? 0 : -1;
}

static int unload(void **state)
{
	fffa_kernel_close(*state);
	return 0;
}

/* A fresh namespace with da and its peer db. */
static int setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return -1;
	return system("ip link add da type veth peer name db && ip link set da up");
}

static void run_shell(const char *command)
{
	if (system(command))
		fail_msg("%s failed", command);
}

/* Returns how many lines of a command's output hold the text. line gets the last of them. */
static int lines_with(const char *command, const char *text, char line[256])
{
	FILE *f = popen(command, "r");
	char buf[256];
	int n = 0;

	assert_non_null(f);
	line[0] = 0;
	while (fgets(buf, sizeof(buf), f)) {
		if (!strstr(buf, text))
			continue;
		n++;
		(void)snprintf(line, sizeof(buf), "%s", buf);
	}
	assert_int_equal(pclose(f), 0);
	return n;
}

static int filters(const char *direction, char line[256])
{
	char command[64];

	(void)snprintf(command, sizeof(command), "tc filter show dev da %s", direction);
	return lines_with(command, "handle 0x", line);
}

static int qdiscs(void)
{
	char line[256];

	return lines_with("tc qdisc show dev da", "qdisc clsact", line);
}

static int attach_one(const struct fffa_kernel *k, enum fffa_program p, bool allow_tcx,
		      struct fffa_attachment *a, struct fffa_err *err)
{
	*a = (struct fffa_attachment){0};
	return fffa_attach_tc(k, p, if_nametoindex("da"), "da", allow_tcx, a, err);
}

static void attach_both(const struct fffa_kernel *k, bool allow_tcx, struct fffa_attachment a[2])
{
	struct fffa_err err = {""};

	if (attach_one(k, FFFA_PROGRAM_TC_IN, allow_tcx, &a[0], &err) ||
	    attach_one(k, FFFA_PROGRAM_TC_OUT, allow_tcx, &a[1], &err))
		fail_msg("%s", err.text);
}

static uint32_t program_id(const struct fffa_kernel *k, enum fffa_program p)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fffa_kernel_program_fd(k, p), &info, &len), 0);
	return info.id;
}

/* Another agent attaches and is killed. */
static void crash_one(void)
{
	int ready[2], status;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct fffa_kernel *k = open_kernel();
		struct fffa_attachment a[2];
		struct fffa_err err;

		if (k && !attach_one(k, FFFA_PROGRAM_TC_IN, false, &a[0], &err) &&
		    !attach_one(k, FFFA_PROGRAM_TC_OUT, false, &a[1], &err))
			byte = 1;
		(void)!write(ready[1], &byte, 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(byte, 1);
}

/* Asserts that the filter of that direction runs the program of k. */
static void expect_ours(const struct fffa_kernel *k, enum fffa_program p, const char *direction)
{
	char line[256], id[32];

	assert_int_equal(filters(direction, line), 1);
	assert_non_null(strstr(line, "handle 0xfffa"));
	(void)snprintf(id, sizeof(id), " id %u ", program_id(k, p));
	if (!strstr(line, id))
		fail_msg("\"%s\" is not program%s", line, id);
}

static void what_a_crash_left_is_replaced(void **state)
{
	const struct fffa_kernel *k = *state;
	struct fffa_attachment a[2];
	char line[256];

	crash_one();
	assert_int_equal(filters("ingress", line), 1);
	assert_int_equal(filters("egress", line), 1);
	attach_both(k, false, a);
	assert_int_equal(a[0].how, FFFA_ATTACH_CLSACT);
	expect_ours(k, FFFA_PROGRAM_TC_IN, "ingress");
	expect_ours(k, FFFA_PROGRAM_TC_OUT, "egress");
	assert_true(fffa_attach_is_in_place(&a[0]) && fffa_attach_is_in_place(&a[1]));
	fffa_attach_undo(a, 2);
	assert_false(fffa_attach_is_in_place(&a[0]) || fffa_attach_is_in_place(&a[1]));
	assert_int_equal(filters("ingress", line) + filters("egress", line), 0);
	/* Nobody knows any more who made the qdisc, so it stays. */
	assert_int_equal(qdiscs(), 1);
}

static void a_clean_end_leaves_nothing(void **state)
{
	struct fffa_attachment a[2];

	attach_both(*state, false, a);
	assert_int_equal(qdiscs(), 1);
	fffa_attach_undo(a, 2);
	assert_int_equal(qdiscs(), 0);
	fffa_attach_undo(a, 2); /* a second time is harmless */
}

static void a_qdisc_of_before_stays(void **state)
{
	struct fffa_attachment a[2];
	char line[256];

	run_shell("tc qdisc add dev da clsact");
	attach_both(*state, false, a);
	fffa_attach_undo(a, 2);
	assert_int_equal(qdiscs(), 1);
	assert_int_equal(filters("ingress", line) + filters("egress", line), 0);
}

/* Attaches another program to the ingress side of da. */
static void attach_stranger(uint32_t handle, uint32_t priority, uint32_t flags)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "stranger", "GPL", pass, 2, NULL);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("da"),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = priority, .prog_fd = fd,
		    .flags = flags);

	assert_true(fd >= 0);
	(void)bpf_tc_hook_create(&hook);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
	(void)close(fd);
}

static void expect_stranger(void)
{
	char line[256];

	assert_int_equal(filters("ingress", line), 1);
	assert_non_null(strstr(line, "stranger"));
}

static void a_strangers_filter_in_our_place_is_an_error(void **state)
{
	struct fffa_attachment a;
	struct fffa_err err;

	attach_stranger(HANDLE, 1, 0);
	assert_int_equal(attach_one(*state, FFFA_PROGRAM_TC_IN, false, &a, &err), -EBUSY);
	assert_non_null(strstr(err.text, "da: another program is attached at TC ingress"));
	assert_int_equal(a.how, FFFA_ATTACH_NONE);
	expect_stranger();
}

static void the_qdisc_stays_for_a_strangers_filter(void **state)
{
	struct fffa_attachment a[2];

	attach_both(*state, false, a);
	attach_stranger(1, 7, 0);
	fffa_attach_undo(a, 2);
	expect_stranger();
	assert_int_equal(qdiscs(), 1);
}

static void a_stranger_that_took_our_place_stays(void **state)
{
	struct fffa_attachment a[2];

	attach_both(*state, false, a);
	attach_stranger(HANDLE, 1, BPF_TC_F_REPLACE);
	assert_false(fffa_attach_is_in_place(&a[0]));
	assert_true(fffa_attach_is_in_place(&a[1]));
	fffa_attach_undo(a, 2);
	expect_stranger();
}

static void an_ingress_qdisc_in_the_way_is_named(void **state)
{
	struct fffa_attachment a;
	struct fffa_err err;

	run_shell("tc qdisc add dev da ingress");
	assert_int_equal(attach_one(*state, FFFA_PROGRAM_TC_OUT, false, &a, &err), -EINVAL);
	assert_non_null(strstr(err.text, "tc qdisc show dev da"));
}

static void a_tcx_link_ends_with_its_device(void **state)
{
	struct fffa_attachment a[2];

	attach_both(*state, true, a);
	if (a[0].how != FFFA_ATTACH_TCX) {
		fffa_attach_undo(a, 2);
		print_message("this kernel has no TCX\n");
		skip();
	}
	assert_int_equal(qdiscs(), 0);
	assert_true(fffa_attach_is_in_place(&a[0]) && fffa_attach_is_in_place(&a[1]));
	run_shell("ip link del da");
	assert_false(fffa_attach_is_in_place(&a[0]) || fffa_attach_is_in_place(&a[1]));
	fffa_attach_undo(a, 2);
}

static void a_device_that_is_gone(void **state)
{
	struct fffa_attachment a[2];
	uint32_t old = if_nametoindex("da");
	struct fffa_err err;

	attach_both(*state, false, a);
	run_shell("ip link del da");
	assert_false(fffa_attach_is_in_place(&a[0]) || fffa_attach_is_in_place(&a[1]));
	fffa_attach_undo(a, 2);
	assert_int_equal(fffa_attach_tc(*state, FFFA_PROGRAM_TC_IN, old, "da", false, &a[0], &err),
			 -ENODEV);
	assert_non_null(strstr(err.text, "da: the interface is gone"));
}

static void expect_place(const struct fffa_attachment *a, enum fffa_place want, const char *head)
{
	struct fffa_chain_head h;

	memset(&h, 0xff, sizeof(h));
	assert_int_equal(fffa_chain_place(a, &h), want);
	assert_string_equal(h.name, head);
	assert_int_equal(h.prog_id != 0, *head != '\0');
}

/* Who comes later with the same priority runs first. The kernel tells of so many in parts. */
static void the_place_of_a_filter(void **state)
{
	struct fffa_attachment a[2], none = {.how = FFFA_ATTACH_NONE};
	struct fffa_err err = {""};
	struct rlimit before;

	attach_both(*state, false, a);
	expect_place(&a[0], FFFA_PLACE_FIRST, "");
	expect_place(&a[1], FFFA_PLACE_FIRST, "");
	attach_stranger(1, 7, 0);
	expect_place(&a[0], FFFA_PLACE_FIRST, "");
	for (uint32_t handle = 1; handle <= 200; handle++)
		attach_stranger(handle, 1, 0);
	expect_place(&a[0], FFFA_PLACE_BEHIND, "stranger");
	expect_place(&a[1], FFFA_PLACE_FIRST, "");
	assert_int_equal(fffa_attach_put_back(*state, &a[0], "da", &err), 0);
	expect_place(&a[0], FFFA_PLACE_FIRST, "");
	run_shell("tc filter del dev da ingress");
	expect_place(&a[0], FFFA_PLACE_NONE, "");
	expect_place(&a[1], FFFA_PLACE_FIRST, "");
	expect_place(&none, FFFA_PLACE_UNKNOWN, "");
	/* Nobody can be asked. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
	expect_place(&a[0], FFFA_PLACE_UNKNOWN, "");
	expect_place(&a[1], FFFA_PLACE_UNKNOWN, "");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	fffa_attach_undo(a, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_a_crash_left_is_replaced, setup),
		cmocka_unit_test_setup(a_clean_end_leaves_nothing, setup),
		cmocka_unit_test_setup(a_qdisc_of_before_stays, setup),
		cmocka_unit_test_setup(a_strangers_filter_in_our_place_is_an_error, setup),
		cmocka_unit_test_setup(the_qdisc_stays_for_a_strangers_filter, setup),
		cmocka_unit_test_setup(a_stranger_that_took_our_place_stays, setup),
		cmocka_unit_test_setup(an_ingress_qdisc_in_the_way_is_named, setup),
		cmocka_unit_test_setup(a_tcx_link_ends_with_its_device, setup),
		cmocka_unit_test_setup(a_device_that_is_gone, setup),
		cmocka_unit_test_setup(the_place_of_a_filter, setup),
	};
	struct fffa_err err;

	if (fffa_privileges_check(&err) || unshare(CLONE_NEWNET)) {
		(void)printf("cannot make namespaces and load programs: run as root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup_kernel, unload);
}
