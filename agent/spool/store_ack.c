// SPDX-License-Identifier: MIT
/* The file "ack" has two slots that are written in turn: a torn one leaves the other. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "agent/spool/store_internal.h"
#include "agent/spool/wire.h"

#define SLOT	 FFFA_SPOOL_ACCOUNT_BYTES
#define OLD_SLOT 64 /* of earlier versions: turn and position */

int fffa_store_ack_write(struct fffa_store *s, const struct fffa_spool_account *account, bool sync)
{
	uint8_t slot[SLOT];
	struct iovec v = {slot, sizeof(slot)};
	int rc;

	if (s->ack < 0)
		s->ack = openat(s->dir, "ack", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->ack < 0)
		return -errno;
	fffa_spool_account_put(account, s->ack_turn + 1, slot);
	rc = fffa_io_write_all(s->ack, &v, 1, (off_t)(s->ack_turn % 2 * SLOT), NULL);
	if (!rc && sync && fdatasync(s->ack))
		rc = -errno;
	if (!rc)
		s->ack_turn++;
	return rc;
}

/* The turn of a slot of an earlier version, or 0 when it is not whole. */
static uint64_t get_old(const uint8_t src[OLD_SLOT], struct fffa_spool_account *account)
{
	const uint8_t *p = src;
	uint64_t turn;

	if (!fffa_wire_crc_is_right(src, OLD_SLOT))
		return 0;
	turn = fffa_wire_get64(&p);
	*account = (struct fffa_spool_account){.n = 0};
	fffa_spool_account_get_ack(&account->ack, &p);
	return turn;
}

static void read_slots(struct fffa_store *s, const uint8_t *bytes, size_t size,
		       uint64_t (*get)(const uint8_t *src, struct fffa_spool_account *account),
		       struct fffa_spool_account *account)
{
	for (size_t i = 0; i < 2; i++) {
		struct fffa_spool_account a;
		uint64_t turn = get(bytes + i * size, &a);

		if (turn <= s->ack_turn)
			continue;
		s->ack_turn = turn;
		*account = a;
	}
}

static uint64_t get_slot(const uint8_t *src, struct fffa_spool_account *account)
{
	return fffa_spool_account_get(account, src);
}

int fffa_store_ack_read(struct fffa_store *s, struct fffa_spool_account *account)
{
	uint8_t bytes[2 * SLOT] = {0};
	int fd = fffa_io_open_regular(s->dir, "ack", O_RDONLY | O_NOFOLLOW);
	ssize_t got;

	*account = (struct fffa_spool_account){.n = 0};
	s->ack_turn = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	got = pread(fd, bytes, sizeof(bytes), 0);
	(void)close(fd);
	if (got < 0)
		return -errno;
	read_slots(s, bytes, OLD_SLOT, get_old, account);
	read_slots(s, bytes, SLOT, get_slot, account);
	return 0;
}

int fffa_store_ack_remove(struct fffa_store *s)
{
	return unlinkat(s->dir, "ack", 0) && errno != ENOENT ? -errno : 0;
}
