// SPDX-License-Identifier: MIT
/* fffa spool: lists what a sink's spool holds, or writes its records as they would be sent. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/io.h"
#include "agent/cli/commands.h"
#include "agent/spool/store.h"
#include "agent/spool/tally.h"

struct sum {
	bool cat;
	uint64_t segments, frames, records, settled, damaged, missing;
	struct fffa_spool_account account;
	struct fffa_spool_tally tally;
};

static void print_frame(const struct fffa_spool_found *found, const char *state)
{
	const struct fffa_spool_frame *f = &found->frame;

	(void)printf("  frame at=%" PRIu64 " epoch=%" PRIu64 " seq=%" PRIu64 "-%" PRIu64
		     " records=%" PRIu32 " bytes=%" PRIu32 " sealed_ms=%" PRId64,
		     found->begin.at, f->origin.epoch, f->first_seq, f->last_seq, f->count,
		     f->bytes_len, f->sealed_ms);
	if (f->is_skipdata)
		(void)printf(" skipdata=%" PRIu64 " reason=%s", f->numbers, f->reason);
	(void)printf(" %s\n", state);
}

static void show_frame(struct sum *sum, const struct fffa_spool_source *src,
		       const struct fffa_spool_found *found, bool settled)
{
	struct fffa_batch *b = NULL;
	const char *state = settled ? "settled" : "waits";

	sum->frames++;
	if (fffa_spool_walk_load(src, found, &b)) {
		sum->damaged++;
		state = "damaged";
	} else if (settled) {
		sum->settled += found->frame.count;
	} else {
		sum->records += found->frame.count;
		if (sum->cat)
			(void)fwrite(fffa_batch_bytes(b).ptr, 1, fffa_batch_bytes(b).len, stdout);
	}
	if (!sum->cat)
		print_frame(found, state);
	fffa_batch_unref(b);
}

static void print_segment(const struct fffa_spool_source *src, uint64_t id)
{
	uint8_t bytes[FFFA_SPOOL_SEGMENT_HEAD];
	struct fffa_spool_segment head;

	(void)printf("segment %016" PRIx64 " bytes=%" PRIu64, id, src->size);
	if (src->size >= sizeof(bytes) && !src->read(src->arg, 0, bytes, sizeof(bytes)) &&
	    !fffa_spool_segment_get(&head, bytes))
		(void)printf(" epoch=%" PRIu64 " format=%s\n", head.epoch, head.format);
	else
		(void)printf(" head damaged\n");
}

static bool is_settled(const struct sum *sum, uint64_t id, const struct fffa_spool_pos *pos)
{
	const struct fffa_spool_ack *ack = &sum->account.ack;

	return id < ack->segment || (id == ack->segment && pos->at < ack->pos.at);
}

static int show_frames(struct sum *sum, const struct fffa_spool_source *src, uint64_t id)
{
	struct fffa_spool_pos pos = fffa_spool_walk_begin();
	struct fffa_spool_found found;
	int rc;

	while ((rc = fffa_spool_walk_next(src, &pos, &found)) > 0) {
		if (found.begin.at != pos.at && !sum->cat)
			(void)printf("  damaged at=%" PRIu64 " records=%" PRIu64 "\n", pos.at,
				     found.begin.records - pos.records);
		show_frame(sum, src, &found, is_settled(sum, id, &found.begin));
		if (!is_settled(sum, id, &found.begin))
			fffa_spool_tally_add(
				&sum->tally,
				is_settled(sum, id, &pos) ? &sum->account.ack.pos : &pos, &found);
		pos = found.end;
	}
	if (pos.at < src->size && !sum->cat)
		(void)printf("  cut or damaged at=%" PRIu64 "\n", pos.at);
	return rc;
}

/* A segment that cannot be read is shown, and the others are still read. */
static void show_segment(struct sum *sum, struct fffa_store *s, uint64_t id)
{
	struct fffa_spool_source src;
	int rc = fffa_store_source(s, id, &src);

	sum->segments++;
	if (!rc && !sum->cat)
		print_segment(&src, id);
	if (!rc)
		rc = show_frames(sum, &src, id);
	if (!rc)
		return;
	sum->damaged++;
	if (!sum->cat)
		(void)printf("segment %016" PRIx64 " cannot be read: %s\n", id, strerror(-rc));
}

/* Shows what the next start will report as lost, if no agent is at work here. */
static void show_missing(struct sum *sum)
{
	for (size_t i = 0; i < sum->account.n; i++) {
		struct fffa_spool_missing m = fffa_spool_tally_missing(&sum->tally, i);

		sum->missing += m.damaged + m.unsaved;
		if ((m.damaged || m.unsaved) && !sum->cat)
			(void)printf("missing epoch=%" PRIu64 " spool_damaged=%" PRIu64
				     " unsaved=%" PRIu64 "\n",
				     sum->account.v[i].epoch, m.damaged, m.unsaved);
	}
}

static enum fffa_exit list_spool(const char *dir, bool cat)
{
	struct sum sum = {.cat = cat};
	struct fffa_err err = {""};
	struct fffa_store *s;
	uint64_t *ids = NULL;
	size_t n = 0;
	int rc = fffa_store_open_read(dir, &s, &err);

	if (rc) {
		(void)fprintf(stderr, "fffa spool: %s\n", err.text);
		return FFFA_EXIT_FAILED;
	}
	rc = fffa_store_list(s, &ids, &n, &sum.account);
	fffa_spool_tally_init(&sum.tally, &sum.account);
	for (size_t i = 0; i < n && !rc; i++)
		show_segment(&sum, s, ids[i]);
	show_missing(&sum);
	free(ids);
	fffa_store_close(s);
	if (rc) {
		(void)fprintf(stderr, "fffa spool: %s: %s\n", dir, fffa_io_strerror(rc));
		return FFFA_EXIT_FAILED;
	}
	if (!cat)
		(void)printf("segments=%" PRIu64 " frames=%" PRIu64 " waiting_records=%" PRIu64
			     " settled_records=%" PRIu64 " damaged_frames=%" PRIu64
			     " missing_records=%" PRIu64 "\n",
			     sum.segments, sum.frames, sum.records, sum.settled, sum.damaged,
			     sum.missing);
	return FFFA_EXIT_OK;
}

enum fffa_exit fffa_cmd_spool(const struct fffa_command *self, int argc, char **argv)
{
	bool cat = false;
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "cat", .flag = &cat}},
		.operand = "directory",
	};
	enum fffa_exit code;
	int first = fffa_cli_parse(self, argc, argv, &syntax, &code);

	return first ? list_spool(argv[first], cat) : code;
}
