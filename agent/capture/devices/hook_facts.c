// SPDX-License-Identifier: MIT
/* Facts about a device's driver from ethtool, the attached XDP program and the netdev family. */
#include "agent/capture/devices/preflight.h"

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>

/* linux/netdev.h, since Linux 6.3; older headers do not have it. */
#define NETDEV_FAMILY	     "netdev"
#define NETDEV_VERSION	     1
#define NETDEV_DEV_GET	     1
#define NETDEV_DEV_IFINDEX   1
#define NETDEV_XDP_FEATURES  3
#define NETDEV_XDP_ACT_BASIC 1
#define ANSWER_BYTES	     8192

static void read_ethtool(const char *ifname, struct fffa_hook_facts *f)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq rc = {0};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return;
	(void)snprintf(rc.ifr_name, sizeof(rc.ifr_name), "%s", ifname);
	if (!ioctl(s, SIOCGIFMTU, &rc))
		f->mtu_bytes = (uint32_t)rc.ifr_mtu;
	rc.ifr_data = (void *)&info;
	if (!ioctl(s, SIOCETHTOOL, &rc)) {
		(void)snprintf(f->driver, sizeof(f->driver), "%.31s", info.driver);
		(void)snprintf(f->version, sizeof(f->version), "%.31s", info.version);
	}
	rc.ifr_data = (void *)&channels;
	if (!ioctl(s, SIOCETHTOOL, &rc)) {
		f->channels = channels.combined_count;
		f->channels_max = channels.max_combined;
	}
	(void)close(s);
}

struct wanted {
	uint16_t attr;
	uint64_t value;
	bool found;
};

static int take_attr(const struct nlmsghdr *h, void *arg)
{
	struct wanted *w = arg;
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(a) != w->attr)
			continue;
		if (mnl_attr_get_payload_len(a) == sizeof(uint64_t))
			w->value = mnl_attr_get_u64(a);
		else if (mnl_attr_get_payload_len(a) == sizeof(uint16_t))
			w->value = mnl_attr_get_u16(a);
		else
			continue;
		w->found = true;
	}
	return MNL_CB_OK;
}

/* Sends what is in buf and waits for the one answer. */
static bool ask(struct mnl_socket *s, struct nlmsghdr *h, struct wanted *w)
{
	char buf[ANSWER_BYTES];
	ssize_t len;

	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return false;
	len = mnl_socket_recvfrom(s, buf, sizeof(buf));
	return len > 0 &&
	       mnl_cb_run(buf, (size_t)len, h->nlmsg_seq, mnl_socket_get_portid(s), take_attr, w) >=
		       0 &&
	       w->found;
}

static struct nlmsghdr *begin(char *buf, uint16_t family, uint8_t command, uint8_t version)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = family;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = command;
	g->cmd = command;
	g->version = version;
	return h;
}

static enum fffa_native_xdp ask_features(struct mnl_socket *s, uint32_t ifindex)
{
	char buf[ANSWER_BYTES];
	struct nlmsghdr *h = begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	struct wanted family = {.attr = CTRL_ATTR_FAMILY_ID};
	struct wanted features = {.attr = NETDEV_XDP_FEATURES};

	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	if (!ask(s, h, &family))
		return FFFA_NATIVE_UNKNOWN;
	h = begin(buf, (uint16_t)family.value, NETDEV_DEV_GET, NETDEV_VERSION);
	mnl_attr_put_u32(h, NETDEV_DEV_IFINDEX, ifindex);
	if (!ask(s, h, &features))
		return FFFA_NATIVE_UNKNOWN;
	return features.value & NETDEV_XDP_ACT_BASIC ? FFFA_NATIVE_YES : FFFA_NATIVE_NO;
}

static enum fffa_native_xdp read_features(uint32_t ifindex)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	enum fffa_native_xdp native = FFFA_NATIVE_UNKNOWN;

	if (!s)
		return native;
	if (!mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID))
		native = ask_features(s, ifindex);
	(void)mnl_socket_close(s);
	return native;
}

void fffa_hook_facts_read(uint32_t ifindex, const char *ifname, struct fffa_hook_facts *out)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, xdp);

	memset(out, 0, sizeof(*out));
	read_ethtool(ifname, out);
	if (!bpf_xdp_query((int)ifindex, 0, &xdp))
		out->xdp_prog_id = xdp.prog_id	     ? xdp.prog_id
				   : xdp.drv_prog_id ? xdp.drv_prog_id
						     : xdp.skb_prog_id;
	out->native = read_features(ifindex);
}
