// SPDX-License-Identifier: MIT
/* How static values, the answers of IMDS and the devices are joined. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/meta.h"
#include "agent/enrich/snapshot.h"

static const struct fffa_imds_data learned = {
	.host = {.account_id = "123456789012",
		 .instance_id = "i-0123456789abcdef0",
		 .region = "us-east-1",
		 .az = "us-east-1a",
		 .az_id = "use1-az4"},
	.n = 2,
	.ifaces = {{.mac = {2, 0, 0, 0, 0, 1},
		    .interface_id = "eni-1",
		    .subnet_id = "subnet-1",
		    .vpc_id = "vpc-1",
		    .owner_id = "123456789012"},
		   {.mac = {2, 0, 0, 0, 0, 2},
		    .interface_id = "eni-2",
		    .subnet_id = "subnet-2",
		    .vpc_id = "vpc-2",
		    .owner_id = "210987654321"}},
};

static const struct fffa_device devices[] = {
	{.ifindex = 9, .name = "eth1", .mac = {2, 0, 0, 0, 0, 2}},
	{.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}},
	{.ifindex = 40, .name = "fifteen-letters", .mac = {2, 0, 0, 0, 0, 99}},
	{.ifindex = 5, .name = "eth0.100", .mac = {2, 0, 0, 0, 0, 1}},
};

static struct fffa_pair pair_of(char *key, char *value)
{
	return (struct fffa_pair){key, value};
}

static struct fffa_snapshot *make_snapshot(const struct fffa_static_ident *fixed,
					   const struct fffa_imds_data *imds, const char *dmi)
{
	struct fffa_snapshot_inputs inputs = {
		.fixed = fixed,
		.imds = imds,
		.machine_id = "0123456789abcdef0123456789abcdef",
		.host_name = "web-1",
		.dmi_instance_id = dmi,
		.devices = devices,
		.n = sizeof(devices) / sizeof(devices[0]),
	};
	struct fffa_snapshot *s = fffa_snapshot_new(&inputs);

	assert_non_null(s);
	return s;
}

/* Two agents on one instance are told apart by their containers or tasks. */
static void test_agent_id_names_the_container(void **state)
{
	struct fffa_static_ident fixed = {0};
	struct fffa_ecs_data *task = calloc(1, sizeof(*task));
	struct fffa_snapshot_inputs inputs = {
		.fixed = &fixed,
		.machine_id = "0123456789abcdef0123456789abcdef",
		.container_id = "3f2a00000001",
		.dmi_instance_id = "i-0123456789abcdef0",
	};
	struct fffa_snapshot *s = fffa_snapshot_new(&inputs);

	(void)state;
	assert_string_equal(s->host.agent_id, "i-0123456789abcdef0/3f2a00000001");
	assert_string_equal(s->host.instance_id, "i-0123456789abcdef0");
	free(s);
	inputs.task = task;
	strcpy(task->ids.task_id, "e9028f8d5d8e4f258373e7b93ce9a3c3");
	s = fffa_snapshot_new(&inputs);
	assert_string_equal(s->host.agent_id,
			    "i-0123456789abcdef0/e9028f8d5d8e4f258373e7b93ce9a3c3");
	free(s);
	inputs.dmi_instance_id = ""; /* as long as it may be */
	s = fffa_snapshot_new(&inputs);
	assert_string_equal(s->host.agent_id,
			    "0123456789abcdef0123456789abcdef/e9028f8d5d8e4f258373e7b93ce9a3");
	free(s);
	free(task);
}

static void test_nothing_known(void **state)
{
	struct fffa_static_ident fixed = {0};
	struct fffa_snapshot *s = make_snapshot(&fixed, NULL, "");
	const struct fffa_ident *id = fffa_snapshot_find(s, 2);

	(void)state;
	assert_string_equal(s->host.agent_id, "0123456789abcdef0123456789abcdef");
	assert_string_equal(s->host.instance_id, "");
	assert_string_equal(s->host.account_id, "");
	assert_ptr_equal(id->host, &s->host);
	assert_string_equal(id->ifname, "eth0");
	assert_string_equal(id->interface_id, "");
	free(s);
}

static void test_learned(void **state)
{
	struct fffa_static_ident fixed = {0};
	struct fffa_snapshot *s = make_snapshot(&fixed, &learned, "");
	const struct fffa_ident *id;

	(void)state;
	assert_string_equal(s->host.host_name, "web-1");
	assert_string_equal(s->host.agent_id, "i-0123456789abcdef0");
	assert_string_equal(s->host.account_id, "123456789012");
	assert_string_equal(s->host.region, "us-east-1");
	assert_string_equal(s->host.az, "us-east-1a");
	assert_string_equal(s->host.az_id, "use1-az4");
	id = fffa_snapshot_find(s, 9);
	assert_int_equal(id->ifindex, 9);
	assert_string_equal(id->ifname, "eth1");
	assert_string_equal(id->interface_id, "eni-2");
	assert_string_equal(id->subnet_id, "subnet-2");
	assert_string_equal(id->vpc_id, "vpc-2");
	assert_string_equal(id->owner_id, "210987654321");
	assert_int_equal(id->mac[5], 2);
	assert_string_equal(fffa_snapshot_find(s, 2)->interface_id, "eni-1");
	/* A VLAN device has the MAC of the device below it. */
	assert_string_equal(fffa_snapshot_find(s, 5)->interface_id, "eni-1");
	assert_string_equal(fffa_snapshot_find(s, 40)->interface_id, "");
	assert_string_equal(fffa_snapshot_find(s, 40)->ifname, "fifteen-letters");
	free(s);
}

static void test_unknown_device(void **state)
{
	static const uint32_t none[] = {0, 1, 3, 4, 6, 39, 41, UINT32_MAX};
	struct fffa_static_ident fixed = {0};
	struct fffa_snapshot *s = make_snapshot(&fixed, &learned, "");

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const struct fffa_ident *id = fffa_snapshot_find(s, none[i]);

		assert_ptr_equal(id, &s->other);
		assert_string_equal(id->host->instance_id, "i-0123456789abcdef0");
		assert_string_equal(id->interface_id, "");
		assert_string_equal(id->ifname, "");
	}
	free(s);
}

static void test_static_wins(void **state)
{
	struct fffa_pair rows[] = {
		pair_of("account_id", "999999999999"), pair_of("instance_id", "i-fixed"),
		pair_of("region", "eu-west-9"),	       pair_of("az", "eu-west-9z"),
		pair_of("az_id", "euw9-az9"),	       pair_of("vpc_id", "vpc-fixed"),
		pair_of("subnet_id", "subnet-fixed"),  pair_of("interface_id", "eni-fixed"),
	};
	struct fffa_pairs pairs = {rows, sizeof(rows) / sizeof(rows[0])};
	struct fffa_static_ident fixed;
	struct fffa_err err;
	struct fffa_snapshot *s;
	static const uint32_t every[] = {2, 9, 40, 12345};

	(void)state;
	assert_int_equal(fffa_static_ident_read(&pairs, &fixed, &err), 0);
	s = make_snapshot(&fixed, &learned, "i-01234567");
	assert_string_equal(s->host.agent_id, "i-fixed");
	assert_string_equal(s->host.account_id, "999999999999");
	assert_string_equal(s->host.region, "eu-west-9");
	assert_string_equal(s->host.az, "eu-west-9z");
	assert_string_equal(s->host.az_id, "euw9-az9");
	for (size_t i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
		const struct fffa_ident *id = fffa_snapshot_find(s, every[i]);

		assert_string_equal(id->interface_id, "eni-fixed");
		assert_string_equal(id->subnet_id, "subnet-fixed");
		assert_string_equal(id->vpc_id, "vpc-fixed");
		/* Empty: the host's account, which is the fixed one. */
		assert_string_equal(id->owner_id, "");
	}
	free(s);
}

static void test_some_static_values(void **state)
{
	struct fffa_pair rows[] = {pair_of("vpc_id", "vpc-fixed"), pair_of("az", "")};
	struct fffa_pairs pairs = {rows, 2};
	struct fffa_static_ident fixed;
	struct fffa_snapshot *s;

	(void)state;
	assert_int_equal(fffa_static_ident_read(&pairs, &fixed, NULL), 0);
	s = make_snapshot(&fixed, &learned, "");
	assert_string_equal(fffa_snapshot_find(s, 9)->vpc_id, "vpc-fixed");
	assert_string_equal(fffa_snapshot_find(s, 9)->subnet_id, "subnet-2");
	assert_string_equal(fffa_snapshot_find(s, 9)->owner_id, "210987654321");
	assert_string_equal(s->host.az, "us-east-1a");
	free(s);
}

static void test_static_refused(void **state)
{
	static const struct {
		char *key, *value;
	} rows[] = {
		{"acount_id", "1"},
		{"vpc_id", "vpc 1"},
		{"region", "a\"b"},
		{"az", "a\nb"},
		{"account_id", "1234567890123456"},
		{"az_id", "\xc3\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_pair row = pair_of(rows[i].key, rows[i].value);
		struct fffa_pairs pairs = {&row, 1};
		struct fffa_static_ident fixed;
		struct fffa_err err = {""};

		assert_int_equal(fffa_static_ident_read(&pairs, &fixed, &err), -EINVAL);
		assert_non_null(strstr(err.text, rows[i].key));
	}
}

static void test_dmi_instance_id_until_imds_answers(void **state)
{
	struct fffa_static_ident fixed = {0};
	struct fffa_snapshot *s = make_snapshot(&fixed, NULL, "i-01234567");

	(void)state;
	assert_string_equal(s->host.instance_id, "i-01234567");
	assert_string_equal(s->host.agent_id, "i-01234567");
	free(s);
	s = make_snapshot(&fixed, &learned, "i-01234567");
	assert_string_equal(s->host.instance_id, "i-0123456789abcdef0");
	free(s);
}

static void test_fill_takes_what_is_missing(void **state)
{
	struct fffa_imds_data now = {
		.host = {.az = "us-east-1b"},
		.n = 2,
		.ifaces = {{.mac = {2, 0, 0, 0, 0, 2}, .vpc_id = "vpc-new"},
			   {.mac = {2, 0, 0, 0, 0, 7}, .interface_id = "eni-7"}},
	};

	(void)state;
	fffa_imds_data_fill(&now, &learned);
	assert_string_equal(now.host.account_id, "123456789012");
	assert_string_equal(now.host.instance_id, "i-0123456789abcdef0");
	assert_string_equal(now.host.az, "us-east-1b");
	assert_string_equal(now.host.az_id, "use1-az4");
	assert_int_equal(now.n, 2); /* the detached one stays gone */
	assert_string_equal(now.ifaces[0].interface_id, "eni-2");
	assert_string_equal(now.ifaces[0].vpc_id, "vpc-new");
	assert_string_equal(now.ifaces[0].owner_id, "210987654321");
	assert_string_equal(now.ifaces[1].interface_id, "eni-7");
	assert_string_equal(now.ifaces[1].subnet_id, "");
}

static void test_many_devices(void **state)
{
	static struct fffa_device many[FFFA_META_DEVICES_MAX];
	struct fffa_static_ident fixed = {0};
	struct fffa_snapshot_inputs inputs = {.fixed = &fixed,
					      .machine_id = "m",
					      .dmi_instance_id = "",
					      .devices = many,
					      .n = FFFA_META_DEVICES_MAX};
	struct fffa_snapshot *s;

	(void)state;
	for (uint32_t i = 0; i < FFFA_META_DEVICES_MAX; i++)
		many[i].ifindex = (i * 7919) % 100003 + 1; /* in no order, all different */
	s = fffa_snapshot_new(&inputs);
	assert_non_null(s);
	for (uint32_t i = 0; i < FFFA_META_DEVICES_MAX; i++)
		assert_int_equal(fffa_snapshot_find(s, many[i].ifindex)->ifindex, many[i].ifindex);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_agent_id_names_the_container),
		cmocka_unit_test(test_learned),
		cmocka_unit_test(test_unknown_device),
		cmocka_unit_test(test_static_wins),
		cmocka_unit_test(test_some_static_values),
		cmocka_unit_test(test_static_refused),
		cmocka_unit_test(test_dmi_instance_id_until_imds_answers),
		cmocka_unit_test(test_fill_takes_what_is_missing),
		cmocka_unit_test(test_many_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
