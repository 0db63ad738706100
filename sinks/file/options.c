// SPDX-License-Identifier: MIT
#include "sinks/file/options.h"

#include <errno.h>
#include <string.h>

#include "sinks/file/aws/aws_object.h"
#include "sinks/file/layout/file_access.h"
#include "sinks/file/plain/open.h"

#define S_NS INT64_C(1000000000)
#define MIB  (INT64_C(1) << 20)

int fffa_file_options_check(const void *conf, struct fffa_err *err)
{
	const struct fffa_sink_file_conf *c = conf;
	struct fffa_file_access access;

	if (!c->path || !*c->path)
		return fffa_fail(err, EINVAL,
				 "path: is required: a file name, or - for standard output");
	if (c->layout && !strcmp(c->path, "-"))
		return fffa_fail(err, EINVAL,
				 "path: must be a folder, not -, with layout aws or aws_hive");
	if (c->flow_log_id && !fffa_aws_object_is_flow_log_id(c->flow_log_id))
		return fffa_fail(err, EINVAL,
				 "flow_log_id: %s: must be fl- and 8 or 17 hex digits, such as "
				 "fl-0123456789abcdef0",
				 c->flow_log_id);
	return fffa_file_access_read(c, &access, err);
}

int fffa_file_options_probe(const void *conf, struct fffa_err *err)
{
	const struct fffa_sink_file_conf *c = conf;

	/* The aws layouts make their folders themselves. */
	return c->layout || !strcmp(c->path, "-") ? 0 : fffa_plain_open_probe(c->path, err);
}

const char *fffa_file_options_output(const void *conf)
{
	const struct fffa_sink_file_conf *c = conf;

	/* Standard output is shared anyway, and objects of the aws layouts have names of their own. */
	if (c->layout || !c->path || !strcmp(c->path, "-") || !strncmp(c->path, "/dev/", 5))
		return NULL;
	return c->path;
}

#define C struct fffa_sink_file_conf

static const char *const sync_words[] = {
	[FFFA_FILE_SYNC_NONE] = "none", [FFFA_FILE_SYNC_BATCH] = "batch", NULL};
static const char *const layouts[] = {[FFFA_FILE_LAYOUT_PLAIN] = "plain",
				      [FFFA_FILE_LAYOUT_AWS] = "aws",
				      [FFFA_FILE_LAYOUT_AWS_HIVE] = "aws_hive",
				      NULL};
static const char *const kinds[] = {[FFFA_FILE_COMPRESS_NONE] = "none",
				    [FFFA_FILE_COMPRESS_GZIP] = "gzip",
				    [FFFA_FILE_COMPRESS_ZSTD] = "zstd",
				    NULL};
static const char *const never[] = {"never", NULL};

const struct fffa_option fffa_file_options[] = {
	FFFA_OPT_STRING("path", C, path, NULL, 0,
			"File to append to, in an existing directory; - is standard output."),
	FFFA_OPT_ENUM("sync", C, sync, "batch", sync_words, 0,
		      "A batch counts as delivered when it is written (none), or when it is on the "
		      "disk (batch: fdatasync)."),
	FFFA_OPT_ENUM("layout", C, layout, "plain", layouts, 0,
		      "aws, aws_hive: path is a folder, made if missing and filled like the S3 "
		      "bucket of AWS VPC Flow Logs: gzip objects of five minutes in AWSLogs/, each "
		      "visible once it is complete. Objects are never deleted; of rotate only size "
		      "counts (at most 75 MB). Needs format vpc."),
	FFFA_OPT_STRING(
		"flow_log_id", C, flow_log_id, NULL, 0,
		"The fl-ID in object names of the aws layouts; unset: made from the agent's id."),
	FFFA_OPT_STRING("mode", C, mode, "0640", 0, "Permissions of new files, in octal."),
	FFFA_OPT_STRING("owner", C, owner, NULL, 0,
			"Owner of new files: user or user:group, as names or numbers."),
	FFFA_OPT_SIZE("rotate.size", C, rotate.size_bytes, "100MiB", 0, MIB *MIB, 0,
		      "A file is rotated before it grows beyond this; 0: never by size. Pipes, "
		      "devices and standard output are not rotated."),
	FFFA_OPT_DURATION_OR(
		"rotate.interval", C, rotate.interval_ns, "1h", 1 * S_NS, 8760 * 3600 * S_NS, never,
		0, "A file that holds a record is also rotated at multiples of this in UTC."),
	FFFA_OPT_INT("rotate.keep", C, rotate.max_files, "24", 0, 100000, 0,
		     "Rotated files to keep; 0 keeps all."),
	FFFA_OPT_ENUM("rotate.compress", C, rotate.compress, "zstd", kinds, 0,
		      "Compression of rotated files, in the background."),
	FFFA_OPT_END,
};
