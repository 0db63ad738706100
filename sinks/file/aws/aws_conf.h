/* SPDX-License-Identifier: MIT */
/* What all files of the AWS layout know. */
#ifndef FFFA_SINKS_FILE_AWS_AWS_CONF_H
#define FFFA_SINKS_FILE_AWS_AWS_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "sinks/batch.h"
#include "sinks/file/layout/file_access.h"

/* Constant while the layout lives; everything it points to is borrowed. */
struct fffa_aws_conf {
	const char *path;
	bool hive;
	bool sync;
	const char *flow_log_id; /* NULL: made from the agent's id */
	int64_t size_bytes;	 /* of an object, at most */
	const struct fffa_file_access *access;
	struct fffa_span preamble; /* the first bytes of each object */
};

#endif
