// SPDX-License-Identifier: MIT
#include "agent/capture/hook_state.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"

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

/* A counter that went back belongs to another device. */
static struct fffa_amount difference(struct fffa_amount now, struct fffa_amount before)
{
	if (now.packets < before.packets || now.bytes < before.bytes)
		return (struct fffa_amount){0, 0};
	return (struct fffa_amount){now.packets - before.packets, now.bytes - before.bytes};
}

/*
 * What passed and was neither counted nor reported. Its bytes are those of average packets, without
 * their link headers.
 */
static struct fffa_amount report_missed(struct fffa_hook_state *s, uint32_t link_header_bytes)
{
	uint64_t packets = minus(s->passed.packets, s->hooked);
	struct fffa_amount total = {packets, 0}, news;

	if (packets) {
		total.bytes = (uint64_t)((double)s->passed.bytes * (double)packets /
					 (double)s->passed.packets);
		total.bytes = minus(total.bytes, packets * link_header_bytes);
	}
	if (total.packets <= s->reported.packets)
		return (struct fffa_amount){0, 0};
	news = (struct fffa_amount){total.packets - s->reported.packets,
				    minus(total.bytes, s->reported.bytes)};
	fffa_amount_add(&s->reported, news.packets, news.bytes);
	return news;
}

static void forget_gap(struct fffa_hook_state *s)
{
	s->passed = s->reported = s->silent_passed = (struct fffa_amount){0, 0};
	s->hooked = s->silent_others = 0;
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
		s->hooked += s->silent_others;
		return FFFA_HOOK_BLIND;
	}
	s->silent = silent;
	s->silent_passed = silent ? passed : (struct fffa_amount){0, 0};
	s->silent_others = silent ? now->others : 0;
	return FFFA_HOOK_UP;
}

struct fffa_amount fffa_hook_state_judge(struct fffa_hook_state *s, const char *where,
					 const struct fffa_hook_facts_now *now)
{
	bool known = s->dev_known && now->dev_known;
	struct fffa_amount passed =
		known ? difference(now->dev, s->dev) : (struct fffa_amount){0, 0};
	uint64_t counted = minus(now->counted.packets, s->counted.packets);
	enum fffa_hook_condition was = s->condition;
	struct fffa_amount news = {0, 0};

	s->dev_known = now->dev_known;
	s->dev = now->dev;
	s->counted = now->counted;
	s->condition = condition_now(s, now, passed, counted);
	/* A hook that was in order now and before has counted everything. */
	s->missed = was != FFFA_HOOK_UP || s->condition != FFFA_HOOK_UP || now->put_back;
	if (s->missed) {
		fffa_amount_add(&s->passed, passed.packets, passed.bytes);
		s->hooked += counted + now->others;
		news = report_missed(s, now->link_header_bytes);
	}
	if (now->put_back)
		s->put_backs++;
	if (s->missed && s->condition == FFFA_HOOK_UP)
		forget_gap(s);
	if (s->condition != was || s->condition != FFFA_HOOK_BLIND)
		describe(s, where, now);
	return news;
}
