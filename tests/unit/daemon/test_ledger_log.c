// SPDX-License-Identifier: MIT
/* The last lines of the log: what was lost, why, and what would have kept it. */
#include "agent/daemon/ledger_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/pipeline/pipeline_fixture.h"

struct capture {
	struct fixture *f;
	int file, saved;
	char text[16384];
};

static int setup(void **state)
{
	struct capture *c = calloc(1, sizeof(*c));
	char name[] = "/tmp/fffa-ledger-XXXXXX";
	void *f;

	*state = c;
	if (!c || fixture_setup(&f))
		return -1;
	c->f = f;
	c->file = mkstemp(name);
	c->saved = dup(STDERR_FILENO);
	return c->file < 0 || c->saved < 0 || unlink(name) ||
			       dup2(c->file, STDERR_FILENO) != STDERR_FILENO
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	struct capture *c = *state;
	void *f = c->f;

	(void)dup2(c->saved, STDERR_FILENO);
	(void)close(c->file);
	(void)close(c->saved);
	(void)fixture_teardown(&f);
	free(c);
	return 0;
}

/* How often the text is in the log since the last call. */
static void expect_logged(struct capture *c, const char *text, size_t want)
{
	const char *at = c->text;
	size_t n = 0;
	ssize_t len = pread(c->file, c->text, sizeof(c->text) - 1, 0);

	assert_true(len >= 0);
	c->text[len] = '\0';
	while ((at = strstr(at, text))) {
		n++;
		at += strlen(text);
	}
	if (n != want)
		fail_msg("%zu times \"%s\" in:\n%s", n, text, c->text);
}

static void forget_log(struct capture *c)
{
	assert_int_equal(ftruncate(c->file, 0), 0);
	assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
}

static void packets_in_no_record_are_named(void **state)
{
	struct capture *c = *state;
	struct fffa_ledger l = {
		.seen = {{.packets = 60, .bytes = 3000}, {.packets = 40, .bytes = 2000}},
		.recorded = {.packets = 90, .bytes = 4500}};
	struct fffa_amount held = {.packets = 10, .bytes = 500};
	char want[200];

	assert_true(fffa_ledger_log_final_packets(&l, held));
	expect_logged(c, "ledger: ", 1);
	expect_logged(c, "balance=ok", 1);
	expect_logged(c, "in no record", 0);
	forget_log(c);
	held.packets = 3;
	held.bytes = 150;
	l.lost[0] = (struct fffa_amount){.packets = 5, .bytes = 250};
	l.lost[FFFA_PL_MAX - 1] = (struct fffa_amount){.packets = 2, .bytes = 100};
	assert_true(fffa_ledger_log_final_packets(&l, held));
	(void)snprintf(want, sizeof(want), "warn  ledger: 7 packets are in no record: %s=5 %s=2\n",
		       fffa_ledger_packet_loss_name((enum fffa_packet_loss)0),
		       fffa_ledger_packet_loss_name((enum fffa_packet_loss)(FFFA_PL_MAX - 1)));
	expect_logged(c, want, 1);
	expect_logged(c, "do not balance", 0);
	forget_log(c);
	held.packets = 4;
	assert_false(fffa_ledger_log_final_packets(&l, held));
	expect_logged(c, "error ledger: the counts do not balance; please report this", 1);
	assert_int_equal(uv_loop_close(&c->f->loop), 0);
}

/* The fixture's sinks lose or reject what the test says; the ledger is the pipeline's own. */
static struct fffa_sink_ledger *ledger(struct capture *c, size_t i)
{
	return (struct fffa_sink_ledger *)(uintptr_t)fffa_pipeline_sink_ledger(c->f->p, i);
}

static void set_lost(struct capture *c, size_t i, enum fffa_record_loss why, uint64_t n)
{
	struct fffa_sink_ledger *l = ledger(c, i);

	l->records += n;
	l->lost[why] += n;
}

static void records_lost_come_with_advice(void **state)
{
	struct capture *c = *state;

	fixture_open(c->f, 4);
	set_lost(c, 0, FFFA_RL_SHUTDOWN, 3);
	set_lost(c, 0, FFFA_RL_GAVE_UP, 4);
	set_lost(c, 1, FFFA_RL_QUEUE_FULL, 5);
	set_lost(c, 2, FFFA_RL_GAVE_UP, 6);
	c->f->sinks[3].common.queue_spool = 1 << 20; /* it has one */
	set_lost(c, 3, FFFA_RL_SPOOL_FULL, 7);
	set_lost(c, 3, FFFA_RL_SHUTDOWN, 1);
	forget_log(c);
	assert_true(fffa_ledger_log_final_sinks(c->f->p, false));
	expect_logged(c, "info  ledger: sink=", 4);
	expect_logged(c,
		      "warn  ledger: sink a: 7 records lost: gave_up=4 shutdown=3; set "
		      "queue.spool: then they wait on disk\n",
		      1);
	expect_logged(c,
		      "warn  ledger: sink b: 5 records lost: queue_full=5; set queue.spool: then "
		      "they wait on disk\n",
		      1);
	expect_logged(c, "warn  ledger: sink c: 6 records lost: gave_up=6\n", 1);
	expect_logged(c, "; a larger queue.spool would hold more\n", 1);
	expect_logged(c, "set queue.spool", 2);
	forget_log(c);
	assert_false(fffa_ledger_log_final_sinks(c->f->p, true)); /* a replay is complete, or not */
	expect_logged(c, "warn  ledger: sink a: 7 records lost: gave_up=4 shutdown=3\n", 1);
	expect_logged(c, "queue.spool", 0);
	for (size_t i = 0; i < 4; i++)
		memset(ledger(c, i), 0, sizeof(struct fffa_sink_ledger));
	fixture_close(c->f, 0);
}

static void rejected_records_are_no_success_of_a_replay(void **state)
{
	struct capture *c = *state;

	fixture_open(c->f, 1);
	assert_true(fffa_ledger_log_final_sinks(c->f->p, true));
	expect_logged(c, "lost:", 0);
	ledger(c, 0)->records = ledger(c, 0)->rejected = 9;
	forget_log(c);
	assert_true(fffa_ledger_log_final_sinks(c->f->p, false));
	expect_logged(c, "sink a: 9 records lost: rejected=9\n", 1);
	assert_false(fffa_ledger_log_final_sinks(c->f->p, true));
	ledger(c, 0)->records = 10; /* one is nowhere */
	assert_false(fffa_ledger_log_final_sinks(c->f->p, false));
	memset(ledger(c, 0), 0, sizeof(struct fffa_sink_ledger));
	fixture_close(c->f, 0);
}

#define LOG_CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_CASE(packets_in_no_record_are_named),
		LOG_CASE(records_lost_come_with_advice),
		LOG_CASE(rejected_records_are_no_success_of_a_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
