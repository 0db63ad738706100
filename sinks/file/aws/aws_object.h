/* SPDX-License-Identifier: MIT */
/* How AWS names VPC Flow Logs objects in S3 (VPC user guide, "Flow log files"): text only. */
#ifndef FFFA_SINKS_FILE_AWS_AWS_OBJECT_H
#define FFFA_SINKS_FILE_AWS_AWS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/batch.h"

/* "fl-" and 17 hex digits, or what the user has set. */
#define FFFA_AWS_FLOW_LOG_ID_BYTES 24
#define FFFA_AWS_NAME_BYTES	   192

struct fffa_aws_object {
	char account[16]; /* only letters, digits and -: both are made so */
	char region[32];
	char flow_log_id[FFFA_AWS_FLOW_LOG_ID_BYTES];
	char stamp[16]; /* 20260511T1015Z: where the slot begins */
	char hash[20];	/* what makes the name unique */
};

/* Account and region from the origin ("unknown" when empty), id (NULL or "": from the agent's). */
void fffa_aws_object_init(struct fffa_aws_object *o, const struct fffa_batch_origin *origin,
			  const char *flow_log_id, int64_t slot, uint64_t unique);
/* ACCOUNT_vpcflowlogs_REGION_fl-ID_STAMP_HASH.log.gz */
int fffa_aws_object_name(const struct fffa_aws_object *o, char *dst, size_t cap);
/* Whether name is such a name; fills *out. */
bool fffa_aws_object_parse(const char *name, struct fffa_aws_object *out);
/*
 * AWSLogs/ACCOUNT/vpcflowlogs/REGION/YYYY/MM/DD, or with hive
 * AWSLogs/aws-account-id=A/aws-service=vpcflowlogs/aws-region=R/year=Y/month=M/day=D.
 */
int fffa_aws_object_folder(const struct fffa_aws_object *o, bool hive, char *dst, size_t cap);
/* fl- and 8 or 17 hex digits. */
bool fffa_aws_object_is_flow_log_id(const char *text);

#endif
