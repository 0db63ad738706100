// SPDX-License-Identifier: MIT
#include "sinks/kafka/judge.h"

#include <errno.h>

/*
 * Only bytes that are wrong themselves are rejected. Everything else is retried: somebody may
 * create the topic, grant the permission or renew the certificate while the records wait.
 */
static const struct row {
	rd_kafka_resp_err_t err;
	struct fffa_kafka_judgement j;
} rows[] = {
	{RD_KAFKA_RESP_ERR_NO_ERROR, {FFFA_V_DELIVERED, 0, NULL}},
	{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
	 {FFFA_V_TOO_BIG, -EMSGSIZE,
	  "the message is larger than the broker or message.max.bytes allows"}},
	{RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
	 {FFFA_V_TOO_BIG, -EMSGSIZE, "the message is larger than the broker's segments"}},
	{RD_KAFKA_RESP_ERR_INVALID_MSG,
	 {FFFA_V_REJECTED, -EBADMSG, "the broker reports a corrupt message"}},
	{RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
	 {FFFA_V_REJECTED, -EBADMSG, "the broker reports an invalid message size"}},
	{RD_KAFKA_RESP_ERR_INVALID_RECORD,
	 {FFFA_V_REJECTED, -EBADMSG, "the broker's rules for this topic refuse the record"}},
	{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
	 {FFFA_V_REJECTED, -EBADMSG, "the broker refuses the message's timestamp"}},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
	 {FFFA_V_REJECTED, -EBADMSG, "the topic's message format is too old for headers"}},
	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
	 {FFFA_V_RETRY, -ENOENT, "unknown to the brokers"}},
	{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, {FFFA_V_RETRY, -ENOENT, "unknown to the brokers"}},
	{RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
	 {FFFA_V_RETRY, -ENOENT, "the partition does not exist"}},
	{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
	 {FFFA_V_RETRY, -ENOENT, "the brokers refuse the topic name or writes to it"}},
	{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
	 {FFFA_V_RETRY, -EACCES, "no permission to write (topic authorization failed)"}},
	{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
	 {FFFA_V_RETRY, -EACCES,
	  "no permission for an idempotent producer (cluster authorization failed)"}},
	{RD_KAFKA_RESP_ERR__AUTHENTICATION, {FFFA_V_RETRY, -EACCES, "authentication failed"}},
	{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
	 {FFFA_V_RETRY, -EACCES, "authentication failed"}},
	{RD_KAFKA_RESP_ERR__SSL, {FFFA_V_RETRY, -EPROTO, "TLS failed"}},
	{RD_KAFKA_RESP_ERR__RESOLVE,
	 {FFFA_V_RETRY, -EHOSTUNREACH, "the name of a broker cannot be resolved"}},
	{RD_KAFKA_RESP_ERR__TRANSPORT,
	 {FFFA_V_RETRY, -ECONNRESET, "the connection to the broker failed"}},
	{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
	 {FFFA_V_RETRY, -EHOSTUNREACH, "no broker can be reached"}},
	{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, {FFFA_V_RETRY, -ETIMEDOUT, NULL}},
	{RD_KAFKA_RESP_ERR__TIMED_OUT, {FFFA_V_RETRY, -ETIMEDOUT, "no answer in time"}},
	{RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, {FFFA_V_RETRY, -ETIMEDOUT, NULL}},
	{RD_KAFKA_RESP_ERR__PURGE_QUEUE, {FFFA_V_RETRY, -ECANCELED, "not sent"}},
	{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, {FFFA_V_RETRY, -ECANCELED, "sent, but not confirmed"}},
	{RD_KAFKA_RESP_ERR__DESTROY, {FFFA_V_RETRY, -ECANCELED, "not sent"}},
	{RD_KAFKA_RESP_ERR__FATAL, {FFFA_V_RETRY, -EPROTO, "the producer had a fatal error"}},
	{RD_KAFKA_RESP_ERR__QUEUE_FULL, {FFFA_V_RETRY, -ENOBUFS, NULL}},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, {FFFA_V_RETRY, -EAGAIN, NULL}},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, {FFFA_V_RETRY, -EAGAIN, NULL}},
	{RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, {FFFA_V_RETRY, -EIO, NULL}},
};

struct fffa_kafka_judgement fffa_kafka__judge(rd_kafka_resp_err_t err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].err == err)
			return rows[i].j;
	}
	return (struct fffa_kafka_judgement){FFFA_V_RETRY, -EIO, NULL};
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
