// SPDX-License-Identifier: MIT
/* The account: how many sequence numbers of each epoch the sink was given, and where they went. */
#include <inttypes.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/minmax.h"
#include "agent/pipeline/spooler/spooler_internal.h"
#include "sinks/batch.h"

static uint64_t epoch_of(const struct fffa_queued_batch *b)
{
	return fffa_batch_origin(b->d.batch)->epoch;
}

static void add_settled(struct fffa_spooler *s, uint64_t epoch, uint64_t numbers, uint64_t last_seq)
{
	struct fffa_spool_epoch *e = fffa_spool_account_find(&s->account, epoch);

	if (!e || !numbers)
		return;
	fffa_spool_account_settle(e, numbers, last_seq);
	s->account_changed = true;
}

void fffa_spooler__account_join(struct fffa_spooler *s, uint64_t epoch, uint64_t given)
{
	struct fffa_spool_epoch *e = fffa_spool_account_add(&s->account, epoch);

	/* Where the sink was added while the agent runs, nobody misses the numbers before. */
	if (given > e->given)
		fffa_spool_account_settle(e, given - e->given, given);
	e->given = given;
}

/* Adds the settled numbers of own, which were given since the disk's account was written. */
static void add_epoch(struct fffa_spool_epoch *e, const struct fffa_spool_epoch *own)
{
	if (own->settled > e->given)
		fffa_spool_account_settle(e, own->settled - e->given, own->seq);
	if (own->other_lost_seq)
		fffa_spool_account_lose(e, own->other_lost_seq);
	if (own->lost_seq)
		fffa_spool_account_lose(e, own->lost_seq);
	e->given = fffa_max_u64(e->given, own->given);
}

void fffa_spooler__account_adopt(struct fffa_spooler *s, const struct fffa_spool_account *disk)
{
	const struct fffa_spool_account own = s->account;

	s->account = *disk;
	for (size_t i = 0; i < own.n; i++) {
		add_epoch(fffa_spool_account_add(&s->account, own.v[i].epoch), &own.v[i]);
		s->account_changed = true;
	}
}

void fffa_spooler__account_join_late(struct fffa_spooler *s, uint64_t epoch, uint64_t given,
				     uint64_t outstanding)
{
	struct fffa_spool_epoch *e = fffa_spool_account_add(&s->account, epoch);

	*e = (struct fffa_spool_epoch){.epoch = epoch, .given = given};
	e->settled = given > outstanding ? given - outstanding : 0;
}

void fffa_spooler_set_given(struct fffa_spooler *s, const uint64_t *given)
{
	struct fffa_spool_epoch *e = fffa_spool_account_find(&s->account, s->now_epoch);

	if (e && s->given)
		e->given = fffa_max_u64(e->given, *s->given);
	fffa_spooler__account_join(s, s->now_epoch, *given);
	s->given = given;
	s->account_changed = true;
}

void fffa_spooler__account_frame(struct fffa_spooler *s, const struct fffa_spool_ref *ref)
{
	add_settled(s, ref->seg->epoch, ref->numbers - ref->lost, ref->last_seq);
}

void fffa_spooler_count_settled(struct fffa_spooler *s, const struct fffa_queued_batch *b,
				uint32_t records)
{
	if (b->ref || !records)
		return; /* counted with its frame */
	add_settled(s, epoch_of(b), b->is_skipdata ? b->skipped.records : records,
		    fffa_batch_last_seq(b->d.batch));
}

void fffa_spooler_count_lost(struct fffa_spooler *s, const struct fffa_queued_batch *b)
{
	(void)s;
	if (b->ref)
		b->ref->lost += b->is_skipdata ? b->skipped.records : fffa_batch_count(b->d.batch);
}

void fffa_spooler_note_missing(struct fffa_spooler *s, const struct fffa_missing *m)
{
	struct fffa_spool_epoch *e = fffa_spool_account_find(&s->account, m->epoch);

	if (!e)
		return;
	fffa_spool_account_lose(e, m->last_seq);
	s->account_changed = true;
}

void fffa_spooler__account_write(struct fffa_spooler *s, const struct fffa_queued_batch *b)
{
	struct fffa_spool_epoch *e = fffa_spool_account_find(&s->account, epoch_of(b));

	if (e && b->is_skipdata)
		fffa_spool_account_reported(e, b->skipped.last_seq);
	s->account_changed = true;
}

bool fffa_spooler__account_is_new(struct fffa_spooler *s, const struct fffa_spool_ack *ack)
{
	const struct fffa_spool_ack *before = &s->account.ack;
	struct fffa_spool_epoch *e = fffa_spool_account_find(&s->account, s->now_epoch);

	if (e && s->given && *s->given != e->given) {
		e->given = *s->given;
		s->account_changed = true;
	}
	return s->account_changed || ack->segment != before->segment ||
	       ack->pos.at != before->pos.at;
}

/* Counts the numbers in frames behind the ack for each epoch. */
static void count_stored(struct fffa_spooler *s)
{
	const struct fffa_spool_ack *ack = &s->account.ack;
	const struct fffa_spooler_segment *seg;

	for (size_t i = 0; i < s->account.n; i++)
		s->account.v[i].stored = 0;
	TAILQ_FOREACH(seg, &s->segments, link)
	{
		struct fffa_spool_epoch *e = fffa_spool_account_find(&s->account, seg->epoch);

		if (e && seg->id > ack->segment)
			e->stored += seg->end.numbers;
		else if (e && seg->id == ack->segment)
			e->stored += seg->end.numbers - ack->pos.numbers;
	}
}

void fffa_spooler__account_take(struct fffa_spooler *s, const struct fffa_spool_ack *ack,
				struct fffa_spool_account *out)
{
	s->account.ack = *ack;
	s->account.time_ms = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);
	count_stored(s);
	fffa_spool_account_drop_settled(&s->account, s->now_epoch);
	s->account_changed = false;
	*out = s->account;
}

/*
 * Counts numbers of the i-th epoch of the account as lost. They are reported when it is known who
 * this host is.
 */
static void lose_missing(struct fffa_spooler *s, size_t i, uint64_t numbers, uint64_t last_seq,
			 enum fffa_record_loss why)
{
	const struct fffa_spool_account *a = &s->account;
	/* An epoch is the time of its start. Its records are older than the next epoch. */
	uint64_t end_ms = i + 1 < a->n ? a->v[i + 1].epoch : (uint64_t)a->time_ms;
	struct fffa_missing m = {
		.records = numbers,
		.epoch = a->v[i].epoch,
		.last_seq = last_seq,
		.first_ms = (int64_t)fffa_min_u64(a->v[i].epoch, end_ms),
		.last_ms = (int64_t)end_ms,
	};

	if (!numbers || s->losses.n == FFFA_SPOOLER_LOSSES_MAX)
		return;
	fffa_warn(s->conf.tag,
		  "records of an earlier run are lost, %s: records=%" PRIu64 " epoch=%" PRIu64,
		  why == FFFA_RL_SPOOL_DAMAGED ? "the spool is damaged"
					       : "it ended before they were on disk",
		  numbers, m.epoch);
	s->losses.v[s->losses.n].m = m;
	s->losses.v[s->losses.n++].why = why;
	s->conf.ops->resume(s->conf.queue, numbers);
	m.records = 0; /* reported later */
	s->conf.ops->lose_unread(s->conf.queue, numbers, &m, why);
}

void fffa_spooler__account_begin(struct fffa_spooler *s)
{
	struct fffa_spool_account *a = &s->account;
	struct fffa_spool_epoch *e = fffa_spool_account_find(a, s->conf.last_epoch);

	if (e)
		e->given = fffa_max_u64(e->given, s->conf.last_given);
	for (size_t i = 0; i < a->n; i++)
		s->epoch = fffa_max_u64(s->epoch, a->v[i].epoch);
}

void fffa_spooler__account_compare(struct fffa_spooler *s, const struct fffa_spool_tally *tally)
{
	for (size_t i = 0; i < s->account.n; i++) {
		struct fffa_spool_missing m = fffa_spool_tally_missing(tally, i);
		struct fffa_spool_epoch *e = &s->account.v[i];

		lose_missing(s, i, m.damaged, m.damaged_seq, FFFA_RL_SPOOL_DAMAGED);
		lose_missing(s, i, m.unsaved, m.unsaved_seq, FFFA_RL_UNSAVED);
		/* Frames may be younger than the account that was read. */
		e->given = fffa_max_u64(e->given, tally->v[i].top);
		e->stored = fffa_max_u64(e->stored, tally->v[i].numbers);
	}
	/* From now on nobody else needs to know the last number of the epochs before. */
	if (s->account.n)
		(void)fffa_store_ack_write(s->store, &s->account, false);
}

bool fffa_spooler_next_loss(struct fffa_spooler *s, struct fffa_missing *m,
			    enum fffa_record_loss *why)
{
	struct fffa_spooler_losses *l = &s->losses;

	if (l->reported == l->n)
		return false;
	*m = l->v[l->reported].m;
	*why = l->v[l->reported++].why;
	return true;
}
