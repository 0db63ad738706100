/* SPDX-License-Identifier: MIT */
/* A bounded text beside an errno, for start-up and configuration only; no allocation. */
#ifndef FFFA_AGENT_BASE_ERR_H
#define FFFA_AGENT_BASE_ERR_H

struct fffa_err {
	char text[1024];
};

/* Writes the text (cut when too long). err may be NULL. Returns -error, so: return fffa_fail(err,
 * EINVAL, ...). */
int fffa_fail(struct fffa_err *err, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same as a further line behind what err holds already, which is "" at first. */
int fffa_err_also(struct fffa_err *err, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
