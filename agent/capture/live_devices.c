// SPDX-License-Identifier: MIT
#include "agent/capture/live_devices.h"

#include <errno.h>
#include <string.h>

#include "agent/base/log.h"

#define IN  0
#define OUT 1

const char *fffa_match_text(enum fffa_match m)
{
	static const char *const texts[] = {"nothing", "auto", "a glob", "its name"};

	return texts[m];
}

static int attach_ingress(const struct fffa_live_devices *d, struct fffa_hooked *h,
			  struct fffa_err *err)
{
	struct fffa_hook_facts facts = {0};
	enum fffa_hook hook = (enum fffa_hook)d->conf->hook;

	if (hook == FFFA_HOOK_XDP)
		fffa_hook_facts_read(h->dev.ifindex, h->dev.name, &facts);
	fffa_hook_choose(hook, h->dev.name, &facts, &h->choice);
	if (h->choice.error)
		return fffa_fail(err, -h->choice.error, "%s: XDP does not fit: %s", h->dev.name,
				 h->choice.why);
	if (!h->choice.xdp)
		return fffa_attach_tc(d->kernel, FFFA_PROGRAM_TC_IN, h->dev.ifindex, h->dev.name,
				      true, &h->at[IN], err);
	if (h->choice.bounces_link)
		fffa_warn("capture",
			  "attaching XDP takes the link down and up, packets are lost meanwhile "
			  "interface=%s driver=%s",
			  h->dev.name, facts.driver);
	return fffa_attach_xdp(d->kernel, h->dev.ifindex, h->dev.name, &h->at[IN], err);
}

/* Both hooks or none. */
static int attach(struct fffa_live_devices *d, const struct fffa_netdev *dev, struct fffa_err *err)
{
	struct fffa_hooked *h = &d->v[d->n];
	int r = 0;

	*h = (struct fffa_hooked){.dev = *dev};
	if (d->conf->direction != FFFA_DIR_EGRESS)
		r = attach_ingress(d, h, err);
	if (!r && d->conf->direction != FFFA_DIR_INGRESS)
		r = fffa_attach_tc(d->kernel, FFFA_PROGRAM_TC_OUT, dev->ifindex, dev->name, true,
				   &h->at[OUT], err);
	if (r) {
		fffa_detach(h->at, 2);
		return r;
	}
	d->n++;
	fffa_info("capture",
		  "attached interface=%s ifindex=%u ingress=%s egress=%s selected_by=\"%s\" "
		  "why=\"%s\"",
		  dev->name, dev->ifindex, fffa_attach_name(h->at[IN].how),
		  fffa_attach_name(h->at[OUT].how), fffa_match_text(dev->match),
		  h->choice.why[0] ? h->choice.why : "egress is always TC");
	return 0;
}

static void say_left(const struct fffa_left *l)
{
	switch (l->why) {
	case FFFA_LEFT_SHOWN_BELOW:
		fffa_info("capture",
			  "left out interface=%s why=\"its packets are seen on %s already; name it "
			  "in capture.interfaces to have them twice\"",
			  l->name, l->other);
		break;
	case FFFA_LEFT_FULL:
		fffa_warn("capture",
			  "left out interface=%s why=\"%d interfaces are captured on and there is "
			  "no room for more\"",
			  l->name, FFFA_DEVICES_MAX);
		break;
	case FFFA_LEFT_NO_ETHERNET:
		fffa_log(l->match == FFFA_MATCH_GLOB ? FFFA_LOG_DEBUG : FFFA_LOG_WARN, "capture",
			 "left out interface=%s why=\"it has no Ethernet header\"", l->name);
		break;
	}
}

/* Each is said once, as long as it stays so. */
static void say_news_of_left(const struct fffa_netdevs *now, const struct fffa_netdevs *before)
{
	for (size_t i = 0; i < now->left_count; i++) {
		const struct fffa_left *l = &now->left[i];
		bool known = false;

		for (size_t j = 0; !known && j < before->left_count; j++) {
			const struct fffa_left *b = &before->left[j];

			known = b->ifindex == l->ifindex && b->why == l->why &&
				!strcmp(b->other, l->other);
		}
		if (!known)
			say_left(l);
	}
}

int fffa_live_devices_start(struct fffa_live_devices *d, const struct fffa_kernel *kernel,
			    const struct fffa_capture_conf *conf, const struct fffa_netdevs *chosen,
			    struct fffa_err *err)
{
	int r = 0;

	d->kernel = kernel;
	d->conf = conf;
	say_news_of_left(chosen, &d->chosen);
	d->chosen = *chosen;
	for (size_t i = 0; !r && i < chosen->n; i++)
		r = attach(d, &chosen->v[i], err);
	return r;
}

static const struct fffa_netdev *chosen_one(const struct fffa_netdevs *c, uint32_t ifindex)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].ifindex == ifindex)
			return &c->v[i];
	}
	return NULL;
}

static bool is_hooked(const struct fffa_live_devices *d, uint32_t ifindex)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].dev.ifindex == ifindex)
			return true;
	}
	return false;
}

static bool any_default_route(const struct fffa_links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		if (links->v[i].default_route)
			return true;
	}
	return false;
}

static void keep(struct fffa_devices_keep *k, const struct fffa_hooked *h, enum fffa_match match)
{
	k->v[k->n].ifindex = h->dev.ifindex;
	k->v[k->n++].match = match;
}

/* What stays although the patterns alone would not choose it any more. */
static void find_keepers(struct fffa_live_devices *d, const struct fffa_links *links,
			 struct fffa_devices_keep *k)
{
	bool routes = any_default_route(links), kept = false;

	k->n = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct fffa_hooked *h = &d->v[i];
		const struct fffa_link *l = fffa_links_find(links, h->dev.ifindex);

		if (!l)
			continue;
		if (strcmp(l->name, h->dev.name) != 0)
			h->renamed = true;
		if (h->choice.bounces_link) {
			/* The bounce takes the default route away: following it would bounce the
			 * link again, for ever. */
			keep(k, h, FFFA_MATCH_NAME);
		} else if (h->dev.match != FFFA_MATCH_AUTO) {
			if (h->renamed)
				keep(k, h, h->dev.match);
		} else if (!routes) {
			keep(k, h, FFFA_MATCH_AUTO);
			kept = true;
		}
	}
	if (kept && !d->kept_route)
		fffa_info("capture", "no device holds a default route now: capture stays where it "
				     "is");
	d->kept_route = kept;
}

static const char *why_left(enum fffa_left_why why)
{
	switch (why) {
	case FFFA_LEFT_SHOWN_BELOW:
		return "its packets are seen on another device now";
	case FFFA_LEFT_FULL:
		return "others come first and there is no room for more";
	case FFFA_LEFT_NO_ETHERNET:
		break;
	}
	return "it has no Ethernet header any more";
}

static const char *why_dropped(const struct fffa_live_devices *d, const struct fffa_link *l,
			       const struct fffa_hooked *h)
{
	if (!l)
		return "the device is gone";
	if (fffa_devices_excluded(d->conf, l))
		return "capture.exclude matches it now";
	for (size_t i = 0; i < d->chosen.left_count; i++) {
		if (d->chosen.left[i].ifindex == l->ifindex)
			return why_left(d->chosen.left[i].why);
	}
	return h->dev.match == FFFA_MATCH_AUTO ? "it holds no default route any more"
					       : "it is not selected any more";
}

static void remember_gone(struct fffa_live_devices *d, const struct fffa_netdev *dev)
{
	if (d->gone_count == FFFA_DEVICES_MAX) {
		memmove(&d->gone[0], &d->gone[1], (FFFA_DEVICES_MAX - 1) * sizeof(d->gone[0]));
		d->gone_count--;
	}
	d->gone[d->gone_count++] = *dev;
}

static void remove_hooked(struct fffa_live_devices *d, size_t i)
{
	fffa_detach(d->v[i].at, 2);
	d->n--;
	memmove(&d->v[i], &d->v[i + 1], (d->n - i) * sizeof(d->v[0]));
}

static bool hooks_hold(const struct fffa_hooked *h)
{
	for (size_t i = 0; i < 2; i++) {
		if (h->at[i].how != FFFA_ATTACH_NONE && !fffa_attached(&h->at[i]))
			return false;
	}
	return true;
}

/* Takes over name and address. True when one of them is new. */
static bool update(struct fffa_hooked *h, const struct fffa_netdev *now)
{
	bool news = strcmp(h->dev.name, now->name) != 0 ||
		    memcmp(h->dev.mac, now->mac, sizeof(now->mac)) != 0;

	if (strcmp(h->dev.name, now->name) != 0)
		fffa_info("capture", "renamed interface=%s ifindex=%u was=%s", now->name,
			  now->ifindex, h->dev.name);
	else if (news)
		fffa_info("capture", "new link address interface=%s ifindex=%u", now->name,
			  now->ifindex);
	memcpy(h->dev.name, now->name, sizeof(h->dev.name));
	memcpy(h->dev.mac, now->mac, sizeof(h->dev.mac));
	return news;
}

/* What its end is called: a removed hook is put back, so it is a matter for a warning. */
static void say_dropped(const struct fffa_live_devices *d, const struct fffa_links *links,
			const struct fffa_hooked *h, bool still_chosen)
{
	const struct fffa_link *l = fffa_links_find(links, h->dev.ifindex);

	if (still_chosen)
		fffa_warn("capture",
			  "hooks were taken off from outside, attaching again interface=%s",
			  h->dev.name);
	else
		fffa_info("capture", "detached interface=%s ifindex=%u why=\"%s\"", h->dev.name,
			  h->dev.ifindex, why_dropped(d, l, h));
}

/* Before any is added, so that no packet is counted on two devices: some go uncounted at a change
 * instead. */
static bool drop_old(struct fffa_live_devices *d, const struct fffa_links *links)
{
	bool news = false;

	for (size_t i = d->n; i-- > 0;) {
		const struct fffa_netdev *now = chosen_one(&d->chosen, d->v[i].dev.ifindex);
		struct fffa_hooked old = d->v[i];

		if (now && hooks_hold(&old)) {
			news |= update(&d->v[i], now);
			continue;
		}
		remove_hooked(d, i);
		remember_gone(d, &old.dev);
		say_dropped(d, links, &old, now);
		news = true;
	}
	return news;
}

static bool failed_before(struct fffa_live_devices *d, uint32_t ifindex, int error)
{
	for (size_t i = 0; i < d->failed_count; i++) {
		if (d->failed[i].ifindex == ifindex) {
			bool same = d->failed[i].error == error;

			d->failed[i].error = error;
			return same;
		}
	}
	if (d->failed_count < FFFA_DEVICES_MAX)
		d->failed[d->failed_count++] =
			(struct fffa_hook_failure){.ifindex = ifindex, .error = error};
	return false;
}

static void forget_failure(struct fffa_live_devices *d, uint32_t ifindex)
{
	for (size_t i = 0; i < d->failed_count; i++) {
		if (d->failed[i].ifindex == ifindex)
			d->failed[i--] = d->failed[--d->failed_count];
	}
}

static void forget_gone(struct fffa_live_devices *d, uint32_t ifindex)
{
	for (size_t i = d->gone_count; i-- > 0;) {
		if (d->gone[i].ifindex != ifindex)
			continue;
		d->gone_count--;
		memmove(&d->gone[i], &d->gone[i + 1], (d->gone_count - i) * sizeof(d->gone[0]));
	}
}

static bool add_new(struct fffa_live_devices *d)
{
	bool news = false;

	for (size_t i = 0; i < d->chosen.n; i++) {
		const struct fffa_netdev *dev = &d->chosen.v[i];
		struct fffa_err err;
		int r;

		if (is_hooked(d, dev->ifindex))
			continue;
		r = attach(d, dev, &err);
		if (!r) {
			forget_failure(d, dev->ifindex);
			forget_gone(d, dev->ifindex);
			news = true;
		} else if (!failed_before(d, dev->ifindex, r)) {
			fffa_error("capture", "%s; tried again when a device changes", err.text);
		}
	}
	return news;
}

static void forget_old_failures(struct fffa_live_devices *d)
{
	for (size_t i = d->failed_count; i-- > 0;) {
		if (!chosen_one(&d->chosen, d->failed[i].ifindex))
			forget_failure(d, d->failed[i].ifindex);
	}
}

bool fffa_live_devices_follow(struct fffa_live_devices *d)
{
	struct fffa_devices_keep kept;
	struct fffa_netdevs before = d->chosen;
	struct fffa_links links;
	bool had = d->n, news;
	int r = fffa_links_read(&links, fffa_devices_want_routes(d->conf));

	if (r) {
		if (!d->read_failed)
			fffa_error("capture",
				   "cannot list the network devices, capture stays as it is: %s",
				   strerror(-r));
		d->read_failed = true;
		return false;
	}
	d->read_failed = false;
	find_keepers(d, &links, &kept);
	fffa_devices_choose(d->conf, &links, &kept, &d->chosen);
	forget_old_failures(d);
	news = drop_old(d, &links);
	say_news_of_left(&d->chosen, &before);
	news |= add_new(d);
	fffa_links_fini(&links);
	if (had && !d->n)
		fffa_warn("capture", "no interface is left to capture on: waiting for one");
	return news;
}

void fffa_live_devices_detach(struct fffa_live_devices *d)
{
	for (size_t i = 0; i < d->n; i++)
		fffa_detach(d->v[i].at, 2);
	d->n = 0;
}

size_t fffa_live_devices_list(const struct fffa_live_devices *d,
			      struct fffa_netdev out[FFFA_LIVE_DEVICES_LIST_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		out[n++] = d->v[i].dev;
	for (size_t i = 0; i < d->gone_count; i++)
		out[n++] = d->gone[i];
	return n;
}
