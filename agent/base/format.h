/* SPDX-License-Identifier: MIT */
/* The record formats by name, and the bounds of what they write: for all who need no encoder. */
#ifndef FFFA_AGENT_BASE_FORMAT_H
#define FFFA_AGENT_BASE_FORMAT_H

enum fffa_format {
	FFFA_FORMAT_VPC,
	FFFA_FORMAT_FLOWLOG,
	FFFA_FORMAT_JSON,
	FFFA_FORMAT_MSGPACK,
	FFFA_FORMAT_OCSF, /* JSON: OCSF class 4001 */
	FFFA_FORMAT_ECS,  /* JSON: Elastic Common Schema */
	FFFA_FORMAT_MAX
};

/* What is put around each record of a text format. */
enum fffa_envelope {
	FFFA_ENVELOPE_NONE,
	/*
	 * {"message":"..."} and a newline: a record of Amazon Data Firehose as VPC Flow Logs sends
	 * it, and a CloudWatch Logs event as log shippers forward it.
	 */
	FFFA_ENVELOPE_FIREHOSE,
};

/* No record of any format is longer, its terminator and envelope included. */
#define FFFA_RECORD_BYTES_MAX 16384
/* No header line is longer. */
#define FFFA_HEADER_BYTES_MAX 1024

/* What bytes that were found in a file are, to a sink of one format and one choice of fields. */
enum fffa_found {
	FFFA_FOUND_FOREIGN, /* no record of this program */
	FFFA_FOUND_OTHER,   /* a record or header of this program: another format, other fields */
	FFFA_FOUND_TORN,    /* the begin of a record, and nothing else */
	FFFA_FOUND_UNTERMINATED, /* a record without its newline, and nothing else */
	FFFA_FOUND_RECORD,	 /* begins with a whole record */
};

/* "vpc", "flowlog", "json", "msgpack", "ocsf", "ecs". 0 and *out; -EINVAL for any other name. */
int fffa_format_parse(const char *name, enum fffa_format *out);

/* The name as fffa_format_parse takes it; static. format is below FFFA_FORMAT_MAX. */
const char *fffa_format_name(enum fffa_format format);

/* The media type of records without an envelope, for HTTP and Kafka; static. */
const char *fffa_format_content_type(enum fffa_format format);

#endif
