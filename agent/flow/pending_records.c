// SPDX-License-Identifier: MIT
#include "agent/flow/pending_records.h"

#include <stdlib.h>

#define ROOM_FIRST 256

bool fffa_pending_records_add(struct fffa_pending_records *p, const struct fffa_record *r)
{
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : ROOM_FIRST;
		struct fffa_record *v;

		if (room > FFFA_PENDING_RECORDS_MAX)
			return false;
		v = realloc(p->v, room * sizeof(*v));
		if (!v)
			return false;
		p->v = v;
		p->room = room;
	}
	p->v[p->n++] = *r;
	return true;
}

void fffa_pending_records_release(struct fffa_pending_records *p, fffa_record_fn fn, void *arg)
{
	struct fffa_pending_records all = *p;

	*p = (struct fffa_pending_records){0};
	for (size_t i = 0; i < all.n; i++)
		fn(arg, &all.v[i]);
	free(all.v);
}
