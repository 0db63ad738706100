// SPDX-License-Identifier: MIT
/* Room for descriptors is looked for, and core dumps are switched. */
#include "agent/service/limits.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/component/service/child.h"
#include "tests/stubs/cmocka_all.h"

#define STANDARD 3   /* descriptors that are open already */
#define ENOUGH	 512 /* for any configuration */

static void limit_files(rlim_t soft, rlim_t hard)
{
	CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){soft, hard}) == 0);
}

static struct rlimit get_limit(int resource)
{
	struct rlimit l = {0, 0};

	CHECK(getrlimit(resource, &l) == 0);
	return l;
}

static bool allowed(size_t sinks, bool live)
{
	struct fffa_config conf;

	memset(&conf, 0, sizeof(conf));
	conf.sink_count = sinks;
	return fffa_limits_check(&conf, live);
}

/* So many more can be opened, and that is just enough. */
static void expect_need(size_t need, size_t sinks, bool live)
{
	limit_files(STANDARD + need, STANDARD + need);
	CHECK(allowed(sinks, live));
	limit_files(STANDARD + need - 1, STANDARD + need - 1);
	CHECK(!allowed(sinks, live));
}

static int find_room(void)
{
	int fd;

	(void)syscall(SYS_close_range, STANDARD, ~0U, 0);
	limit_files(ENOUGH, ENOUGH);
	CHECK(allowed(FFFA_CONFIG_SINKS_MAX, true));
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd == STANDARD); /* all that it opened is closed */
	(void)close(fd);
	/* A limit that has fallen cannot rise again: the greatest first. */
	expect_need(12 + 28 + 6 * 16, 16, true);
	expect_need(12 + 28 + 6 * 15, 15, true);
	expect_need(12 + 28, 0, true);
	expect_need(12 + 6, 1, false);
	expect_need(12, 0, false);
	return child_failures;
}

static void test_what_a_start_needs(void **state)
{
	(void)state;
	child_run(find_room);
}

static int read_line(void)
{
	char line[512] = "";

	(void)syscall(SYS_close_range, STANDARD, ~0U, 0);
	limit_files(STANDARD + 17, STANDARD + 17);
	(void)close(STDERR_FILENO);
	CHECK(open("/tmp", O_TMPFILE | O_RDWR, 0600) == STDERR_FILENO);
	(void)allowed(1, false);
	(void)!pread(STDERR_FILENO, line, sizeof(line) - 1, 0);
	(void)dup2(STDOUT_FILENO, STDERR_FILENO);
	CHECK(strstr(line, "agent: only 17 more files can be opened, 18 are needed: "));
	return child_failures;
}

static void test_the_line_has_both_numbers(void **state)
{
	(void)state;
	child_run(read_line);
}

static void expect_raised(rlim_t soft, rlim_t hard, rlim_t raised)
{
	struct rlimit l;

	limit_files(soft, hard);
	CHECK(allowed(1, true));
	l = get_limit(RLIMIT_NOFILE);
	CHECK(l.rlim_cur == raised && l.rlim_max == hard);
}

static int raise_files(void)
{
	const rlim_t most = get_limit(RLIMIT_NOFILE).rlim_max;

	/* The hard limit only falls, which everybody may. */
	if (most >= 100000) {
		expect_raised(64, 100000, 65536);
		expect_raised(65535, 100000, 65536);
		expect_raised(65537, 100000, 65537);
		expect_raised(64, 65536, 65536);
	} else {
		print_message("the hard limit is below 100000: only less is tried\n");
	}
	expect_raised(64, 1000, 1000);
	expect_raised(1000, 1000, 1000);
	return child_failures;
}

static void test_the_limit_is_raised(void **state)
{
	(void)state;
	child_run(raise_files);
}

static int switch_dumps(void)
{
	CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){100, 5000}) == 0);
	CHECK(fffa_limits_set_core_dumps(false) == 0);
	CHECK(get_limit(RLIMIT_CORE).rlim_cur == 0 && get_limit(RLIMIT_CORE).rlim_max == 5000);
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	CHECK(fffa_limits_set_core_dumps(true) == 0);
	CHECK(get_limit(RLIMIT_CORE).rlim_cur == 5000);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	return child_failures;
}

static void test_core_dumps(void **state)
{
	(void)state;
	child_run(switch_dumps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_start_needs),
		cmocka_unit_test(test_the_line_has_both_numbers),
		cmocka_unit_test(test_the_limit_is_raised),
		cmocka_unit_test(test_core_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
