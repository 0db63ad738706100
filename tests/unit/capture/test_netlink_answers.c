// SPDX-License-Identifier: MIT
/*
 * Devices, routes and drivers out of netlink messages that this test makes, and what becomes of errors. The linker puts
 * functions of this file in place of libmnl's sockets, so nobody is asked.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>

#include "agent/capture/devices/links.h"
#include "agent/capture/devices/preflight.h"
#include "tests/stubs/cmocka_all.h"

#define REQUESTS_MAX 40
#define ROOM	     16384

/* The kernel. Answers are for the request whose turn it is: links, routes of IPv4, routes of IPv6; or a family, a device. */
static struct {
	int open_error, bind_error, send_error, recv_error; /* errno; 0: none */
	int dump_error;	 /* told within the answer, of request: */
	size_t error_at; /* number of the first request with dump_error */
	size_t opened, closed, requests;
	uint16_t type[REQUESTS_MAX];
	unsigned char family[REQUESTS_MAX], version[REQUESTS_MAX];
	uint16_t flags[REQUESTS_MAX];
	uint32_t seq;
	char answer[4][ROOM];
	size_t len[4];
	bool endless; /* links without end */
	uint32_t made;
	uint32_t xdp[3]; /* programs: of the mode in use, native, generic */
	int xdp_error;
	bool done; /* the answer was given; its end comes next */
} nl;

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid);
unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *s);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *s, const void *req, size_t n);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *s, void *buf, size_t n);
int __wrap_mnl_socket_close(struct mnl_socket *s);
int __wrap_bpf_xdp_query(int ifindex, int flags, struct bpf_xdp_query_opts *opts);

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	assert_true(bus == NETLINK_ROUTE || bus == NETLINK_GENERIC);
	assert_int_equal(flags, SOCK_CLOEXEC);
	if (nl.open_error) {
		errno = nl.open_error;
		return NULL;
	}
	nl.opened++;
	return (struct mnl_socket *)&nl;
}

static int fail_with(int error)
{
	errno = error;
	return error ? -1 : 0;
}

int __wrap_mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid)
{
	(void)s;
	assert_true(!groups && pid == MNL_SOCKET_AUTOPID);
	return fail_with(nl.bind_error);
}

unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *s)
{
	(void)s;
	return 0;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *s, const void *req, size_t n)
{
	const struct nlmsghdr *h = req;

	(void)s;
	assert_int_equal(n, h->nlmsg_len);
	assert_true(nl.requests < REQUESTS_MAX);
	nl.type[nl.requests] = h->nlmsg_type;
	nl.flags[nl.requests] = h->nlmsg_flags;
	nl.version[nl.requests] = ((const unsigned char *)mnl_nlmsg_get_payload(h))[1];
	nl.family[nl.requests++] = ((const unsigned char *)mnl_nlmsg_get_payload(h))[0];
	nl.seq = h->nlmsg_seq;
	nl.done = false;
	return fail_with(nl.send_error) ? -1 : (ssize_t)n;
}

static size_t end_dump(char *buf)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	int error = nl.dump_error && nl.requests > nl.error_at ? -nl.dump_error : 0;
	struct nlmsgerr *e;

	h->nlmsg_seq = nl.seq;
	if (error) {
		h->nlmsg_type = NLMSG_ERROR;
		e = mnl_nlmsg_put_extra_header(h, sizeof(*e));
		e->error = error;
	} else {
		h->nlmsg_type = NLMSG_DONE;
		h->nlmsg_flags = NLM_F_MULTI;
		(void)mnl_nlmsg_put_extra_header(h, sizeof(int));
	}
	return h->nlmsg_len;
}

static size_t put_link(char *buf, uint32_t ifindex)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_MULTI;
	h->nlmsg_seq = nl.seq;
	i->ifi_index = (int)ifindex;
	return h->nlmsg_len;
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *s, void *buf, size_t n)
{
	size_t at = (nl.requests - 1) % 4, len = 0;

	(void)s;
	if (nl.recv_error)
		return fail_with(nl.recv_error);
	if (nl.endless && !nl.done) {
		for (int i = 0; i < 100; i++)
			len += put_link((char *)buf + len, ++nl.made);
		nl.done = nl.made >= 20000;
		return (ssize_t)len;
	}
	if (nl.done || !nl.len[at])
		return (ssize_t)end_dump(buf);
	nl.done = true;
	assert_true(nl.len[at] <= n);
	memcpy(buf, nl.answer[at], nl.len[at]);
	for (char *p = buf; p < (char *)buf + nl.len[at];
	     p += ((const struct nlmsghdr *)(void *)p)->nlmsg_len)
		((struct nlmsghdr *)(void *)p)->nlmsg_seq = nl.seq;
	return (ssize_t)nl.len[at];
}

int __wrap_mnl_socket_close(struct mnl_socket *s)
{
	assert_ptr_equal(s, &nl);
	nl.closed++;
	return 0;
}

int __wrap_bpf_xdp_query(int ifindex, int flags, struct bpf_xdp_query_opts *opts)
{
	assert_true(ifindex == 7 && !flags);
	opts->prog_id = nl.xdp[0];
	opts->drv_prog_id = nl.xdp[1];
	opts->skb_prog_id = nl.xdp[2];
	return nl.xdp_error;
}

static int setup(void **state)
{
	(void)state;
	memset(&nl, 0, sizeof(nl));
	return 0;
}

/* Adds a message to the answer of request `at`. end_message takes it in. */
static struct nlmsghdr *begin_message(size_t at, uint16_t type)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(nl.answer[at] + nl.len[at]);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_MULTI;
	return h;
}

static void end_message(size_t at, const struct nlmsghdr *h)
{
	nl.len[at] += h->nlmsg_len;
	assert_true(nl.len[at] <= ROOM);
}

static struct nlmsghdr *begin_link(uint32_t ifindex, const char *name)
{
	struct nlmsghdr *h = begin_message(0, RTM_NEWLINK);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_index = (int)ifindex;
	i->ifi_type = ARPHRD_ETHER;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return h;
}

static void add_link(uint32_t ifindex, const char *name)
{
	end_message(0, begin_link(ifindex, name));
}

static void links_are_read(void **state)
{
	static const uint8_t mac[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct nlmsghdr *h = begin_link(30, "thirty");
	struct fffa_links l;
	struct nlattr *nest;

	(void)state;
	((struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_flags = IFF_UP;
	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	mnl_attr_put_u32(h, IFLA_LINK, 10);
	mnl_attr_put_u32(h, IFLA_MASTER, 20);
	mnl_attr_put_u32(h, IFLA_MTU, 9001);
	nest = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_u32(h, IFLA_INFO_DATA, 7);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	mnl_attr_nest_end(h, nest);
	end_message(0, h);
	h = begin_message(0, RTM_DELLINK); /* no device */
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	end_message(0, h);
	/* Attributes of other lengths are none. */
	h = begin_link(10, "a-name-of-16-byt");
	((struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_type = ARPHRD_NONE;
	mnl_attr_put(h, IFLA_ADDRESS, 8, mac);
	mnl_attr_put_u16(h, IFLA_LINK, 10);
	mnl_attr_put_u64(h, IFLA_MASTER, 20);
	mnl_attr_put_u16(h, IFLA_MTU, 9001);
	end_message(0, h);
	/* A parent elsewhere, and a device on itself. */
	h = begin_link(21, "elsewhere");
	mnl_attr_put_u32(h, IFLA_LINK, 10);
	mnl_attr_put_u32(h, IFLA_LINK_NETNSID, 1);
	end_message(0, h);
	h = begin_link(20, "itself");
	mnl_attr_put_u32(h, IFLA_LINK, 20);
	end_message(0, h);
	assert_int_equal(fffa_links_read(&l, false), 0);
	assert_int_equal(nl.requests, 1);
	assert_int_equal(nl.type[0], RTM_GETLINK);
	assert_int_equal(nl.flags[0], NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.v[0].name, "a-name-of-16-by");
	assert_int_equal(l.v[0].type, ARPHRD_NONE);
	assert_true(!l.v[0].parent && !l.v[0].master && !l.v[0].mtu_bytes && !l.v[0].up);
	assert_memory_equal(l.v[0].mac, "\0\0\0\0\0\0", 6);
	assert_int_equal(l.v[1].ifindex, 20);
	assert_int_equal(l.v[1].parent, 0);
	assert_int_equal(l.v[2].ifindex, 21);
	assert_int_equal(l.v[2].parent, 0);
	assert_int_equal(l.v[3].ifindex, 30);
	assert_string_equal(l.v[3].name, "thirty");
	assert_string_equal(l.v[3].kind, "vlan");
	assert_memory_equal(l.v[3].mac, mac, 6);
	assert_true(l.v[3].parent == 10 && l.v[3].master == 20 && l.v[3].mtu_bytes == 9001);
	assert_true(l.v[3].up && l.v[3].type == ARPHRD_ETHER && !l.v[3].default_route);
	assert_ptr_equal(fffa_links_find(&l, 30), &l.v[3]);
	assert_null(fffa_links_find(&l, 31));
	assert_null(fffa_links_find(&l, 11));
	fffa_links_fini(&l);
	assert_true(!l.v && !l.n);
	assert_true(nl.opened == 1 && nl.closed == 1);
}

static struct nlmsghdr *begin_route(size_t at, struct rtmsg **m)
{
	struct nlmsghdr *h = begin_message(at, RTM_NEWROUTE);

	*m = mnl_nlmsg_put_extra_header(h, sizeof(**m));
	(*m)->rtm_table = RT_TABLE_MAIN;
	(*m)->rtm_type = RTN_UNICAST;
	return h;
}

/* Of routes to everywhere, by which a packet leaves. */
static void default_routes(void **state)
{
	struct rtnexthop hops[3] = {{.rtnh_len = sizeof(*hops), .rtnh_ifindex = 13},
				    {.rtnh_len = sizeof(*hops), .rtnh_ifindex = 14},
				    {.rtnh_len = sizeof(*hops) + 1, .rtnh_ifindex = 15}};
	struct fffa_links l;

	(void)state;
	for (uint32_t i = 1; i <= 16; i++)
		add_link(i, "x");
	for (uint32_t i = 0; i < 8; i++) {
		struct rtmsg *m;
		struct nlmsghdr *h = begin_route(1, &m);

		if (i == 0)
			m->rtm_dst_len = 1;
		if (i == 1)
			m->rtm_table = RT_TABLE_LOCAL;
		if (i == 2)
			m->rtm_type = RTN_UNREACHABLE;
		if (i == 3)
			m->rtm_flags = RTM_F_CLONED;
		if (i == 4)
			h->nlmsg_type = RTM_DELROUTE;
		if (i == 5)
			mnl_attr_put_u64(h, RTA_OIF, 6);
		else if (i == 6)
			mnl_attr_put_u32(h, RTA_IIF, 7);
		else
			mnl_attr_put_u32(h, RTA_OIF, i + 1); /* i is 7: the eighth counts */
		end_message(1, h);
	}
	for (int i = 0; i < 2; i++) {
		struct rtmsg *m;
		struct nlmsghdr *h = begin_route(2, &m);

		if (i)
			mnl_attr_put(h, RTA_MULTIPATH, sizeof(hops), hops);
		else
			mnl_attr_put_u32(h, RTA_OIF, 99); /* a device that is gone */
		end_message(2, h);
	}
	assert_int_equal(fffa_links_read(&l, true), 0);
	assert_int_equal(nl.requests, 3);
	assert_true(nl.type[1] == RTM_GETROUTE && nl.family[1] == AF_INET);
	assert_true(nl.type[2] == RTM_GETROUTE && nl.family[2] == AF_INET6);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.v[i].default_route, l.v[i].ifindex == 8 ||
							       l.v[i].ifindex == 13 ||
							       l.v[i].ifindex == 14);
	fffa_links_fini(&l);
}

static int read_links(void)
{
	struct fffa_links l = {0};
	int rc = fffa_links_read(&l, true);

	if (!rc)
		fffa_links_fini(&l);
	assert_true(!l.v && !l.n); /* nothing is held */
	assert_int_equal(nl.opened, nl.closed);
	return rc;
}

static void errors_are_returned(void **state)
{
	(void)state;
	add_link(1, "x");
	nl.open_error = EMFILE;
	assert_int_equal(read_links(), -EMFILE);
	nl.open_error = 0;
	nl.bind_error = EPERM;
	assert_int_equal(read_links(), -EPERM);
	assert_int_equal(nl.requests, 0);
	nl.bind_error = 0;
	nl.send_error = ENOBUFS;
	assert_int_equal(read_links(), -ENOBUFS);
	nl.send_error = 0;
	nl.recv_error = EIO;
	assert_int_equal(read_links(), -EIO);
	nl.recv_error = 0;
	for (nl.error_at = 0; nl.error_at < 3; nl.error_at++) {
		nl.requests = 0;
		nl.dump_error = EOPNOTSUPP;
		assert_int_equal(read_links(), -EOPNOTSUPP);
		assert_int_equal(nl.requests, nl.error_at + 1);
	}
}

/* A list that changes while it is read is read again, on a socket of its own, so many times. */
static void an_interrupted_dump_is_repeated(void **state)
{
	(void)state;
	nl.recv_error = EINTR;
	assert_int_equal(read_links(), -EINTR);
	assert_int_equal(nl.opened, 8);
	assert_int_equal(nl.requests, 8);
}

static void a_host_with_too_many_devices(void **state)
{
	struct fffa_links l;

	(void)state;
	nl.endless = true;
	assert_int_equal(fffa_links_read(&l, false), -E2BIG);
	assert_true(nl.made > FFFA_LINKS_MAX && nl.made <= FFFA_LINKS_MAX + 100);
	assert_int_equal(nl.opened, nl.closed);
}

static void answer_number(size_t at, uint16_t attr, uint64_t value, size_t bytes)
{
	struct nlmsghdr *h = begin_message(at, 0x20);

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct genlmsghdr));
	mnl_attr_put_u32(h, 99, 1);
	mnl_attr_put(h, attr, bytes, &value);
	h->nlmsg_flags = 0;
	end_message(at, h);
}

#define FAMILY_ID 1 /* CTRL_ATTR_FAMILY_ID */
#define FEATURES  3

/* What the kernel says of XDP in the driver; when it says nothing, it is not known. */
static void what_a_driver_can(void **state)
{
	static const struct {
		uint16_t family_attr, attr;
		size_t bytes;
		uint64_t value;
		enum fffa_native_xdp want;
	} rows[] = {
		{FAMILY_ID, FEATURES, 8, 1, FFFA_NATIVE_YES},
		{FAMILY_ID, FEATURES, 8, 0x7f, FFFA_NATIVE_YES},
		{FAMILY_ID, FEATURES, 8, 0x7e, FFFA_NATIVE_NO},
		{FAMILY_ID, FEATURES, 8, 0, FFFA_NATIVE_NO},
		{FAMILY_ID, FEATURES + 1, 8, 1, FFFA_NATIVE_UNKNOWN},
		{FAMILY_ID, FEATURES, 4, 1, FFFA_NATIVE_UNKNOWN},
		{FAMILY_ID + 1, FEATURES, 8, 1, FFFA_NATIVE_UNKNOWN},
	};
	struct fffa_hook_facts f;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)setup(state);
		answer_number(0, rows[i].family_attr, 0x1234, 2);
		answer_number(1, rows[i].attr, rows[i].value, rows[i].bytes);
		fffa_hook_facts_read(7, "absent0", &f);
		assert_int_equal(f.native, rows[i].want);
		assert_int_equal(f.xdp_prog_id, 0);
		assert_string_equal(f.driver, "");
		assert_int_equal(nl.type[0], GENL_ID_CTRL);
		assert_int_equal(nl.family[0], CTRL_CMD_GETFAMILY);
		assert_int_equal(nl.flags[0], NLM_F_REQUEST);
		if (rows[i].family_attr == FAMILY_ID) {
			assert_int_equal(nl.type[1], 0x1234);
			assert_true(nl.family[1] == 1 && nl.version[1] == 1);
		} else {
			assert_int_equal(nl.requests, 1);
		}
		assert_true(nl.opened == 1 && nl.closed == 1);
	}
}

static void a_driver_that_cannot_be_asked(void **state)
{
	struct fffa_hook_facts f;
	int *errors[] = {&nl.open_error, &nl.bind_error, &nl.send_error, &nl.recv_error,
			 &nl.dump_error};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		(void)setup(state);
		*errors[i] = EPERM;
		fffa_hook_facts_read(7, "absent0", &f);
		assert_int_equal(f.native, FFFA_NATIVE_UNKNOWN);
		assert_int_equal(nl.opened, nl.closed);
	}
}

static void which_xdp_program_is_there(void **state)
{
	static const struct {
		uint32_t ids[3], want;
	} rows[] = {{{0, 0, 0}, 0}, {{5, 6, 7}, 5}, {{0, 6, 7}, 6}, {{0, 0, 7}, 7}};
	struct fffa_hook_facts f;

	(void)state;
	nl.open_error = EPERM;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(nl.xdp, rows[i / 2].ids, sizeof(nl.xdp));
		nl.xdp_error = i & 1 ? -EPERM : 0;
		fffa_hook_facts_read(7, "absent0", &f);
		assert_int_equal(f.xdp_prog_id, i & 1 ? 0 : rows[i / 2].want);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(links_are_read),
		T(default_routes),
		T(errors_are_returned),
		T(an_interrupted_dump_is_repeated),
		T(a_host_with_too_many_devices),
		T(what_a_driver_can),
		T(a_driver_that_cannot_be_asked),
		T(which_xdp_program_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
