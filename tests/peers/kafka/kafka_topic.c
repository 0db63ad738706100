// SPDX-License-Identifier: MIT
/* kafka_topic BROKERS NAME PARTITIONS [KEY=VALUE]... creates a topic. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *why)
{
	(void)fprintf(stderr, "kafka_topic: %s\n", why);
	exit(1);
}

int main(int argc, char **argv)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const rd_kafka_topic_result_t **results;
	rd_kafka_queue_t *queue;
	rd_kafka_NewTopic_t *topic;
	rd_kafka_event_t *ev;
	rd_kafka_t *rk;
	size_t n;

	if (argc < 4)
		die("usage: kafka_topic BROKERS NAME PARTITIONS [KEY=VALUE]...");
	if (rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], why, sizeof(why)))
		die(why);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!rk)
		die(why);
	topic = rd_kafka_NewTopic_new(argv[2], (int)strtol(argv[3], NULL, 10), 1, why, sizeof(why));
	if (!topic)
		die(why);
	for (int i = 4; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			die("KEY=VALUE is wanted");
		*value++ = '\0';
		(void)rd_kafka_NewTopic_set_config(topic, argv[i], value);
	}
	queue = rd_kafka_queue_new(rk);
	rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
	ev = rd_kafka_queue_poll(queue, 30000);
	if (!ev || rd_kafka_event_error(ev))
		die(ev ? rd_kafka_event_error_string(ev) : "no answer");
	results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
	if (n != 1 || rd_kafka_topic_result_error(results[0]))
		die(n ? rd_kafka_topic_result_error_string(results[0]) : "no result");
	rd_kafka_event_destroy(ev);
	rd_kafka_NewTopic_destroy(topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
	return 0;
}
