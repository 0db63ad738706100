// SPDX-License-Identifier: MIT
#include "tests/unit/pipeline/plan_fixture.h"

#include <string.h>
#include <time.h>

#include "tests/stubs/make_batch.h"

uint64_t plan_fixture_ns;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (!plan_fixture_ns || id != CLOCK_MONOTONIC)
		return __real_clock_gettime(id, t);
	t->tv_sec = (time_t)(plan_fixture_ns / FFFA_NS_PER_S);
	t->tv_nsec = (long)(plan_fixture_ns % FFFA_NS_PER_S);
	return 0;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void on_put(void *queue, struct fffa_queued_batch *b)
{
	struct planning *p = queue;

	assert_ptr_equal(b, &p->b[p->puts]); /* in their order */
	p->puts++;
}

static void on_pump(void *queue)
{
	((struct planning *)queue)->pumps++;
}

static size_t held_bytes(const void *queue)
{
	return ((const struct planning *)queue)->held;
}

static void on_lose(void *queue, struct fffa_queued_batch *b, enum fffa_record_loss why)
{
	struct planning *p = queue;

	(void)b;
	p->losses++;
	p->why = why;
}

static uint64_t on_lose_segment(void *queue, const struct fffa_spooler_segment *seg)
{
	(void)seg;
	((struct planning *)queue)->lost_segments++;
	return 0;
}

static void on_lose_unread(void *queue, uint64_t records, const struct fffa_missing *m,
			   enum fffa_record_loss why)
{
	struct planning *p = queue;

	(void)m;
	p->lost_unread += records;
	p->why = why;
}

static const struct fffa_spooler_queue ops = {
	.put = on_put,
	.pump = on_pump,
	.held_bytes = held_bytes,
	.lose = on_lose,
	.lose_segment = on_lose_segment,
	.lose_unread = on_lose_unread,
};

int plan_fixture_setup(void **state)
{
	struct planning *p = calloc(1, sizeof(*p));

	plan_fixture_ns = 0;
	if (!p)
		return -1;
	TAILQ_INIT(&p->s.segments);
	TAILQ_INIT(&p->s.refs);
	TAILQ_INIT(&p->s.waiting);
	p->s.conf = (struct fffa_spooler_conf){.tag = "sink.k",
					       .memory_bytes = 1 << 20,
					       .bound_bytes = 1 << 20,
					       .ops = &ops,
					       .queue = p};
	p->s.segment_bytes = 1 << 17;
	p->s.next_id = 1;
	p->s.given = &p->given;
	p->s.ack_ns = now_ns() - FFFA_NS_PER_S;
	for (unsigned int i = 0; i < BATCHES; i++) {
		p->b[i].d.batch = make_batch(1 + i * RECORDS, RECORDS, 40);
		p->b[i].born_ns = now_ns();
		p->b[i].encoding.identity = 5;
		(void)strcpy(p->b[i].encoding.format, "json");
	}
	p->frame = fffa_spool_frame_len(p->b[0].d.batch);
	*state = p;
	return 0;
}

int plan_fixture_teardown(void **state)
{
	struct planning *p = *state;

	fffa_spooler__free_segments(&p->s);
	for (unsigned int i = 0; i < BATCHES; i++)
		fffa_batch_unref(p->b[i].d.batch);
	free(p);
	return 0;
}

void plan_fixture_wait(struct planning *p, unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++) {
		p->s.waiting_bytes += fffa_batch_footprint(p->b[i].d.batch);
		TAILQ_INSERT_TAIL(&p->s.waiting, &p->b[i], link);
	}
}

struct fffa_spooler_segment *plan_fixture_segment(struct planning *p, uint64_t frames)
{
	const struct fffa_spool_pos begin = {.at = HEAD};
	struct fffa_spooler_segment *seg = fffa_spooler__new_segment(p->s.next_id++, &begin);

	assert_non_null(seg);
	seg->end = seg->read = (struct fffa_spool_pos){
		.at = HEAD + frames * 100, .records = frames, .numbers = frames, .seq = frames};
	seg->disk_bytes = seg->end.at;
	p->s.disk_bytes += seg->disk_bytes;
	TAILQ_INSERT_TAIL(&p->s.segments, seg, link);
	return seg;
}
