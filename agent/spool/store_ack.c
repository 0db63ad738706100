// SPDX-License-Identifier: MIT
/* The file "ack" has two slots that are written in turn: a torn one leaves the other. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "agent/spool/store_internal.h"
#include "agent/spool/wire.h"

#define ACK_SLOT 64

static void put_ack(const struct fffa_spool_ack *ack, uint64_t turn, uint8_t dst[ACK_SLOT])
{
	uint8_t *p = dst;

	memset(dst, 0, ACK_SLOT);
	fffa_wire_put64(&p, turn);
	fffa_wire_put64(&p, ack->segment);
	fffa_wire_put64(&p, ack->pos.at);
	fffa_wire_put64(&p, ack->pos.records);
	fffa_wire_put64(&p, ack->pos.numbers);
	fffa_wire_put64(&p, ack->pos.seq);
	fffa_wire_put_crc(dst, ACK_SLOT);
}

/* The turn of the slot, or 0 when it is not whole. */
static uint64_t get_ack(const uint8_t src[ACK_SLOT], struct fffa_spool_ack *ack)
{
	const uint8_t *p = src;
	uint64_t turn;

	if (!fffa_wire_crc_is_right(src, ACK_SLOT))
		return 0;
	turn = fffa_wire_get64(&p);
	ack->segment = fffa_wire_get64(&p);
	ack->pos.at = fffa_wire_get64(&p);
	ack->pos.records = fffa_wire_get64(&p);
	ack->pos.numbers = fffa_wire_get64(&p);
	ack->pos.seq = fffa_wire_get64(&p);
	return turn;
}

int fffa_store_ack_write(struct fffa_store *s, const struct fffa_spool_ack *ack)
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

int fffa_store_ack_read(struct fffa_store *s, struct fffa_spool_ack *ack)
{
	uint8_t slots[2 * ACK_SLOT] = {0};
	int fd = fffa_io_open_regular(s->dir, "ack", O_RDONLY | O_NOFOLLOW);
	ssize_t got;

	*ack = (struct fffa_spool_ack){0};
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
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
