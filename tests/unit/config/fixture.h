/* SPDX-License-Identifier: MIT */
/*
 * A fake environment, two fake sink types with every type of option, and a collector of problems.
 */
#ifndef FFFA_TESTS_UNIT_CONFIG_FIXTURE_H
#define FFFA_TESTS_UNIT_CONFIG_FIXTURE_H

#include "config/config.h"

struct fake_file {
	char *path;
};

struct fake_demo {
	bool flag;
	int64_t count;
	int64_t wait_ns;
	int64_t room_bytes;
	char *url;
	int mode;
	struct fffa_strings hosts;
	struct fffa_ints ports;
	char *password;
	struct fffa_pairs properties;
	int64_t give_up_ns;
};

/* "file" and "demo"; the check of demo refuses flag with an empty url. */
extern const struct fffa_sink_schema fake_schema[];

/*
 * Variables A=alpha, N=7777, EMPTY="", BAD (not UTF-8), REF=${A}, LONG (70 000 bytes), and files.
 */
extern const struct fffa_config_environment fake_environment;

struct problems {
	char text[8192]; /* one line each */
	unsigned int count;
};
void problems_add(void *arg, const char *line);

/* Loads text as file "f" in the fake environment. */
int load(const char *text, struct fffa_config *c, struct problems *p);
/* Fails the test unless text gives exactly these problems, each with a newline at its end. */
void expect_problems(const char *text, const char *expected);
/* Fails the test and shows the problems when there are any. */
void load_ok(const char *text, struct fffa_config *c);

#endif
