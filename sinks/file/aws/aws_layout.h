/* SPDX-License-Identifier: MIT */
/* Layouts aws and aws_hive: gzip objects of five minutes in the folders of an S3 bucket. */
#ifndef FFFA_SINKS_FILE_AWS_AWS_LAYOUT_H
#define FFFA_SINKS_FILE_AWS_AWS_LAYOUT_H

#include "sinks/file/layout/layout.h"

extern const struct fffa_file_layout_ops fffa_file_aws_layout;

#endif
