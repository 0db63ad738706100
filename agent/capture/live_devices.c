// SPDX-License-Identifier: MIT
#include "agent/capture/live_devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/capture/devices/dev_counters.h"

#define IN  0
#define OUT 1

static int attach_ingress(const struct fffa_live_devices *d, struct fffa_hooked *h,
			  struct fffa_err *err)
{
	struct fffa_hook_facts facts = {0};
	bool ip_only = !fffa_devices_link_bytes(h->dev.type);
	enum fffa_hook hook = ip_only ? FFFA_HOOK_TC : (enum fffa_hook)d->conf->hook;

	if (hook == FFFA_HOOK_XDP)
		fffa_hook_facts_read(h->dev.ifindex, h->dev.name, &facts);
	fffa_preflight_choose(hook, h->dev.name, &facts, &h->choice);
	if (h->choice.error)
		return fffa_fail(err, -h->choice.error, "%s: XDP does not fit: %s", h->dev.name,
				 h->choice.why);
	if (ip_only)
		(void)snprintf(h->choice.why, sizeof(h->choice.why), "%s",
			       "a device without Ethernet header: TC");
	if (!h->choice.xdp)
		return fffa_attach_tc(d->kernel, ip_only ? FFFA_PROGRAM_IP_IN : FFFA_PROGRAM_TC_IN,
				      h->dev.ifindex, h->dev.name, true, &h->at[IN], err);
	if (h->choice.bounces_link)
		fffa_warn("capture",
			  "attaching XDP takes the link down and up, packets are lost meanwhile "
			  "interface=%s driver=%s",
			  h->dev.name, facts.driver);
	return fffa_attach_xdp(d->kernel, h->dev.ifindex, h->dev.name, &h->at[IN], err);
}

static enum fffa_program egress_program(const struct fffa_netdev *dev)
{
	return fffa_devices_link_bytes(dev->type) ? FFFA_PROGRAM_TC_OUT : FFFA_PROGRAM_IP_OUT;
}

/*
 * What passes from now on and is not counted can be told by the device's counters. A hook that was
 * there before knows them.
 */
static void note_counters(const struct fffa_live_devices *d, struct fffa_hooked *h)
{
	char *text = fffa_dev_counters_read();
	struct fffa_dev_counters c;
	bool found = text && !fffa_dev_counters_find(text, h->dev.name, &c);

	free(text);
	for (int dir = 0; dir < 2; dir++) {
		struct fffa_hook_state *s = &h->state[dir];

		if (s->dev_known)
			continue;
		s->counted = d->counted(d->counted_arg, h->dev.name, dir);
		s->dev_known = found;
		if (found)
			s->dev = c.dir[dir];
	}
}

static bool wants(const struct fffa_live_devices *d, int dir)
{
	return d->conf->direction != (dir == IN ? FFFA_DIR_EGRESS : FFFA_DIR_INGRESS);
}

/* Attaches the hooks to h->dev that are wanted and not there, or leaves none. */
static int attach_hooks(const struct fffa_live_devices *d, struct fffa_hooked *h,
			struct fffa_err *err)
{
	const struct fffa_netdev *dev = &h->dev;
	int rc = 0;

	if (wants(d, IN) && h->at[IN].how == FFFA_ATTACH_NONE)
		rc = attach_ingress(d, h, err);
	if (!rc && wants(d, OUT) && h->at[OUT].how == FFFA_ATTACH_NONE)
		rc = fffa_attach_tc(d->kernel, egress_program(dev), dev->ifindex, dev->name, true,
				    &h->at[OUT], err);
	if (rc) {
		fffa_attach_undo(h->at, 2);
		return rc;
	}
	note_counters(d, h);
	fffa_info("capture",
		  "attached interface=%s ifindex=%u ingress=%s egress=%s selected_by=\"%s\" "
		  "why=\"%s\"",
		  dev->name, dev->ifindex, fffa_attach_name(h->at[IN].how),
		  fffa_attach_name(h->at[OUT].how), fffa_devices_match_text(dev->match),
		  h->choice.why[0] ? h->choice.why : "egress is always TC");
	return 0;
}

static int add_hooked(struct fffa_live_devices *d, const struct fffa_netdev *dev,
		      struct fffa_err *err)
{
	int rc;

	d->v[d->n] = (struct fffa_hooked){.dev = *dev};
	rc = attach_hooks(d, &d->v[d->n], err);
	d->n += !rc;
	return rc;
}

static void log_left_out(const struct fffa_left *l)
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
	case FFFA_LEFT_LINK_TYPE:
		fffa_log(l->match == FFFA_MATCH_GLOB ? FFFA_LOG_DEBUG : FFFA_LOG_WARN, "capture",
			 "left out interface=%s why=\"" FFFA_DEVICES_LINK_TYPE "\"", l->name,
			 l->type);
		break;
	}
}

/* Logs each device once, as long as its reason stays the same. */
static void log_newly_left_out(const struct fffa_netdevs *now, const struct fffa_netdevs *before)
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
			log_left_out(l);
	}
}

int fffa_live_devices_start(struct fffa_live_devices *d, const struct fffa_kernel *kernel,
			    const struct fffa_capture_conf *conf, const struct fffa_netdevs *chosen,
			    struct fffa_err *err)
{
	int rc = 0;

	d->kernel = kernel;
	d->conf = conf;
	d->hook = conf->hook;
	d->direction = conf->direction;
	log_newly_left_out(chosen, &d->chosen);
	d->chosen = *chosen;
	for (size_t i = 0; !rc && i < chosen->n; i++)
		rc = add_hooked(d, &chosen->v[i], err);
	return rc;
}

static const struct fffa_netdev *find_chosen(const struct fffa_netdevs *c, uint32_t ifindex)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].ifindex == ifindex)
			return &c->v[i];
	}
	return NULL;
}

struct fffa_hooked *fffa_live_devices_find(struct fffa_live_devices *d, uint32_t ifindex)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].dev.ifindex == ifindex)
			return &d->v[i];
	}
	return NULL;
}

static bool any_default_route(const struct fffa_links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		if (links->v[i].default_route)
			return true;
	}
	return false;
}

static void retain(struct fffa_devices_retained *k, const struct fffa_hooked *h,
		   enum fffa_match match)
{
	k->v[k->n].ifindex = h->dev.ifindex;
	k->v[k->n++].match = match;
}

/* Finds the devices that stay although the patterns alone would not choose them any more. */
static void find_retained(struct fffa_live_devices *d, const struct fffa_links *links,
			  struct fffa_devices_retained *k)
{
	bool routes = any_default_route(links), retained = false;

	k->n = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct fffa_hooked *h = &d->v[i];
		const struct fffa_link *l = fffa_links_find(links, h->dev.ifindex);

		if (!l)
			continue;
		if (strcmp(l->name, h->dev.name) != 0)
			h->renamed = true;
		if (h->choice.bounces_link) {
			/* Attaching took the link down and the default route away. Following that
			 * would take the link down again, for ever. */
			retain(k, h, FFFA_MATCH_NAME);
		} else if (h->dev.match != FFFA_MATCH_AUTO) {
			if (h->renamed)
				retain(k, h, h->dev.match);
		} else if (!routes) {
			retain(k, h, FFFA_MATCH_AUTO);
			retained = true;
		}
	}
	if (retained && !d->no_route_logged)
		fffa_info("capture", "no device holds a default route now: capture stays where it "
				     "is");
	d->no_route_logged = retained;
}

static const char *why_left(enum fffa_left_why why)
{
	switch (why) {
	case FFFA_LEFT_SHOWN_BELOW:
		return "its packets are seen on another device now";
	case FFFA_LEFT_FULL:
		return "others come first and there is no room for more";
	case FFFA_LEFT_LINK_TYPE:
		break;
	}
	return "its link type is another one now";
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
	fffa_attach_undo(d->v[i].at, 2);
	d->n--;
	memmove(&d->v[i], &d->v[i + 1], (d->n - i) * sizeof(d->v[0]));
}

/* Takes over name and link address. True when one of them is new. */
static bool update_device(struct fffa_hooked *h, const struct fffa_netdev *now)
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

static void log_dropped(const struct fffa_live_devices *d, const struct fffa_links *links,
			const struct fffa_hooked *h)
{
	const struct fffa_link *l = fffa_links_find(links, h->dev.ifindex);

	fffa_info("capture", "detached interface=%s ifindex=%u why=\"%s\"", h->dev.name,
		  h->dev.ifindex, why_dropped(d, l, h));
}

/* Runs before a device is added, so that no packet is counted on two devices. Some packets are not
 * counted during a change. */
static bool drop_unchosen(struct fffa_live_devices *d, const struct fffa_links *links)
{
	bool news = false;

	for (size_t i = d->n; i-- > 0;) {
		const struct fffa_netdev *now = find_chosen(&d->chosen, d->v[i].dev.ifindex);
		struct fffa_hooked old = d->v[i];

		if (now) {
			news |= update_device(&d->v[i], now);
			continue;
		}
		remove_hooked(d, i);
		remember_gone(d, &old.dev);
		log_dropped(d, links, &old);
		news = true;
	}
	return news;
}

/* Notes the failure. True when the log has it already. */
static bool is_known_failure(struct fffa_live_devices *d, uint32_t ifindex, int error,
			     const char *text)
{
	for (size_t i = 0; i < d->failed_count; i++) {
		if (d->failed[i].ifindex == ifindex) {
			bool same = d->failed[i].error == error;

			d->failed[i].error = error;
			return same;
		}
	}
	if (d->failed_count < FFFA_DEVICES_MAX) {
		struct fffa_hook_failure *f = &d->failed[d->failed_count++];

		*f = (struct fffa_hook_failure){.ifindex = ifindex, .error = error};
		(void)snprintf(f->text, sizeof(f->text), "%.199s", text);
	}
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

static bool attach_chosen(struct fffa_live_devices *d)
{
	bool news = false;

	for (size_t i = 0; i < d->chosen.n; i++) {
		const struct fffa_netdev *dev = &d->chosen.v[i];
		struct fffa_err err;
		int rc;

		if (fffa_live_devices_find(d, dev->ifindex))
			continue;
		rc = add_hooked(d, dev, &err);
		if (!rc) {
			forget_failure(d, dev->ifindex);
			forget_gone(d, dev->ifindex);
			news = true;
		} else if (!is_known_failure(d, dev->ifindex, rc, err.text)) {
			fffa_error("capture", "%s; tried again when a device changes", err.text);
		}
	}
	return news;
}

static void forget_old_failures(struct fffa_live_devices *d)
{
	for (size_t i = d->failed_count; i-- > 0;) {
		if (!find_chosen(&d->chosen, d->failed[i].ifindex))
			forget_failure(d, d->failed[i].ifindex);
	}
}

/*
 * Takes off the hooks that are not wanted any more, and the ingress hook when it is to be another one.
 * What passes until that is attached can be told by the device's counters.
 */
static void take_off(const struct fffa_live_devices *d, struct fffa_hooked *h, bool other_hook)
{
	for (int dir = 0; dir < 2; dir++) {
		struct fffa_attachment *at = &h->at[dir], *left = &h->at[!dir];
		bool was = at->how != FFFA_ATTACH_NONE, again = was && wants(d, dir);

		if (again && !(dir == IN && other_hook))
			continue;
		/* The qdisc stays while the other hook is on it. */
		if (at->how == FFFA_ATTACH_CLSACT && left->how == FFFA_ATTACH_CLSACT)
			left->clsact.made_qdisc |= at->clsact.made_qdisc;
		fffa_attach_undo(at, 1);
		if (dir == IN)
			memset(&h->choice, 0, sizeof(h->choice));
		if (again)
			h->state[dir].again = h->state[dir].missed = true;
		else
			memset(&h->state[dir], 0, sizeof(h->state[dir]));
	}
}

/* The old hook goes before the new one comes: no packet is counted twice. */
static bool attach_again(struct fffa_live_devices *d)
{
	bool other_hook = d->hook != d->conf->hook;

	if (!other_hook && d->direction == d->conf->direction)
		return false;
	d->hook = d->conf->hook;
	d->direction = d->conf->direction;
	d->failed_count = 0; /* of other hooks */
	for (size_t i = 0; i < d->n;) {
		struct fffa_hooked *h = &d->v[i];
		struct fffa_err err;
		int rc;

		take_off(d, h, other_hook);
		rc = attach_hooks(d, h, &err);
		if (!rc) {
			i++;
			continue;
		}
		if (!is_known_failure(d, h->dev.ifindex, rc, err.text))
			fffa_error("capture", "%s; tried again when a device changes", err.text);
		remember_gone(d, &h->dev);
		remove_hooked(d, i);
	}
	return true;
}

bool fffa_live_devices_follow(struct fffa_live_devices *d)
{
	struct fffa_devices_retained retained;
	struct fffa_netdevs before = d->chosen;
	struct fffa_links links;
	bool had = d->n, news;
	int rc = fffa_links_read(&links, fffa_devices_want_routes(d->conf));

	if (rc) {
		if (!d->read_failed)
			fffa_error("capture",
				   "cannot list the network devices, capture stays as it is: %s",
				   strerror(-rc));
		d->read_failed = true;
		return false;
	}
	d->read_failed = false;
	find_retained(d, &links, &retained);
	fffa_devices_choose(d->conf, &links, &retained, &d->chosen);
	forget_old_failures(d);
	news = drop_unchosen(d, &links);
	news |= attach_again(d);
	log_newly_left_out(&d->chosen, &before);
	news |= attach_chosen(d);
	fffa_links_fini(&links);
	if (had && !d->n)
		fffa_warn("capture", "no interface is left to capture on: waiting for one");
	return news;
}

void fffa_live_devices_detach(struct fffa_live_devices *d)
{
	for (size_t i = 0; i < d->n; i++)
		fffa_attach_undo(d->v[i].at, 2);
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
