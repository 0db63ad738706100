/* SPDX-License-Identifier: MIT */
/*
 * AWS's layout: records by the five-minute slot of their end, one gzip object a slot (and a further
 * one when it is full, or for what comes late), under its final name only when it is complete.
 * Objects grow in PATH/.part. Everything but new and free runs on one pool thread at a time.
 */
#ifndef FFFA_SINKS_FILE_AWS_AWS_H
#define FFFA_SINKS_FILE_AWS_AWS_H

#include <stdbool.h>

#include "sinks/file/aws/aws_conf.h"

#define FFFA_AWS_GRACE_S 60 /* after the slot's end, for what is still on its way */

struct fffa_aws;

/* One call into it. */
struct fffa_aws_job {
	const struct fffa_batch *batch; /* NULL: only what is due */
	bool complete_all;
	int64_t now_s;
	int result; /* out: of the batch */
	/* out: enum fffa_verdict of each record, when some were written and some were not; else
	 * NULL. Valid until the next call. */
	const uint8_t *verdicts;
	int completion_error; /* out: objects that are due stay for the next call */
	int64_t open_bytes;   /* out: in objects that are not complete */
	int64_t completed_at_s;
	uint64_t completed; /* out, since new: objects */
};

/* Makes the folders; start-up only. On failure -errno with err. */
int fffa_aws_new(const struct fffa_aws_conf *conf, struct fffa_aws **out, struct fffa_err *err);
/* NULL is allowed. What is not complete stays in .part. */
void fffa_aws_free(struct fffa_aws *a);
void fffa_aws_write(struct fffa_aws *a, struct fffa_aws_job *job);

#endif
