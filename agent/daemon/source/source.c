// SPDX-License-Identifier: MIT
/* Calls through the table, with a default where a source has no function. */
#include "agent/daemon/source/source.h"

#include <stdlib.h>
#include <string.h>

int fffa_source_prepare(struct fffa_source *s, struct fffa_err *err)
{
	return s->ops->prepare(s, err);
}

int fffa_source_start(struct fffa_source *s, uv_loop_t *loop, struct fffa_ledger *ledger,
		      const struct fffa_source_events *ev, struct fffa_err *err)
{
	return s->ops->start(s, loop, ledger, ev, err);
}

void fffa_source_stop(struct fffa_source *s)
{
	s->ops->stop(s);
}

void fffa_source_change(struct fffa_source *s)
{
	if (s->ops->change)
		s->ops->change(s);
}

void fffa_source_close(struct fffa_source *s)
{
	s->ops->close(s);
}

void fffa_source_free(struct fffa_source *s)
{
	free(s); /* the struct of each source begins with this one */
}

void fffa_source_now(const struct fffa_source *s, uint64_t *mono_ns, uint64_t *unix_ns)
{
	s->ops->now(s, mono_ns, unix_ns);
}

const struct fffa_tunnel *fffa_source_tunnel(const struct fffa_source *s, uint16_t id)
{
	return s->ops->tunnel(s, id);
}

struct fffa_amount fffa_source_held(struct fffa_source *s)
{
	return s->ops->held ? s->ops->held(s) : (struct fffa_amount){0, 0};
}

bool fffa_source_watches(const struct fffa_source *s)
{
	return s->ops->watched != NULL;
}

size_t fffa_source_watched(const struct fffa_source *s, uint32_t *ifindexes, size_t max)
{
	return s->ops->watched ? s->ops->watched(s, ifindexes, max) : 0;
}

void fffa_source_checkpoint(struct fffa_source *s, struct fffa_amount held, int64_t unix_ms)
{
	if (s->ops->checkpoint)
		s->ops->checkpoint(s, held, unix_ms);
}

void fffa_source_view(struct fffa_source *s, struct fffa_status_view *v)
{
	if (s->ops->view)
		s->ops->view(s, v);
}

void fffa_source_limit_window(struct fffa_source *s, uint64_t window_ns)
{
	if (s->ops->limit_window)
		s->ops->limit_window(s, window_ns);
}

bool fffa_source_names_one_interface(const struct fffa_config *conf)
{
	const struct fffa_pairs *fixed = &conf->metadata.fixed;

	for (size_t i = 0; i < fixed->n; i++)
		if (!strcmp(fixed->v[i].key, "interface_id"))
			return true;
	return false;
}
