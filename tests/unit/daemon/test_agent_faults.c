// SPDX-License-Identifier: MIT
/* A whole agent in which one thing fails: what it says, how it ends, and what a HUP leaves as it was. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/enrich/meta.h"
#include "agent/flow/flow_table.h"
#include "agent/loop/disk.h"
#include "agent/loop/worker.h"
#include "agent/pipeline/pipeline.h"
#include "agent/service/limits.h"
#include "agent/service/syscall_filter.h"
#include "tests/unit/daemon/agent_fixture.h"

#define HEAD  "spool_dir: ''\nshutdown_timeout: 5s\nmetadata: {imds: {enabled: off}}\n"
#define QUIET "seccomp: false\nstatus: {listen: ''}\n"
#define OUT                                                                                        \
	"  - {name: out, type: file, format: json, path: '%D/out', sync: none, batch: {age: "      \
	"50ms}}\n"
#define MORE  "  - {name: more, type: file, format: json, path: '%D/more', sync: none}\n"
#define THIRD "  - {name: third, type: file, format: json, path: '%D/third', sync: none}\n"
#define ALL   HEAD QUIET "sinks:\n" OUT

/* -errno of each; 0: as it is. */
static struct {
	int loop, log_thread, filter, flows, pipeline, worker, disk;
	int max_flows, core_dumps, add, change, remove;
	size_t meta_changes;
	int meta;
	bool pipeline_stands_still;
	size_t filters; /* how often it was asked for */
	char disks[128];
	bool dumps;
	uint64_t patience_ns; /* shutdown_timeout */
	uint32_t max_flow_count;
} fault;

int __real_uv_loop_init(uv_loop_t *loop);
int __wrap_uv_loop_init(uv_loop_t *loop);
int __real_fffa_log_start_thread(void);
int __wrap_fffa_log_start_thread(void);
int __wrap_fffa_syscall_filter_apply(struct fffa_err *err);
int __real_fffa_flow_table_new(const struct fffa_flow_conf *conf, struct fffa_ledger *ledger,
			       fffa_record_fn record, void *arg, struct fffa_flow_table **out);
int __wrap_fffa_flow_table_new(const struct fffa_flow_conf *conf, struct fffa_ledger *ledger,
			       fffa_record_fn record, void *arg, struct fffa_flow_table **out);
int __real_fffa_pipeline_open(uv_loop_t *loop, const struct fffa_config *conf, uint64_t epoch,
			      const struct fffa_pipeline_env *env, struct fffa_pipeline **out,
			      struct fffa_err *err);
int __wrap_fffa_pipeline_open(uv_loop_t *loop, const struct fffa_config *conf, uint64_t epoch,
			      const struct fffa_pipeline_env *env, struct fffa_pipeline **out,
			      struct fffa_err *err);
int __real_fffa_worker_open(uv_loop_t *loop, const char *name, struct fffa_worker **out);
int __wrap_fffa_worker_open(uv_loop_t *loop, const char *name, struct fffa_worker **out);
int __wrap_fffa_disk_await(const char *path, uint64_t timeout_ns);
int __real_fffa_flow_set_max(struct fffa_flow_table *t, uint32_t max_flows);
int __wrap_fffa_flow_set_max(struct fffa_flow_table *t, uint32_t max_flows);
int __wrap_fffa_limits_set_core_dumps(bool allowed);
int __real_fffa_meta_change(struct fffa_meta **m, uv_loop_t *loop,
			    const struct fffa_metadata_conf *conf, struct fffa_err *err);
int __wrap_fffa_meta_change(struct fffa_meta **m, uv_loop_t *loop,
			    const struct fffa_metadata_conf *conf, struct fffa_err *err);
int __real_fffa_pipeline_add(struct fffa_pipeline *p, struct fffa_sink_conf *conf,
			     struct fffa_err *err);
int __wrap_fffa_pipeline_add(struct fffa_pipeline *p, struct fffa_sink_conf *conf,
			     struct fffa_err *err);
int __real_fffa_pipeline_change(struct fffa_pipeline *p, size_t i, struct fffa_sink_conf *conf,
				struct fffa_err *err);
int __wrap_fffa_pipeline_change(struct fffa_pipeline *p, size_t i, struct fffa_sink_conf *conf,
				struct fffa_err *err);
int __real_fffa_pipeline_remove(struct fffa_pipeline *p, size_t i, uint64_t deadline_ns);
int __wrap_fffa_pipeline_remove(struct fffa_pipeline *p, size_t i, uint64_t deadline_ns);

void __real_fffa_pipeline_close(struct fffa_pipeline *p, uint64_t deadline_ns,
				void (*closed)(void *arg, struct fffa_pipeline *p), void *arg);
void __wrap_fffa_pipeline_close(struct fffa_pipeline *p, uint64_t deadline_ns,
				void (*closed)(void *arg, struct fffa_pipeline *p), void *arg);

int __wrap_uv_loop_init(uv_loop_t *loop)
{
	return fault.loop ? fault.loop : __real_uv_loop_init(loop);
}

int __wrap_fffa_log_start_thread(void)
{
	return fault.log_thread ? fault.log_thread : __real_fffa_log_start_thread();
}

int __wrap_fffa_syscall_filter_apply(struct fffa_err *err)
{
	fault.filters++;
	return fault.filter ? fffa_fail(err, -fault.filter, "no filter") : 0;
}

int __wrap_fffa_flow_table_new(const struct fffa_flow_conf *conf, struct fffa_ledger *ledger,
			       fffa_record_fn record, void *arg, struct fffa_flow_table **out)
{
	assert_true(conf->idle_ns == 7 * S);
	assert_true(conf->active_ns == 50 * S);
	assert_true(conf->linger_ns == 200 * MS);
	assert_int_equal(conf->max_flows, fault.max_flow_count);
	return fault.flows ? fault.flows
			   : __real_fffa_flow_table_new(conf, ledger, record, arg, out);
}

int __wrap_fffa_pipeline_open(uv_loop_t *loop, const struct fffa_config *conf, uint64_t epoch,
			      const struct fffa_pipeline_env *env, struct fffa_pipeline **out,
			      struct fffa_err *err)
{
	assert_true(epoch > UINT64_C(1600000000000) && epoch < UINT64_C(9000000000000)); /* ms */
	assert_false(env->no_spool);
	assert_true(env->boot_epoch);
	assert_null(env->stalled);
	assert_true(env->patience_ns == fault.patience_ns);
	return fault.pipeline ? fffa_fail(err, -fault.pipeline, "no pipeline")
			      : __real_fffa_pipeline_open(loop, conf, epoch, env, out, err);
}

int __wrap_fffa_worker_open(uv_loop_t *loop, const char *name, struct fffa_worker **out)
{
	return fault.worker && !strcmp(name, "config") ? fault.worker
						       : __real_fffa_worker_open(loop, name, out);
}

int __wrap_fffa_disk_await(const char *path, uint64_t timeout_ns)
{
	size_t len = strlen(fault.disks);

	assert_true(timeout_ns == 10 * S);
	(void)snprintf(fault.disks + len, sizeof(fault.disks) - len, "%s ", path);
	return fault.disk;
}

int __wrap_fffa_flow_set_max(struct fffa_flow_table *t, uint32_t max_flows)
{
	return fault.max_flows ? fault.max_flows : __real_fffa_flow_set_max(t, max_flows);
}

int __wrap_fffa_limits_set_core_dumps(bool allowed)
{
	fault.dumps = allowed;
	return fault.core_dumps;
}

int __wrap_fffa_meta_change(struct fffa_meta **m, uv_loop_t *loop,
			    const struct fffa_metadata_conf *conf, struct fffa_err *err)
{
	fault.meta_changes++;
	if (fault.meta)
		return fffa_fail(err, -fault.meta, "no metadata");
	return __real_fffa_meta_change(m, loop, conf, err);
}

int __wrap_fffa_pipeline_add(struct fffa_pipeline *p, struct fffa_sink_conf *conf,
			     struct fffa_err *err)
{
	return fault.add ? fffa_fail(err, -fault.add, "no room")
			 : __real_fffa_pipeline_add(p, conf, err);
}

int __wrap_fffa_pipeline_change(struct fffa_pipeline *p, size_t i, struct fffa_sink_conf *conf,
				struct fffa_err *err)
{
	return fault.change ? fffa_fail(err, -fault.change, "no change")
			    : __real_fffa_pipeline_change(p, i, conf, err);
}

int __wrap_fffa_pipeline_remove(struct fffa_pipeline *p, size_t i, uint64_t deadline_ns)
{
	assert_true(deadline_ns == 5 * S);
	return fault.remove ? fault.remove : __real_fffa_pipeline_remove(p, i, deadline_ns);
}

void __wrap_fffa_pipeline_close(struct fffa_pipeline *p, uint64_t deadline_ns,
				void (*closed)(void *arg, struct fffa_pipeline *p), void *arg)
{
	if (!fault.pipeline_stands_still)
		__real_fffa_pipeline_close(p, deadline_ns, closed, arg);
}

/* A process that ends without a thread that stands still leaves it, as it must. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "report_thread_leaks=0";
}

static int setup(void **state)
{
	memset(&fault, 0, sizeof(fault));
	fault.patience_ns = 5 * S;
	fault.max_flow_count = 2048;
	return scene_setup(state);
}

#define FLOWS                                                                                      \
	"flows: {idle_timeout: 7s, active_timeout: 50s, max_flows: 2048}\n"                        \
	"capture: {drain_interval: 400ms}\n"

static void test_starts(void **state)
{
	static const struct {
		int *fault;
		int rc;
		enum fffa_exit code;
		const char *line;
	} rows[] = {
		{&fault.loop, UV_ENOMEM, FFFA_EXIT_FAILED,
		 "error agent: cannot create an event loop: not enough memory\n"},
		{&fault.log_thread, -EAGAIN, FFFA_EXIT_OK,
		 "warn  agent: cannot start a thread for the log: "},
		{&fault.flows, -ENOMEM, FFFA_EXIT_FAILED,
		 "error agent: no memory for the flow table: lower flows.max_flows\n"},
		{&fault.worker, -EAGAIN, FFFA_EXIT_FAILED, "error agent: cannot start a thread: "},
		{&fault.worker, -EAGAIN, FFFA_EXIT_FAILED,
		 "; if threads are missing, raise TasksMax=, ulimit -u or the container's pids "
		 "limit\n"},
		{&fault.worker, -ENOMEM, FFFA_EXIT_FAILED, "error agent: cannot start a thread: "},
		{&fault.pipeline, -EINVAL, FFFA_EXIT_CONFIG, "error agent: no pipeline\n"},
		{&fault.pipeline, -ENOENT, FFFA_EXIT_CONFIG, "error agent: no pipeline\n"},
		{&fault.pipeline, -EACCES, FFFA_EXIT_CONFIG, "error agent: no pipeline\n"},
		{&fault.pipeline, -ENOMEM, FFFA_EXIT_FAILED, "error agent: no pipeline\n"},
		{&fault.pipeline, -EAGAIN, FFFA_EXIT_FAILED, "error agent: no pipeline;"},
		{&fault.pipeline, -EMFILE, FFFA_EXIT_FAILED, "error agent: no pipeline\n"},
		{&fault.pipeline, -ENFILE, FFFA_EXIT_FAILED, "error agent: no pipeline\n"},
		{&fault.pipeline, -ETIMEDOUT, FFFA_EXIT_FAILED, "error agent: no pipeline\n"},
		{&fault.pipeline, -EBADF, FFFA_EXIT_FAILED, "error agent: no pipeline\n"},
	};
	struct scene *x = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*rows[i].fault = rows[i].rc;
		assert_int_equal(scene_run(x, ALL FLOWS, NULL), rows[i].code);
		scene_expect_log(x, rows[i].line, 1);
		scene_expect_log(x, "the event loop did not close", 0);
		assert_int_equal(x->stops, rows[i].code ? 0 : 2);
		*rows[i].fault = 0;
	}
	assert_int_equal(fault.filters, 0);
	assert_string_equal(fault.disks, "");
}

/* A filter that the kernel does not have is no news; one that it refuses is. */
static void test_the_filter_of_system_calls(void **state)
{
#define FILTERED HEAD FLOWS "status: {listen: ''}\nsinks:\n" OUT
	struct scene *x = *state;

	assert_int_equal(scene_run(x, FILTERED, NULL), FFFA_EXIT_OK);
	assert_int_equal(fault.filters, 1);
	scene_expect_log(x, "warn  agent: ", 0);
	fault.filter = -ENOTSUP;
	assert_int_equal(scene_run(x, FILTERED, NULL), FFFA_EXIT_OK);
	scene_expect_log(x, "warn  agent: no filter", 0);
	fault.filter = -EINVAL;
	assert_int_equal(scene_run(x, FILTERED, NULL), FFFA_EXIT_OK);
	scene_expect_log(x, "warn  agent: no filter\n", 1);
	assert_int_equal(fault.filters, 3);
}

#define OTHERS "shutdown_timeout: 5s\nmetadata: {imds: {enabled: off}}\n" FLOWS "sinks:\n" OUT

static void test_disks(void **state)
{
	static const struct {
		const char *spool, *listen, *disks, *line;
	} rows[] = {
		{"/s/p", "", "/s/p ",
		 "error agent: spool_dir: the disk of /s/p does not answer within 10 s\n"},
		{"", "unix:/s/t/u", "/s/t ",
		 "error agent: status.listen: the disk of /s/t does not answer within 10 s\n"},
		{"", "unix:/u", "/ ",
		 "error agent: status.listen: the disk of / does not answer within 10 s\n"},
	};
	struct scene *x = *state;
	char yaml[1024];

	fault.disk = -ETIMEDOUT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(yaml, sizeof(yaml),
			       "seccomp: false\nspool_dir: '%s'\nstatus: {listen: '%s'}\n%s",
			       rows[i].spool, rows[i].listen, OTHERS);
		assert_int_equal(scene_run(x, yaml, NULL), FFFA_EXIT_FAILED);
		scene_expect_log(x, rows[i].line, 1);
		assert_string_equal(fault.disks, rows[i].disks);
		fault.disks[0] = '\0';
	}
	fault.disk = -ENOENT; /* it answers */
	assert_int_equal(
		scene_run(x, "seccomp: false\nspool_dir: '%D/s'\nstatus: {listen: ''}\n" OTHERS,
			  NULL),
		FFFA_EXIT_OK);
}

/* HUP */

#define SMALLER                                                                                    \
	"flows: {idle_timeout: 7s, active_timeout: 50s, max_flows: 1024}\n"                        \
	"capture: {drain_interval: 400ms}\n"

RELOAD(change_all, HEAD QUIET SMALLER "log: {core_dumps: on}\nsinks:\n  - {name: out, type: file, "
				      "format: vpc, path: '%D/out', sync: none}\n" MORE)
AWAIT(adding_fails, "error reload: sinks[more]: cannot be added: no room\n")
AWAIT(adding_works, "info  reload: sinks[more]: is added\n")
RELOAD(remove_both, HEAD QUIET FLOWS "sinks:\n" THIRD)
AWAIT(third_is_added, "info  reload: sinks[third]: is added\n")

static bool nothing_fails(struct scene *x)
{
	size_t meta_changes = fault.meta_changes;
	int remove = fault.remove;

	(void)x;
	assert_true(fault.dumps);
	memset(&fault, 0, sizeof(fault));
	fault.remove = remove;
	fault.meta_changes = meta_changes;
	return true;
}

static void test_a_reload(void **state)
{
	static const scene_step steps[] = {change_all,	 adding_fails, nothing_fails,  change_all,
					   adding_works, remove_both,  third_is_added, NULL};
	struct scene *x = *state;

	fault.max_flows = fault.add = -ENOMEM;
	fault.core_dumps = -EPERM;
	fault.change = -EAGAIN;
	fault.remove = -EBUSY;
	assert_int_equal(scene_run(x, ALL FLOWS, steps), FFFA_EXIT_OK);
	scene_expect_log(x,
			 "error reload: flows.max_flows: no memory for the flow table; the old "
			 "value stays in use\n",
			 1);
	scene_expect_log(x, "error reload: log.core_dumps: cannot be set: ", 1);
	scene_expect_log(x,
			 "error reload: sinks[out]: cannot be changed now, the old values stay in "
			 "use: no change\n",
			 1);
	scene_expect_log(x, "sinks[out].format: the new value is in use\n", 1);
	scene_expect_log(x, "error reload: sinks[out]: cannot be removed now\n", 1);
	scene_expect_log(x, "error reload: sinks[more]: cannot be removed now\n", 1);
	/* Not the size that could not be had; the same later, and the old one at the end. */
	scene_expect_log(x, "reload: flows.max_flows: the new value is in use\n", 2);
	scene_expect_log(x, "is removed; it delivers what it has", 0);
	assert_int_equal(fault.meta_changes, 0); /* none of its keys is another */
}

RELOAD(name_the_account, "spool_dir: ''\nshutdown_timeout: 5s\n" QUIET FLOWS "sinks:\n" OUT
			 "metadata: {imds: {enabled: off}, static: {account_id: '123456789012'}}\n")
AWAIT(metadata_fail,
      "error reload: metadata: the old values stay in use until the next HUP: no metadata\n")

static bool metadata_work(struct scene *x)
{
	(void)x;
	fault.meta = 0;
	return true;
}

static bool are_tried_again(struct scene *x)
{
	(void)x;
	return fault.meta_changes == 2;
}

/* The same file again: there is no other key in it, but something is due. */
static void test_metadata_without_memory(void **state)
{
	static const scene_step steps[] = {name_the_account, metadata_fail,   metadata_work,
					   name_the_account, are_tried_again, NULL};
	struct scene *x = *state;

	fault.meta = -ENOMEM;
	assert_int_equal(scene_run(x, ALL FLOWS, steps), FFFA_EXIT_OK);
	assert_int_equal(fault.meta_changes, 2);
}

/* A thread that stands still does not keep the process, nor the books from being closed. */

static bool send_one(struct scene *x)
{
	scene_send(x, IPPROTO_UDP, 10, 2, 0);
	scene_turn(x, S);
	return true;
}

static bool say_hup(struct scene *x)
{
	(void)x;
	return raise(SIGHUP) == 0;
}

/* The status of a process that ends within a run. */
static int status_of_run(struct scene *x, const char *yaml, const scene_step *steps)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (!child) {
		(void)scene_run(x, yaml, steps);
		_exit(99); /* nothing has stood still */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static bool end_twice(struct scene *x)
{
	x->ev.ended(x->ev.arg, 0);
	x->ev.ended(x->ev.arg, 0);
	return true;
}

/* The last thing that an agent says in which an assertion fails are its books. */
static void test_an_assertion(void **state)
{
	static const scene_step steps[] = {send_one, end_twice, NULL};
	struct scene *x = *state;
	int status;

	fault.log_thread = -EAGAIN; /* nobody waits for its lines */
	status = status_of_run(x, ALL FLOWS, steps);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	scene_expect_log(x, "error ledger: seen_packets=2 seen_bytes=200 recorded_packets=0 ", 1);
	scene_expect_log(x, "held_packets=2 held_bytes=200 ", 1);
	scene_expect_log(x, "error ledger: sink=out records=0 ", 1);
}

#define TIMEOUT(seconds)                                                                           \
	"spool_dir: ''\nshutdown_timeout: " seconds                                                \
	"\nmetadata: {imds: {enabled: off}}\n" QUIET FLOWS "sinks:\n"
#define LATE "  - {name: late, type: file, format: json, path: '%D/late', batch: {age: 60s}}\n"

static void test_threads_that_stand_still(void **state)
{
	static const scene_step read[] = {send_one, say_hup, NULL}, none[] = {send_one, NULL};
	struct scene *x = *state;

	fault.log_thread = -EAGAIN; /* at the end nobody waits for its last lines for long */
	fault.patience_ns = 3 * S;
	scene_hold_load(true);
	assert_int_equal(status_of_run(x, TIMEOUT("3s") OUT, read), FFFA_EXIT_OK);
	scene_hold_load(false);
	scene_expect_log(x,
			 "warn  agent: a thread still waits, perhaps for a disk that stands still; "
			 "ending without it\n",
			 1);
	scene_expect_log(x, "recorded_packets=2 ", 1);
	scene_expect_log(x, "balance=ok", 2);
	fault.pipeline_stands_still = true;
	fault.patience_ns = S;
	assert_int_equal(status_of_run(x, TIMEOUT("1s") LATE, none), FFFA_EXIT_OK);
	scene_expect_log(x,
			 "error sink.late: a thread still waits, perhaps for a disk that stands "
			 "still; ending without it lost=1\n",
			 1);
	scene_expect_log(x, "warn  ledger: sink late: 1 records lost: shutdown=1", 1);
	scene_expect_log(x, "warn  agent: a thread still waits", 0);
	scene_expect_log(x, "balance=ok", 2);
}

/* A file that is read when the agent ends changes nothing any more. */

static bool let_it_be_read(struct scene *x)
{
	(void)x;
	scene_hold_load(false);
	return true;
}

static void test_a_file_that_is_read_too_late(void **state)
{
	static const scene_step steps[] = {say_hup, NULL};
	struct scene *x = *state;

	scene_hold_load(true);
	x->last = let_it_be_read;
	assert_int_equal(scene_run(x, ALL FLOWS, steps), FFFA_EXIT_OK);
	assert_int_equal(scene_loads(), 1);
	scene_expect_log(x, "agent: reopening files\n", 1);
	scene_expect_log(x, "reload: ", 0);
}

/* At the end flows wait for room in the queues: nothing is lost that a sink takes. */

#define MANY 20000

static bool send_many(struct scene *x)
{
	for (uint16_t port = 1; port <= MANY; port++)
		scene_send(x, IPPROTO_UDP, port, 1, 0);
	scene_turn(x, S);
	return true;
}

static void test_the_end_waits_for_room(void **state)
{
	static const scene_step steps[] = {send_many, NULL};
	struct scene *x = *state;

	fault.patience_ns = 60 * S;
	fault.max_flow_count = 32768;
	assert_int_equal(scene_run(x,
				   "spool_dir: ''\nshutdown_timeout: 60s\n"
				   "metadata: {imds: {enabled: off}}\n" QUIET
				   "flows: {idle_timeout: 7s, active_timeout: 50s, max_flows: "
				   "32768}\ncapture: {drain_interval: 400ms}\nsinks:\n  - {name: "
				   "out, type: file, format: json, path: '%D/out', sync: none, "
				   "queue: {memory: 8MiB}}\n",
				   steps),
			 FFFA_EXIT_OK);
	scene_expect_log(x, "records=20000 delivered=20000 ", 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		T(test_starts),
		T(test_the_filter_of_system_calls),
		T(test_disks),
		T(test_a_reload),
		T(test_metadata_without_memory),
		T(test_an_assertion),
		T(test_threads_that_stand_still),
		T(test_a_file_that_is_read_too_late),
		T(test_the_end_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
