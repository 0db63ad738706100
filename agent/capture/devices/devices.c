// SPDX-License-Identifier: MIT
#include "agent/capture/devices/devices.h"

#include <errno.h>
#include <fnmatch.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8 /* of devices on devices, as in the kernel */

static enum fffa_match match_of(const struct fffa_strings *patterns, const struct fffa_link *l)
{
	enum fffa_match best = FFFA_MATCH_NONE;

	for (size_t i = 0; i < patterns->n; i++) {
		const char *p = patterns->v[i];
		enum fffa_match m = FFFA_MATCH_NONE;

		if (!strcmp(p, l->name))
			return FFFA_MATCH_NAME;
		if (l->type == ARPHRD_LOOPBACK)
			continue;
		if (!strcmp(p, "auto"))
			m = l->default_route ? FFFA_MATCH_AUTO : FFFA_MATCH_NONE;
		else if (!fnmatch(p, l->name, 0))
			m = FFFA_MATCH_GLOB;
		if (m > best)
			best = m;
	}
	return best;
}

bool fffa_devices_excluded(const struct fffa_capture_conf *conf, const struct fffa_link *l)
{
	return match_of(&conf->exclude, l) != FFFA_MATCH_NONE;
}

bool fffa_devices_want_routes(const struct fffa_capture_conf *conf)
{
	const struct fffa_strings *lists[] = {&conf->interfaces, &conf->exclude};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (size_t j = 0; j < lists[i]->n; j++) {
			if (!strcmp(lists[i]->v[j], "auto"))
				return true;
		}
	}
	return false;
}

/* The input of a choice. */
struct choice {
	const struct fffa_capture_conf *conf;
	const struct fffa_links *links;
	const struct fffa_devices_retained *retained;
};

static enum fffa_match meant(const struct choice *c, const struct fffa_link *l)
{
	enum fffa_match m = match_of(&c->conf->interfaces, l);

	for (size_t i = 0; c->retained && i < c->retained->n; i++) {
		if (c->retained->v[i].ifindex == l->ifindex && c->retained->v[i].match > m)
			m = c->retained->v[i].match;
	}
	return m != FFFA_MATCH_NONE && fffa_devices_excluded(c->conf, l) ? FFFA_MATCH_NONE : m;
}

#ifndef ARPHRD_IP6GRE /* glibc does not have it */
#define ARPHRD_IP6GRE 823
#endif

/* tun, WireGuard, xfrm and others say NONE. */
static const uint16_t ip_only[] = {ARPHRD_NONE, ARPHRD_PPP,   ARPHRD_RAWIP,  ARPHRD_TUNNEL,
				   ARPHRD_SIT,	ARPHRD_IPGRE, ARPHRD_IP6GRE, ARPHRD_TUNNEL6};

int fffa_devices_link_bytes(uint16_t type)
{
	if (type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK)
		return ETHER_HDR_LEN;
	for (size_t i = 0; i < sizeof(ip_only) / sizeof(ip_only[0]); i++) {
		if (type == ip_only[i])
			return 0;
	}
	return -1;
}

static bool can_capture(const struct fffa_link *l)
{
	return fffa_devices_link_bytes(l->type) >= 0;
}

static bool lies_on_parent(const struct fffa_link *l)
{
	/*
	 * A veth's parent is its peer and a tunnel's is the device it was made for. Their
	 * packets differ.
	 */
	static const char *const kinds[] = {"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(l->kind, kinds[i]))
			return true;
	}
	return false;
}

/*
 * The lowest selected device under l, at any depth: it sees the packets of l. The lowest one is
 * never left out itself, so it is enough that it is selected.
 */
static const struct fffa_link *shown_below(const struct choice *c, const struct fffa_link *l,
					   int depth)
{
	if (depth == DEPTH_MAX)
		return NULL;
	for (size_t i = 0; i < c->links->n; i++) {
		const struct fffa_link *b = &c->links->v[i], *found;

		if (b == l ||
		    (b->master != l->ifindex && (b->ifindex != l->parent || !lies_on_parent(l))))
			continue;
		found = shown_below(c, b, depth + 1);
		if (found)
			return found;
		if (can_capture(b) && meant(c, b) != FFFA_MATCH_NONE)
			return b;
	}
	return NULL;
}

static void leave(struct fffa_netdevs *out, const struct fffa_link *l, enum fffa_match match,
		  enum fffa_left_why why, const char *other)
{
	struct fffa_left *left;

	if (out->left_count == FFFA_DEVICES_MAX)
		return;
	left = &out->left[out->left_count++];
	*left = (struct fffa_left){
		.ifindex = l->ifindex, .type = l->type, .match = match, .why = why};
	memcpy(left->name, l->name, sizeof(left->name));
	(void)snprintf(left->other, sizeof(left->other), "%s", other);
}

static void take(struct fffa_netdevs *out, const struct fffa_link *l, enum fffa_match match)
{
	struct fffa_netdev *d = &out->v[out->n++];

	*d = (struct fffa_netdev){.ifindex = l->ifindex,
				  .type = l->type,
				  .default_route = l->default_route,
				  .match = match};
	memcpy(d->name, l->name, sizeof(d->name));
	memcpy(d->mac, l->mac, sizeof(d->mac));
}

void fffa_devices_choose(const struct fffa_capture_conf *conf, const struct fffa_links *links,
			 const struct fffa_devices_retained *retained, struct fffa_netdevs *out)
{
	struct choice c = {.conf = conf, .links = links, .retained = retained};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < links->n; i++) {
		const struct fffa_link *l = &links->v[i], *below = NULL;
		enum fffa_match m = meant(&c, l);

		if (m == FFFA_MATCH_NONE)
			continue;
		if (m != FFFA_MATCH_NAME)
			below = shown_below(&c, l, 0);
		if (!can_capture(l)) {
			leave(out, l, m, FFFA_LEFT_LINK_TYPE, "");
		} else if (below) {
			leave(out, l, m, FFFA_LEFT_SHOWN_BELOW, below->name);
		} else if (out->n == FFFA_DEVICES_MAX) {
			out->more = true;
			leave(out, l, m, FFFA_LEFT_FULL, "");
		} else {
			take(out, l, m);
		}
	}
}

static int nothing_selected(const struct fffa_capture_conf *conf, const struct fffa_netdevs *d,
			    struct fffa_err *err)
{
	char names[256] = "";

	for (size_t i = 0; i < conf->interfaces.n; i++) {
		size_t len = strlen(names);

		(void)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
			       conf->interfaces.v[i]);
	}
	for (size_t i = 0; i < d->left_count; i++) {
		if (d->left[i].why == FFFA_LEFT_LINK_TYPE)
			return fffa_fail(
				err, ENODEV,
				"capture.interfaces [%s] matches only devices that cannot be "
				"captured on; %s: " FFFA_DEVICES_LINK_TYPE,
				names, d->left[i].name, d->left[i].type);
	}
	if (conf->interfaces.n == 1 && !strcmp(conf->interfaces.v[0], "auto"))
		return fffa_fail(err, ENODEV,
				 "capture.interfaces is auto and no device holds a default "
				 "route: name the interfaces (`ip -br link` lists them)");
	return fffa_fail(err, ENODEV,
			 "no interface here matches capture.interfaces [%s] less capture.exclude: "
			 "check the names (`ip -br link` lists them)",
			 names);
}

/* Errors at the start; a running agent only logs them. */
static int check_start(const struct fffa_capture_conf *conf, const struct fffa_netdevs *d,
		       struct fffa_err *err)
{
	for (size_t i = 0; i < d->left_count; i++) {
		if (d->left[i].why == FFFA_LEFT_LINK_TYPE && d->left[i].match == FFFA_MATCH_NAME)
			return fffa_fail(err, ENOTSUP,
					 "%s: " FFFA_DEVICES_LINK_TYPE "; leave it out",
					 d->left[i].name, d->left[i].type);
	}
	if (d->more)
		return fffa_fail(err, E2BIG,
				 "more than %d interfaces match capture.interfaces: narrow it or "
				 "use capture.exclude",
				 FFFA_DEVICES_MAX);
	return d->n ? 0 : nothing_selected(conf, d, err);
}

int fffa_devices_select(const struct fffa_capture_conf *conf, struct fffa_netdevs *out,
			struct fffa_err *err)
{
	struct fffa_links links;
	int rc = fffa_links_read(&links, fffa_devices_want_routes(conf));

	if (rc)
		return fffa_fail(err, -rc, "cannot list the network devices: %s", strerror(-rc));
	fffa_devices_choose(conf, &links, NULL, out);
	fffa_links_fini(&links);
	return check_start(conf, out, err);
}

const char *fffa_devices_match_text(enum fffa_match m)
{
	static const char *const texts[] = {"nothing", "auto", "a glob", "its name"};

	return texts[m];
}
