// SPDX-License-Identifier: MIT
/* A whole agent with a source of ours: which records leave, when, how it starts and how it ends. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <unistd.h>

#include "agent/service/start_watch.h"
#include "tests/unit/daemon/agent_fixture.h"

#define SMALL                                                                                      \
	"seccomp: false\nspool_dir: ''\nstatus: {listen: ''}\nmetadata: {imds: {enabled: off}}\n"  \
	"shutdown_timeout: 5s\n"
#define SINK                                                                                       \
	"sinks: [{name: out, type: file, format: json, path: %D/out, sync: none, batch: {age: "    \
	"50ms}}]\n"
#define FLOWS "flows: {idle_timeout: 10s, active_timeout: 60s, nodata: false}\n"

/* What a start that stands still would say of itself. */
static char notes[512];

struct fffa_start_watch *__real_fffa_start_watch_begin(uint64_t say_ns, uint64_t leave_ns);
struct fffa_start_watch *__wrap_fffa_start_watch_begin(uint64_t say_ns, uint64_t leave_ns);
void __real_fffa_start_watch_note(struct fffa_start_watch *w, const char *what);
void __wrap_fffa_start_watch_note(struct fffa_start_watch *w, const char *what);

struct fffa_start_watch *__wrap_fffa_start_watch_begin(uint64_t say_ns, uint64_t leave_ns)
{
	assert_true(say_ns == 10 * S);
	assert_true(leave_ns == 5 * S + 700 * MS); /* shutdown_timeout, and a little */
	notes[0] = '\0';
	return __real_fffa_start_watch_begin(say_ns, leave_ns);
}

void __wrap_fffa_start_watch_note(struct fffa_start_watch *w, const char *what)
{
	size_t len = strlen(notes);

	(void)snprintf(notes + len, sizeof(notes) - len, "%s\n", what);
	__real_fffa_start_watch_note(w, what);
}

static void expect_end(struct scene *x, const char *books)
{
	scene_expect_log(x, "agent: stopping\n", 1);
	scene_expect_log(x, books, 1);
	scene_expect_log(x, "balance=ok", 2);
	scene_expect_log(x, "the event loop did not close", 0);
}

static bool send_three(struct scene *x)
{
	scene_send(x, IPPROTO_UDP, 10, 2, 0);
	scene_send(x, IPPROTO_UDP, 11, 3, 0);
	scene_send(x, IPPROTO_TCP, 12, 4, FFFA_F_SYN);
	scene_turn(x, S);
	return true;
}

/* The flows are over; the sweep is in the next turns of the loop. */
static bool let_them_end(struct scene *x)
{
	scene_turn(x, 11 * S);
	return true;
}

static bool three_have_left(struct scene *x)
{
	return scene_records(x, "\"log_status\":\"OK\"") == 3;
}

static void test_flows_become_records(void **state)
{
	static const scene_step steps[] = {send_three, let_them_end, three_have_left, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, SMALL FLOWS SINK, steps), FFFA_EXIT_OK);
	expect_end(x, "seen_packets=9 seen_bytes=900 recorded_packets=9 recorded_bytes=900");
	assert_int_equal(scene_records(x, "\"ifname\":\"eth0\""), 3);
	assert_int_equal(scene_records(x, "\"flow_direction\":\"egress\""), 1);
	assert_int_equal(scene_records(x, "\"end_reason\":\"idle\""), 3);
	assert_true(x->checkpoints > 0);
	assert_int_equal(x->window_ns, 60 * S);
	assert_int_equal(x->stops, 2);
	assert_string_equal(notes, "the address of the status pages is opened\n"
				   "spool_dir, spools and sinks are opened\n"
				   "the hooks are attached, the checkpoint is read\n");
}

/* TERM: what is held is recorded and delivered. */
static void test_the_end_delivers_what_is_held(void **state)
{
	static const scene_step steps[] = {send_three, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, SMALL FLOWS SINK, steps), FFFA_EXIT_OK);
	expect_end(x, "recorded_packets=9 recorded_bytes=900 held_packets=0");
	assert_int_equal(scene_records(x, "\"end_reason\":\"forced\""), 3);
}

static void test_what_a_filter_leaves_out(void **state)
{
	static const scene_step steps[] = {send_three, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, SMALL FLOWS SINK "capture: {filter: udp}\n", steps),
			 FFFA_EXIT_OK);
	expect_end(x, "recorded_packets=5");
	scene_expect_log(x, "filtered_packets=4 ", 1);
	assert_int_equal(scene_records(x, "\"protocol\":17,"), 2);
	assert_int_equal(scene_records(x, "\"protocol\":6,"), 0);
	(void)unlink(x->out);
	/* Flags are known when the window ends. */
	assert_int_equal(
		scene_run(x,
			  SMALL FLOWS SINK
			  "capture: {filter: 'tcp[tcpflags] & tcp-fin != 0 or udp port 11'}\n",
			  steps),
		FFFA_EXIT_OK);
	expect_end(x, "recorded_packets=3");
	scene_expect_log(x, "filtered_packets=6 ", 1);
}

static bool say_usr1(struct scene *x)
{
	(void)x;
	return raise(SIGUSR1) == 0;
}

static bool ledger_is_logged(struct scene *x)
{
	return scene_logged(x, "ledger: sink=out records=0 ") == 1;
}

static void test_usr1(void **state)
{
	static const scene_step steps[] = {send_three, say_usr1, ledger_is_logged, NULL};
	struct scene *x = *state;

	x->held = (struct fffa_amount){.packets = 0, .bytes = 0};
	assert_int_equal(scene_run(x, SMALL FLOWS SINK, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "held_packets=9 held_bytes=900", 1);
	scene_expect_log(x, "held_packets=0 ", 1);
}

static bool lose_some(struct scene *x)
{
	fffa_amount_add(&x->ledger->seen[0], 7, 700);
	fffa_amount_add(&x->ledger->lost[0], 7, 700);
	x->ledger->no_tunnel_id += 5;
	scene_turn(x, S);
	x->ledger->no_tunnel_id += 6;
	scene_turn(x, 59 * S); /* the log says it once in a minute */
	return true;
}

static bool lose_more(struct scene *x)
{
	x->ledger->no_tunnel_id += 1;
	scene_turn(x, 2 * S);
	return true;
}

static bool warned_twice(struct scene *x)
{
	return scene_logged(x, "no tunnel id is free") == 2;
}

static void test_what_is_lost_is_in_the_stream(void **state)
{
	static const scene_step steps[] = {lose_some, lose_more, warned_twice, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, SMALL FLOWS SINK, steps), FFFA_EXIT_OK);
	expect_end(x, "7 packets are in no record: ");
	assert_int_equal(scene_records(x, "\"lost_packets\":7,"), 1);
	scene_expect_log(x, "packets=5\n", 1);
	scene_expect_log(x, "packets=12\n", 1);
}

static bool lose_in_a_capture(struct scene *x)
{
	for (uint64_t packets = 7; packets; packets = packets == 7 ? 3 : 0) {
		fffa_amount_add(&x->ledger->seen[0], packets, 100);
		fffa_amount_add(&x->ledger->lost[0], packets, 100);
		x->ev.elapsed(x->ev.arg);
	}
	return true;
}

/* A capture has no turns: its own time says when what was lost is told. */
static void test_what_a_replay_loses_is_told_in_its_place(void **state)
{
	static const scene_step steps[] = {lose_in_a_capture, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, SMALL FLOWS SINK, steps), FFFA_EXIT_OK);
	assert_int_equal(scene_records(x, "\"lost_packets\":7,"), 1);
	assert_int_equal(scene_records(x, "\"lost_packets\":3,"), 1);
}

static bool send_one(struct scene *x)
{
	scene_send(x, IPPROTO_UDP, 10, 1, 0);
	return true;
}

static bool nodata_is_made(struct scene *x)
{
	if (!x->ledger->nodata_records)
		scene_turn(x, 10 * S);
	return x->ledger->nodata_records;
}

static void test_nodata(void **state)
{
	static const scene_step steps[] = {send_one, nodata_is_made, NULL};
	struct scene *x = *state;

	assert_int_equal(
		scene_run(x, SMALL "flows: {idle_timeout: 10s, active_timeout: 60s}\n" SINK, steps),
		FFFA_EXIT_OK);
	assert_int_equal(scene_records(x, "\"log_status\":\"NODATA\""), 1);
	assert_int_equal(scene_records(x, "\"ifname\":\"eth0\""), 2);
	assert_true(x->now_ns > (100 + 2 * 60) * S); /* not of the first minute */
	assert_true(x->now_ns < (100 + 3 * 60) * S);
}

static bool end_itself(struct scene *x)
{
	x->stops = 2;
	x->ev.ended(x->ev.arg, -EIO);
	return true;
}

static void test_a_source_that_ends(void **state)
{
	static const scene_step steps[] = {send_three, end_itself, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, SMALL FLOWS SINK, steps), FFFA_EXIT_FAILED);
	assert_int_equal(scene_records(x, "\"log_status\":\"OK\""), 3);
	scene_expect_log(x, "agent: stopping\n", 0);
}

static void test_starts_that_fail(void **state)
{
	static const struct {
		int prepare_error, start_error;
		enum fffa_exit code;
	} rows[] = {{-EPERM, 0, FFFA_EXIT_PRIVILEGE}, {-EACCES, 0, FFFA_EXIT_PRIVILEGE},
		    {-ENOMEM, 0, FFFA_EXIT_FAILED},   {0, -EPERM, FFFA_EXIT_PRIVILEGE},
		    {0, -ENOENT, FFFA_EXIT_FAILED},   {0, -EAGAIN, FFFA_EXIT_FAILED}};
	struct scene *x = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		x->prepare_error = rows[i].prepare_error;
		x->start_error = rows[i].start_error;
		assert_int_equal(scene_run(x, SMALL FLOWS SINK, NULL), rows[i].code);
		scene_expect_log(x, "error agent: the source cannot ", 1);
		scene_expect_log(x, "; if threads are missing, raise TasksMax=",
				 rows[i].start_error == -EAGAIN);
		scene_expect_log(x, "balance=ok", rows[i].prepare_error ? 0 : 1); /* of the sink */
		scene_expect_log(x, "seen_packets", 0);
		assert_int_equal(x->stops, 0);
	}
}

static void test_sinks_that_cannot_start(void **state)
{
	struct scene *x = *state;

	assert_int_equal(scene_run(x,
				   SMALL FLOWS "sinks: [{name: out, type: file, format: json, "
					       "path: %D/absent/out}]\n",
				   NULL),
			 FFFA_EXIT_CONFIG);
	scene_expect_log(x, "error agent: ", 1);
	scene_expect_log(x, "/absent", 1);
}

static bool two_devices(struct scene *x)
{
	x->device_count = 2;
	assert_int_equal(x->ev.devices(x->ev.arg, x->devices, 2), 0); /* later no id is ambiguous */
	return true;
}

static void test_one_id_for_several_devices(void **state)
{
#define ONE_ID                                                                                     \
	"shutdown_timeout: 5s\n"                                                                   \
	"seccomp: false\nspool_dir: ''\nstatus: {listen: ''}\n"                                    \
	"metadata: {imds: {enabled: off}, static: {interface_id: eni-1}}\n"
	static const scene_step steps[] = {two_devices, send_three, NULL};
	struct scene *x = *state;

	x->device_count = 2;
	assert_int_equal(scene_run(x, ONE_ID FLOWS SINK, NULL), FFFA_EXIT_CONFIG);
	assert_int_equal(x->devices_rc, -EINVAL);
	x->device_count = 1;
	assert_int_equal(scene_run(x, ONE_ID FLOWS SINK, steps), FFFA_EXIT_OK);
	assert_int_equal(scene_records(x, "\"interface_id\":\"eni-1\""), 3);
	x->device_count = 2;
	assert_int_equal(scene_run(x, SMALL FLOWS SINK, NULL), FFFA_EXIT_OK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		T(test_flows_become_records),
		T(test_the_end_delivers_what_is_held),
		T(test_what_a_filter_leaves_out),
		T(test_usr1),
		T(test_what_is_lost_is_in_the_stream),
		T(test_what_a_replay_loses_is_told_in_its_place),
		T(test_nodata),
		T(test_a_source_that_ends),
		T(test_starts_that_fail),
		T(test_sinks_that_cannot_start),
		T(test_one_id_for_several_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
