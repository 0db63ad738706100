// SPDX-License-Identifier: MIT
/* What a snapshot derives: primary addresses, traffic path, sublocations, tags, resolvers. */
#include "tests/stubs/cmocka_all.h"

#include <stdlib.h>

#include "agent/enrich/snapshot.h"
#include "tests/unit/enrich/addr.h"

static const struct fffa_device devices[] = {
	{.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}},
	{.ifindex = 3, .name = "eth1", .mac = {2, 0, 0, 0, 0, 2}},
	{.ifindex = 4, .name = "veth0", .mac = {2, 0, 0, 0, 0, 9}},
};

struct fixture {
	struct fffa_static_ident fixed;
	struct fffa_imds_data *imds;
	struct fffa_snapshot *s;
};

/* Two interfaces of two VPCs; the second one has no IPv6. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fffa_imds_iface *i;

	if (!f)
		return -1;
	*state = f;
	f->imds = calloc(1, sizeof(*f->imds));
	if (!f->imds)
		return -1;
	memcpy(f->imds->host.region, "us-west-2", 10);
	memcpy(f->imds->host.az, "us-west-2a", 11);
	memcpy(f->imds->host.az_id, "usw2-az1", 9);
	f->imds->n = 2;
	i = &f->imds->ifaces[0];
	i->mac[0] = 2;
	i->mac[5] = 1;
	list_add(&i->ipv4s, "10.0.1.10");
	list_add(&i->ipv4s, "10.0.1.11");
	list_add(&i->ipv6s, "2001:db8:0:1::a");
	list_add(&i->vpc_ipv4, "10.0.0.0/16");
	list_add(&i->vpc_ipv6, "2001:db8::/56");
	list_add(&i->subnet_ipv4, "10.0.1.0/24");
	i = &f->imds->ifaces[1];
	i->mac[0] = 2;
	i->mac[5] = 2;
	list_add(&i->ipv4s, "172.31.0.9");
	list_add(&i->vpc_ipv4, "172.31.0.0/16");
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->s);
	free(f->imds);
	free(f);
	return 0;
}

static const struct fffa_snapshot *make_snapshot(struct fixture *f)
{
	struct fffa_snapshot_inputs inputs = {.fixed = &f->fixed,
					      .imds = f->imds,
					      .machine_id = "m",
					      .dmi_instance_id = "",
					      .devices = devices,
					      .n = sizeof(devices) / sizeof(devices[0])};

	free(f->s);
	f->s = fffa_snapshot_new(&inputs);
	assert_non_null(f->s);
	return f->s;
}

static void primary_addresses(void **state)
{
	const struct fffa_snapshot *s = make_snapshot(*state);
	const struct fffa_ident *id = fffa_snapshot_find(s, 2);
	uint8_t want[16];

	assert_true(id->has_primary_ipv4);
	addr_of("10.0.1.10", want);
	assert_memory_equal(id->primary_ipv4, want, 16);
	assert_true(id->has_primary_ipv6);
	addr_of("2001:db8:0:1::a", want);
	assert_memory_equal(id->primary_ipv6, want, 16);
	id = fffa_snapshot_find(s, 3);
	assert_true(id->has_primary_ipv4);
	assert_false(id->has_primary_ipv6);
	assert_false(fffa_snapshot_find(s, 4)->has_primary_ipv4);
	assert_false(fffa_snapshot_find(s, 99)->has_primary_ipv4);
}

static int path_of(const struct fffa_snapshot *s, uint32_t ifindex, uint8_t view, const char *dst)
{
	struct fffa_record r = {.key = {.ifindex = ifindex, .view = view}, .traffic_path = 7};

	addr_of(dst, r.key.dst);
	fffa_snapshot_enrich(s, &r);
	assert_ptr_equal(r.ident, fffa_snapshot_find(s, ifindex));
	return r.traffic_path;
}

static void the_way_of_a_packet(void **state)
{
	static const struct fffa_tunnel tunnel;
	const struct fffa_snapshot *s = make_snapshot(*state);
	struct fffa_record r = {.key = {.ifindex = 2, .view = FFFA_VIEW_EGRESS}};

	assert_int_equal(path_of(s, 2, FFFA_VIEW_EGRESS, "10.0.200.1"), 1);
	assert_int_equal(path_of(s, 2, FFFA_VIEW_EGRESS | FFFA_VIEW_HOOK_XDP, "10.0.200.1"), 1);
	assert_int_equal(path_of(s, 2, FFFA_VIEW_EGRESS, "2001:db8:0:9::1"), 1);
	assert_int_equal(path_of(s, 3, FFFA_VIEW_EGRESS, "172.31.5.5"), 1);
	/*
	 * Another VPC's, the router, the resolver, elsewhere, ingress, devices without
	 * an interface.
	 */
	assert_int_equal(path_of(s, 3, FFFA_VIEW_EGRESS, "10.0.200.1"), 0);
	assert_int_equal(path_of(s, 2, FFFA_VIEW_EGRESS, "10.0.1.1"), 0);
	assert_int_equal(path_of(s, 2, FFFA_VIEW_EGRESS, "10.0.0.2"), 0);
	assert_int_equal(path_of(s, 2, FFFA_VIEW_EGRESS, "8.8.8.8"), 0);
	assert_int_equal(path_of(s, 2, FFFA_VIEW_EGRESS, "169.254.169.254"), 0);
	assert_int_equal(path_of(s, 2, 0, "10.0.200.1"), 0);
	assert_int_equal(path_of(s, 4, FFFA_VIEW_EGRESS, "10.0.200.1"), 0);
	assert_int_equal(path_of(s, 99, FFFA_VIEW_EGRESS, "10.0.200.1"), 0);
	/* Inside a tunnel, and in records that stand for no packet. */
	addr_of("10.0.200.1", r.key.dst);
	r.tunnel = &tunnel;
	fffa_snapshot_enrich(s, &r);
	assert_int_equal(r.traffic_path, 0);
	r.tunnel = NULL;
	r.status = FFFA_STATUS_NODATA;
	fffa_snapshot_enrich(s, &r);
	assert_int_equal(r.traffic_path, 0);
}

static void check_sublocation(struct fixture *f, const char *type, const char *id,
			      const char *az_id)
{
	const struct fffa_ident_host *h = &make_snapshot(f)->host;

	assert_string_equal(h->sublocation_type, type);
	assert_string_equal(h->sublocation_id, id);
	assert_string_equal(h->az_id, az_id);
}

static void sublocations(void **state)
{
	struct fixture *f = *state;
	struct fffa_imds_host *h = &f->imds->host;

	check_sublocation(f, "", "", "usw2-az1");
	memcpy(h->az, "us-west-2-lax-1a", 17);
	memcpy(h->az_id, "usw2-lax1-az1", 14);
	check_sublocation(f, "localzone", "usw2-lax1-az1", "");
	memcpy(h->az, "us-west-2-wl1-den-wlz-1", 24);
	memcpy(h->az_id, "usw2-wl1-den-wlz1", 18);
	check_sublocation(f, "wavelength", "usw2-wl1-den-wlz1", "");
	memcpy(h->az, "us-west-2a", 11);
	memcpy(h->az_id, "usw2-az1", 9);
	memcpy(h->outpost_id, "op-0123456789abcdef0", 21);
	check_sublocation(f, "outpost", "op-0123456789abcdef0", "");
	memcpy(f->fixed.host.sublocation_type, "localzone", 10);
	memcpy(f->fixed.host.sublocation_id, "mine", 5);
	memcpy(f->fixed.host.az_id, "fixed", 6);
	check_sublocation(f, "localzone", "mine", "fixed");
}

static void tags(void **state)
{
	struct fffa_pair rows[] = {{"instance_tag_2", "a-b"},
				   {"interface_tag", "x y"},
				   {"interface_tag_2", "\xc3\xa9"},
				   {"asg_tag", "g/1"},
				   {"asg_tag_2", "k=v"}};
	struct fffa_pairs pairs = {rows, sizeof(rows) / sizeof(rows[0])};
	struct fixture *f = *state;
	const struct fffa_snapshot *s;

	memcpy(f->imds->host.instance_tags.v[0], "learned", 8);
	memcpy(f->imds->host.instance_tags.v[1], "learned", 8);
	assert_int_equal(fffa_static_ident_read(&pairs, &f->fixed, NULL), 0);
	s = make_snapshot(f);
	assert_string_equal(s->host.instance_tags.v[0], "learned");
	assert_string_equal(s->host.instance_tags.v[1], "a%2Db");
	assert_string_equal(s->host.asg_tags.v[0], "g%2F1");
	assert_string_equal(s->host.asg_tags.v[1], "k%3Dv");
	for (uint32_t ifindex = 2; ifindex <= 5; ifindex++) {
		const struct fffa_ident *id = fffa_snapshot_find(s, ifindex);

		assert_string_equal(id->interface_tags.v[0], "x%20y");
		assert_string_equal(id->interface_tags.v[1], "%C3%A9");
	}
}

static void resolvers_of_all_vpcs(void **state)
{
	const struct fffa_snapshot *s = make_snapshot(*state);
	static const char *const wanted[] = {"10.0.0.2", "10.0.1.1", "172.31.0.2"};
	uint8_t want[16];

	assert_int_equal(s->resolver_count, 3);
	for (size_t i = 0; i < 3; i++) { /* the router of the one subnet that is known, too */
		addr_of(wanted[i], want);
		assert_memory_equal(s->resolvers[i], want, 16);
	}
}

/* A list that cannot be read stays as it was; one that is absent is gone. */
static void lists_of_two_rounds(void **state)
{
	struct fixture *f = *state;
	struct fffa_imds_data *now = calloc(1, sizeof(*now));
	struct fffa_imds_data *copy = calloc(1, sizeof(*copy));

	assert_non_null(now);
	assert_non_null(copy);
	memcpy(f->imds->host.instance_tags.v[0], "old", 4);
	now->n = 1;
	memcpy(now->ifaces[0].mac, f->imds->ifaces[0].mac, 6);
	now->ifaces[0].ipv4s.unusable = true;
	now->ifaces[0].vpc_ipv4.unusable = true;
	fffa_imds_data_fill(now, f->imds);
	assert_int_equal(now->ifaces[0].ipv4s.n, 2);
	assert_int_equal(now->ifaces[0].vpc_ipv4.n, 1);
	assert_int_equal(now->ifaces[0].ipv6s.n, 0);
	assert_string_equal(now->host.instance_tags.v[0], "");
	fffa_imds_data_copy(copy, now);
	assert_int_equal(copy->n, 1);
	assert_memory_equal(&copy->ifaces[0], &now->ifaces[0], sizeof(now->ifaces[0]));
	free(now);
	free(copy);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(primary_addresses),	  T(the_way_of_a_packet), T(sublocations), T(tags),
		T(resolvers_of_all_vpcs), T(lists_of_two_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
