// SPDX-License-Identifier: MIT
#include "agent/capture/kernel/clsact.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>

/* The agent's filter is recognised by its place and its program's name. */
#define FILTER_HANDLE	0xfffa
#define FILTER_PRIORITY 1
#define PROGRAM_PREFIX	"fffa_tc_"

#define ANSWER_BYTES 32768

static bool is_ours(uint32_t prog_id)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);
	bool ours;

	if (fd < 0)
		return false;
	ours = !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       !strncmp(info.name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX));
	(void)close(fd);
	return ours;
}

/* Field by field: libbpf refuses a hook with non-zero padding, which an initialiser may leave. */
static void hook_init(struct bpf_tc_hook *hook, uint32_t ifindex, bool egress)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = sizeof(*hook);
	hook->ifindex = (int)ifindex;
	hook->attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

/* Id of the program in the agent's place; 0 when the place is free. */
static uint32_t who_is_there(const struct bpf_tc_hook *hook)
{
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	return bpf_tc_query(hook, &query) ? 0 : query.prog_id;
}

/* Sends a dump request and hands each answer to take. 0 or -errno. */
static int dump(uint16_t type, uint32_t ifindex, uint32_t parent, mnl_cb_t take, void *arg)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buf[ANSWER_BYTES];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct tcmsg *t = mnl_nlmsg_put_extra_header(h, sizeof(*t));
	ssize_t len = -1;
	int rc = MNL_CB_ERROR;

	if (!s)
		return -errno;
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	t->tcm_ifindex = (int)ifindex;
	t->tcm_parent = parent;
	if (!mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) &&
	    mnl_socket_sendto(s, h, h->nlmsg_len) >= 0) {
		do {
			len = mnl_socket_recvfrom(s, buf, sizeof(buf));
			rc = len < 0 ? MNL_CB_ERROR
				     : mnl_cb_run(buf, (size_t)len, 1, mnl_socket_get_portid(s),
						  take, arg);
		} while (rc > MNL_CB_STOP);
	}
	rc = rc == MNL_CB_ERROR ? -errno : 0;
	(void)mnl_socket_close(s);
	return rc;
}

struct qdisc {
	uint32_t ifindex;
	bool old;
};

static int take_qdisc(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(h);
	struct qdisc *q = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWQDISC || t->tcm_ifindex != (int)q->ifindex ||
	    t->tcm_parent != TC_H_INGRESS)
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(*t))
	{
		if (mnl_attr_get_type(a) == TCA_KIND && !mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
			q->old = !strcmp(mnl_attr_get_str(a), "ingress");
	}
	return MNL_CB_OK;
}

/* True for the older `ingress` qdisc. The kernel accepts an egress filter on it and then runs it on
 * ingress packets. */
static bool has_no_egress(uint32_t ifindex)
{
	struct qdisc q = {.ifindex = ifindex};

	return dump(RTM_GETQDISC, ifindex, 0, take_qdisc, &q) || q.old;
}

int fffa_clsact_attach(int prog_fd, uint32_t ifindex, bool egress, struct fffa_clsact *out)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		    .prog_fd = prog_fd);
	struct bpf_tc_hook hook;
	uint32_t there;
	bool made;
	int rc;

	hook_init(&hook, ifindex, egress);
	rc = bpf_tc_hook_create(&hook);
	made = !rc;
	if (rc && rc != -EEXIST)
		return rc;
	if (!made && egress && has_no_egress(ifindex))
		return -EINVAL;
	there = made ? 0 : who_is_there(&hook);
	if (there && !is_ours(there))
		return -EEXIST;
	if (there)
		opts.flags = BPF_TC_F_REPLACE;
	rc = bpf_tc_attach(&hook, &opts);
	if (rc && made)
		fffa_clsact_remove_unused_qdisc(ifindex);
	if (!rc)
		*out = (struct fffa_clsact){.prog_id = opts.prog_id, .made_qdisc = made};
	return rc;
}

bool fffa_clsact_attached(const struct fffa_clsact *c, uint32_t ifindex, bool egress)
{
	struct bpf_tc_hook hook;

	hook_init(&hook, ifindex, egress);
	return who_is_there(&hook) == c->prog_id;
}

void fffa_clsact_detach(const struct fffa_clsact *c, uint32_t ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	struct bpf_tc_hook hook;

	hook_init(&hook, ifindex, egress);
	if (fffa_clsact_attached(c, ifindex, egress))
		(void)bpf_tc_detach(&hook, &opts);
}

static int take_filter(const struct nlmsghdr *h, void *arg)
{
	bool *found = arg;

	if (h->nlmsg_type == RTM_NEWTFILTER)
		*found = true;
	return MNL_CB_OK;
}

/* True also when it is not known. */
static bool has_filters(uint32_t ifindex, uint32_t minor)
{
	bool found = false;

	return dump(RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, minor), take_filter, &found) ||
	       found;
}

/* A filter of a dump. */
struct filter {
	uint32_t prog_id, priority, chain;
	const char *kind, *name;
};

static void read_filter(const struct nlmsghdr *h, struct filter *f)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(h);
	const struct nlattr *a, *options = NULL;

	*f = (struct filter){.priority = TC_H_MAJ(t->tcm_info) >> 16, .kind = "filter", .name = ""};
	mnl_attr_for_each(a, h, sizeof(*t))
	{
		if (mnl_attr_get_type(a) == TCA_KIND && !mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
			f->kind = mnl_attr_get_str(a);
		else if (mnl_attr_get_type(a) == TCA_CHAIN && !mnl_attr_validate(a, MNL_TYPE_U32))
			f->chain = mnl_attr_get_u32(a);
		else if (mnl_attr_get_type(a) == TCA_OPTIONS)
			options = a;
	}
	if (!options || strcmp(f->kind, "bpf") != 0)
		return;
	mnl_attr_for_each_nested(a, options)
	{
		if (mnl_attr_get_type(a) == TCA_BPF_ID && !mnl_attr_validate(a, MNL_TYPE_U32))
			f->prog_id = mnl_attr_get_u32(a);
		else if (mnl_attr_get_type(a) == TCA_BPF_NAME &&
			 !mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
			f->name = mnl_attr_get_str(a);
	}
}

struct order {
	struct fffa_clsact_order *out;
	uint32_t prog_id;
	bool any; /* a filter came before */
};

/* The kernel lists filters in the order in which they run: by priority, and the newest first. */
static int take_order(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *t = mnl_nlmsg_get_payload(h);
	struct order *o = arg;
	struct filter f;
	bool ours;

	/* Handle 0 stands for a whole priority. Packets begin with chain 0. */
	if (h->nlmsg_type != RTM_NEWTFILTER || !t->tcm_handle)
		return MNL_CB_OK;
	read_filter(h, &f);
	if (f.chain)
		return MNL_CB_OK;
	ours = t->tcm_handle == FILTER_HANDLE && f.priority == FILTER_PRIORITY &&
	       f.prog_id == o->prog_id;
	if (ours)
		o->out->attached = true;
	if (!o->any) {
		o->out->first = ours;
		o->out->first_prog_id = f.prog_id;
		(void)snprintf(o->out->first_name, sizeof(o->out->first_name), "%s",
			       f.name[0] ? f.name : f.kind);
	}
	o->any = true;
	return MNL_CB_OK;
}

int fffa_clsact_read_order(const struct fffa_clsact *c, uint32_t ifindex, bool egress,
			   struct fffa_clsact_order *out)
{
	struct order o = {.out = out, .prog_id = c->prog_id};

	memset(out, 0, sizeof(*out));
	return dump(RTM_GETTFILTER, ifindex,
		    TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS), take_order,
		    &o);
}

void fffa_clsact_remove_unused_qdisc(uint32_t ifindex)
{
	struct bpf_tc_hook hook;

	if (has_filters(ifindex, TC_H_MIN_INGRESS) || has_filters(ifindex, TC_H_MIN_EGRESS))
		return;
	hook_init(&hook, ifindex, false);
	/* Both directions stand for the qdisc itself in libbpf. */
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	(void)bpf_tc_hook_destroy(&hook);
}
