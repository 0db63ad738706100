// SPDX-License-Identifier: MIT
/* What the readers of pcap and pcapng share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/capture/replay/capture_file_internal.h"

#define READ_STEP ((size_t)256 * 1024)

uint16_t fffa_capture_file__u16(const struct fffa_capture_file *f, const void *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return f->swapped ? __builtin_bswap16(v) : v;
}

uint32_t fffa_capture_file__u32(const struct fffa_capture_file *f, const void *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return f->swapped ? __builtin_bswap32(v) : v;
}

int fffa_capture_file__grow(struct fffa_capture_file *f, size_t n)
{
	uint8_t *more;

	if (f->room >= n)
		return 0;
	more = realloc(f->buf, n);
	if (!more)
		return -ENOMEM;
	f->buf = more;
	f->room = n;
	return 0;
}

int fffa_capture_file__read(struct fffa_capture_file *f, void *at, size_t n, struct fffa_err *err)
{
	for (size_t done = 0; done < n;) {
		size_t step = n - done < READ_STEP ? n - done : READ_STEP;
		ssize_t got;

		if (!at && fffa_capture_file__grow(f, done + step))
			return fffa_fail(err, ENOMEM, "no memory");
		got = fffa_input_read(f->input, (at ? (uint8_t *)at : f->buf) + done, step, err);
		if (got < 0)
			return (int)got;
		done += (size_t)got;
		if ((size_t)got < step)
			return fffa_fail(err, EIO, "the file ends within a packet or block");
	}
	return 0;
}

int fffa_capture_file__add_interface(struct fffa_capture_file *f,
				     const struct fffa_capture_interface *i, struct fffa_err *err)
{
	if (f->interface_count == FFFA_CAPTURE_INTERFACES_MAX)
		return fffa_fail(err, E2BIG, "more than %d interfaces in a section",
				 FFFA_CAPTURE_INTERFACES_MAX);
	if (f->interface_count == f->interface_room) {
		size_t room = f->interface_room ? f->interface_room * 2 : 4;
		struct fffa_capture_interface *more =
			realloc(f->interfaces, room * sizeof(*f->interfaces));

		if (!more)
			return fffa_fail(err, ENOMEM, "no memory");
		f->interfaces = more;
		f->interface_room = room;
	}
	f->interfaces[f->interface_count++] = *i;
	return 0;
}
