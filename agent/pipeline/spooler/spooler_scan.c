// SPDX-License-Identifier: MIT
/*
 * At the start: reads the frame heads that an earlier run left, and counts their records as
 * in flight.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/io.h"
#include "agent/base/log.h"
#include "agent/base/minmax.h"
#include "agent/pipeline/spooler/spooler_internal.h"

/*
 * No agent counts so far. What has such a name is not ours, and the segments behind it would soon have
 * names that fffa_store_list does not know.
 */
#define ID_MAX ((uint64_t)INT64_MAX / 2)

struct scan {
	struct fffa_spooler_segment *seg;
	struct fffa_spool_tally *tally;
	bool has_head;
	struct fffa_spool_segment head;
	uint64_t identity; /* of the first frame */
	uint64_t size;	   /* of the file */
	uint64_t frames;
	bool is_foreign; /* no frame could be read, as another version wrote them */
};

static int read_head(const struct fffa_spool_source *src, struct scan *c)
{
	uint8_t bytes[FFFA_SPOOL_SEGMENT_HEAD];
	int rc;

	if (src->size < sizeof(bytes))
		return 0;
	rc = src->read(src->arg, 0, bytes, sizeof(bytes));
	if (!rc)
		c->has_head = !fffa_spool_segment_get(&c->head, bytes);
	return rc;
}

static int look_for_other_version(const struct fffa_spool_source *src, struct scan *c)
{
	uint8_t bytes[sizeof(fffa_spool_frame_magic)];
	uint64_t at = fffa_max_u64(c->seg->end.at, FFFA_SPOOL_SEGMENT_HEAD);
	int rc;

	if (src->size < at + sizeof(bytes))
		return 0;
	rc = src->read(src->arg, at, bytes, sizeof(bytes));
	c->is_foreign = !rc && fffa_spool_frame_is_foreign(bytes);
	return rc;
}

static int walk_frames(const struct fffa_spool_source *src, struct scan *c)
{
	struct fffa_spooler_segment *seg = c->seg;
	struct fffa_spool_found found;
	int rc;

	while ((rc = fffa_spool_walk_next(src, &seg->end, &found)) > 0) {
		const struct fffa_spool_frame *f = &found.frame;

		if (!c->frames++) {
			c->identity = f->identity;
			seg->epoch = f->origin.epoch;
		}
		seg->first_ms = fffa_min_i64(seg->first_ms, f->first_ms);
		seg->last_ms = fffa_max_i64(seg->last_ms, f->last_ms);
		fffa_spool_tally_add(c->tally, &seg->end, &found);
		seg->end = found.end;
	}
	return rc || c->frames ? rc : look_for_other_version(src, c);
}

/*
 * True when the bytes of a segment may go to the sink as they are. The columns of vpc have no
 * names, so there the settings must be the same.
 */
static bool may_be_sent(const struct fffa_spooler *s, const struct scan *c)
{
	const char *format = s->conf.encoding.format;

	return c->identity == s->conf.encoding.identity ||
	       (c->has_head && !strcmp(c->head.format, format) && strcmp(format, "vpc") != 0);
}

static void resume(struct fffa_spooler *s, uint64_t records)
{
	s->unread += records;
	s->resumed += records;
	s->conf.ops->resume(s->conf.queue, records);
}

static void set_aside(struct fffa_spooler *s, struct scan *c, enum fffa_record_loss loss,
		      const char *why)
{
	uint64_t records = fffa_spooler__unread_of(c->seg);

	fffa_warn(s->conf.tag, "spool segment %016" PRIx64 " is set aside, %s: records=%" PRIu64,
		  c->seg->id, why, records);
	if (fffa_store_set_aside(s->store, c->seg->id))
		fffa_warn(s->conf.tag, "spool segment %016" PRIx64 " cannot be renamed",
			  c->seg->id);
	resume(s, records);
	(void)fffa_spooler__lose_unread(s, c->seg, &c->seg->end, loss);
}

/* True when the segment stays, to be sent. */
static bool take_over(struct fffa_spooler *s, struct scan *c)
{
	struct fffa_spooler_segment *seg = c->seg;

	if (!c->frames) {
		if (c->is_foreign)
			set_aside(s, c, FFFA_RL_SPOOL_FORMAT, "another version of fffa wrote it");
		else if (!c->has_head && c->size > FFFA_SPOOL_SEGMENT_HEAD)
			set_aside(s, c, FFFA_RL_SPOOL_DAMAGED, "nothing in it can be read");
		else
			(void)fffa_store_remove(s->store,
						seg->id); /* all frames are settled, or torn */
		return false;
	}
	if (!may_be_sent(s, c)) {
		set_aside(s, c, FFFA_RL_SPOOL_FORMAT, "its records are of another format");
		return false;
	}
	if (seg->end.at < c->size && !fffa_store_cut(s->store, seg->id, seg->end.at))
		c->size = seg->end.at;
	seg->encoding = s->conf.encoding;
	seg->disk_bytes = c->size;
	s->disk_bytes += c->size;
	s->epoch = fffa_max_u64(s->epoch, seg->epoch);
	resume(s, fffa_spooler__unread_of(seg));
	return true;
}

/* Reads a segment whose id is that of its name. 0, -EXDEV when it is not, or -errno. */
static int read_segment(struct fffa_spooler *s, struct scan *c)
{
	struct fffa_spool_source src;
	int rc = fffa_store_source(s->store, c->seg->id, &src);

	if (!rc)
		rc = read_head(&src, c);
	if (rc)
		return rc;
	if (c->has_head && c->head.id != c->seg->id)
		return -EXDEV;
	c->size = src.size;
	return walk_frames(&src, c);
}

static int scan_one(struct fffa_spooler *s, uint64_t id, const struct fffa_spool_pos *from,
		    struct fffa_spool_tally *tally)
{
	struct scan c = {.seg = fffa_spooler__new_segment(id, from), .tally = tally};
	int rc;

	if (!c.seg)
		return -ENOMEM;
	rc = read_segment(s, &c);
	if (rc) {
		set_aside(s, &c, FFFA_RL_SPOOL_DAMAGED,
			  rc == -EXDEV ? "its name is that of another segment"
				       : fffa_io_strerror(rc));
	} else if (take_over(s, &c)) {
		TAILQ_INSERT_TAIL(&s->segments, c.seg, link);
		return 0;
	}
	free(c.seg);
	return 0;
}

static void set_aside_alien(struct fffa_spooler *s, uint64_t id)
{
	fffa_warn(s->conf.tag, "spool segment %016" PRIx64 " is set aside, it is not of this spool",
		  id);
	(void)fffa_store_set_aside(s->store, id);
}

/* Removes a segment that was settled, or sets aside what only has the name of one. */
static void clear_settled(struct fffa_spooler *s, uint64_t id)
{
	struct fffa_spool_source src;
	struct scan c = {.size = 0};
	int rc = fffa_store_source(s->store, id, &src);

	if (!rc)
		rc = read_head(&src, &c);
	if (rc || (c.has_head && c.head.id != id) || fffa_store_remove(s->store, id))
		set_aside_alien(s, id);
}

static int scan_all(struct fffa_spooler *s, const uint64_t *ids, size_t n)
{
	const struct fffa_spool_pos begin = fffa_spool_walk_begin();
	const struct fffa_spool_ack ack = s->account.ack;
	struct fffa_spool_tally tally;
	int rc = 0;

	fffa_spool_tally_init(&tally, &s->account);
	for (size_t i = 0; i < n && !rc; i++) {
		if (ids[i] > ID_MAX) {
			set_aside_alien(s, ids[i]);
			continue;
		}
		if (ids[i] < ack.segment)
			clear_settled(s, ids[i]);
		else
			rc = scan_one(s, ids[i], ids[i] == ack.segment ? &ack.pos : &begin, &tally);
		s->next_id = ids[i] >= s->next_id ? ids[i] + 1 : s->next_id;
	}
	if (!rc)
		fffa_spooler__account_compare(s, &tally);
	return rc;
}

int fffa_spooler__scan(struct fffa_spooler *s, struct fffa_err *err)
{
	uint64_t *ids = NULL;
	size_t n = 0;
	int rc = fffa_store_list(s->store, &ids, &n, &s->account);

	if (!rc) {
		s->next_id = s->account.ack.segment + 1;
		fffa_spooler__account_begin(s);
		rc = scan_all(s, ids, n);
	}
	free(ids);
	if (rc)
		return fffa_fail(err, -rc, "cannot read the spool: %s", fffa_io_strerror(rc));
	if (s->resumed)
		fffa_info(s->conf.tag,
			  "the spool holds records of an earlier run: records=%" PRIu64
			  " segments=%zu",
			  s->resumed, n);
	return 0;
}
