// SPDX-License-Identifier: MIT
#include "agent/status/records/records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/minmax.h"

#define LOSS_BYTES_MAX 128 /* of the line about lost records */

struct fffa_records_reader {
	struct fffa_filter *filter;
	void (*wake)(void *arg);
	void *arg;
	bool waits; /* found nothing, and wants wake */
	uint64_t lost;
	size_t first, len; /* of the ring */
	char ring[FFFA_RECORDS_READER_BYTES];
};

int fffa_records_join(struct fffa_records *s, struct fffa_filter *filter, void (*wake)(void *arg),
		      void *arg, struct fffa_records_reader **out, struct fffa_err *err)
{
	struct fffa_records_reader *r;
	int rc = 0;

	if (s->count == FFFA_RECORDS_READERS_MAX)
		return fffa_fail(err, EBUSY, "there are %d readers of records already",
				 FFFA_RECORDS_READERS_MAX);
	if (!s->encoder)
		rc = fffa_encoder_new(FFFA_FORMAT_JSON, NULL, &s->encoder, err);
	if (rc)
		return rc;
	r = malloc(sizeof(*r)); /* the ring is not touched until it is used */
	if (!r)
		return fffa_fail(err, ENOMEM, "no memory for a reader of records");
	r->filter = filter;
	r->wake = wake;
	r->arg = arg;
	r->waits = false;
	r->lost = r->first = r->len = 0;
	s->readers[s->count++] = r;
	*out = r;
	return 0;
}

void fffa_records_leave(struct fffa_records *s, struct fffa_records_reader *r)
{
	size_t i = 0;

	if (!r)
		return;
	while (s->readers[i] != r)
		i++;
	s->readers[i] = s->readers[--s->count];
	fffa_filter_free(r->filter);
	free(r);
}

static void put_bytes(struct fffa_records_reader *r, const char *p, size_t n)
{
	size_t at = (r->first + r->len) % sizeof(r->ring);
	size_t piece = fffa_min_size(n, sizeof(r->ring) - at);

	memcpy(r->ring + at, p, piece);
	memcpy(r->ring, p + piece, n - piece);
	r->len += n;
}

static void put_loss(struct fffa_records_reader *r)
{
	char line[LOSS_BYTES_MAX];
	int n = snprintf(line, sizeof(line),
			 "{\"log_status\":\"SKIPDATA\",\"lost_records\":%" PRIu64
			 ",\"lost_reason\":\"slow_reader\"}\n",
			 r->lost);

	put_bytes(r, line, (size_t)n);
	r->lost = 0;
}

/* What was lost is said before the next record that has room. */
static void put_record(struct fffa_records_reader *r, const char *p, size_t n)
{
	size_t room = sizeof(r->ring) - r->len;

	if (n + (r->lost ? LOSS_BYTES_MAX : 0) > room) {
		r->lost++;
		return;
	}
	if (r->lost)
		put_loss(r);
	put_bytes(r, p, n);
	if (!r->waits)
		return;
	r->waits = false;
	r->wake(r->arg);
}

static bool wants(const struct fffa_records_reader *r, const struct fffa_record *rec)
{
	return rec->status != FFFA_STATUS_OK ||
	       fffa_filter_passes(r->filter, &rec->key, rec->flags);
}

void fffa_records_add(struct fffa_records *s, const struct fffa_record *r)
{
	uint8_t line[FFFA_RECORD_BYTES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (!wants(s->readers[i], r))
			continue;
		if (!n)
			n = fffa_encoder_write(s->encoder, r, line, sizeof(line));
		put_record(s->readers[i], (const char *)line, n);
	}
}

size_t fffa_records_take(struct fffa_records_reader *r, char *dst, size_t max)
{
	size_t n = fffa_min_size(max, r->len);
	size_t piece = fffa_min_size(n, sizeof(r->ring) - r->first);

	memcpy(dst, r->ring + r->first, piece);
	memcpy(dst + piece, r->ring, n - piece);
	r->len -= n;
	r->first = r->len ? (r->first + n) % sizeof(r->ring) : 0;
	if (!n && r->lost) { /* a quiet time tells it, too */
		put_loss(r);
		return fffa_records_take(r, dst, max);
	}
	r->waits = !n;
	return n;
}

void fffa_records_fini(struct fffa_records *s)
{
	fffa_encoder_free(s->encoder);
	s->encoder = NULL;
}
