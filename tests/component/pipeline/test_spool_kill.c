// SPDX-License-Identifier: MIT
/*
 * A child (this program with arguments) feeds a pipeline with a spool, whose peer appends to a
 * file. It gets SIGKILL at random moments, 50 times. In the end the file has, for each epoch, every
 * number up to the last one at least once.
 */
#include "tests/component/pipeline/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	   50
#define EPOCHS_MAX 128
#define READY_FD   9 /* of the child */

struct output_file {
	int fd;
	unsigned int random;
	bool out_of_order; /* now and then */
	bool dead;
};

/* One write per batch, so a killed process has written all of it or nothing. */
static struct fffa_outcome append(void *arg, const struct fffa_batch *b)
{
	struct output_file *output = arg;
	struct fffa_span s = fffa_batch_bytes(b);

	if (output->dead || rand_r(&output->random) % 8 == 0)
		return outcome(FFFA_V_RETRY, -EIO);
	if (write(output->fd, s.ptr, s.len) != (ssize_t)s.len)
		abort();
	return outcome(FFFA_V_DELIVERED, 0);
}

/* Reports to the parent, once, that this life has delivered or spooled something. */
static void report_once(struct fixture *f, uint64_t spool_before, bool *reported)
{
	struct fffa_sink_status s;

	fffa_pipeline_sink_status(f->p, 0, &s);
	if (*reported || (!s.ledger->delivered && s.spool_bytes == spool_before))
		return;
	*reported = true;
	(void)!write(READY_FD, "1", 1);
}

/* Feeds until it is killed; with only_drain until all is delivered. */
static int feed_records(const char *dir, const char *out, unsigned int round, bool only_drain)
{
	struct output_file output = {.random = round * 7919 + 1,
				     .dead = !only_drain && round % 5 == 3};
	struct spool_fixture r = {.epoch = round};
	struct fffa_sink_status status;
	bool reported = false;
	struct fixture *f;

	(void)snprintf(r.dir, sizeof(r.dir), "%s", dir);
	output.fd = open(out, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	f = spool_fixture_life(&r, 64 << 20);
	f->sinks[0].common.fields = (char *)(uintptr_t) "seq epoch";
	f->sinks[0].common.queue_memory = 32768;
	f->sinks[0].common.batch_age_ns = 1 * MS;
	f->peers[0].judge = append;
	f->peers[0].arg = &output;
	f->peers[0].max_open = 3;
	f->conf.sink_count = 1;
	if (fffa_pipeline_open(&f->loop, &f->conf, round, &f->env, &f->p, &(struct fffa_err){""}))
		return 3;
	fffa_pipeline_sink_status(f->p, 0, &status);
	while (!only_drain || fffa_pipeline_sink_ledger(f->p, 0)->in_flight) {
		unsigned int n = only_drain ? 0 : (unsigned int)rand_r(&output.random) % 300;

		while (n-- && fffa_pipeline_has_room(f->p)) {
			struct fffa_record rec = {.ident = &f->ident, .packets = 1};

			fffa_pipeline_record(f->p, &rec);
		}
		report_once(f, status.spool_bytes, &reported);
		(void)uv_run(&f->loop, only_drain ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	}
	f->fed = 0;
	fixture_close(f, 0);
	return 0;
}

static pid_t start_feeder(const char *dir, const char *out, unsigned int round, const char *how,
			  int *ready_fd)
{
	char number[16];
	int p[2];
	pid_t pid;

	(void)snprintf(number, sizeof(number), "%u", round);
	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		(void)dup2(p[1], READY_FD);
		(void)execl("/proc/self/exe", "feeder", dir, out, number, how, NULL);
		_exit(4);
	}
	(void)close(p[1]);
	*ready_fd = p[0];
	return pid;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_size;
}

/*
 * Kills at a random moment after this life has delivered or spooled something; with at_once, at
 * any moment.
 */
static void kill_at_random(pid_t pid, int ready_fd, bool at_once, unsigned int *random)
{
	struct timespec t = {.tv_nsec = (long)(rand_r(random) % 15000) * 1000};
	int status;
	char one;

	if (!at_once)
		assert_int_equal(read(ready_fd, &one, 1), 1);
	(void)close(ready_fd);
	(void)nanosleep(&t, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

struct seen {
	uint64_t epoch;
	uint64_t max, count, repeats;
	unsigned char *bits; /* SEEN_MAX */
};
#define SEEN_MAX 2000000

static struct seen *epoch_of(struct seen *v, uint64_t epoch)
{
	for (int i = 0; i < EPOCHS_MAX; i++) {
		if (v[i].epoch == epoch)
			return &v[i];
		if (!v[i].epoch) {
			v[i].epoch = epoch;
			v[i].bits = calloc(1, SEEN_MAX);
			assert_non_null(v[i].bits);
			return &v[i];
		}
	}
	fail_msg("more epochs than lives");
	return NULL;
}

static void check_output(const char *path)
{
	struct seen *v = calloc(EPOCHS_MAX, sizeof(*v));
	unsigned long long seq, epoch, all = 0, repeats = 0, lives = 0;
	FILE *in = fopen(path, "re");
	int got;

	assert_non_null(in);
	assert_non_null(v);
	while ((got = fscanf(in, "{\"seq\":%llu,\"epoch\":%llu}\n", &seq, &epoch)) == 2) {
		struct seen *e = epoch_of(v, epoch);

		assert_uint_in_range(seq, 1, SEEN_MAX - 1);
		e->repeats += e->bits[seq];
		e->count += !e->bits[seq];
		e->bits[seq] = 1;
		e->max = seq > e->max ? seq : e->max;
	}
	assert_int_equal(got, EOF);
	(void)fclose(in);
	for (int i = 0; i < EPOCHS_MAX && v[i].epoch; i++) {
		assert_int_equal(v[i].count, v[i].max); /* no hole */
		all += v[i].count;
		repeats += v[i].repeats;
		lives++;
		free(v[i].bits);
	}
	free(v);
	print_message("%llu records of %llu lives, %llu repeated\n", all, lives, repeats);
	assert_true(lives > ROUNDS / 3);
}

static void killed_at_random_moments_nothing_is_missing(void **state)
{
	struct spool_fixture *r = *state;
	unsigned int random = 20261125;
	char out[96];
	int status, ready_fd;
	pid_t pid;

	(void)snprintf(out, sizeof(out), "%s/out", r->dir);
	for (unsigned int round = 1; round <= ROUNDS; round++) {
		pid = start_feeder(r->dir, out, round, "feed", &ready_fd);
		kill_at_random(pid, ready_fd, round % 5 == 0, &random);
	}
	pid = start_feeder(r->dir, out, ROUNDS + 1, "drain", &ready_fd);
	(void)close(ready_fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(size_of(out) > 10000);
	check_output(out);
	assert_int_equal(spool_fixture_files(r, ".seg"), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SPOOL_CASE(killed_at_random_moments_nothing_is_missing),
	};

	if (argc == 5)
		return feed_records(argv[1], argv[2], (unsigned int)strtoul(argv[3], NULL, 10),
				    !strcmp(argv[4], "drain"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
