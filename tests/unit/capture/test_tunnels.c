// SPDX-License-Identifier: MIT
/* Ids of tunnels in a replay, and which ports are opened. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "config/ports.h"
#include "agent/capture/replay/tunnels.h"

static struct fffa_tunnel tunnel(uint32_t n)
{
	struct fffa_tunnel t = {.type = FFFA_TUNNEL_GENEVE, .vni = n};

	t.src[15] = (uint8_t)n;
	return t;
}

static void the_same_tunnel_has_the_same_id(void **state)
{
	struct fffa_tunnels *t = fffa_tunnels_new();
	struct fffa_tunnel a = tunnel(1), b = tunnel(2), c = tunnel(1);
	uint16_t id;

	(void)state;
	id = fffa_tunnels_intern(t, &a);
	assert_int_not_equal(id, 0);
	assert_int_equal(fffa_tunnels_intern(t, &c), id);
	assert_int_not_equal(fffa_tunnels_intern(t, &b), id);
	assert_int_equal(fffa_tunnels_intern(t, &a), id);
	assert_memory_equal(fffa_tunnels_get(t, id), &a, sizeof(a));
	fffa_tunnels_free(t);
}

/* Tunnels that differ in any field get different ids: each field in turn. */
static void every_field_makes_a_difference(void **state)
{
	struct fffa_tunnels *t = fffa_tunnels_new();
	struct fffa_tunnel base = {0};
	uint16_t ids[64], n = 0;

	(void)state;
	ids[n++] = fffa_tunnels_intern(t, &base);
	for (size_t byte = 0; byte < offsetof(struct fffa_tunnel, pad0); byte++) {
		struct fffa_tunnel other = base;
		uint16_t id;

		((uint8_t *)&other)[byte] = 1;
		id = fffa_tunnels_intern(t, &other);
		for (uint16_t i = 0; i < n; i++)
			assert_int_not_equal(id, ids[i]);
		ids[n++] = id;
		assert_memory_equal(fffa_tunnels_get(t, id), &other, sizeof(other));
	}
	fffa_tunnels_free(t);
}

static void ids_are_given_out_to_the_cap(void **state)
{
	struct fffa_tunnels *t = fffa_tunnels_new();
	struct fffa_tunnel one, over = tunnel(FFFA_TUNNELS_MAX + 1);
	uint8_t *given = test_calloc(FFFA_TUNNELS_MAX + 1, 1);

	(void)state;
	for (uint32_t i = 1; i <= FFFA_TUNNELS_MAX; i++) {
		uint16_t id;

		one = tunnel(i);
		id = fffa_tunnels_intern(t, &one);
		assert_uint_in_range(id, 1, FFFA_TUNNELS_MAX);
		assert_int_equal(given[id]++, 0);
	}
	assert_int_equal(fffa_tunnels_intern(t, &over), 0);
	for (uint32_t i = 1; i <= FFFA_TUNNELS_MAX; i++) { /* those that are known stay known */
		uint16_t id;

		one = tunnel(i);
		id = fffa_tunnels_intern(t, &one);
		assert_int_not_equal(id, 0);
		assert_int_equal(fffa_tunnels_get(t, id)->vni, i);
	}
	test_free(given);
	fffa_tunnels_free(t);
}

static void get_finds_only_ids_that_exist(void **state)
{
	struct fffa_tunnels *t = fffa_tunnels_new();
	struct fffa_tunnel a = tunnel(1);
	uint16_t id;

	(void)state;
	assert_null(fffa_tunnels_get(t, 0));
	assert_null(fffa_tunnels_get(t, 1));
	id = fffa_tunnels_intern(t, &a);
	assert_null(fffa_tunnels_get(t, 0));
	assert_non_null(fffa_tunnels_get(t, id));
	assert_null(fffa_tunnels_get(t, (uint16_t)(id + 1)));
	assert_null(fffa_tunnels_get(t, UINT16_MAX));
	fffa_tunnels_free(t);
	fffa_tunnels_free(NULL);
}

static bool is_uneven(void *arg, uint16_t id)
{
	(void)arg;
	return id % 2;
}

static void ids_without_a_flow_come_back(void **state)
{
	struct fffa_tunnels *t = fffa_tunnels_new();
	struct fffa_tunnel one, next = tunnel(FFFA_TUNNELS_MAX + 1);

	(void)state;
	for (uint32_t i = 1; i <= FFFA_TUNNELS_MAX; i++) {
		one = tunnel(i);
		assert_int_equal(fffa_tunnels_intern(t, &one), i);
	}
	assert_int_equal(fffa_tunnels_intern(t, &next), 0);
	assert_int_equal(fffa_tunnels_reclaim(t, is_uneven, NULL), FFFA_TUNNELS_MAX / 2);
	assert_int_equal(fffa_tunnels_reclaim(t, is_uneven, NULL), 0);
	for (uint32_t i = 1; i <= FFFA_TUNNELS_MAX; i += 2) { /* those in use stay known */
		one = tunnel(i);
		assert_int_equal(fffa_tunnels_intern(t, &one), i);
		assert_null(fffa_tunnels_get(t, (uint16_t)(i + 1)));
	}
	for (uint32_t i = 1; i <= FFFA_TUNNELS_MAX / 2; i++) {
		uint16_t id;

		next = tunnel(FFFA_TUNNELS_MAX + i);
		id = fffa_tunnels_intern(t, &next);
		assert_int_equal(id % 2, 0);
		assert_memory_equal(fffa_tunnels_get(t, id), &next, sizeof(next));
	}
	next = tunnel(2);
	assert_int_equal(fffa_tunnels_intern(t, &next), 0);
	fffa_tunnels_free(t);
}

/* Asserts the ports for a decapsulate list of these names. Both lists have other ports before. */
static void ports_for(char **names, size_t n, uint16_t geneve[FFFA_MAX_TUNNEL_PORTS],
		      uint16_t vxlan[FFFA_MAX_TUNNEL_PORTS])
{
	struct fffa_capture_conf c = {.decapsulate = {.v = names, .n = n},
				      .geneve_ports = {.v = {6081, 65535}, .n = 2},
				      .vxlan_ports = {.v = {4789, 8472, 1, 2}, .n = 4}};

	memset(geneve, 0xa5, FFFA_MAX_TUNNEL_PORTS * sizeof(*geneve));
	memset(vxlan, 0xa5, FFFA_MAX_TUNNEL_PORTS * sizeof(*vxlan));
	fffa_ports_of_tunnels(&c, geneve, vxlan);
}

static void only_tunnels_that_decapsulate_names_have_ports(void **state)
{
	static const uint16_t none[4] = {0}, g[4] = {6081, 65535}, v[4] = {4789, 8472, 1, 2};
	char *both[] = {"vxlan", "geneve"}, *any[] = {"auto"};
	uint16_t geneve[4], vxlan[4];

	(void)state;
	ports_for(both, 2, geneve, vxlan);
	assert_memory_equal(geneve, g, sizeof(g));
	assert_memory_equal(vxlan, v, sizeof(v));
	ports_for(both, 1, geneve, vxlan);
	assert_memory_equal(geneve, none, sizeof(none));
	assert_memory_equal(vxlan, v, sizeof(v));
	ports_for(both + 1, 1, geneve, vxlan);
	assert_memory_equal(geneve, g, sizeof(g));
	assert_memory_equal(vxlan, none, sizeof(none));
	ports_for(NULL, 0, geneve, vxlan);
	assert_memory_equal(geneve, none, sizeof(none));
	assert_memory_equal(vxlan, none, sizeof(none));
	ports_for(any, 1, geneve, vxlan);
	assert_memory_equal(geneve, g, sizeof(g));
	assert_memory_equal(vxlan, v, sizeof(v));
}

static void only_auto_asks_who_receives(void **state)
{
	char *any[] = {"auto"}, *both[] = {"vxlan", "geneve"};
	struct fffa_capture_conf c = {.decapsulate = {.v = any, .n = 1}};

	(void)state;
	assert_true(fffa_ports_ask_receiver(&c));
	c.decapsulate = (struct fffa_strings){.v = both, .n = 2};
	assert_false(fffa_ports_ask_receiver(&c));
	c.decapsulate.n = 0;
	assert_false(fffa_ports_ask_receiver(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_tunnel_has_the_same_id),
		cmocka_unit_test(every_field_makes_a_difference),
		cmocka_unit_test(ids_are_given_out_to_the_cap),
		cmocka_unit_test(get_finds_only_ids_that_exist),
		cmocka_unit_test(ids_without_a_flow_come_back),
		cmocka_unit_test(only_tunnels_that_decapsulate_names_have_ports),
		cmocka_unit_test(only_auto_asks_who_receives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
