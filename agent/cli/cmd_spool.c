// SPDX-License-Identifier: MIT
/* fffa spool: lists what a sink's spool holds, or writes its records as they would be sent. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/io.h"
#include "agent/cli/commands.h"
#include "agent/spool/store.h"

struct sum {
	bool cat;
	uint64_t segments, frames, records, settled, damaged;
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

static int show_segment(struct sum *sum, struct fffa_store *s, uint64_t id,
			const struct fffa_spool_ack *ack)
{
	struct fffa_spool_pos pos = fffa_spool_walk_begin();
	struct fffa_spool_source src;
	struct fffa_spool_found found;
	int rc = fffa_store_source(s, id, &src);

	if (rc)
		return rc;
	sum->segments++;
	if (!sum->cat)
		print_segment(&src, id);
	while ((rc = fffa_spool_walk_next(&src, &pos, &found)) > 0) {
		if (found.begin.at != pos.at && !sum->cat)
			(void)printf("  damaged at=%" PRIu64 " records=%" PRIu64 "\n", pos.at,
				     found.begin.records - pos.records);
		show_frame(sum, &src, &found,
			   id < ack->segment ||
				   (id == ack->segment && found.begin.at < ack->pos.at));
		pos = found.end;
	}
	if (pos.at < src.size && !sum->cat)
		(void)printf("  cut or damaged at=%" PRIu64 "\n", pos.at);
	return rc;
}

static enum fffa_exit list_spool(const char *dir, bool cat)
{
	struct sum sum = {.cat = cat};
	struct fffa_err err = {""};
	struct fffa_store *s;
	struct fffa_spool_ack ack;
	uint64_t *ids = NULL;
	size_t n = 0;
	int rc = fffa_store_open_read(dir, &s, &err);

	if (rc) {
		(void)fprintf(stderr, "fffa spool: %s\n", err.text);
		return FFFA_EXIT_FAILED;
	}
	rc = fffa_store_list(s, &ids, &n, &ack);
	for (size_t i = 0; i < n && !rc; i++)
		rc = show_segment(&sum, s, ids[i], &ack);
	free(ids);
	fffa_store_close(s);
	if (rc) {
		(void)fprintf(stderr, "fffa spool: %s: %s\n", dir, fffa_io_strerror(rc));
		return FFFA_EXIT_FAILED;
	}
	if (!cat)
		(void)printf("segments=%" PRIu64 " frames=%" PRIu64 " waiting_records=%" PRIu64
			     " settled_records=%" PRIu64 " damaged_frames=%" PRIu64 "\n",
			     sum.segments, sum.frames, sum.records, sum.settled, sum.damaged);
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
