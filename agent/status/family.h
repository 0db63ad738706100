/* SPDX-License-Identifier: MIT */
/* One metric family after the other: HELP, TYPE, then its samples. For the writers of /metrics. */
#ifndef FFFA_AGENT_STATUS_FAMILY_H
#define FFFA_AGENT_STATUS_FAMILY_H

#include "agent/base/histogram.h"
#include "agent/status/escape.h"

/* type: "counter", "gauge", "histogram". name and help are literals: nothing in them is escaped. */
void fffa_family_begin(struct fffa_buf *o, const char *name, const char *type, const char *help);

struct fffa_label {
	const char *key;
	const char *value;
};
#define FFFA_LABELS_MAX 3

/* A sample with up to FFFA_LABELS_MAX labels; the first without a key ends them. NULL: none. */
void fffa_family_u64(struct fffa_buf *o, const char *name,
		     const struct fffa_label labels[FFFA_LABELS_MAX], uint64_t v);
/* ns nanoseconds, written in seconds. */
void fffa_family_seconds(struct fffa_buf *o, const char *name,
			 const struct fffa_label labels[FFFA_LABELS_MAX], uint64_t ns);
/* The samples of one histogram; with a label of its own or NULL. */
void fffa_family_histogram(struct fffa_buf *o, const char *name, const struct fffa_label *label,
			   const struct fffa_histogram *h);

/* For the calls above: FFFA_LABELS({"sink", name}). */
#define FFFA_LABELS(...)                                                                           \
	(const struct fffa_label[FFFA_LABELS_MAX])                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#endif
