/* SPDX-License-Identifier: MIT */
/*
 * The folders of the AWS layout: the staging folder PATH/.part for objects that still grow, and
 * PATH/AWSLogs/... for those that are complete. Missing folders are made. All functions block.
 */
#ifndef FFFA_SINKS_FILE_AWS_AWS_FOLDER_H
#define FFFA_SINKS_FILE_AWS_AWS_FOLDER_H

#include "sinks/file/aws/aws_conf.h"

/* Makes PATH and the staging folder, and checks that files can be made there. 0 or -errno. */
int fffa_aws_folder_make(const struct fffa_aws_conf *conf);

/* Opens the staging folder: returns a descriptor that the caller closes, or -errno. */
int fffa_aws_folder_open_staging(const struct fffa_aws_conf *conf);

/* Moves the object from staging to its place; with conf->sync that is on the disk. 0 or -errno. */
int fffa_aws_folder_publish(const struct fffa_aws_conf *conf, const char *name);

#endif
