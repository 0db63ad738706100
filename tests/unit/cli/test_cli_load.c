// SPDX-License-Identifier: MIT
/* How a command reads its arguments, which configuration it loads as which user, and what `fffa run` starts with. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/cli/commands.h"
#include "agent/daemon/source/source.h"
#include "agent/service/limits.h"
#include "agent/service/privileges.h"
#include "agent/service/user.h"
#include "tests/stubs/cmocka_all.h"

static struct {
	/* What the host answers, -errno. */
	int ambiguous, no_user, not_become, no_memfd, no_dup;
	bool is_user, no_default, few_files;
	int core_dumps;
	/* What was done. */
	char problems[1024], log[2048], file[64], again[64], user[32];
	size_t became, raised, forbidden, runs, limits;
	bool dumps;
	struct fffa_config conf;
} fake;

int __wrap_fffa_source_live_check(const struct fffa_config *conf, struct fffa_err *err);
int __wrap_fffa_user_find(const char *text, struct fffa_user *out, struct fffa_err *err);
bool __wrap_fffa_user_is(const struct fffa_user *user);
int __wrap_fffa_user_become(const struct fffa_user *user, struct fffa_err *err);
void __wrap_fffa_privileges_raise(void);
void __wrap_fffa_privileges_forbid_new(void);
int __wrap_access(const char *path, int mode);
int __real_memfd_create(const char *name, unsigned int flags);
int __wrap_memfd_create(const char *name, unsigned int flags);
int __real_dup2(int from, int to);
int __wrap_dup2(int from, int to);
bool __wrap_fffa_limits_check(const struct fffa_config *conf, bool live);
int __wrap_fffa_limits_set_core_dumps(bool allowed);
enum fffa_exit __wrap_fffa_agent_run(struct fffa_config *conf, const char *config_file);
void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int __wrap_fffa_source_live_check(const struct fffa_config *conf, struct fffa_err *err)
{
	assert_non_null(conf);
	return fake.ambiguous ? fffa_fail(err, -fake.ambiguous, "one id, two devices") : 0;
}

int __wrap_fffa_user_find(const char *text, struct fffa_user *out, struct fffa_err *err)
{
	(void)snprintf(fake.user, sizeof(fake.user), "%s", text);
	out->uid = 77;
	return fake.no_user ? fffa_fail(err, -fake.no_user, "no such user") : 0;
}

bool __wrap_fffa_user_is(const struct fffa_user *user)
{
	assert_int_equal(user->uid, 77);
	return fake.is_user;
}

int __wrap_fffa_user_become(const struct fffa_user *user, struct fffa_err *err)
{
	assert_int_equal(user->uid, 77);
	fake.became++;
	return fake.not_become ? fffa_fail(err, -fake.not_become, "may not") : 0;
}

void __wrap_fffa_privileges_raise(void)
{
	fake.raised++;
}

void __wrap_fffa_privileges_forbid_new(void)
{
	fake.forbidden++;
}

int __wrap_access(const char *path, int mode)
{
	assert_string_equal(path, FFFA_CLI_DEFAULT_CONFIG);
	assert_int_equal(mode, F_OK);
	return fake.no_default ? -1 : 0;
}

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	if (!fake.no_memfd)
		return __real_memfd_create(name, flags);
	errno = -fake.no_memfd;
	return -1;
}

int __wrap_dup2(int from, int to)
{
	if (!fake.no_dup)
		return __real_dup2(from, to);
	errno = -fake.no_dup;
	return -1;
}

bool __wrap_fffa_limits_check(const struct fffa_config *conf, bool live)
{
	assert_non_null(conf);
	assert_true(live);
	fake.limits++;
	return !fake.few_files;
}

int __wrap_fffa_limits_set_core_dumps(bool allowed)
{
	fake.dumps = allowed;
	return fake.core_dumps;
}

enum fffa_exit __wrap_fffa_agent_run(struct fffa_config *conf, const char *config_file)
{
	assert_int_equal(conf->sink_count, 2);
	(void)snprintf(fake.again, sizeof(fake.again), "%s", config_file ? config_file : "none");
	fake.runs++;
	return FFFA_EXIT_PRIVILEGE;
}

void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	size_t len = strlen(fake.log), cap = sizeof(fake.log);
	va_list ap;

	len += (size_t)snprintf(fake.log + len, cap - len, "%c %s: ", "EWID"[level], tag);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(fake.log + len, cap - len, fmt, ap);
	va_end(ap);
	assert_true(len + 1 < cap);
	memcpy(fake.log + len, "\n", 2);
}

static void on_problem(void *arg, const char *line)
{
	size_t len = strlen(fake.problems);

	assert_ptr_equal(arg, &fake);
	(void)snprintf(fake.problems + len, sizeof(fake.problems) - len, "%s\n", line);
}

static void expect_problems(const char *want)
{
	assert_string_equal(fake.problems, want);
	fake.problems[0] = '\0';
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.no_default = true;
	strcpy(fake.file, "/tmp/fffa-cli-XXXXXX");
	return close(mkstemp(fake.file));
}

static int teardown(void **state)
{
	(void)state;
	return unlink(fake.file);
}

static void write_file(const char *text)
{
	FILE *f = fopen(fake.file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Arguments */

static const struct fffa_command self = {.name = "x", .help = "usage: fffa x\n"};
static FILE *err_file;
static int err_saved;

static void hold_errors(void)
{
	(void)fflush(stderr);
	err_file = tmpfile();
	err_saved = dup(STDERR_FILENO);
	assert_true(err_file && __real_dup2(fileno(err_file), STDERR_FILENO) >= 0);
}

/* What was written to standard error since hold_errors. */
static void expect_errors(const char *want)
{
	char text[512] = "";

	(void)fflush(stderr);
	(void)__real_dup2(err_saved, STDERR_FILENO);
	(void)close(err_saved);
	rewind(err_file);
	text[fread(text, 1, sizeof(text) - 1, err_file)] = '\0';
	(void)fclose(err_file);
	assert_string_equal(text, want);
}

static void test_arguments(void **state)
{
	static const struct {
		const char *argv[5];
		const char *operand; /* the syntax */
		bool many, optional;
		int first; /* what is answered */
		const char *text;
		bool flag;
		const char *errors;
	} rows[] = {
		{{"x"}, NULL, false, false, 1, NULL, false, ""},
		{{"x", "-t", "a", "--flag"}, NULL, false, false, 4, "a", true, ""},
		{{"x", "--text=b"}, NULL, false, false, 2, "b", false, ""},
		{{"x", "-f", "--text", "c"}, NULL, false, false, 4, "c", true, ""},
		{{"x", "a"},
		 NULL,
		 false,
		 false,
		 0,
		 NULL,
		 false,
		 "fffa x: unexpected argument a\nusage: fffa x\n"},
		{{"x", "-f", "a"}, "file", false, false, 2, NULL, true, ""},
		{{"x", "a", "b"},
		 "file",
		 false,
		 false,
		 0,
		 NULL,
		 false,
		 "fffa x: unexpected argument b\nusage: fffa x\n"},
		{{"x", "a", "b"}, "file", true, false, 1, NULL, false, ""},
		{{"x"}, "file", true, false, 0, NULL, false, "fffa x: no file\nusage: fffa x\n"},
		{{"x"}, "file", false, true, 1, NULL, false, ""},
		{{"x", "-q"},
		 NULL,
		 false,
		 false,
		 0,
		 NULL,
		 false,
		 "fffa x: unknown option -q\nusage: fffa x\n"},
		{{"x", "--text"},
		 NULL,
		 false,
		 false,
		 0,
		 NULL,
		 false,
		 "fffa x: --text needs a value\nusage: fffa x\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = NULL;
		bool flag = false;
		const struct fffa_cli_syntax syntax = {
			.options = {{.name = "text", .letter = 't', .text = &text},
				    {.name = "flag", .letter = 'f', .flag = &flag}},
			.operand = rows[i].operand,
			.many = rows[i].many,
			.optional = rows[i].optional};
		enum fffa_exit code = FFFA_EXIT_FAILED;
		char *argv[6] = {NULL};
		int argc = 0, first;

		for (; argc < 5 && rows[i].argv[argc]; argc++)
			argv[argc] = (char *)(uintptr_t)rows[i].argv[argc];
		optind = 0;
		hold_errors();
		first = fffa_cli_parse(&self, argc, argv, &syntax, &code);
		expect_errors(rows[i].errors);
		assert_int_equal(first, rows[i].first);
		assert_int_equal(code, first ? FFFA_EXIT_OK : FFFA_EXIT_USAGE);
		if (!first)
			continue;
		assert_int_equal(flag, rows[i].flag);
		assert_int_equal(text != NULL, rows[i].text != NULL);
		assert_string_equal(text ? text : "", rows[i].text ? rows[i].text : "");
	}
}

/* The file */

static void test_which_file(void **state)
{
	(void)state;
	assert_null(fffa_cli_config_path(NULL));
	assert_string_equal(fffa_cli_config_path("a"), "a");
	fake.no_default = false;
	assert_string_equal(fffa_cli_config_path(NULL), FFFA_CLI_DEFAULT_CONFIG);
	assert_string_equal(fffa_cli_config_path("a"), "a");
	assert_string_equal(fffa_cli_config_name(NULL), "built-in defaults");
	assert_string_equal(fffa_cli_config_name("a"), "a");
	assert_string_equal(fffa_cli_config_name("-"), "standard input");
}

static void test_what_does_not_fit_the_host(void **state)
{
	struct fffa_config conf;
	char want[256];

	(void)state;
	memset(&conf, 0, sizeof(conf));
	assert_int_equal(fffa_cli_check_host("a", &conf, on_problem, &fake), FFFA_EXIT_OK);
	expect_problems("");
	fake.ambiguous = -EINVAL;
	assert_int_equal(fffa_cli_check_host("a", &conf, on_problem, &fake), FFFA_EXIT_CONFIG);
	expect_problems("a: one id, two devices\n");
	assert_int_equal(fffa_cli_check_host(NULL, &conf, on_problem, &fake), FFFA_EXIT_CONFIG);
	expect_problems("built-in defaults: one id, two devices\n");
	fake.ambiguous = 0;
	conf.metadata.networks = (char *)"";
	assert_int_equal(fffa_cli_check_host("a", &conf, on_problem, &fake), FFFA_EXIT_OK);
	conf.metadata.networks = fake.file;
	write_file("10.0.0.0/8,home\n");
	assert_int_equal(fffa_cli_check_host("a", &conf, on_problem, &fake), FFFA_EXIT_OK);
	expect_problems("");
	write_file("nonsense\n");
	assert_int_equal(fffa_cli_check_host("a", &conf, on_problem, &fake), FFFA_EXIT_CONFIG);
	(void)snprintf(want, sizeof(want), "a: metadata.networks: %s: ", fake.file);
	assert_memory_equal(fake.problems, want, strlen(want));
}

/* The user */

static void test_the_user(void **state)
{
	static const struct {
		int no_user, not_become;
		bool is_user;
		enum fffa_exit code;
		size_t became;
		const char *problem;
	} rows[] = {
		{0, 0, false, FFFA_EXIT_OK, 1, ""},
		{0, -EPERM, true, FFFA_EXIT_OK, 0, ""},
		{0, -EPERM, false, FFFA_EXIT_PRIVILEGE, 1, ": warning: user: may not\n"},
		{-ENOENT, 0, true, FFFA_EXIT_CONFIG, 0, ": user: no such user\n"},
	};
	char want[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file("user: someone\n");
		fake.no_user = rows[i].no_user;
		fake.not_become = rows[i].not_become;
		fake.is_user = rows[i].is_user;
		fake.became = 0;
		assert_int_equal(fffa_cli_become_user(fake.file, "warning: ", on_problem, &fake),
				 rows[i].code);
		assert_int_equal(fake.became, rows[i].became);
		assert_string_equal(fake.user, "someone");
		(void)snprintf(want, sizeof(want), "%s%s", *rows[i].problem ? fake.file : "",
			       rows[i].problem);
		expect_problems(want);
		assert_int_equal(fake.raised, i + 1);
	}
	fake.user[0] = '\0';
	write_file("user: ''\n");
	assert_int_equal(fffa_cli_become_user(fake.file, "", on_problem, &fake), FFFA_EXIT_OK);
	write_file("user: someone\nx: 1\n"); /* the next load reports it */
	assert_int_equal(fffa_cli_become_user(fake.file, "", on_problem, &fake), FFFA_EXIT_OK);
	assert_string_equal(fake.user, "");
	expect_problems("");
}

/* Standard input is read twice: for the user, and by that user. */
static void test_standard_input(void **state)
{
	int saved = dup(STDIN_FILENO);
	struct fffa_config conf;

	(void)state;
	write_file("user: someone\nshutdown_timeout: 7s\n");
	assert_non_null(freopen(fake.file, "r", stdin));
	fake.no_memfd = -EMFILE;
	assert_int_equal(fffa_cli_become_user("-", "", on_problem, &fake), FFFA_EXIT_CONFIG);
	expect_problems("standard input: cannot be read: Too many open files\n");
	fake.no_memfd = 0;
	fake.no_dup = -EBUSY;
	assert_int_equal(fffa_cli_become_user("-", "", on_problem, &fake), FFFA_EXIT_CONFIG);
	expect_problems("standard input: cannot be read: Device or resource busy\n");
	fake.no_dup = 0;
	assert_int_equal(fake.became, 0);
	(void)lseek(STDIN_FILENO, 0, SEEK_SET);
	assert_int_equal(fffa_cli_become_user("-", "", on_problem, &fake), FFFA_EXIT_OK);
	assert_string_equal(fake.user, "someone");
	assert_int_equal(fake.became, 1);
	assert_int_equal(fffa_cli_load_to_start("-", &conf, on_problem, &fake), FFFA_EXIT_OK);
	assert_true(conf.shutdown_timeout_ns == INT64_C(7000000000));
	fffa_config_free(&conf);
	expect_problems("");
	assert_true(__real_dup2(saved, STDIN_FILENO) >= 0);
	(void)close(saved);
}

/* fffa run */

#define TWO                                                                                        \
	"user: ''\nlog: {core_dumps: on}\nsinks:\n  - {name: out, type: file, format: json, "      \
	"path: '-'}\n"                                                                             \
	"  - {name: all, type: file, format: vpc, path: /dev/null}\n"

static enum fffa_exit run(const char *file)
{
	char *argv[] = {(char *)"run", (char *)"-c", (char *)(uintptr_t)file, NULL};

	optind = 0;
	fake.log[0] = '\0';
	return fffa_cmd_run(&self, file ? 3 : 1, argv);
}

static void test_run(void **state)
{
	char want[256];

	(void)state;
	write_file(TWO);
	assert_int_equal(run(fake.file), FFFA_EXIT_PRIVILEGE); /* as the agent ends */
	assert_string_equal(fake.again, fake.file);
	assert_int_equal(fake.forbidden, 1);
	assert_true(fake.dumps);
	assert_memory_equal(fake.log, "I agent: fffa starts: version=", 30);
	(void)snprintf(want, sizeof(want), " configuration=%s sinks=out:file,all:file\n",
		       fake.file);
	assert_non_null(strstr(fake.log, want));
	assert_null(strstr(fake.log, "core_dumps"));
	fake.core_dumps = -EPERM;
	assert_int_equal(run(fake.file), FFFA_EXIT_PRIVILEGE);
	assert_non_null(strstr(fake.log, "W agent: log.core_dumps cannot be set: "));
	assert_int_equal(fake.runs, 2);
	fake.few_files = true;
	assert_int_equal(run(fake.file), FFFA_EXIT_FAILED);
	assert_int_equal(fake.limits, 3);
	assert_int_equal(fake.runs, 2);
}

static void test_runs_that_do_not_start(void **state)
{
	char want[256];

	(void)state;
	write_file("seccomp: maybe\n");
	hold_errors();
	assert_int_equal(run(fake.file), FFFA_EXIT_CONFIG);
	(void)snprintf(want, sizeof(want),
		       "%s:1: seccomp: \"maybe\" is unknown; allowed: off, on\n", fake.file);
	expect_errors(want);
	write_file("user: someone\n");
	fake.not_become = -EPERM;
	hold_errors();
	assert_int_equal(run(fake.file), FFFA_EXIT_PRIVILEGE);
	(void)snprintf(want, sizeof(want), "%s: user: may not\n", fake.file);
	expect_errors(want);
	assert_int_equal(fake.runs, 0);
	assert_string_equal(fake.log, "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_arguments),
		T(test_which_file),
		T(test_what_does_not_fit_the_host),
		T(test_the_user),
		T(test_standard_input),
		T(test_run),
		T(test_runs_that_do_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
