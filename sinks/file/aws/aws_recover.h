/* SPDX-License-Identifier: MIT */
/* Objects that an earlier process has left in the staging folder. */
#ifndef FFFA_SINKS_FILE_AWS_AWS_RECOVER_H
#define FFFA_SINKS_FILE_AWS_AWS_RECOVER_H

#include <stdatomic.h>

#include "sinks/file/aws/aws_conf.h"

/*
 * Completes each of them and moves it to its place; one without a record is deleted. Objects that
 * a process still writes are left alone. Ends soon after *cancel is set. 0, or the first -errno;
 * the rest is done all the same. Blocks; objects may be written meanwhile.
 */
int fffa_aws_recover(const struct fffa_aws_conf *conf, const atomic_bool *cancel);

#endif
