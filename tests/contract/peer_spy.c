// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/peer.h"
#include "tests/stubs/spy_sink.h"

struct peer {
	struct spy_peer spy;
	struct spy_conf conf;
};

static struct peer *open_peer(void)
{
	struct peer *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->conf.peer = &f->spy;
	return f;
}

static void close_peer(struct peer *f)
{
	spy_peer_fini(&f->spy);
	free(f);
}

static const void *conf(struct peer *f)
{
	return &f->conf;
}

static const void *bad_conf(struct peer *f)
{
	f->spy.start_error = -ECONNREFUSED;
	return &f->conf;
}

static struct fffa_span bytes(struct peer *f)
{
	uint8_t *copy = malloc(f->spy.len + 1);

	if (!copy)
		abort();
	if (f->spy.len)
		memcpy(copy, f->spy.bytes, f->spy.len);
	return (struct fffa_span){copy, f->spy.len};
}

static struct fffa_outcome judge_failure(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return (struct fffa_outcome){.verdict = FFFA_V_RETRY, .cause = -ENOSPC};
}

static void break_it(struct peer *f)
{
	f->spy.judge = judge_failure;
}

static struct fffa_outcome judge_setting(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return (struct fffa_outcome){.verdict = FFFA_V_RETRY,
				     .cause = -EACCES,
				     .detail = "no permission",
				     .reason = 7,
				     .repair = true};
}

static void refuse(struct peer *f)
{
	f->spy.judge = judge_setting;
}

static struct fffa_outcome judge_unknown(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return (struct fffa_outcome){.verdict = FFFA_V_REFUSED, .cause = -EBADMSG};
}

static void refuse_without_reason(struct peer *f)
{
	f->spy.judge = judge_unknown;
}

static void repair(struct peer *f)
{
	f->spy.judge = NULL;
}

static const void *stalled_conf(struct peer *f)
{
	f->spy.hold = true;
	return &f->conf;
}

const struct peer_ops peer_spy_ops = {
	.sink = &spy_sink_ops,
	.open = open_peer,
	.close = close_peer,
	.conf = conf,
	.bad_conf = bad_conf,
	.bytes = bytes,
	.break_it = break_it,
	.repair = repair,
	.refuse = refuse,
	.said = "no permission",
	.refuse_without_reason = refuse_without_reason,
	.stalled_conf = stalled_conf,
	.stall_bytes = 1,
};
