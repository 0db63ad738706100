/* SPDX-License-Identifier: MIT */
/* Writes metric families for /metrics: HELP and TYPE, then the samples. */
#ifndef FFFA_AGENT_STATUS_TEXT_FAMILY_H
#define FFFA_AGENT_STATUS_TEXT_FAMILY_H

#include "agent/base/histogram.h"
#include "agent/status/text/escape.h"

/* type: "counter", "gauge" or "histogram". name and help are not escaped. */
void fffa_family_begin(struct fffa_buf *o, const char *name, const char *type, const char *help);

struct fffa_label {
	const char *key;
	const char *value;
};
#define FFFA_LABELS_MAX 6

/* One sample. A label without a key ends the labels; NULL: no labels. */
void fffa_family_u64(struct fffa_buf *o, const char *name,
		     const struct fffa_label labels[FFFA_LABELS_MAX], uint64_t v);
/* One sample of ns nanoseconds, written in seconds. */
void fffa_family_seconds(struct fffa_buf *o, const char *name,
			 const struct fffa_label labels[FFFA_LABELS_MAX], uint64_t ns);
/* The samples of one histogram. label may be NULL. */
void fffa_family_histogram(struct fffa_buf *o, const char *name, const struct fffa_label *label,
			   const struct fffa_histogram *h);

/* Labels for the calls above: FFFA_LABELS({"sink", name}). */
#define FFFA_LABELS(...)                                                                           \
	(const struct fffa_label[FFFA_LABELS_MAX])                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#endif
