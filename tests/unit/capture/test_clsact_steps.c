// SPDX-License-Identifier: MIT
/*
 * The filter on a clsact qdisc, step by step: what is asked of the kernel, and what is read from its lists. The linker puts
 * functions of this file in place of those that ask.
 */
#include "agent/capture/kernel/clsact.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>

#include "tests/stubs/cmocka_all.h"

#define IFINDEX 7
#define OURS	1000
#define HANDLE	0xfffa

static struct {
	int create_error, attach_error, query_error; /* above 0; 0: done */
	uint32_t there;				     /* program in our place */
	int open_error, bind_error, send_error, recv_error;
	char steps[512];
	char list[2][8192]; /* of filters: ingress, egress; or of qdiscs in the first */
	size_t len[2];
	size_t opened, closed;
	uint32_t at, seq;
	bool done;
} host;

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	size_t len = strlen(host.steps);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(host.steps + len, sizeof(host.steps) - len, fmt, ap);
	va_end(ap);
}

static void expect_steps(const char *want)
{
	assert_string_equal(host.steps, want);
	host.steps[0] = '\0';
	assert_int_equal(host.opened, host.closed);
}

int __wrap_bpf_tc_hook_create(struct bpf_tc_hook *hook);
int __wrap_bpf_tc_hook_destroy(struct bpf_tc_hook *hook);
int __wrap_bpf_tc_attach(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts);
int __wrap_bpf_tc_detach(const struct bpf_tc_hook *hook, const struct bpf_tc_opts *opts);
int __wrap_bpf_tc_query(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts);
int __wrap_bpf_prog_get_fd_by_id(__u32 id);
int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len);
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid);
unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *s);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *s, const void *req, size_t n);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *s, void *buf, size_t n);
int __wrap_mnl_socket_close(struct mnl_socket *s);

static const char *where(const struct bpf_tc_hook *hook)
{
	assert_int_equal(hook->ifindex, IFINDEX);
	return hook->attach_point == BPF_TC_INGRESS  ? "in"
	       : hook->attach_point == BPF_TC_EGRESS ? "out"
						     : "both";
}

int __wrap_bpf_tc_hook_create(struct bpf_tc_hook *hook)
{
	note("qdisc %s, ", where(hook));
	return -host.create_error;
}

int __wrap_bpf_tc_hook_destroy(struct bpf_tc_hook *hook)
{
	note("-qdisc %s, ", where(hook));
	return 0;
}

int __wrap_bpf_tc_attach(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	assert_true(opts->handle == HANDLE && opts->priority == 1);
	note("+%d %s%s, ", opts->prog_fd, where(hook),
	     opts->flags & BPF_TC_F_REPLACE ? " in place of another" : "");
	opts->prog_id = OURS;
	return -host.attach_error;
}

int __wrap_bpf_tc_detach(const struct bpf_tc_hook *hook, const struct bpf_tc_opts *opts)
{
	assert_true(opts->handle == HANDLE && opts->priority == 1);
	note("-%s, ", where(hook));
	return 0;
}

int __wrap_bpf_tc_query(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	assert_true(opts->handle == HANDLE && opts->priority == 1);
	note("?%s, ", where(hook));
	opts->prog_id = host.there;
	return host.there ? -host.query_error : -ENOENT;
}

/* Programs below 2000 are ours; those from 3000 on are gone. */
int __wrap_bpf_prog_get_fd_by_id(__u32 id)
{
	return id >= 3000 ? -ENOENT
			  : open(id < 2000 ? "/dev/null" : "/dev/zero", O_RDWR | O_CLOEXEC);
}

int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	struct bpf_prog_info *p = info;
	char byte = 'x';

	/* /dev/null has no bytes to read. */
	(void)snprintf(p->name, sizeof(p->name), "%s",
		       read(fd, &byte, 1) ? "fffa_other" : "fffa_tc_in");
	*len = sizeof(*p);
	return 0;
}

static int fail_with(int error)
{
	errno = error;
	return error ? -1 : 0;
}

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	assert_true(bus == NETLINK_ROUTE && flags == SOCK_CLOEXEC);
	if (fail_with(host.open_error))
		return NULL;
	host.opened++;
	return (struct mnl_socket *)&host;
}

int __wrap_mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid)
{
	assert_ptr_equal(s, &host);
	assert_true(!groups && pid == MNL_SOCKET_AUTOPID);
	return fail_with(host.bind_error);
}

unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *s)
{
	assert_ptr_equal(s, &host);
	return 0;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *s, const void *req, size_t n)
{
	const struct nlmsghdr *h = req;
	const struct tcmsg *t = mnl_nlmsg_get_payload(h);

	assert_ptr_equal(s, &host);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(t->tcm_ifindex, IFINDEX);
	if (h->nlmsg_type == RTM_GETTFILTER) {
		bool egress = t->tcm_parent == TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);

		assert_true(egress || t->tcm_parent == TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
		host.at = egress;
		note("filters %s, ", egress ? "out" : "in");
	} else {
		assert_int_equal(h->nlmsg_type, RTM_GETQDISC);
		host.at = 0;
		note("qdiscs, ");
	}
	host.seq = h->nlmsg_seq;
	host.done = false;
	return fail_with(host.send_error) ? -1 : (ssize_t)n;
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *s, void *buf, size_t n)
{
	struct nlmsghdr *h;

	assert_ptr_equal(s, &host);
	if (host.recv_error)
		return fail_with(host.recv_error);
	if (!host.done && host.len[host.at]) {
		host.done = true;
		assert_true(host.len[host.at] <= n);
		memcpy(buf, host.list[host.at], host.len[host.at]);
		return (ssize_t)host.len[host.at];
	}
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = NLMSG_DONE;
	h->nlmsg_seq = host.seq;
	(void)mnl_nlmsg_put_extra_header(h, sizeof(int));
	return (ssize_t)h->nlmsg_len;
}

int __wrap_mnl_socket_close(struct mnl_socket *s)
{
	assert_ptr_equal(s, &host);
	host.closed++;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	return 0;
}

/* Adds a filter or qdisc to a list. */
static void add(uint32_t list, uint16_t type, const struct tcmsg *t, const char *kind,
		uint32_t chain, uint32_t prog_id, const char *name)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(host.list[list] + host.len[list]);
	struct nlattr *nest;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_MULTI;
	h->nlmsg_seq = 1;
	*(struct tcmsg *)mnl_nlmsg_put_extra_header(h, sizeof(*t)) = *t;
	mnl_attr_put_strz(h, TCA_KIND, kind);
	mnl_attr_put_u32(h, TCA_CHAIN, chain);
	nest = mnl_attr_nest_start(h, TCA_OPTIONS);
	if (prog_id)
		mnl_attr_put_u32(h, TCA_BPF_ID, prog_id);
	if (name)
		mnl_attr_put_strz(h, TCA_BPF_NAME, name);
	mnl_attr_nest_end(h, nest);
	host.len[list] += h->nlmsg_len;
}

static void add_filter(uint32_t list, uint32_t handle, uint32_t priority, const char *kind,
		       uint32_t chain, uint32_t prog_id, const char *name)
{
	const struct tcmsg t = {.tcm_ifindex = IFINDEX,
				.tcm_handle = handle,
				.tcm_info = TC_H_MAKE(priority << 16, 3)};

	add(list, RTM_NEWTFILTER, &t, kind, chain, prog_id, name);
}

static void add_qdisc(uint32_t ifindex, uint32_t parent, const char *kind)
{
	const struct tcmsg t = {.tcm_ifindex = (int)ifindex, .tcm_parent = parent};

	add(0, RTM_NEWQDISC, &t, kind, 0, 0, NULL);
}

static void expect_attach(bool egress, int want, bool made, const char *steps)
{
	struct fffa_clsact c = {.prog_id = 5};

	assert_int_equal(fffa_clsact_attach(44, IFINDEX, egress, &c), want);
	expect_steps(steps);
	assert_int_equal(c.prog_id, want ? 5 : OURS);
	assert_int_equal(c.made_qdisc, made);
}

static void a_filter_of_our_own(void **state)
{
	(void)state;
	expect_attach(false, 0, true, "qdisc in, +44 in, ");
	expect_attach(true, 0, true, "qdisc out, +44 out, ");
	host.create_error = EEXIST;
	expect_attach(false, 0, false, "qdisc in, ?in, +44 in, ");
	host.there = OURS; /* a crash left it */
	expect_attach(false, 0, false, "qdisc in, ?in, +44 in in place of another, ");
	host.there = 2000;
	expect_attach(false, -EEXIST, false, "qdisc in, ?in, ");
	host.there = 3000; /* it cannot be told whose it is */
	expect_attach(false, -EEXIST, false, "qdisc in, ?in, ");
	host.create_error = EPERM;
	expect_attach(false, -EPERM, false, "qdisc in, ");
}

/* The qdisc of before TC's egress side takes egress filters and runs them on ingress. */
static void an_old_qdisc_has_no_egress(void **state)
{
	(void)state;
	host.create_error = EEXIST;
	add_qdisc(IFINDEX, TC_H_INGRESS, "clsact");
	add_qdisc(IFINDEX + 1, TC_H_INGRESS, "ingress");
	add_qdisc(IFINDEX, TC_H_ROOT, "ingress");
	expect_attach(true, 0, false, "qdisc out, qdiscs, ?out, +44 out, ");
	add_qdisc(IFINDEX, TC_H_INGRESS, "ingress");
	expect_attach(true, -EINVAL, false, "qdisc out, qdiscs, ");
	expect_attach(false, 0, false, "qdisc in, ?in, +44 in, ");
	host.len[0] = 0;
	for (int i = 0; i < 4; i++) {
		int *errors[] = {&host.open_error, &host.bind_error, &host.send_error,
				 &host.recv_error};

		*errors[i] = EPERM; /* nobody can be asked */
		expect_attach(true, -EINVAL, false, i < 2 ? "qdisc out, " : "qdisc out, qdiscs, ");
		*errors[i] = 0;
	}
}

static void an_attach_that_fails(void **state)
{
	(void)state;
	host.attach_error = ENOMEM; /* the qdisc that was made for it goes again */
	expect_attach(false, -ENOMEM, false,
		      "qdisc in, +44 in, filters in, filters out, -qdisc both, ");
	host.create_error = EEXIST;
	expect_attach(false, -ENOMEM, false, "qdisc in, ?in, +44 in, ");
}

static void only_our_filter_is_taken_off(void **state)
{
	const struct fffa_clsact c = {.prog_id = OURS};

	(void)state;
	host.there = OURS;
	assert_true(fffa_clsact_attached(&c, IFINDEX, true));
	expect_steps("?out, ");
	fffa_clsact_detach(&c, IFINDEX, true);
	expect_steps("?out, -out, ");
	host.there = OURS + 1;
	assert_false(fffa_clsact_attached(&c, IFINDEX, false));
	fffa_clsact_detach(&c, IFINDEX, false);
	expect_steps("?in, ?in, ");
	host.there = OURS;
	host.query_error = EPERM;
	assert_false(fffa_clsact_attached(&c, IFINDEX, false));
	expect_steps("?in, ");
}

static void a_qdisc_in_use_stays(void **state)
{
	(void)state;
	fffa_clsact_remove_unused_qdisc(IFINDEX);
	expect_steps("filters in, filters out, -qdisc both, ");
	add_filter(1, 1, 9, "flower", 3, 0, NULL);
	fffa_clsact_remove_unused_qdisc(IFINDEX);
	expect_steps("filters in, filters out, ");
	host.len[1] = 0;
	add_filter(0, 1, 9, "bpf", 0, 2000, NULL);
	fffa_clsact_remove_unused_qdisc(IFINDEX);
	expect_steps("filters in, ");
	host.recv_error = EPERM; /* it is not known */
	fffa_clsact_remove_unused_qdisc(IFINDEX);
	expect_steps("filters in, ");
}

static void expect_order(bool egress, bool attached, bool first, uint32_t id, const char *name)
{
	const struct fffa_clsact c = {.prog_id = OURS};
	struct fffa_clsact_order o;

	memset(&o, 0xff, sizeof(o));
	assert_int_equal(fffa_clsact_read_order(&c, IFINDEX, egress, &o), 0);
	expect_steps(egress ? "filters out, " : "filters in, ");
	assert_int_equal(o.attached, attached);
	assert_int_equal(o.first, first);
	assert_int_equal(o.first_prog_id, id);
	assert_string_equal(o.first_name, name);
}

static void who_runs_first(void **state)
{
	struct fffa_clsact_order o;

	(void)state;
	expect_order(true, false, false, 0, "");
	add_filter(1, 0, 1, "bpf", 0, OURS, "whole");	      /* a priority, no filter */
	add_filter(1, 5, 1, "bpf", 2, OURS + 1, "elsewhere"); /* no packet begins there */
	add(1, RTM_DELTFILTER, &(struct tcmsg){.tcm_handle = 1}, "bpf", 0, 1, "gone");
	expect_order(true, false, false, 0, "");
	add_filter(1, HANDLE, 1, "bpf", 0, OURS, "fffa_tc_out");
	expect_order(true, true, true, OURS, "fffa_tc_out");
	add_filter(1, 5, 1, "flower", 0, 0, NULL);
	expect_order(true, true, true, OURS, "fffa_tc_out");
	host.len[1] = 0;
	add_filter(1, 5, 1, "flower", 0, 77, "not a program"); /* of other options */
	add_filter(1, HANDLE, 1, "bpf", 0, OURS, "fffa_tc_out");
	expect_order(true, true, false, 0, "flower");
	host.len[1] = 0;
	add_filter(1, 6, 1, "bpf", 0, 2000, NULL);
	expect_order(true, false, false, 2000, "bpf");
	add_filter(1, HANDLE, 1, "bpf", 0, 2001, "of another's");
	add_filter(1, HANDLE, 2, "bpf", 0, OURS, "of another priority");
	add_filter(1, HANDLE + 1, 1, "bpf", 0, OURS, "of another handle");
	expect_order(true, false, false, 2000, "bpf");
	expect_order(false, false, false, 0, "");
	host.recv_error = EPERM;
	assert_int_equal(
		fffa_clsact_read_order(&(struct fffa_clsact){.prog_id = OURS}, IFINDEX, true, &o),
		-EPERM);
	host.open_error = EMFILE;
	assert_int_equal(
		fffa_clsact_read_order(&(struct fffa_clsact){.prog_id = OURS}, IFINDEX, true, &o),
		-EMFILE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_filter_of_our_own),	 T(an_old_qdisc_has_no_egress),
		T(an_attach_that_fails), T(only_our_filter_is_taken_off),
		T(a_qdisc_in_use_stays), T(who_runs_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
