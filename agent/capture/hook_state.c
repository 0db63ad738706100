// SPDX-License-Identifier: MIT
#include "agent/capture/hook_state.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"

#define SUPER_PACKETS_MIN 100 /* counted by the hook: fewer say nothing of the device */

static bool is_long_ago(const struct fffa_hook_state *s, uint64_t now_ns)
{
	return now_ns - s->attempts_ns >= FFFA_HOOK_PUT_BACKS_S * FFFA_NS_PER_S;
}

bool fffa_hook_state_may_put_back(const struct fffa_hook_state *s, uint64_t now_ns)
{
	return s->attempts < FFFA_HOOK_PUT_BACKS || is_long_ago(s, now_ns);
}

void fffa_hook_state_note_attempt(struct fffa_hook_state *s, uint64_t now_ns)
{
	if (!s->attempts || is_long_ago(s, now_ns)) {
		s->attempts = 0;
		s->attempts_ns = now_ns;
	}
	s->attempts++;
}

/* "program 12 (name)", "filter flower". */
static void format_head(const struct fffa_chain_head *h, char dst[64])
{
	if (!h->prog_id)
		(void)snprintf(dst, 64, "filter %s", h->name[0] ? h->name : "of another kind");
	else if (h->name[0])
		(void)snprintf(dst, 64, "program %u (%s)", h->prog_id, h->name);
	else
		(void)snprintf(dst, 64, "program %u", h->prog_id);
}

static void describe_off(struct fffa_hook_state *s, const char *where,
			 const struct fffa_hook_facts_now *now)
{
	char who[64] = "";

	if (now->head.prog_id)
		format_head(&now->head, who);
	(void)snprintf(s->problem, sizeof(s->problem), "%s: the hook was taken off%s%s%s%s%s",
		       where, who[0] ? ", in its place is " : "", who,
		       now->error[0] ? "; it cannot be put back: " : "", now->error,
		       now->error[0] ? "" : "; it was put back several times and stays off now");
}

static void describe(struct fffa_hook_state *s, const char *where,
		     const struct fffa_hook_facts_now *now)
{
	char who[64];

	switch (s->condition) {
	case FFFA_HOOK_UP:
		s->problem[0] = '\0';
		break;
	case FFFA_HOOK_OFF:
		describe_off(s, where, now);
		break;
	case FFFA_HOOK_BEHIND:
		format_head(&now->head, who);
		(void)snprintf(
			s->problem, sizeof(s->problem),
			"%s: %s stands in front, and what it does not pass on is not counted",
			where, who);
		break;
	case FFFA_HOOK_BLIND:
		format_head(&now->xdp, who);
		(void)snprintf(s->problem, sizeof(s->problem),
			       "%s: the hook counts nothing while the device counts packets%s%s",
			       where, now->xdp.prog_id ? "; the device runs XDP " : "",
			       now->xdp.prog_id ? who : "");
		break;
	}
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* A counter that went back began anew: it is that of another device under the same number. */
static bool is_anew(struct fffa_amount now, struct fffa_amount before)
{
	return now.packets < before.packets || now.bytes < before.bytes;
}

static struct fffa_amount difference(struct fffa_amount now, struct fffa_amount before)
{
	if (is_anew(now, before))
		return now;
	return (struct fffa_amount){now.packets - before.packets, now.bytes - before.bytes};
}

/* While the hook is in order, what it and the device count of the same packets. */
static void compare_counts(struct fffa_hook_state *s, struct fffa_amount passed,
			   struct fffa_amount counted)
{
	if (!passed.packets || !counted.packets)
		return;
	s->up_passed = (struct fffa_amount){s->up_passed.packets / 2 + passed.packets,
					    s->up_passed.bytes / 2 + passed.bytes};
	s->up_hooked = (struct fffa_amount){s->up_hooked.packets / 2 + counted.packets,
					    s->up_hooked.bytes / 2 + counted.bytes};
}

/* Many drivers count a super-packet as one. Then only bytes can be compared. */
static bool counts_super_packets(const struct fffa_hook_state *s)
{
	return s->up_hooked.packets >= SUPER_PACKETS_MIN &&
	       s->up_hooked.packets / 5 > s->up_passed.packets / 4 && s->up_passed.bytes;
}

/* What passed and the hook did not count: by packets, whose bytes are those of average ones. */
static struct fffa_amount missed_by_packets(const struct fffa_hook_state *s,
					    uint32_t link_header_bytes)
{
	uint64_t packets = minus(s->passed.packets, s->hooked.packets);
	struct fffa_amount total = {packets, 0};

	if (packets) {
		total.bytes = (uint64_t)((double)s->passed.bytes * (double)packets /
					 (double)s->passed.packets);
		total.bytes = minus(total.bytes, packets * link_header_bytes);
	}
	return total;
}

/* By bytes, as the hook counted the device's before; their packets are average segments. */
static struct fffa_amount missed_by_bytes(const struct fffa_hook_state *s)
{
	double share = (double)s->up_hooked.bytes / (double)s->up_passed.bytes;
	uint64_t bytes = minus((uint64_t)((double)s->passed.bytes * share), s->hooked.bytes);
	double packets = (double)bytes * (double)s->up_hooked.packets / (double)s->up_hooked.bytes;

	return (struct fffa_amount){(uint64_t)packets, bytes};
}

/* What passed and was neither counted nor reported. */
static struct fffa_amount report_missed(struct fffa_hook_state *s, uint32_t link_header_bytes)
{
	struct fffa_amount total = counts_super_packets(s)
					   ? missed_by_bytes(s)
					   : missed_by_packets(s, link_header_bytes),
			   news;

	if (total.packets <= s->reported.packets)
		return (struct fffa_amount){0, 0};
	news = (struct fffa_amount){total.packets - s->reported.packets,
				    minus(total.bytes, s->reported.bytes)};
	fffa_amount_add(&s->reported, news.packets, news.bytes);
	return news;
}

static void forget_gap(struct fffa_hook_state *s)
{
	s->passed = s->reported = s->hooked = (struct fffa_amount){0, 0};
	s->silent = false;
}

static enum fffa_hook_condition condition_now(struct fffa_hook_state *s,
					      const struct fffa_hook_facts_now *now,
					      struct fffa_amount passed, uint64_t counted)
{
	bool silent = !counted, was_silent = s->silent;
	uint64_t two = passed.packets + s->silent_passed.packets;

	if (now->place == FFFA_PLACE_UNKNOWN)
		return s->condition;
	if (now->place != FFFA_PLACE_FIRST && !now->put_back)
		return now->place == FFFA_PLACE_NONE ? FFFA_HOOK_OFF : FFFA_HOOK_BEHIND;
	if (now->place != FFFA_PLACE_FIRST)
		return FFFA_HOOK_UP;
	if (s->condition == FFFA_HOOK_BLIND && silent)
		return FFFA_HOOK_BLIND;
	if (s->condition == FFFA_HOOK_UP && silent && was_silent &&
	    minus(two, now->others + s->silent_others) >= FFFA_HOOK_BLIND_PACKETS) {
		/* The first of the two checks belongs to the gap, too. */
		fffa_amount_add(&s->passed, s->silent_passed.packets, s->silent_passed.bytes);
		s->hooked.packets += s->silent_others;
		return FFFA_HOOK_BLIND;
	}
	s->silent = silent;
	s->silent_passed = passed;
	s->silent_others = now->others;
	return FFFA_HOOK_UP;
}

struct fffa_amount fffa_hook_state_judge(struct fffa_hook_state *s, const char *where,
					 const struct fffa_hook_facts_now *now)
{
	bool known = s->dev_known && now->dev_known;
	/* What the hook counted was on the device before. */
	bool other = known && now->place == FFFA_PLACE_NONE && is_anew(now->dev, s->dev);
	struct fffa_amount passed =
		known ? difference(now->dev, s->dev) : (struct fffa_amount){0, 0};
	struct fffa_amount counted = {minus(now->counted.packets, s->counted.packets),
				      minus(now->counted.bytes, s->counted.bytes)};
	enum fffa_hook_condition was = s->condition;
	struct fffa_amount news = {0, 0};

	s->dev_known = now->dev_known;
	s->dev = now->dev;
	s->counted = now->counted;
	s->condition = condition_now(s, now, passed, counted.packets);
	/* A hook that was in order now and before has counted everything. */
	s->missed =
		was != FFFA_HOOK_UP || s->condition != FFFA_HOOK_UP || now->put_back || s->again;
	s->again = false;
	if (s->missed) {
		fffa_amount_add(&s->passed, passed.packets, passed.bytes);
		if (!other)
			fffa_amount_add(&s->hooked, counted.packets, counted.bytes);
		s->hooked.packets += now->others;
		news = report_missed(s, now->link_header_bytes);
	} else {
		compare_counts(s, passed, counted);
	}
	if (now->put_back)
		s->put_backs++;
	if (s->missed && s->condition == FFFA_HOOK_UP)
		forget_gap(s);
	if (s->condition != was || s->condition != FFFA_HOOK_BLIND)
		describe(s, where, now);
	return news;
}
