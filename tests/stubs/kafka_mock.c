// SPDX-License-Identifier: MIT
/*
 * librdkafka's mock cluster as a process. Prints "BROKERS" (host:port, ...) and lives until its
 * standard input ends. Loopback only.
 */
#include <stdio.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

int main(void)
{
	char text[512];
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, text, sizeof(text));
	rd_kafka_mock_cluster_t *cluster = rk ? rd_kafka_mock_cluster_new(rk, 1) : NULL;

	if (!cluster) {
		(void)fprintf(stderr, "no mock cluster\n");
		return 1;
	}
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	(void)fflush(stdout);
	while (getchar() != EOF) {
	}
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
	return 0;
}
