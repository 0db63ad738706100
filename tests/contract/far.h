/* SPDX-License-Identifier: MIT */
/*
 * The far end of one sink type, for the contract cases: how to configure an instance, what has
 * arrived, how to break and repair it. A new sink adds one table of these to fars.
 */
#ifndef FFFA_TESTS_CONTRACT_FAR_H
#define FFFA_TESTS_CONTRACT_FAR_H

#include "sinks/sink.h"

struct far;

struct far_ops {
	const struct fffa_sink_ops *sink;
	bool no_preamble; /* messages, not a stream: env->preamble does not arrive */
	struct far *(*open)(void);
	void (*close)(struct far *f);
	/* The sink's own configuration; valid until close. */
	const void *(*conf)(struct far *f);
	/* A configuration with which start fails. */
	const void *(*bad_conf)(struct far *f);
	/* What has arrived so far, preamble included, in the order of the records; malloc, the caller frees ptr. */
	struct fffa_span (*bytes)(struct far *f);
	/* From now on deliveries fail, some of them half done; repair ends it. */
	void (*break_it)(struct far *f);
	void (*repair)(struct far *f);
	/* Deliveries that do not end: a far end that takes nothing any more. Before start. */
	const void *(*stalled_conf)(struct far *f);
	/* With stalled_conf: so many bytes surely do not find room. */
	size_t stall_bytes;
};

extern const struct far_ops far_file_ops;
extern const struct far_ops far_file_aws_ops;
extern const struct far_ops far_http_ops;
extern const struct far_ops far_kafka_ops;	/* a record in each message */
extern const struct far_ops far_kafka_many_ops; /* many */
extern const struct far_ops far_spy_ops;

#endif
