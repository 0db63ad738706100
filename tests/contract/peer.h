/* SPDX-License-Identifier: MIT */
/*
 * The peer of one kind of sink receives what the sink sends. The contract cases get from it the
 * sink's configuration and what has arrived, and make it break and work again. For a new sink, add
 * such a table to peers in test_sink_contract.c.
 */
#ifndef FFFA_TESTS_CONTRACT_PEER_H
#define FFFA_TESTS_CONTRACT_PEER_H

#include "sinks/sink.h"

struct peer;

struct peer_ops {
	const struct fffa_sink_ops *sink;
	bool no_preamble; /* the sink sends messages and no stream, so no preamble arrives */
	struct peer *(*open)(void);
	void (*close)(struct peer *f);
	/* A configuration of the sink with which it works; valid until close. */
	const void *(*conf)(struct peer *f);
	/* A configuration with which start fails; valid until close. */
	const void *(*bad_conf)(struct peer *f);
	/* What has arrived, in record order and with the preamble. The caller frees ptr. */
	struct fffa_span (*bytes)(struct peer *f);
	/* From now on deliveries fail, some of them in part; repair ends that. */
	void (*break_it)(struct peer *f);
	void (*repair)(struct peer *f);
	/*
	 * From now on what is sent arrives, but nothing is confirmed. NULL when nobody confirms
	 * because the sink writes by itself.
	 */
	void (*mute)(struct peer *f);
	/*
	 * From now on the peer refuses what a person can repair, and says SAID; repair ends that.
	 * NULL: it cannot refuse.
	 */
	void (*refuse)(struct peer *f);
	const char *said;
	/* From now on the peer refuses, and does not say why; repair ends that. NULL: as above. */
	void (*refuse_without_reason)(struct peer *f);
	/*
	 * The peer goes away before the first delivery, and the sink's library waits for it: no
	 * delivery ends. NULL: deliveries end then.
	 */
	void (*go_away)(struct peer *f);
	/* A configuration with which the peer takes nothing: no delivery ends. Before start. */
	const void *(*stalled_conf)(struct peer *f);
	/* With stalled_conf, this many bytes certainly find no room. */
	size_t stall_bytes;
};

extern const struct peer_ops peer_file_ops;
extern const struct peer_ops peer_file_aws_ops;
extern const struct peer_ops peer_http_ops;
extern const struct peer_ops peer_kafka_ops;	  /* one record in each message */
extern const struct peer_ops peer_kafka_many_ops; /* many records in each message */
extern const struct peer_ops peer_spy_ops;

#endif
