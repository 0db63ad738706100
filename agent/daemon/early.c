// SPDX-License-Identifier: MIT
#include "agent/daemon/early.h"

#include <stdlib.h>

#define ROOM_FIRST 256

bool fffa_early_keep(struct fffa_early *e, const struct fffa_record *r)
{
	if (e->n == e->room) {
		size_t room = e->room ? 2 * e->room : ROOM_FIRST;
		struct fffa_record *v;

		if (room > FFFA_EARLY_MAX)
			return false;
		v = realloc(e->v, room * sizeof(*v));
		if (!v)
			return false;
		e->v = v;
		e->room = room;
	}
	e->v[e->n++] = *r;
	return true;
}

void fffa_early_release(struct fffa_early *e, fffa_record_fn fn, void *arg)
{
	struct fffa_early all = *e;

	*e = (struct fffa_early){0};
	for (size_t i = 0; i < all.n; i++)
		fn(arg, &all.v[i]);
	free(all.v);
}
