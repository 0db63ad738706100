// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "agent/base/format.h"
#include "agent/base/log.h"
#include "sinks/file/aws/aws.h"
#include "sinks/file/aws/aws_recover.h"

#define CHECK_S 10

struct fffa_file_layout {
	const struct fffa_file_layout_env *env;
	struct fffa_aws_conf conf;
	struct fffa_aws *aws;
	struct fffa_aws_job job;
	bool maintenance_due;
};

static int require_vpc(unsigned int format, struct fffa_err *err)
{
	if (format != FFFA_FORMAT_VPC)
		return fffa_fail(err, EINVAL, "layout: aws and aws_hive need format vpc");
	return 0;
}

static int open_aws(const struct fffa_file_layout_env *env, struct fffa_file_layout **out,
		    struct fffa_err *err)
{
	const struct fffa_sink_file_conf *conf = env->conf;
	struct fffa_file_layout *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	l->env = env;
	l->conf = (struct fffa_aws_conf){
		.path = conf->path,
		.hive = conf->layout == FFFA_FILE_LAYOUT_AWS_HIVE,
		.sync = conf->sync == FFFA_FILE_SYNC_BATCH,
		.flow_log_id = conf->flow_log_id,
		.size_bytes = conf->rotate.size_bytes,
		.access = &env->access,
		.preamble = env->sink->preamble,
	};
	rc = fffa_aws_new(&l->conf, &l->aws, err);
	if (rc) {
		free(l);
		return rc;
	}
	l->maintenance_due = true; /* what an earlier process left */
	*out = l;
	return 0;
}

static void free_aws(struct fffa_file_layout *l)
{
	fffa_aws_free(l->aws);
	free(l);
}

static void begin_write(struct fffa_file_layout *l, const struct fffa_batch *b)
{
	l->maintenance_due = false;
	l->job.batch = b;
	l->job.now_s = time(NULL);
}

static void begin_last_write(struct fffa_file_layout *l)
{
	begin_write(l, NULL);
	l->job.complete_all = true;
}

static int do_write(struct fffa_file_layout *l)
{
	fffa_aws_write(l->aws, &l->job);
	return l->job.rc;
}

static void end_write(struct fffa_file_layout *l, struct fffa_outcome *o)
{
	o->records = l->job.verdicts;
	if (l->job.removed)
		fffa_warn(l->env->sink->tag,
			  "%zu open objects in %s were removed; records go into new ones",
			  l->job.removed, l->conf.path);
	l->job.batch = NULL;
	l->job.complete_all = false;
}

static bool has_open_objects(const struct fffa_file_layout *l)
{
	return l->job.open_bytes > 0; /* do_write knows when each object is due */
}

static int64_t check_in_s(const struct fffa_file_layout *l)
{
	(void)l;
	return CHECK_S;
}

static int recover_objects(const struct fffa_file_layout *l, const atomic_bool *cancel)
{
	return fffa_aws_recover(&l->conf, cancel);
}

static void read_status(const struct fffa_file_layout *l, struct fffa_file_layout_status *out)
{
	*out = (struct fffa_file_layout_status){
		.file_bytes = l->job.open_bytes,
		.rotated_at_s = l->job.completed_at_s,
		.rotation_error = l->job.completion_error,
		.maintenance_due = l->maintenance_due,
	};
}

const struct fffa_file_layout_ops fffa_file_aws_layout = {
	.rotation_error_text = "cannot complete objects that are due, will retry",
	.check_format = require_vpc,
	.open = open_aws,
	.free = free_aws,
	.begin = begin_write,
	.begin_last = begin_last_write,
	.work = do_write,
	.end = end_write,
	.is_due = has_open_objects,
	.check_in_s = check_in_s,
	.maintain = recover_objects,
	.status = read_status,
};
