// SPDX-License-Identifier: MIT
/* metadata.interfaces: what is read, which device it is for, and that it wins over IMDS. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
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
		cmocka_unit_test(a_packet_of_a_capture_finds_its_entry),
		cmocka_unit_test(an_entry_wins_over_imds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
