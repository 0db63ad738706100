// SPDX-License-Identifier: MIT
#include "tests/stubs/kafka_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_property(rd_kafka_conf_t *k, const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(k, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
		(void)fprintf(stderr, "%s: %s\n", name, why);
		abort();
	}
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *k)
{
	char why[256];
	rd_kafka_t *rk = rd_kafka_new(type, k, why, sizeof(why));

	if (!rk) {
		(void)fprintf(stderr, "%s\n", why);
		abort();
	}
	return rk;
}

void kafka_cluster_open(struct kafka_cluster *c, int brokers)
{
	rd_kafka_conf_t *k = rd_kafka_conf_new();

	set_property(k, "client.id", "mock");
	set_property(k, "log_level", "0");
	c->rk = client(RD_KAFKA_PRODUCER, k);
	c->mock = rd_kafka_mock_cluster_new(c->rk, brokers);
	if (!c->mock)
		abort();
	(void)snprintf(c->bootstraps, sizeof(c->bootstraps), "%s",
		       rd_kafka_mock_cluster_bootstraps(c->mock));
}

void kafka_cluster_close(struct kafka_cluster *c)
{
	rd_kafka_mock_cluster_destroy(c->mock);
	rd_kafka_destroy(c->rk);
}

void kafka_cluster_fail(struct kafka_cluster *c, int16_t api, rd_kafka_resp_err_t err, size_t n)
{
	rd_kafka_resp_err_t *errs = calloc(n, sizeof(*errs));

	if (!errs)
		abort();
	for (size_t i = 0; i < n; i++)
		errs[i] = err;
	rd_kafka_mock_push_request_errors_array(c->mock, api, n, errs);
	free(errs);
}

static void read_all(rd_kafka_t *rk, void (*each)(void *arg, const rd_kafka_message_t *m),
		     void *arg)
{
	for (;;) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 60000);
		rd_kafka_resp_err_t err = m ? m->err : RD_KAFKA_RESP_ERR__TIMED_OUT;

		if (!err)
			each(arg, m);
		if (m)
			rd_kafka_message_destroy(m);
		if (err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			return;
		if (err) {
			(void)fprintf(stderr, "consumer: %s\n", rd_kafka_err2str(err));
			abort();
		}
	}
}

void kafka_cluster_read(struct kafka_cluster *c, const char *topic,
			void (*each)(void *arg, const rd_kafka_message_t *m), void *arg)
{
	rd_kafka_conf_t *k = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
	rd_kafka_t *rk;

	set_property(k, "bootstrap.servers", c->bootstraps);
	set_property(k, "group.id", "reader");
	set_property(k, "enable.auto.commit", "false");
	set_property(k, "enable.partition.eof", "true");
	set_property(k, "fetch.wait.max.ms", "10");
	set_property(k, "log_level", "0");
	rk = client(RD_KAFKA_CONSUMER, k);
	rd_kafka_topic_partition_list_add(l, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
	if (rd_kafka_assign(rk, l))
		abort();
	rd_kafka_topic_partition_list_destroy(l);
	read_all(rk, each, arg);
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
