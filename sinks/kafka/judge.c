// SPDX-License-Identifier: MIT
#include "sinks/kafka/judge.h"

#include <errno.h>

/*
 * Only what speaks of the bytes is refused. Everything else is retried: somebody may create the
 * topic, grant the permission or renew the certificate while the records wait. sinks/README.md has
 * the same table.
 */
#define REPAIR(ERR, CAUSE, TEXT)                                                                   \
	{                                                                                          \
		ERR,                                                                               \
		{                                                                                  \
			FFFA_V_RETRY, CAUSE, TEXT, true                                            \
		}                                                                                  \
	}

static const struct row {
	rd_kafka_resp_err_t err;
	struct fffa_kafka_judgement j;
} rows[] = {
	{RD_KAFKA_RESP_ERR_NO_ERROR, {FFFA_V_DELIVERED, 0, NULL, false}},
	{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
	 {FFFA_V_TOO_BIG, -EMSGSIZE,
	  "the message is larger than the broker or message.max.bytes allows", false}},
	{RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
	 {FFFA_V_TOO_BIG, -EMSGSIZE, "the message is larger than the broker's segments", false}},
	{RD_KAFKA_RESP_ERR_INVALID_MSG,
	 {FFFA_V_REFUSED, -EBADMSG, "the broker reports a corrupt message", false}},
	{RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
	 {FFFA_V_REFUSED, -EBADMSG, "the broker reports an invalid message size", false}},
	{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
	 {FFFA_V_RETRY, -EBADMSG, "the broker refuses the message's time", false}},
	REPAIR(RD_KAFKA_RESP_ERR_INVALID_RECORD, -EBADMSG,
	       "the broker's rules for this topic refuse the record: check key and topic (a "
	       "compacted topic needs a key)"),
	REPAIR(RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, -EOPNOTSUPP,
	       "the topic's message format is too old for headers"),
	REPAIR(RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, -EOPNOTSUPP,
	       "the broker does not take this compression: check compression.type"),
	REPAIR(RD_KAFKA_RESP_ERR_POLICY_VIOLATION, -EACCES, "a policy of the broker forbids this"),
	REPAIR(RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, -EINVAL,
	       "the broker does not take this value: check acks"),
	REPAIR(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, -ENOENT, "unknown to the brokers"),
	REPAIR(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, -ENOENT, "unknown to the brokers"),
	REPAIR(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, -ENOENT, "the partition does not exist"),
	REPAIR(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, -ENOENT,
	       "the brokers refuse the topic name or writes to it"),
	REPAIR(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, -EACCES,
	       "no permission to write (topic authorization failed)"),
	REPAIR(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, -EACCES,
	       "no permission for an idempotent producer (cluster authorization failed)"),
	REPAIR(RD_KAFKA_RESP_ERR__AUTHENTICATION, -EACCES, "authentication failed"),
	REPAIR(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, -EACCES, "authentication failed"),
	REPAIR(RD_KAFKA_RESP_ERR__SSL, -EPROTO, "TLS failed"),
	{RD_KAFKA_RESP_ERR__RESOLVE,
	 {FFFA_V_RETRY, -EHOSTUNREACH, "the name of a broker cannot be resolved", false}},
	{RD_KAFKA_RESP_ERR__TRANSPORT,
	 {FFFA_V_RETRY, -ECONNRESET, "the connection to the broker failed", false}},
	{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
	 {FFFA_V_RETRY, -EHOSTUNREACH, "no broker can be reached", false}},
	{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, {FFFA_V_RETRY, -ETIMEDOUT, NULL, false}},
	{RD_KAFKA_RESP_ERR__TIMED_OUT, {FFFA_V_RETRY, -ETIMEDOUT, "no answer in time", false}},
	{RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, {FFFA_V_RETRY, -ETIMEDOUT, NULL, false}},
	{RD_KAFKA_RESP_ERR__PURGE_QUEUE, {FFFA_V_RETRY, -ECANCELED, "not sent", false}},
	{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
	 {FFFA_V_RETRY, -ECANCELED, "sent, but not confirmed", false}},
	{RD_KAFKA_RESP_ERR__DESTROY, {FFFA_V_RETRY, -ECANCELED, "not sent", false}},
	{RD_KAFKA_RESP_ERR__FATAL,
	 {FFFA_V_RETRY, -EPROTO, "the producer had a fatal error", false}},
	{RD_KAFKA_RESP_ERR__QUEUE_FULL, {FFFA_V_RETRY, -ENOBUFS, NULL, false}},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, {FFFA_V_RETRY, -EAGAIN, NULL, false}},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, {FFFA_V_RETRY, -EAGAIN, NULL, false}},
	{RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, {FFFA_V_RETRY, -EIO, NULL, false}},
};
#undef REPAIR

struct fffa_kafka_judgement fffa_kafka__judge(rd_kafka_resp_err_t err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].err == err)
			return rows[i].j;
	}
	return (struct fffa_kafka_judgement){.verdict = FFFA_V_RETRY, .cause = -EIO};
}

int fffa_kafka__judge_reason(rd_kafka_resp_err_t err)
{
	if (err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
		err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	return (int)err;
}

bool fffa_kafka__judge_is_transient(rd_kafka_resp_err_t err)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR__RESOLVE:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
		return false;
	default:
		return true;
	}
}
