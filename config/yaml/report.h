/* SPDX-License-Identifier: MIT */
/*
 * Problems are counted, formatted as "FILE:LINE: key.path: text" and passed to the
 * caller's function.
 */
#ifndef FFFA_CONFIG_YAML_REPORT_H
#define FFFA_CONFIG_YAML_REPORT_H

#include <stddef.h>

/* One problem: "FILE:LINE: key: what is wrong and what is allowed". */
typedef void (*fffa_problem_fn)(void *arg, const char *line);

/* More problems of one file are not shown. */
#define FFFA_REPORT_PROBLEMS_MAX 200

/*
 * Where in the files a node stands: the line in the low bits, the file above them. 0: the file that
 * is read; n: files[n - 1] of the report.
 */
#define FFFA_REPORT_LINE_BITS	      24
#define FFFA_REPORT_PLACE(file, line) ((unsigned int)(file) << FFFA_REPORT_LINE_BITS | (line))
#define FFFA_REPORT_PLACE_FILE(place) ((place) >> FFFA_REPORT_LINE_BITS)
#define FFFA_REPORT_PLACE_LINE(place) ((place) & ((1U << FFFA_REPORT_LINE_BITS) - 1))

struct fffa_report {
	const char *file;
	char *const *files;	 /* merged into file; may be NULL where no place names one */
	fffa_problem_fn problem; /* may be NULL */
	void *arg;
	unsigned int count;
	int error; /* -ENOMEM once memory ran out, or the -errno of the file; else 0 */
};

/* place: a line, or FFFA_REPORT_PLACE. Line 0: the file as a whole. path "": no key. */
void fffa_report_problem(struct fffa_report *rep, unsigned int place, const char *path,
			 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Remembers and reports (once) that memory ran out. Returns -ENOMEM. */
int fffa_report_nomem(struct fffa_report *rep);
/* 0, or what the load returns: the hard error, else -EINVAL when there were problems. */
int fffa_report_result(const struct fffa_report *rep);

/* Text from outside for one line of a message: bounded, without control characters. */
struct fffa_printable {
	char text[72];
};
struct fffa_printable fffa_report_printable(const char *text);

/* A key path for messages; cut when too long. */
struct fffa_path {
	char text[256];
};
/* "base.key"; "key" when base is empty. */
struct fffa_path fffa_report_path_join(const char *base, const char *key);
/* "base[i]" */
struct fffa_path fffa_report_path_index(const char *base, size_t i);

#endif
