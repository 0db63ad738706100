// SPDX-License-Identifier: MIT
#include "agent/capture/hook_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

static const char *const directions[] = {"ingress", "egress"};

void fffa_hook_watch_begin(struct fffa_hook_watch *w, const struct fffa_live_devices *d,
			   uint64_t now_ns)
{
	w->n = d->n;
	for (size_t i = 0; i < d->n; i++) {
		const struct fffa_hooked *h = &d->v[i];
		struct fffa_hook_check_device *c = &w->v[i];

		memset(c, 0, sizeof(*c));
		c->ifindex = h->dev.ifindex;
		memcpy(c->name, h->dev.name, sizeof(c->name));
		for (int dir = 0; dir < 2; dir++) {
			c->hook[dir].at = h->at[dir];
			c->hook[dir].may_put_back =
				fffa_hook_state_may_put_back(&h->state[dir], now_ns);
			c->hook[dir].ask_xdp = dir == 0 && h->state[dir].silent;
		}
	}
}

static void read_counters(struct fffa_hook_watch *w)
{
	char *text = fffa_dev_counters_read();

	for (size_t i = 0; text && i < w->n; i++)
		w->v[i].dev_known = !fffa_dev_counters_find(text, w->v[i].name, &w->v[i].dev);
	free(text);
}

static void check_hook(struct fffa_hook_check *c, const char *name, struct fffa_kernel *k)
{
	c->place = fffa_chain_place(&c->at, &c->head);
	if (c->ask_xdp && c->at.how != FFFA_ATTACH_XDP)
		fffa_chain_xdp(c->at.ifindex, &c->xdp);
	if (c->place != FFFA_PLACE_NONE && c->place != FFFA_PLACE_BEHIND)
		return;
	if (!c->may_put_back)
		return;
	c->tried = true;
	c->put_back = !fffa_attach_put_back(k, &c->at, name, &c->err);
}

void fffa_hook_watch_run(struct fffa_hook_watch *w, struct fffa_kernel *k)
{
	for (size_t i = 0; i < w->n; i++) {
		for (int dir = 0; dir < 2; dir++)
			check_hook(&w->v[i].hook[dir], w->v[i].name, k);
	}
	/* After the hooks were put back: all that these counters hold had passed by then. */
	read_counters(w);
}

void fffa_hook_watch_adopt(struct fffa_hook_watch *w, struct fffa_live_devices *d, uint64_t now_ns)
{
	for (size_t i = 0; i < w->n; i++) {
		struct fffa_hooked *h = fffa_live_devices_find(d, w->v[i].ifindex);

		for (int dir = 0; h && dir < 2; dir++) {
			h->at[dir] = w->v[i].hook[dir].at;
			if (w->v[i].hook[dir].tried)
				fffa_hook_state_note_attempt(&h->state[dir], now_ns);
		}
	}
}

/* Packets that hooks saw and that are in no flow: their device is not known. */
static uint64_t count_others(const struct fffa_ledger *l)
{
	uint64_t n = l->not_ip_frames + l->not_sampled;

	for (int why = 0; why < FFFA_KL_MAX; why++)
		n += l->lost[why].packets;
	return n;
}

static void log_put_back(const struct fffa_hook_check_device *c, int dir,
			 const struct fffa_hook_state *s)
{
	const struct fffa_hook_check *k = &c->hook[dir];

	if (k->place == FFFA_PLACE_NONE)
		fffa_warn("capture",
			  "a hook was taken off from outside and is put back interface=%s "
			  "direction=%s hook=%s attempt=%u",
			  c->name, directions[dir], fffa_attach_name(k->at.how), s->attempts);
	else
		fffa_warn("capture",
			  "another program stood in front, the hook is first again interface=%s "
			  "direction=%s hook=%s program_id=%u name=\"%s\" attempt=%u",
			  c->name, directions[dir], fffa_attach_name(k->at.how), k->head.prog_id,
			  k->head.name, s->attempts);
}

static void log_condition(const struct fffa_hook_check_device *c, int dir,
			  const struct fffa_hook_state *s, struct fffa_amount missed)
{
	if (s->condition == FFFA_HOOK_UP)
		fffa_info("capture", "the hook sees packets again interface=%s direction=%s",
			  c->name, directions[dir]);
	else
		fffa_error("capture", "%s missed_packets=%llu", s->problem,
			   (unsigned long long)missed.packets);
}

static bool judge(const struct fffa_hook_check_device *c, int dir, struct fffa_hooked *h,
		  uint64_t others, struct fffa_amount counted, struct fffa_ledger *ledger)
{
	const struct fffa_hook_check *k = &c->hook[dir];
	struct fffa_hook_state *s = &h->state[dir];
	const struct fffa_hook_facts_now now = {
		.place = k->place,
		.head = k->head,
		.xdp = k->xdp,
		.put_back = k->put_back,
		.error = k->err.text,
		.dev_known = c->dev_known,
		.dev = c->dev.dir[dir],
		.counted = counted,
		.others = others,
		.link_header_bytes = (uint32_t)fffa_devices_link_bytes(h->dev.type)};
	enum fffa_hook_condition was = s->condition;
	bool missed = s->missed, again = s->again;
	struct fffa_amount lost;
	char where[32];

	(void)snprintf(where, sizeof(where), "%s %s", c->name, directions[dir]);
	lost = fffa_hook_state_judge(s, where, &now);
	fffa_amount_add(&ledger->unattended, lost.packets, lost.bytes);
	fffa_amount_add(&ledger->lost[FFFA_PL_NOT_ATTACHED], lost.packets, lost.bytes);
	if (k->put_back)
		log_put_back(c, dir, s);
	else if (again && lost.packets)
		fffa_info("capture",
			  "packets passed while the hook was exchanged interface=%s direction=%s "
			  "missed_packets=%llu",
			  c->name, directions[dir], (unsigned long long)lost.packets);
	if (s->condition != was)
		log_condition(c, dir, s, lost);
	return missed != s->missed;
}

bool fffa_hook_watch_end(struct fffa_hook_watch *w, struct fffa_live_devices *d,
			 struct fffa_ledger *ledger)
{
	uint64_t all = count_others(ledger), others = all - w->others;
	bool news = false;

	for (size_t i = 0; i < w->n; i++) {
		const struct fffa_hook_check_device *c = &w->v[i];
		struct fffa_hooked *h = fffa_live_devices_find(d, c->ifindex);

		for (int dir = 0; h && dir < 2; dir++) {
			if (h->at[dir].how != FFFA_ATTACH_NONE)
				news |= judge(c, dir, h, others,
					      d->counted(d->counted_arg, h->dev.name, dir), ledger);
		}
	}
	w->others = all;
	w->n = 0;
	return news;
}

const char *fffa_hook_watch_problem(const struct fffa_live_devices *d)
{
	for (size_t i = 0; i < d->n; i++) {
		for (int dir = 0; dir < 2; dir++) {
			if (d->v[i].state[dir].condition != FFFA_HOOK_UP)
				return d->v[i].state[dir].problem;
		}
	}
	return d->failed_count ? d->failed[0].text : NULL;
}
