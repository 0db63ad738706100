// SPDX-License-Identifier: MIT
#include "tests/component/kafka/kafka_fixture.h"

#include <errno.h>

void kafka_fixture_open(struct kafka_fixture *k)
{
	static char topic[] = TOPIC;

	memset(k, 0, sizeof(*k));
	kafka_cluster_open(&k->cluster, 1);
	assert_int_equal(rd_kafka_mock_topic_create(k->cluster.mock, TOPIC, 1, 1), 0);
	k->broker = k->cluster.bootstraps;
	k->conf = (struct fffa_sink_kafka_conf){
		.brokers = {&k->broker, 1},
		.topic = topic,
		.key = FFFA_KAFKA_KEY_NONE,
		.records_per_message = 1,
		.message_headers = true,
		.properties = {k->properties, 0},
	};
	kafka_fixture_property(k, "reconnect.backoff.ms", "10");
	kafka_fixture_property(k, "reconnect.backoff.max.ms", "50");
}

void kafka_fixture_property(struct kafka_fixture *k, const char *name, const char *value)
{
	assert_true(k->conf.properties.n < sizeof(k->properties) / sizeof(k->properties[0]));
	k->properties[k->conf.properties.n++] =
		(struct fffa_pair){(char *)(uintptr_t)name, (char *)(uintptr_t)value};
}

void kafka_fixture_per_request(struct kafka_fixture *k, const char *messages)
{
	kafka_fixture_property(k, "batch.num.messages", messages);
	kafka_fixture_property(k, "linger.ms", "60000");
}

void kafka_fixture_start(struct kafka_fixture *k)
{
	sink_fixture_create(&k->r, &fffa_sink_kafka_ops, &k->conf, "");
	k->r.env.content_type = "text/plain";
	assert_int_equal(sink_fixture_start(&k->r), 0);
}

void kafka_fixture_close(struct kafka_fixture *k)
{
	sink_fixture_close(&k->r);
	kafka_cluster_close(&k->cluster);
}

static void copy_header(const rd_kafka_headers_t *h, const char *name, char *dst, size_t cap)
{
	const void *p;
	size_t len;

	*dst = '\0';
	if (rd_kafka_header_get(h, 0, name, &p, &len))
		return;
	assert_true(len < cap);
	memcpy(dst, p, len);
	dst[len] = '\0';
}

static void see(void *arg, const rd_kafka_message_t *m)
{
	struct seen_list *l = arg;
	rd_kafka_headers_t *h;
	struct seen *s;

	l->v = realloc(l->v, (l->n + 1) * sizeof(*l->v));
	assert_non_null(l->v);
	s = &l->v[l->n++];
	memset(s, 0, sizeof(*s));
	s->value = calloc(1, m->len + 1);
	assert_non_null(s->value);
	memcpy(s->value, m->payload, m->len);
	s->len = m->len;
	assert_true(m->key_len < sizeof(s->key));
	if (m->key)
		memcpy(s->key, m->key, m->key_len);
	if (rd_kafka_message_headers(m, &h))
		return;
	s->headers = rd_kafka_header_cnt(h);
	copy_header(h, "content-type", s->content_type, sizeof(s->content_type));
	copy_header(h, "fffa-schema", s->schema, sizeof(s->schema));
}

struct seen_list kafka_fixture_seen(struct kafka_fixture *k)
{
	struct seen_list l = {0};

	kafka_cluster_read(&k->cluster, TOPIC, see, &l);
	return l;
}

void seen_free(struct seen_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].value);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

void expect_sequence(struct kafka_fixture *k, uint64_t first, uint64_t n)
{
	struct seen_list l = kafka_fixture_seen(k);

	assert_int_equal(l.n, n);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(strtoull(l.v[i].value, NULL, 10), first + i);
	seen_free(&l);
}

static void on_time(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

void kafka_fixture_run(struct kafka_fixture *k, const struct fixture_delivery *d, unsigned int ms)
{
	bool over = false;
	uv_timer_t t;

	assert_int_equal(uv_timer_init(&k->r.loop, &t), 0);
	t.data = &over;
	uv_update_time(&k->r.loop);
	assert_int_equal(uv_timer_start(&t, on_time, ms, 0), 0);
	while (!over && (!d || d->outcome.verdict == FFFA_V_NONE))
		(void)uv_run(&k->r.loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&t, NULL);
	(void)uv_run(&k->r.loop, UV_RUN_NOWAIT);
}

void kafka_fixture_submit(struct kafka_fixture *k, struct fixture_delivery *d, struct fffa_batch *b)
{
	int rc = sink_fixture_submit(&k->r, d, b);

	while (rc == -EAGAIN) {
		size_t readies = k->r.readies;

		while (k->r.readies == readies)
			assert_true(uv_run(&k->r.loop, UV_RUN_ONCE) || k->r.readies != readies);
		rc = sink_fixture_again(&k->r, d);
	}
	assert_int_equal(rc, 0);
}
