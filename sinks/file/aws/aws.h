/* SPDX-License-Identifier: MIT */
/*
 * The objects of the AWS layout. A record goes into the gzip object of the five-minute slot in
 * which its window ends. A slot gets a further object when the first is full, and for records that
 * come late. An object grows in the staging folder PATH/.part, and moves to its place in the layout
 * when it is complete. Names and folders are those of "Flow log files" in the VPC User Guide.
 */
#ifndef FFFA_SINKS_FILE_AWS_AWS_H
#define FFFA_SINKS_FILE_AWS_AWS_H

#include <stdbool.h>

#include "sinks/file/aws/aws_conf.h"

/* How long an object stays open after its slot, for records that are still on their way. */
#define FFFA_AWS_GRACE_S 60

struct fffa_aws;

/* One write. */
struct fffa_aws_job {
	/* in */
	const struct fffa_batch *batch; /* NULL: only complete what is due */
	bool complete_all;
	int64_t now_s; /* Unix time */
	/* out */
	int rc; /* of the batch: 0 or -errno */
	/* NULL, or one enum fffa_verdict for each record if some were written and some were not;
	 * valid until the next write. */
	const uint8_t *verdicts;
	int completion_error;	/* 0, or -errno: objects that are due are tried again later */
	int64_t open_bytes;	/* of the objects that still grow */
	int64_t completed_at_s; /* Unix time of the last completion; 0: none */
	uint64_t completed;	/* objects since new */
	size_t removed; /* objects that somebody has deleted while they grew; by this write */
};

/*
 * Makes the folders; may block. conf outlives *out, which the caller ends with free. On failure
 * -errno with err, and *out is untouched.
 */
int fffa_aws_new(const struct fffa_aws_conf *conf, struct fffa_aws **out, struct fffa_err *err);

/* Closes the objects; those that are not complete stay in the staging folder. NULL is allowed. */
void fffa_aws_free(struct fffa_aws *a);

/*
 * Completes the objects that are due, then writes the batch, on a worker thread. The records of a
 * slot are written as a whole or not at all.
 */
void fffa_aws_write(struct fffa_aws *a, struct fffa_aws_job *job);

#endif
