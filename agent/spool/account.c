// SPDX-License-Identifier: MIT
#include "agent/spool/account.h"

#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/minmax.h"
#include "agent/spool/wire.h"

struct fffa_spool_epoch *fffa_spool_account_find(struct fffa_spool_account *a, uint64_t epoch)
{
	for (size_t i = a->n; i-- > 0;) {
		if (a->v[i].epoch == epoch)
			return &a->v[i];
	}
	return NULL;
}

static void remove_at(struct fffa_spool_account *a, size_t i)
{
	a->n--;
	memmove(&a->v[i], &a->v[i + 1], (a->n - i) * sizeof(a->v[0]));
}

struct fffa_spool_epoch *fffa_spool_account_add(struct fffa_spool_account *a, uint64_t epoch)
{
	struct fffa_spool_epoch *e = fffa_spool_account_find(a, epoch);
	size_t at;

	if (e)
		return e;
	if (a->n == FFFA_SPOOL_EPOCHS_MAX)
		remove_at(a, 0);
	at = a->n;
	while (at && a->v[at - 1].epoch > epoch)
		at--;
	memmove(&a->v[at + 1], &a->v[at], (a->n - at) * sizeof(a->v[0]));
	a->n++;
	a->v[at] = (struct fffa_spool_epoch){.epoch = epoch};
	return &a->v[at];
}

void fffa_spool_account_settle(struct fffa_spool_epoch *e, uint64_t numbers, uint64_t last_seq)
{
	e->settled += numbers;
	e->seq = fffa_max_u64(e->seq, last_seq);
	if (last_seq > e->low && last_seq - e->low <= numbers)
		e->low = last_seq;
	fffa_spool_account_reported(e, last_seq);
}

void fffa_spool_account_lose(struct fffa_spool_epoch *e, uint64_t last_seq)
{
	/* A SKIPDATA record takes the highest number of those it reports. */
	if (e->lost_seq != last_seq)
		e->other_lost_seq = fffa_min_u64(e->lost_seq, last_seq);
	e->lost_seq = fffa_max_u64(e->lost_seq, last_seq);
}

void fffa_spool_account_reported(struct fffa_spool_epoch *e, uint64_t last_seq)
{
	if (last_seq != e->lost_seq)
		return;
	e->lost_seq = e->other_lost_seq;
	e->other_lost_seq = 0;
}

void fffa_spool_account_drop_settled(struct fffa_spool_account *a, uint64_t epoch)
{
	size_t i = 0;

	while (i < a->n && a->v[i].epoch < epoch) {
		if (a->v[i].settled >= a->v[i].given && !a->v[i].stored)
			remove_at(a, i);
		else
			i++;
	}
}

void fffa_spool_account_put(const struct fffa_spool_account *a, uint64_t turn,
			    uint8_t dst[FFFA_SPOOL_ACCOUNT_BYTES])
{
	uint8_t *p = dst;

	memset(dst, 0, FFFA_SPOOL_ACCOUNT_BYTES);
	fffa_wire_put64(&p, turn);
	fffa_wire_put64(&p, a->ack.segment);
	fffa_wire_put64(&p, a->ack.pos.at);
	fffa_wire_put64(&p, a->ack.pos.records);
	fffa_wire_put64(&p, a->ack.pos.numbers);
	fffa_wire_put64(&p, a->ack.pos.seq);
	fffa_wire_put64(&p, (uint64_t)a->time_ms);
	fffa_wire_put64(&p, a->n);
	for (size_t i = 0; i < a->n; i++) {
		fffa_wire_put64(&p, a->v[i].epoch);
		fffa_wire_put64(&p, a->v[i].given);
		fffa_wire_put64(&p, a->v[i].settled);
		fffa_wire_put64(&p, a->v[i].stored);
		fffa_wire_put64(&p, a->v[i].low);
		fffa_wire_put64(&p, a->v[i].seq);
		fffa_wire_put64(&p, a->v[i].lost_seq);
	}
	FFFA_ASSERT(p <= dst + FFFA_SPOOL_ACCOUNT_BYTES - 4);
	fffa_wire_put_crc(dst, FFFA_SPOOL_ACCOUNT_BYTES);
}

void fffa_spool_account_get_ack(struct fffa_spool_ack *ack, const uint8_t **p)
{
	ack->segment = fffa_wire_get64(p);
	ack->pos.at = fffa_wire_get64(p);
	ack->pos.records = fffa_wire_get64(p);
	ack->pos.numbers = fffa_wire_get64(p);
	ack->pos.seq = fffa_wire_get64(p);
}

uint64_t fffa_spool_account_get(struct fffa_spool_account *a,
				const uint8_t src[FFFA_SPOOL_ACCOUNT_BYTES])
{
	const uint8_t *p = src;
	uint64_t turn, n;

	if (!fffa_wire_crc_is_right(src, FFFA_SPOOL_ACCOUNT_BYTES))
		return 0;
	turn = fffa_wire_get64(&p);
	fffa_spool_account_get_ack(&a->ack, &p);
	a->time_ms = (int64_t)fffa_wire_get64(&p);
	n = fffa_wire_get64(&p);
	if (n > FFFA_SPOOL_EPOCHS_MAX)
		return 0;
	a->n = (size_t)n;
	for (size_t i = 0; i < a->n; i++) {
		a->v[i].epoch = fffa_wire_get64(&p);
		a->v[i].given = fffa_wire_get64(&p);
		a->v[i].settled = fffa_wire_get64(&p);
		a->v[i].stored = fffa_wire_get64(&p);
		a->v[i].low = fffa_wire_get64(&p);
		a->v[i].seq = fffa_wire_get64(&p);
		a->v[i].lost_seq = fffa_wire_get64(&p);
		a->v[i].other_lost_seq = 0;
	}
	return turn;
}
