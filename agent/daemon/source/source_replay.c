// SPDX-License-Identifier: MIT
/* Capture files as a source; the clock is the captures' time. */
#include "agent/daemon/source/source.h"

#include <stdlib.h>

#include "agent/base/clock.h"

#define EXPIRE_EVERY_NS (FFFA_NS_PER_S / 4) /* of the captures' time */

struct source_replay {
	struct fffa_source base;
	struct fffa_replay_conf conf;
	struct fffa_metadata_conf metadata;
	struct fffa_source_events ev;
	struct fffa_replay *replay; /* NULL: not started, or closed */
	uint64_t unix_ns;	    /* of the packet read last; 0: none yet */
	uint64_t next_expiry_ns;
};

static void on_delta(void *arg, const struct fffa_delta *d)
{
	const struct source_replay *s = arg;

	s->ev.delta(s->ev.arg, d);
}

static void on_time(void *arg, uint64_t unix_ns)
{
	struct source_replay *s = arg;

	if (!s->unix_ns)
		s->ev.since(s->ev.arg, (int64_t)(unix_ns / FFFA_NS_PER_MS));
	s->unix_ns = unix_ns;
	s->ev.time(s->ev.arg);
	if (unix_ns < s->next_expiry_ns)
		return;
	s->next_expiry_ns = unix_ns + EXPIRE_EVERY_NS;
	s->ev.elapsed(s->ev.arg);
}

static bool on_tunnel_used(void *arg, uint16_t id)
{
	const struct source_replay *s = arg;

	return s->ev.tunnel_used(s->ev.arg, id);
}

static bool on_has_room(void *arg)
{
	const struct source_replay *s = arg;

	return s->ev.has_room(s->ev.arg);
}

static void on_ended(void *arg, int error)
{
	const struct source_replay *s = arg;

	s->ev.ended(s->ev.arg, error);
}

static int prepare_replay(struct fffa_source *base, struct fffa_err *err)
{
	(void)base; /* start_replay opens the first file */
	(void)err;
	return 0;
}

static int start_replay(struct fffa_source *base, uv_loop_t *loop, struct fffa_ledger *ledger,
			const struct fffa_source_events *ev, struct fffa_err *err)
{
	struct source_replay *s = (struct source_replay *)base;
	const struct fffa_replay_events replay_ev = {.delta = on_delta,
						     .time = on_time,
						     .tunnel_used = on_tunnel_used,
						     .has_room = on_has_room,
						     .ended = on_ended,
						     .arg = s};

	s->ev = *ev;
	return fffa_replay_open(loop, &s->conf, ledger, &replay_ev, &s->replay, err);
}

static void stop_replay(struct fffa_source *base)
{
	fffa_replay_stop(((struct source_replay *)base)->replay);
}

static void close_replay(struct fffa_source *base)
{
	struct source_replay *s = (struct source_replay *)base;

	if (s->replay)
		fffa_replay_close(s->replay);
	s->replay = NULL;
}

static void read_capture_time(const struct fffa_source *base, uint64_t *mono_ns, uint64_t *unix_ns)
{
	*mono_ns = *unix_ns = ((const struct source_replay *)base)->unix_ns;
}

static const struct fffa_tunnel *find_tunnel(const struct fffa_source *base, uint16_t id)
{
	return fffa_replay_tunnel(((const struct source_replay *)base)->replay, id);
}

static const struct fffa_source_ops replay_ops = {.prepare = prepare_replay,
						  .start = start_replay,
						  .stop = stop_replay,
						  .close = close_replay,
						  .now = read_capture_time,
						  .tunnel = find_tunnel};

struct fffa_source *fffa_source_replay_new(const struct fffa_config *conf,
					   const struct fffa_replay_conf *replay)
{
	struct source_replay *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base = (struct fffa_source){
		.ops = &replay_ops, .metadata = &s->metadata, .repeatable = true};
	s->conf = *replay;
	s->conf.capture = &conf->capture;
	/* A capture from elsewhere must not get this host's identity unless imds.enabled is on. */
	s->metadata = conf->metadata;
	if (s->metadata.imds.enabled == FFFA_SW_AUTO)
		s->metadata.imds.enabled = FFFA_SW_OFF;
	s->metadata.ecs = FFFA_ECS_OFF;
	s->metadata.of_capture = true;
	return &s->base;
}
