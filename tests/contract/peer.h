/* SPDX-License-Identifier: MIT */
/*
 * The far end of one sink type, for the contract cases: how to configure an instance, what has
 * arrived, how to break and repair it. A new sink adds one table of these to peers.
 */
#ifndef FFFA_TESTS_CONTRACT_PEER_H
#define FFFA_TESTS_CONTRACT_PEER_H

#include "sinks/sink.h"

struct peer;

struct peer_ops {
	const struct fffa_sink_ops *sink;
	bool no_preamble; /* messages, not a stream: env->preamble does not arrive */
	struct peer *(*open)(void);
	void (*close)(struct peer *f);
	/* The sink's own configuration; valid until close. */
	const void *(*conf)(struct peer *f);
	/* A configuration with which start fails. */
	const void *(*bad_conf)(struct peer *f);
	/* What has arrived so far, preamble included, in the order of the records; malloc, the caller frees ptr. */
	struct fffa_span (*bytes)(struct peer *f);
	/* From now on deliveries fail, some of them half done; repair ends it. */
	void (*break_it)(struct peer *f);
	void (*repair)(struct peer *f);
	/*
	 * From now on what is sent arrives, and nothing is confirmed. NULL: the sink itself makes it
	 * arrive, so nothing arrives but what it says is DELIVERED.
	 */
	void (*mute)(struct peer *f);
	/* Deliveries that do not end: a far end that takes nothing any more. Before start. */
	const void *(*stalled_conf)(struct peer *f);
	/* With stalled_conf: so many bytes surely do not find room. */
	size_t stall_bytes;
};

extern const struct peer_ops peer_file_ops;
extern const struct peer_ops peer_file_aws_ops;
extern const struct peer_ops peer_http_ops;
extern const struct peer_ops peer_kafka_ops;	  /* a record in each message */
extern const struct peer_ops peer_kafka_many_ops; /* many */
extern const struct peer_ops peer_spy_ops;

#endif
