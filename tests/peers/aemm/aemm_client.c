// SPDX-License-Identifier: MIT
/*
 * aemm_client ENDPOINT TOKEN_TTL_S REFRESH_MS ROUNDS runs the metadata reader on a loop of its own.
 * It writes what it knows after each round as one JSON line, and ends after ROUNDS rounds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "agent/base/clock.h"
#include "agent/enrich/imds/imds_data.h"
#include "agent/enrich/meta.h"
#include "agent/enrich/meta_tuning.h"

struct client {
	uv_loop_t loop;
	uv_timer_t look;
	struct fffa_meta *meta;
	uint64_t age_ns; /* at the last look */
	long rounds_left;
};

static json_t *list_of(const struct fffa_imds_list *l)
{
	json_t *all = json_array();

	for (size_t i = 0; i < l->n; i++) {
		char addr[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 8];
		bool v4 = fffa_addr_is_ipv4(l->v[i].addr);

		(void)inet_ntop(v4 ? AF_INET : AF_INET6, l->v[i].addr + (v4 ? 12 : 0), addr,
				sizeof(addr));
		(void)snprintf(text, sizeof(text), "%s/%d", addr, l->v[i].bits - (v4 ? 96 : 0));
		(void)json_array_append_new(all, json_string(text));
	}
	return all;
}

static json_t *iface_of(const struct fffa_imds_iface *i)
{
	return json_pack("{ss ss ss ss so so so so so so}", "interface_id", i->interface_id,
			 "subnet_id", i->subnet_id, "vpc_id", i->vpc_id, "owner_id", i->owner_id,
			 "ipv4s", list_of(&i->ipv4s), "ipv6s", list_of(&i->ipv6s), "vpc_ipv4",
			 list_of(&i->vpc_ipv4), "vpc_ipv6", list_of(&i->vpc_ipv6), "subnet_ipv4",
			 list_of(&i->subnet_ipv4), "subnet_ipv6", list_of(&i->subnet_ipv6));
}

static void write_line(const struct client *c)
{
	const struct fffa_ident_host *h = fffa_meta_host(c->meta);
	json_t *ifaces = json_array(), *errors = json_object(), *all;
	const struct fffa_imds_iface *iface;
	const char *name;
	uint64_t n;

	for (size_t i = 0; (iface = fffa_meta_iface(c->meta, i)) != NULL; i++)
		(void)json_array_append_new(ifaces, iface_of(iface));
	for (size_t i = 0; (name = fffa_meta_error(c->meta, i, &n)) != NULL; i++)
		if (n)
			(void)json_object_set_new(errors, name, json_integer((json_int_t)n));
	all = json_pack("{ss ss ss ss ss ss ss ss so so}", "account_id", h->account_id,
			"instance_id", h->instance_id, "region", h->region, "az", h->az, "az_id",
			h->az_id, "sublocation_type", h->sublocation_type, "instance_tag",
			h->instance_tags.v[0], "instance_tag_2", h->instance_tags.v[1],
			"interfaces", ifaces, "errors", errors);
	if (!all || json_dumpf(all, stdout, JSON_COMPACT) != 0)
		abort();
	json_decref(all);
	(void)putchar('\n');
	(void)fflush(stdout);
}

static void on_closed(void *arg)
{
	(void)arg; /* the loop ends when every handle is gone */
}

static void on_look(uv_timer_t *t)
{
	struct client *c = t->data;
	uint64_t age_ns = fffa_meta_age_ns(c->meta);
	bool fresh = age_ns < c->age_ns;

	c->age_ns = age_ns;
	if (!fresh)
		return;
	write_line(c);
	if (--c->rounds_left)
		return;
	uv_close((uv_handle_t *)t, NULL);
	fffa_meta_close(c->meta, on_closed, NULL);
}

static int run_client(struct client *c, char *const *argv)
{
	char *tags[] = {"Name", "Test"};
	struct fffa_metadata_conf conf = {
		.imds = {.enabled = FFFA_SW_ON,
			 .endpoint = argv[1],
			 .refresh_ns = strtol(argv[3], NULL, 10) * (int64_t)FFFA_NS_PER_MS,
			 .timeout_ns = 2 * (int64_t)FFFA_NS_PER_S},
		.instance_tags = {.v = tags, .n = 2},
		.ecs = FFFA_ECS_OFF,
	};
	struct fffa_meta_tuning tuning = {
		.timing = {.token_ttl_s = (uint32_t)strtoul(argv[2], NULL, 10),
			   .backoff_min_ns = 20 * FFFA_NS_PER_MS,
			   .backoff_max_ns = 200 * FFFA_NS_PER_MS,
			   .refused_ns = 100 * FFFA_NS_PER_MS,
			   .min_interval_ns = 20 * FFFA_NS_PER_MS},
		.root = "/nonexistent",
	};
	struct fffa_err err = {""};

	c->rounds_left = strtol(argv[4], NULL, 10);
	c->age_ns = UINT64_MAX;
	if (fffa_meta_open_tuned(&c->loop, &conf, &tuning, &c->meta, &err) != 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	(void)uv_timer_init(&c->loop, &c->look);
	c->look.data = c;
	(void)uv_timer_start(&c->look, on_look, 5, 5);
	(void)uv_run(&c->loop, UV_RUN_DEFAULT);
	return uv_loop_close(&c->loop) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct client c = {.rounds_left = 0};

	if (argc != 5 || uv_loop_init(&c.loop) != 0)
		return 2;
	return run_client(&c, argv);
}
