// SPDX-License-Identifier: MIT
/* metadata.interfaces: what is read, which device it is for, and that it wins over IMDS. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/snapshot.h"

static struct fffa_pair pairs[] = {
	{"eth0.interface_id", "eni-0"},
	{"eth0.addresses[]", "10.0.0.220 2001:db8::dc 10.0.0.221"},
	{"eth0.subnet_cidrs[]", "10.0.0.0/24"},
	{"eth0.vpc_cidrs[]", "10.0.0.0/16 10.9.0.0/16 2001:db8::/56"},
	{"ens*.interface_id", "eni-glob"},
	{"eth0.7.account_id", "210987654321"},
	{"*.subnet_id", "subnet-any"},
};

static void addr_of(const char *text, uint8_t out[16])
{
	struct fffa_cidr c;

	assert_int_equal(fffa_cidr_parse(text, &c, NULL), 0);
	memcpy(out, c.addr, 16);
}

static void read_all(struct fffa_fixed_ifaces *f, size_t n)
{
	const struct fffa_pairs p = {pairs, n};

	assert_int_equal(fffa_fixed_ifaces_read(&p, f, NULL), 0);
}

static void a_device_has_the_entry_of_its_name_or_glob(void **state)
{
	struct fffa_fixed_ifaces f;

	(void)state;
	read_all(&f, 6);
	assert_int_equal(f.n, 3);
	assert_string_equal(fffa_fixed_ifaces_find(&f, "eth0")->facts.interface_id, "eni-0");
	assert_int_equal(fffa_fixed_ifaces_find(&f, "eth0")->facts.ipv4s.n, 2);
	assert_int_equal(fffa_fixed_ifaces_find(&f, "eth0")->facts.ipv6s.n, 1);
	assert_string_equal(fffa_fixed_ifaces_find(&f, "ens5")->facts.interface_id, "eni-glob");
	assert_string_equal(fffa_fixed_ifaces_find(&f, "eth0.7")->facts.owner_id, "210987654321");
	assert_null(fffa_fixed_ifaces_find(&f, "eth1"));
	fffa_fixed_ifaces_fini(&f);
}

static void what_cannot_be_read_is_refused(void **state)
{
	struct fffa_pair bad[] = {{"eth0.addresses[]", "10.0.0.1 x"}, {"eth0.vpc_id", "a b"}};
	struct fffa_fixed_ifaces f;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct fffa_pairs p = {&bad[i], 1};
		struct fffa_err err;

		assert_int_equal(fffa_fixed_ifaces_read(&p, &f, &err), -EINVAL);
		assert_non_null(strstr(err.text, "metadata.interfaces.eth0."));
		fffa_fixed_ifaces_fini(&f);
	}
}

/* A name before a glob, whatever the order; no entry for a name that only begins like it. */
static void which_entry_counts(void **state)
{
	struct fffa_pair some[] = {
		{"eth*.interface_id", "eni-glob"}, {"eth1.interface_id", "eni-1"},
		{"eth10.interface_id", "eni-10"},  {"eth1.vpc_id", "vpc-1"},
		{"eth1.subnet_id", "subnet-1"},	   {"eth1.account_id", "111122223333"}};
	const struct fffa_pairs p = {some, sizeof(some) / sizeof(some[0])};
	const struct fffa_fixed_iface *i;
	struct fffa_fixed_ifaces f;

	(void)state;
	assert_int_equal(fffa_fixed_ifaces_read(&p, &f, NULL), 0);
	assert_int_equal(f.n, 3);
	i = fffa_fixed_ifaces_find(&f, "eth1");
	assert_string_equal(i->facts.interface_id, "eni-1");
	assert_string_equal(i->facts.vpc_id, "vpc-1");
	assert_string_equal(i->facts.subnet_id, "subnet-1");
	assert_string_equal(i->facts.owner_id, "111122223333");
	assert_string_equal(fffa_fixed_ifaces_find(&f, "eth10")->facts.interface_id, "eni-10");
	assert_string_equal(fffa_fixed_ifaces_find(&f, "eth100")->facts.interface_id, "eni-glob");
	assert_null(fffa_fixed_ifaces_find(&f, "et"));
	fffa_fixed_ifaces_fini(&f);
	assert_null(f.v);
	assert_int_equal(f.n, 0);
	assert_int_equal(fffa_fixed_ifaces_read(&(struct fffa_pairs){NULL, 0}, &f, NULL), 0);
	assert_null(f.v);
}

static int read_one(const char *key, const char *value, struct fffa_err *err)
{
	struct fffa_pair pair = {(char *)(uintptr_t)key, (char *)(uintptr_t)value};
	struct fffa_fixed_ifaces f;
	int rc = fffa_fixed_ifaces_read(&(struct fffa_pairs){&pair, 1}, &f, err);

	fffa_fixed_ifaces_fini(&f);
	return rc;
}

static void everything_has_a_bound(void **state)
{
	char key[128], value[FFFA_IMDS_LIST_MAX * 16 + 128] = "";
	struct fffa_err err = {""};
	size_t len = 0;

	(void)state;
	for (int i = 0; i < FFFA_IMDS_LIST_MAX; i++)
		len += (size_t)snprintf(value + len, sizeof(value) - len, "%s10.0.0.%d",
					i ? " " : "", i);
	(void)snprintf(key, sizeof(key), "eth0.addresses[]");
	assert_int_equal(read_one(key, value, &err), 0);
	(void)snprintf(value + len, sizeof(value) - len, " 2001:db8::1");
	assert_int_equal(read_one(key, value, &err), 0); /* of another family */
	(void)snprintf(value + len, sizeof(value) - len, " 10.0.1.1");
	assert_int_equal(read_one(key, value, &err), -EINVAL);
	assert_string_equal(err.text,
			    "metadata.interfaces.eth0.addresses: cannot be used, or is a list of "
			    "more than 64 of a family");
	memset(value, '1', 64);
	value[64] = '\0';
	assert_int_equal(read_one(key, value, &err), -EINVAL);
	value[63] = '\0';
	assert_int_equal(read_one(key, value, &err), -EINVAL);
	(void)snprintf(value, sizeof(value), "eni-1");
	(void)snprintf(key, sizeof(key), "interface_id");
	assert_int_equal(read_one(key, value, &err), -EINVAL);
	assert_string_equal(err.text, "metadata.interfaces.interface_id: no device");
	(void)snprintf(key, sizeof(key), ".interface_id");
	assert_int_equal(read_one(key, value, &err), -EINVAL);
	(void)snprintf(key, sizeof(key), "%065d.interface_id", 7);
	assert_int_equal(read_one(key, value, &err), -EINVAL);
	(void)snprintf(key, sizeof(key), "%064d.interface_id", 7);
	assert_int_equal(read_one(key, value, &err), 0);
}

static bool has(const struct fffa_imds_list *l, size_t n, const char *first)
{
	uint8_t at[16];

	addr_of(first, at);
	return l->n == n && !memcmp(l->v[0].addr, at, 16);
}

static void what_an_entry_replaces(void **state)
{
	struct fffa_pair some[] = {{"a.addresses[]", "10.0.0.1"},
				   {"a.subnet_cidrs[]", "2001:db8:0:1::/64"},
				   {"b.vpc_cidrs[]", "10.0.0.0/16 2001:db8::/56"},
				   {"b.interface_id", "eni-b"},
				   {"b.subnet_id", "subnet-b"},
				   {"b.vpc_id", "vpc-b"},
				   {"b.account_id", "1"}};
	struct fffa_imds_iface *i = test_calloc(1, sizeof(*i));
	struct fffa_fixed_ifaces f;
	uint8_t at[16];

	(void)state;
	assert_int_equal(fffa_fixed_ifaces_read(&(struct fffa_pairs){some, 7}, &f, NULL), 0);
	(void)strcpy(i->interface_id, "eni-x");
	(void)strcpy(i->owner_id, "2");
	i->ipv4s.n = i->ipv6s.n = i->subnet_ipv4.n = i->subnet_ipv6.n = 3;
	i->vpc_ipv4.n = i->vpc_ipv6.n = 3;
	fffa_fixed_ifaces_overlay(&f.v[0], i);
	assert_true(has(&i->ipv4s, 1, "10.0.0.1"));
	assert_int_equal(i->ipv6s.n, 0); /* the list has both families */
	assert_true(has(&i->subnet_ipv6, 1, "2001:db8:0:1::"));
	assert_int_equal(i->subnet_ipv4.n, 0);
	assert_int_equal(i->vpc_ipv4.n + i->vpc_ipv6.n, 6);
	assert_string_equal(i->interface_id, "eni-x");
	assert_string_equal(i->owner_id, "2");
	fffa_fixed_ifaces_overlay(&f.v[1], i);
	assert_true(has(&i->vpc_ipv4, 1, "10.0.0.0") && has(&i->vpc_ipv6, 1, "2001:db8::"));
	assert_true(has(&i->ipv4s, 1, "10.0.0.1"));
	assert_string_equal(i->interface_id, "eni-b");
	assert_string_equal(i->subnet_id, "subnet-b");
	assert_string_equal(i->vpc_id, "vpc-b");
	assert_string_equal(i->owner_id, "1");
	addr_of("2001:db8:0:1::9", at);
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), 0); /* in its subnet */
	addr_of("10.0.0.1", at);
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), 0);
	addr_of("10.0.0.2", at); /* a VPC's prefix alone says nothing */
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), -1);
	fffa_fixed_ifaces_fini(&f);
	test_free(i);
}

static void a_packet_of_a_capture_finds_its_entry(void **state)
{
	struct fffa_fixed_ifaces f;
	uint8_t at[16];

	(void)state;
	read_all(&f, 4);
	addr_of("203.0.113.5", at); /* a NAT gateway's inner leg: the only entry */
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), 0);
	fffa_fixed_ifaces_fini(&f);
	read_all(&f, 6);
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), -1);
	fffa_fixed_ifaces_fini(&f);
	read_all(&f, 7);
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), 3);
	addr_of("2001:db8::dc", at);
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), 0);
	addr_of("10.0.0.9", at); /* a pod */
	assert_int_equal(fffa_fixed_ifaces_of_address(&f, at), 0);
	fffa_fixed_ifaces_fini(&f);
}

static struct fffa_imds_data *make_imds(void)
{
	struct fffa_imds_data *d = test_calloc(1, sizeof(*d));
	struct fffa_imds_iface *i = &d->ifaces[d->n++];

	memcpy(i->mac, "\2\0\0\0\0\1", 6);
	(void)strcpy(i->interface_id, "eni-imds");
	(void)strcpy(i->vpc_id, "vpc-imds");
	i->ipv4s.n = 1;
	addr_of("10.0.0.4", i->ipv4s.v[0].addr);
	return d;
}

static bool resolvers_have(const struct fffa_snapshot *s, const char *text)
{
	uint8_t at[16];

	addr_of(text, at);
	for (size_t i = 0; i < s->resolver_count; i++)
		if (!memcmp(s->resolvers[i], at, 16))
			return true;
	return false;
}

static void an_entry_wins_over_imds(void **state)
{
	static const struct fffa_device devices[] = {
		{.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}},
		{.ifindex = 3, .name = "eth1", .mac = {2, 0, 0, 0, 0, 1}}};
	struct fffa_static_ident fixed = {0};
	struct fffa_imds_data *imds = make_imds();
	struct fffa_fixed_ifaces f;
	struct fffa_snapshot_inputs in = {.fixed = &fixed,
					  .fixed_ifaces = &f,
					  .imds = imds,
					  .machine_id = "m",
					  .dmi_instance_id = "",
					  .devices = devices,
					  .n = 2};
	const struct fffa_ident *id;
	struct fffa_snapshot *s;
	uint8_t at[16];

	(void)state;
	read_all(&f, 6);
	s = fffa_snapshot_new(&in);
	id = fffa_snapshot_find(s, 2);
	assert_string_equal(id->interface_id, "eni-0");
	assert_string_equal(id->vpc_id, "vpc-imds");
	addr_of("10.0.0.220", at);
	assert_memory_equal(id->primary_ipv4, at, 16);
	assert_true(id->has_primary_ipv6);
	assert_string_equal(fffa_snapshot_find(s, 3)->interface_id, "eni-imds");
	assert_true(resolvers_have(s, "10.0.0.2") && resolvers_have(s, "10.9.0.2"));
	assert_true(resolvers_have(s, "10.0.0.1"));
	assert_int_equal(s->resolver_count, 3);
	free(s);
	/* One id cannot name two devices. */
	(void)strcpy(fixed.iface.interface_id, "eni-fixed");
	in.fixed_ifindex = 3;
	s = fffa_snapshot_new(&in);
	assert_string_equal(fffa_snapshot_find(s, 2)->interface_id, "eni-0");
	assert_string_equal(fffa_snapshot_find(s, 3)->interface_id, "eni-fixed");
	free(s);
	fffa_fixed_ifaces_fini(&f);
	test_free(imds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_has_the_entry_of_its_name_or_glob),
		cmocka_unit_test(what_cannot_be_read_is_refused),
		cmocka_unit_test(which_entry_counts),
		cmocka_unit_test(everything_has_a_bound),
		cmocka_unit_test(what_an_entry_replaces),
		cmocka_unit_test(a_packet_of_a_capture_finds_its_entry),
		cmocka_unit_test(an_entry_wins_over_imds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
