/* SPDX-License-Identifier: MIT */
/* What a librdkafka error of a message or a connection means here. */
#ifndef FFFA_SINKS_KAFKA_JUDGE_H
#define FFFA_SINKS_KAFKA_JUDGE_H

#include <librdkafka/rdkafka.h>

#include "sinks/sink.h"

struct fffa_kafka_judgement {
	enum fffa_verdict verdict;
	int cause;	  /* -errno; 0 when delivered */
	const char *text; /* for logs, static; NULL: librdkafka's own text */
	bool repair;	  /* a person must repair a configuration */
};

/* What err means for its records. An unknown code is FFFA_V_RETRY with -EIO. */
struct fffa_kafka_judgement fffa_kafka__judge(rd_kafka_resp_err_t err);

/* The reason of an outcome. A missing topic has two codes, of librdkafka and of the brokers. */
int fffa_kafka__judge_reason(rd_kafka_resp_err_t err);

/*
 * True for an error of one broker or one attempt after which librdkafka retries by itself. It is
 * logged only when no broker is left.
 */
bool fffa_kafka__judge_is_transient(rd_kafka_resp_err_t err);

#endif
