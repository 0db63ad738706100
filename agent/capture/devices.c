// SPDX-License-Identifier: MIT
#include "agent/capture/devices.h"

#include <errno.h>
#include <fnmatch.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool name_in(const struct fffa_strings *patterns, const struct fffa_netdev *d, bool *by_name)
{
	*by_name = false;
	for (size_t i = 0; i < patterns->n; i++) {
		const char *p = patterns->v[i];

		if (!strcmp(p, d->name)) {
			*by_name = true;
			return true;
		}
		if (!strcmp(p, "auto") ? d->default_route
				       : d->type != ARPHRD_LOOPBACK && !fnmatch(p, d->name, 0))
			return true;
	}
	return false;
}

/* Marks the device named in a line of a route table. */
static void mark_default(struct fffa_netdev *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(all[i].name, name))
			all[i].default_route = true;
	}
}

static void read_default_routes(struct fffa_netdev *all, size_t n)
{
	char line[512], name[32], dst[40];
	unsigned int prefix, mask, v4, flags;
	FILE *f = fopen("/proc/net/route", "re");

	while (f && fgets(line, sizeof(line), f)) {
		/* Iface Destination Gateway Flags RefCnt Use Metric Mask */
		if (sscanf(line, "%31s %x %*x %*x %*d %*d %*d %x", name, &v4, &mask) == 3 && !v4 &&
		    !mask)
			mark_default(all, n, name);
	}
	if (f)
		(void)fclose(f);
	f = fopen("/proc/net/ipv6_route", "re");
	while (f && fgets(line, sizeof(line), f)) {
		/* dest prefix source prefix next-hop metric refcnt use flags device; 0x200: reject
		 */
		if (sscanf(line, "%39s %x %*s %*x %*s %*x %*x %*x %x %31s", dst, &prefix, &flags,
			   name) == 4 &&
		    !prefix && strspn(dst, "0") == strlen(dst) && !(flags & 0x200))
			mark_default(all, n, name);
	}
	if (f)
		(void)fclose(f);
}

/* Every device with its link address. Returns how many, or -errno. */
static int read_devices(struct fffa_netdev **out)
{
	struct ifaddrs *list, *a;
	struct fffa_netdev *all;
	size_t n = 0, room = 0;

	if (getifaddrs(&list))
		return -errno;
	for (a = list; a; a = a->ifa_next)
		room++;
	all = calloc(room ? room : 1, sizeof(*all));
	for (a = all ? list : NULL; a; a = a->ifa_next) {
		const struct sockaddr_ll *ll =
			(const struct sockaddr_ll *)(const void *)a->ifa_addr;

		if (ll && ll->sll_family != AF_PACKET)
			continue;
		/* A device that has no link address at all (tun) has its entry without one. */
		all[n].ifindex = ll ? (uint32_t)ll->sll_ifindex : if_nametoindex(a->ifa_name);
		all[n].type = ll ? ll->sll_hatype : ARPHRD_NONE;
		if (ll && ll->sll_halen == sizeof(all[n].mac))
			memcpy(all[n].mac, ll->sll_addr, sizeof(all[n].mac));
		(void)snprintf(all[n].name, sizeof(all[n].name), "%s", a->ifa_name);
		n++;
	}
	freeifaddrs(list);
	if (!all)
		return -ENOMEM;
	read_default_routes(all, n);
	*out = all;
	return (int)n;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct fffa_netdev *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

static int nothing_selected(const struct fffa_capture_conf *conf, struct fffa_err *err)
{
	char names[256] = "";

	for (size_t i = 0; i < conf->interfaces.n; i++) {
		size_t len = strlen(names);

		(void)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
			       conf->interfaces.v[i]);
	}
	if (conf->interfaces.n == 1 && !strcmp(conf->interfaces.v[0], "auto"))
		return fffa_fail(err, ENODEV,
				 "capture.interfaces is auto and no Ethernet device holds a "
				 "default route: name the interfaces (`ip -br link` lists them)");
	return fffa_fail(err, ENODEV,
			 "no interface here matches capture.interfaces [%s] less capture.exclude: "
			 "check the names (`ip -br link` lists them)",
			 names);
}

int fffa_devices_select(const struct fffa_capture_conf *conf, struct fffa_netdevs *out,
			struct fffa_err *err)
{
	struct fffa_netdev *all = NULL;
	int n = read_devices(&all);
	bool by_name, excluded;

	if (n < 0)
		return fffa_fail(err, -n, "cannot list the network devices: %s", strerror(-n));
	out->n = 0;
	for (int i = 0; i < n; i++) {
		if (!name_in(&conf->interfaces, &all[i], &by_name))
			continue;
		if (name_in(&conf->exclude, &all[i], &excluded))
			continue;
		if (all[i].type != ARPHRD_ETHER && all[i].type != ARPHRD_LOOPBACK) {
			if (!by_name)
				continue;
			n = fffa_fail(err, ENOTSUP,
				      "%s: a device without Ethernet header cannot be captured on "
				      "yet; leave it out",
				      all[i].name);
			break;
		}
		if (out->n == FFFA_DEVICES_MAX) {
			n = fffa_fail(err, E2BIG,
				      "more than %d interfaces match capture.interfaces: narrow it "
				      "or use capture.exclude",
				      FFFA_DEVICES_MAX);
			break;
		}
		out->v[out->n++] = all[i];
	}
	free(all);
	if (n < 0)
		return n;
	qsort(out->v, out->n, sizeof(out->v[0]), by_ifindex);
	return out->n ? 0 : nothing_selected(conf, err);
}
