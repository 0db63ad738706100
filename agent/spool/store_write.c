// SPDX-License-Identifier: MIT
/* What the store writes: segments and the ack. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/spool/crc32c.h"
#include "agent/base/io.h"
#include "agent/spool/store_priv.h"
#include "agent/spool/wire.h"

#define ACK_SLOT 64 /* two of them are written in turn: a torn one leaves the other */

void fffa_store_end(struct fffa_store *s)
{
	if (s->write >= 0)
		(void)close(s->write); /* synced, or reported as not written */
	s->write = -1;
}

int fffa_store_begin(struct fffa_store *s, const struct fffa_spool_segment *head)
{
	uint8_t bytes[FFFA_SPOOL_SEGMENT_HEAD];
	struct iovec v = {bytes, sizeof(bytes)};
	const struct fffa_spool__name name = fffa_store__name(head->id, ".seg");
	int rc;

	fffa_store_end(s);
	s->write = openat(s->dir, name.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	if (s->write < 0)
		return -errno;
	s->write_id = head->id;
	fffa_spool_segment_put(head, bytes);
	rc = fffa_io_write_all(s->write, &v, 1, 0, NULL);
	if (!rc && fsync(s->dir))
		rc = -errno;
	if (rc) {
		fffa_store_end(s);
		(void)unlinkat(s->dir, name.text, 0); /* else an empty one is found later */
	}
	return rc;
}

static int grow_scratch(struct fffa_store *s, size_t n)
{
	uint8_t *p;

	if (n <= s->scratch_cap)
		return 0;
	p = realloc(s->scratch, n);
	if (!p)
		return -ENOMEM;
	s->scratch = p;
	s->scratch_cap = n;
	return 0;
}

int fffa_store_append(struct fffa_store *s, uint64_t at, struct fffa_spool_frame *f,
		      const struct fffa_batch *b)
{
	size_t head = FFFA_SPOOL_FRAME_HEAD + (size_t)f->count * FFFA_SPOOL_INDEX_ROW;
	struct fffa_span bytes = fffa_batch_bytes(b);
	int rc;

	if (s->write < 0)
		return -EBADF;
	rc = grow_scratch(s, head);
	if (!rc) {
		struct iovec v[2] = {{s->scratch, head}, {(void *)(uintptr_t)bytes.ptr, bytes.len}};

		f->body_crc = fffa_spool_index_put(b, s->scratch + FFFA_SPOOL_FRAME_HEAD);
		fffa_spool_frame_put(f, s->scratch);
		rc = fffa_io_write_all(s->write, v, 2, (off_t)at, NULL);
	}
	if (rc && ftruncate(s->write, (off_t)at))
		rc = -errno; /* what cannot be cut is a torn tail */
	return rc;
}

int fffa_store_sync(struct fffa_store *s)
{
	return s->write >= 0 && fdatasync(s->write) ? -errno : 0;
}

static void put_ack(const struct fffa_spool_ack *ack, uint64_t turn, uint8_t dst[ACK_SLOT])
{
	uint8_t *p = dst;

	memset(dst, 0, ACK_SLOT);
	fffa_spool__put64(&p, turn);
	fffa_spool__put64(&p, ack->segment);
	fffa_spool__put64(&p, ack->pos.at);
	fffa_spool__put64(&p, ack->pos.records);
	fffa_spool__put64(&p, ack->pos.numbers);
	fffa_spool__put64(&p, ack->pos.seq);
	p = dst + ACK_SLOT - 4;
	fffa_spool__put32(&p, fffa_crc32c(0, dst, ACK_SLOT - 4));
}

/* The turn, or 0 when the slot is not whole. */
static uint64_t get_ack(const uint8_t src[ACK_SLOT], struct fffa_spool_ack *ack)
{
	const uint8_t *p = src + ACK_SLOT - 4;
	uint64_t turn;

	if (fffa_spool__get32(&p) != fffa_crc32c(0, src, ACK_SLOT - 4))
		return 0;
	p = src;
	turn = fffa_spool__get64(&p);
	ack->segment = fffa_spool__get64(&p);
	ack->pos.at = fffa_spool__get64(&p);
	ack->pos.records = fffa_spool__get64(&p);
	ack->pos.numbers = fffa_spool__get64(&p);
	ack->pos.seq = fffa_spool__get64(&p);
	return turn;
}

int fffa_store_ack(struct fffa_store *s, const struct fffa_spool_ack *ack)
{
	uint8_t slot[ACK_SLOT];
	struct iovec v = {slot, sizeof(slot)};
	int rc;

	if (s->ack < 0)
		s->ack = openat(s->dir, "ack", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->ack < 0)
		return -errno;
	put_ack(ack, s->ack_turn + 1, slot);
	rc = fffa_io_write_all(s->ack, &v, 1, (off_t)(s->ack_turn % 2 * ACK_SLOT), NULL);
	if (!rc)
		s->ack_turn++;
	return rc;
}

int fffa_store__read_ack(struct fffa_store *s, struct fffa_spool_ack *ack)
{
	uint8_t slots[2 * ACK_SLOT] = {0};
	int fd = openat(s->dir, "ack", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got;

	*ack = (struct fffa_spool_ack){0};
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	got = pread(fd, slots, sizeof(slots), 0);
	(void)close(fd);
	if (got < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		struct fffa_spool_ack a;
		uint64_t turn = get_ack(slots + (size_t)i * ACK_SLOT, &a);

		if (turn <= s->ack_turn)
			continue;
		s->ack_turn = turn;
		*ack = a;
	}
	return 0;
}
