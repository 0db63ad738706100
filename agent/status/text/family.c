// SPDX-License-Identifier: MIT
#include "agent/status/text/family.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/base/clock.h"

void fffa_family_begin(struct fffa_buf *o, const char *name, const char *type, const char *help)
{
	fffa_buf_format(o, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_name(struct fffa_buf *o, const char *name, const char *suffix,
		     const struct fffa_label *labels, size_t n)
{
	const char *between = "{";

	fffa_buf_text(o, name);
	fffa_buf_text(o, suffix);
	for (size_t i = 0; labels && i < n && labels[i].key; i++) {
		fffa_buf_format(o, "%s%s=\"", between, labels[i].key);
		fffa_escape_label(o, labels[i].value);
		fffa_buf_text(o, "\"");
		between = ",";
	}
	if (*between == ',')
		fffa_buf_text(o, "}");
}

static void put_seconds(struct fffa_buf *o, uint64_t ns)
{
	fffa_buf_format(o, " %" PRIu64 ".%09" PRIu64 "\n", ns / FFFA_NS_PER_S, ns % FFFA_NS_PER_S);
}

void fffa_family_u64(struct fffa_buf *o, const char *name,
		     const struct fffa_label labels[FFFA_LABELS_MAX], uint64_t v)
{
	put_name(o, name, "", labels, FFFA_LABELS_MAX);
	fffa_buf_format(o, " %" PRIu64 "\n", v);
}

void fffa_family_seconds(struct fffa_buf *o, const char *name,
			 const struct fffa_label labels[FFFA_LABELS_MAX], uint64_t ns)
{
	put_name(o, name, "", labels, FFFA_LABELS_MAX);
	put_seconds(o, ns);
}

void fffa_family_histogram(struct fffa_buf *o, const char *name, const struct fffa_label *label,
			   const struct fffa_histogram *h)
{
	char bound[32];
	struct fffa_label labels[2] = {{"le", bound}, {NULL, NULL}};
	uint64_t below = 0;

	if (label)
		labels[1] = *label;
	for (unsigned int i = 0; i <= FFFA_HISTOGRAM_BOUNDS; i++) {
		below += h->buckets[i];
		if (i < FFFA_HISTOGRAM_BOUNDS)
			(void)snprintf(bound, sizeof(bound), "%g",
				       (double)fffa_histogram_bound_ns(i) / FFFA_NS_PER_S);
		else
			(void)snprintf(bound, sizeof(bound), "+Inf");
		put_name(o, name, "_bucket", labels, 2);
		fffa_buf_format(o, " %" PRIu64 "\n", below);
	}
	put_name(o, name, "_sum", label, 1);
	put_seconds(o, h->sum_ns);
	put_name(o, name, "_count", label, 1);
	fffa_buf_format(o, " %" PRIu64 "\n", h->count);
}
