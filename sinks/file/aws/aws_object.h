/* SPDX-License-Identifier: MIT */
/*
 * Names and folders of the objects, text only. Source: "Flow log files" in the VPC User Guide.
 */
#ifndef FFFA_SINKS_FILE_AWS_AWS_OBJECT_H
#define FFFA_SINKS_FILE_AWS_AWS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/batch.h"

/* "fl-" and 17 hex digits, or what the user has set; with the terminating zero. */
#define FFFA_AWS_FLOW_LOG_ID_BYTES 24
#define FFFA_AWS_NAME_BYTES	   192

struct fffa_aws_object {
	char account[16]; /* only letters, digits and - */
	char region[32];  /* the same */
	char flow_log_id[FFFA_AWS_FLOW_LOG_ID_BYTES];
	char stamp[16]; /* 20260511T1015Z: the start of the slot */
	char hash[20];	/* makes the name unique */
};

/*
 * Fills *o with account and region from origin ("unknown" if empty), flow_log_id (NULL or "": made
 * from the agent's id), the start of the slot, and unique as the hash.
 */
void fffa_aws_object_init(struct fffa_aws_object *o, const struct fffa_batch_origin *origin,
			  const char *flow_log_id, int64_t slot, uint64_t unique);

/* Writes ACCOUNT_vpcflowlogs_REGION_fl-ID_STAMP_HASH.log.gz to dst. 0 or -ENAMETOOLONG. */
int fffa_aws_object_name(const struct fffa_aws_object *o, char *dst, size_t cap);

/* Whether name is a name that fffa_aws_object_name writes; fills *out then. */
bool fffa_aws_object_parse(const char *name, struct fffa_aws_object *out);

/*
 * Writes the folder of the object to dst. 0 or -ENAMETOOLONG.
 * AWSLogs/ACCOUNT/vpcflowlogs/REGION/YYYY/MM/DD, or with hive
 * AWSLogs/aws-account-id=A/aws-service=vpcflowlogs/aws-region=R/year=Y/month=M/day=D.
 */
int fffa_aws_object_folder(const struct fffa_aws_object *o, bool hive, char *dst, size_t cap);

/* Whether text is fl- and 8 or 17 lower-case hex digits, as AWS writes it. */
bool fffa_aws_object_is_flow_log_id(const char *text);

#endif
