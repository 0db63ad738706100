// SPDX-License-Identifier: MIT
/* The metadata reader: which sources it asks, what it makes of their answers, and what it tells. */
#include "tests/unit/enrich/meta_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/clock.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

static const struct fffa_imds_data answer = {
	.host = {.account_id = "123456789012",
		 .instance_id = "i-1",
		 .region = "us-east-1",
		 .az = "us-east-1a",
		 .az_id = "use1-az4"},
	.n = 1,
	.ifaces = {{.mac = {2, 0, 0, 0, 0, 1}, .interface_id = "eni-1"}},
};

static const struct fffa_device devices[] = {
	{.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}},
	{.ifindex = 3, .name = "eth1", .mac = {2, 0, 0, 0, 0, 2}},
};

static struct meta_source *imds(void)
{
	return meta_fixture_source(SOURCE_IMDS, 0);
}

static void every_source_is_asked(void **state)
{
	char name[] = "Name", team[] = "team", more[] = "more", *keys[] = {name, team, more};
	struct meta_source *s;

	(void)state;
	meta_fixture.conf.instance_tags.v = keys;
	meta_fixture.conf.instance_tags.n = 3;
	meta_fixture_open();
	assert_int_equal(meta_fixture.n, 5);
	s = imds();
	assert_string_equal(s->imds.endpoint, "http://127.0.0.1:1");
	assert_int_equal(s->imds.timeout_ns, 2 * FFFA_NS_PER_S);
	assert_int_equal(s->imds.refresh_ns, 60 * FFFA_NS_PER_S);
	assert_int_equal(s->imds.timing->token_ttl_s, 7);
	assert_string_equal(s->imds.tag_keys[0], "Name");
	assert_string_equal(s->imds.tag_keys[1], "team");
	s = meta_fixture_source(SOURCE_ECS, 0);
	assert_string_equal(s->ecs.uri, "http://127.0.0.1:3/v4");
	assert_string_equal(s->ecs.agent_url, "http://127.0.0.1:2");
	assert_int_equal(s->ecs.timeout_ns, 2 * FFFA_NS_PER_S);
	assert_int_equal(s->ecs.refresh_ns, 60 * FFFA_NS_PER_S);
	assert_int_equal(s->ecs.backoff_min_ns, 8);
	assert_int_equal(s->ecs.backoff_max_ns, 9);
	s = meta_fixture_source(SOURCE_RANGES, 0);
	assert_string_equal(s->path, "/r.json");
	assert_int_equal(s->refresh_ns, 60 * FFFA_NS_PER_S);
	assert_string_equal(meta_fixture_source(SOURCE_NETWORKS, 0)->path, "/n.csv");
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->host_name, "web-1");
	assert_string_equal(fffa_meta_endpoint(meta_fixture.meta), "http://127.0.0.1:1");
	assert_string_equal(fffa_meta_state(meta_fixture.meta), "asking");
	assert_int_equal(strlen(fake_loop.log), 0);
}

static void no_source_is_asked(void **state)
{
	char empty[] = "", name[] = "db-1";
	size_t n;

	(void)state;
	meta_fixture.conf.imds.enabled = FFFA_SW_OFF;
	meta_fixture.conf.ip_ranges = empty;
	meta_fixture.conf.networks = NULL;
	meta_fixture.conf.host_name = name;
	assert_int_equal(setenv(FFFA_ECS_VARIABLE, "", 1), 0);
	meta_fixture_open();
	assert_int_equal(meta_fixture.n, 0);
	assert_true(fffa_meta_settled(meta_fixture.meta));
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->host_name, "db-1");
	assert_string_equal(fffa_meta_endpoint(meta_fixture.meta), "");
	assert_string_equal(fffa_meta_state(meta_fixture.meta), "off");
	assert_true(fffa_meta_age_ns(meta_fixture.meta) == UINT64_MAX);
	assert_string_equal(fffa_meta_last_error(meta_fixture.meta), "");
	assert_int_equal(meta_fixture_errors("networks"), 0);
	assert_int_equal(meta_fixture_errors("timeout"), 0);
	assert_null(fffa_meta_traffic(meta_fixture.meta, &n));
	assert_int_equal(n, 0);
	fffa_meta_addresses_changed(meta_fixture.meta);
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, devices, 2), 0);
	meta_fixture_close();
	meta_fixture.closed = 0;
	assert_int_equal(unsetenv(FFFA_ECS_VARIABLE), 0);
	meta_fixture_open();
	assert_int_equal(meta_fixture.n, 0);
	meta_fixture_close();
	meta_fixture.closed = 0;
	assert_int_equal(setenv(FFFA_ECS_VARIABLE, "http://x", 1), 0);
	meta_fixture.conf.ecs = FFFA_ECS_OFF;
	meta_fixture_open();
	assert_int_equal(meta_fixture.n, 0);
}

static void sources_that_cannot_be_started(void **state)
{
	struct fffa_err err = {""};

	(void)state;
	meta_fixture.open_error[SOURCE_IMDS] = -ENOMEM;
	assert_int_equal(fffa_meta_open_tuned(&fake_loop.loop, &meta_fixture.conf,
					      &meta_fixture.tuning, &meta_fixture.meta, &err),
			 -ENOMEM);
	assert_string_equal(err.text, "metadata: Cannot allocate memory");
	assert_int_equal(meta_fixture.n, 0);
	assert_int_equal(fake_loop.n, 0);
	meta_fixture.open_error[SOURCE_IMDS] = 0;
	meta_fixture.open_error[SOURCE_ECS] = -EINVAL;
	meta_fixture.open_error[SOURCE_NETWORKS] = -EAGAIN;
	meta_fixture.open_error[SOURCE_NAME] = -ENOMEM;
	meta_fixture_open();
	assert_int_equal(meta_fixture.n, 2);
	assert_int_equal(fake_loop_logged("W " FFFA_ECS_VARIABLE " cannot be used, ecs fields stay "
					  "unknown: Invalid argument"),
			 1);
	assert_int_equal(
		fake_loop_logged("W no memory for metadata.networks: networks stay unknown"), 1);
	assert_int_equal(fake_loop_logged("W no memory for the host's name: records have none"), 1);
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->host_name, "");
}

static void it_has_settled_when_every_source_has(void **state)
{
	static const enum meta_source_kind kinds[] = {SOURCE_ECS, SOURCE_RANGES, SOURCE_NETWORKS};

	(void)state;
	for (int late = 0; late < 4; late++) {
		(void)meta_fixture_setup(NULL);
		meta_fixture_open();
		meta_fixture_wait(5 * FFFA_NS_PER_S + 1);
		assert_int_equal(fake_loop_due_in_ms(), 5001);
		for (int i = 0; i < 4; i++) {
			int k = (i + late) % 4;

			assert_false(fffa_meta_settled(meta_fixture.meta));
			assert_int_equal(fake_loop_due_in_ms(), 5001);
			if (k == 3)
				meta_fixture_learn(imds(), &answer);
			else
				meta_fixture_settle(meta_fixture_source(kinds[k], 0), NULL);
		}
		assert_true(fffa_meta_settled(meta_fixture.meta));
		assert_int_equal(meta_fixture.settled, 0); /* never from inside */
		assert_int_equal(fake_loop_due_in_ms(), 0);
		fake_loop_fire();
		assert_int_equal(meta_fixture.settled, 1);
		meta_fixture_learn(imds(), &answer); /* once */
		assert_int_equal(fake_loop_due_in_ms(), FAKE_LOOP_NEVER);
		meta_fixture_wait(5 * FFFA_NS_PER_S); /* it has settled already */
		assert_int_equal(fake_loop_due_in_ms(), 0);
		fake_loop_fire();
		assert_int_equal(meta_fixture.settled, 2);
		meta_fixture_close();
	}
}

static void a_wait_ends_in_time_or_with_the_reader(void **state)
{
	(void)state;
	meta_fixture_open();
	meta_fixture_wait(5 * FFFA_NS_PER_S);
	fake_loop_fire();
	assert_int_equal(meta_fixture.settled, 1);
	meta_fixture_wait(5 * FFFA_NS_PER_S);
	meta_fixture_close();
	assert_int_equal(fake_loop_due_in_ms(), FAKE_LOOP_NEVER);
	assert_int_equal(meta_fixture.settled, 1);
}

static void an_answer_and_its_age(void **state)
{
	struct fffa_meta *m;

	(void)state;
	meta_fixture_open();
	m = meta_fixture.meta;
	assert_int_equal(fffa_meta_set_devices(m, devices, 2), 0);
	assert_true(fffa_meta_age_ns(m) == UINT64_MAX);
	assert_null(fffa_meta_iface(m, 0));
	meta_fixture_learn(imds(), &answer);
	meta_fixture.hrtime_ns += 42;
	assert_int_equal(fffa_meta_age_ns(m), 42);
	assert_string_equal(fffa_meta_state(m), "known");
	assert_string_equal(fffa_meta_host(m)->instance_id, "i-1");
	assert_string_equal(fffa_meta_ident(m, 0)->interface_id, "eni-1");
	assert_string_equal(fffa_meta_ident(m, 1)->interface_id, "");
	assert_null(fffa_meta_ident(m, 2));
	assert_string_equal(fffa_meta_iface(m, 0)->interface_id, "eni-1");
	assert_null(fffa_meta_iface(m, 1));
	assert_int_equal(
		fake_loop_logged("I identity learned from IMDS: instance=i-1 account=123456789012 "
				 "region=us-east-1 az=us-east-1a az_id=use1-az4 interfaces=1"),
		1);
	meta_fixture_learn(imds(), &answer);
	assert_int_equal(fffa_meta_age_ns(m), 0);
	assert_int_equal(fake_loop_logged("identity learned"), 1);
}

static void failures_before_and_after_an_answer(void **state)
{
	struct fffa_meta *m;

	(void)state;
	meta_fixture_open();
	m = meta_fixture.meta;
	meta_fixture_fail(imds(), FFFA_IE_CONNECT, false, 1);
	assert_string_equal(fffa_meta_state(m), "failing");
	assert_string_equal(fffa_meta_last_error(m), "connect");
	assert_int_equal(fake_loop_logged("W IMDS at http://127.0.0.1:1 failed: reason=connect; "
					  "AWS fields stay unknown until it answers"),
			 1);
	meta_fixture_fail(imds(), FFFA_IE_SERVER, false, 2);
	assert_int_equal(fake_loop_logged("W "), 1); /* it is failing already */
	assert_string_equal(fffa_meta_last_error(m), "server");
	meta_fixture_learn(imds(), &answer);
	assert_string_equal(fffa_meta_last_error(m), "");
	meta_fixture_fail(imds(), FFFA_IE_SERVER, false, 1);
	meta_fixture_fail(imds(), FFFA_IE_SERVER, false, 2);
	assert_string_equal(fffa_meta_state(m), "known");
	meta_fixture_fail(imds(), FFFA_IE_TIMEOUT, false, 3);
	assert_string_equal(fffa_meta_state(m), "failing");
	assert_int_equal(fake_loop_logged("W IMDS at http://127.0.0.1:1 failed: reason=timeout "
					  "(token request); the last good identity stays in use"),
			 1);
	meta_fixture_learn(imds(), &answer);
	assert_int_equal(fake_loop_logged("identity learned"), 2);
	meta_fixture_fail(imds(), FFFA_IE_FORBIDDEN, true, 1); /* it will not change its mind */
	assert_string_equal(fffa_meta_state(m), "failing");
	assert_int_equal(fake_loop_logged("W IMDS at http://127.0.0.1:1 answers 403: it is turned "
					  "off for this instance, or it refuses this request; the "
					  "last good identity stays in use; next try in 90 s"),
			 1);
	assert_string_equal(fffa_meta_host(m)->instance_id, "i-1");
}

static void the_hop_limit_is_named_once(void **state)
{
	(void)state;
	assert_int_equal(setenv("container", "x", 1), 0);
	meta_fixture_open();
	meta_fixture_fail(imds(), FFFA_IE_CONNECT, false, 1);
	assert_int_equal(fake_loop_logged("hop-limit"), 0);
	meta_fixture_fail(imds(), FFFA_IE_TIMEOUT, false, 2); /* although it is failing already */
	assert_int_equal(fake_loop_logged("W IMDS at http://127.0.0.1:1 did not answer the token "
					  "request in time; AWS fields stay unknown until it "
					  "answers. In a container the answer does not arrive"),
			 1);
	assert_int_equal(fake_loop_logged("--instance-id ID --http-put-response-hop-limit 2"), 1);
	meta_fixture_fail(imds(), FFFA_IE_TIMEOUT, false, 3);
	meta_fixture_learn(imds(), &answer);
	meta_fixture_fail(imds(), FFFA_IE_TIMEOUT, false, 3);
	assert_int_equal(fake_loop_logged("hop-limit"), 1);
	meta_fixture_close();
	(void)meta_fixture_setup(NULL);
	assert_int_equal(setenv("container", "x", 1), 0);
	meta_fixture_open();
	meta_fixture_learn(imds(), &answer);
	meta_fixture_fail(imds(), FFFA_IE_TIMEOUT, false, 3);
	assert_int_equal(fake_loop_logged("--instance-id i-1 --http-put-response-hop-limit 2"), 1);
	assert_int_equal(unsetenv("container"), 0);
}

static void errors_of_all_sources(void **state)
{
	uint64_t n;
	size_t i = 0;

	(void)state;
	meta_fixture_open();
	imds()->errors[FFFA_IE_TIMEOUT] = 1;
	imds()->errors[FFFA_IE_BAD_VALUE] = 2;
	meta_fixture_source(SOURCE_ECS, 0)->errors[FFFA_IE_BAD_VALUE] = 10;
	meta_fixture_source(SOURCE_RANGES, 0)->errors[0] = 100;
	meta_fixture_source(SOURCE_NETWORKS, 0)->errors[0] = 1000;
	assert_int_equal(meta_fixture_errors("timeout"), 1);
	assert_int_equal(meta_fixture_errors("connect"), 0);
	assert_int_equal(meta_fixture_errors("bad_value"), 12);
	assert_int_equal(meta_fixture_errors("ip_ranges"), 100);
	assert_int_equal(meta_fixture_errors("networks"), 1000);
	while (fffa_meta_error(meta_fixture.meta, i, &n))
		i++;
	assert_int_equal(i, FFFA_IE_MAX - 1 + 2);
}

static void what_a_record_gets(void **state)
{
	static const struct fffa_network net = {.name = "a"};
	struct fffa_record r = {.key = {.ifindex = 2}, .src_network = &net, .bytes = 5};
	size_t n;

	(void)state;
	meta_fixture_open();
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, devices, 2), 0);
	fffa_meta_apply(meta_fixture.meta, &r);
	assert_string_equal(r.ident->ifname, "eth0");
	assert_int_equal(meta_fixture.ranges_applied, 1);
	assert_int_equal(meta_fixture.networks_applied, 1);
	r.status = FFFA_STATUS_NODATA; /* its addresses are none */
	fffa_meta_apply(meta_fixture.meta, &r);
	assert_int_equal(meta_fixture.ranges_applied, 1);
	assert_int_equal(meta_fixture.networks_applied, 1);
	r.status = FFFA_STATUS_OK;
	fffa_meta_count_traffic(meta_fixture.meta, &r);
	assert_int_equal(fffa_meta_traffic(meta_fixture.meta, &n)[0].bytes, 5);
	assert_int_equal(n, 1);
	meta_fixture_close();
	(void)meta_fixture_setup(NULL);
	meta_fixture.conf.ip_ranges = meta_fixture.conf.networks = NULL;
	meta_fixture_open();
	fffa_meta_apply(meta_fixture.meta, &r);
	fffa_meta_count_traffic(meta_fixture.meta, &r);
	assert_int_equal(meta_fixture.ranges_applied + meta_fixture.networks_applied, 0);
}

static void a_change_of_the_hosts_name(void **state)
{
	static const struct fffa_ecs_data task = {.ids = {.task_id = "t-1", .cluster_name = "c"}};

	(void)state;
	meta_fixture_open();
	meta_fixture_settle(meta_fixture_source(SOURCE_NAME, 0), "web-2");
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->host_name, "web-2");
	meta_fixture_settle(meta_fixture_source(SOURCE_ECS, 0), &task);
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->ecs.cluster_name, "c");
}

#define ID "0123456789abcdef0123456789abcdef"

/* Makes the folders of path below root, and then the file. */
static void put(const char *root, const char *path, const char *text)
{
	char full[128];

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
		*p = '/';
	}
	files_write(full, text, strlen(text));
}

static void what_the_machine_says(void **state)
{
	char root[] = "/tmp/fffa-meta-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(root));
	put(root, "/etc/machine-id", ID "\n");
	put(root, "/proc/self/mountinfo", "2 1 8:1 /c/" ID ID "/hosts /etc/hosts rw - ext4 d rw\n");
	put(root, "/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
	put(root, "/sys/class/dmi/id/board_asset_tag", "i-0123456789abcdef0\n");
	meta_fixture.tuning.root = root;
	meta_fixture.conf.imds.enabled = FFFA_SW_AUTO;
	meta_fixture_open();
	assert_non_null(imds());
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->instance_id, "i-0123456789abcdef0");
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->agent_id,
			    "i-0123456789abcdef0/0123456789ab");
	meta_fixture_fail(imds(), FFFA_IE_TIMEOUT, false, 1);
	assert_int_equal(fake_loop_logged("Behind a bridge the answer does not arrive"), 1);
	assert_int_equal(fake_loop_logged("--instance-id i-0123456789abcdef0 "), 1);
	meta_fixture_close();
	(void)meta_fixture_setup(NULL);
	meta_fixture.tuning.root = root;
	meta_fixture.conf.imds.enabled = FFFA_SW_OFF; /* nor is the id of DMI wanted then */
	meta_fixture_open();
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->instance_id, "");
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->agent_id, ID "/0123456789ab");
	files_remove(root);
}

static void devices_that_make_it_ask(void **state)
{
	struct fffa_device third = {.ifindex = 4, .name = "eth2", .mac = {2, 0, 0, 0, 0, 3}};
	struct fffa_meta *m;

	(void)state;
	meta_fixture_open();
	m = meta_fixture.meta;
	assert_int_equal(fffa_meta_set_devices(m, devices, 2), 0);
	assert_int_equal(imds()->triggers, 0); /* the first round asks of them anyway */
	assert_int_equal(fffa_meta_set_devices(m, &third, 1), 0);
	assert_int_equal(imds()->triggers, 1);
	assert_int_equal(fffa_meta_set_devices(m, &third, 1), 0);
	assert_int_equal(imds()->triggers, 1);
	meta_fixture_learn(imds(), &answer);
	assert_int_equal(fffa_meta_set_devices(m, devices, 1), 0); /* IMDS knows it */
	assert_int_equal(imds()->triggers, 1);
	assert_int_equal(fffa_meta_set_devices(m, devices, 2), 0); /* one of them not */
	assert_int_equal(imds()->triggers, 2);
	assert_int_equal(fffa_meta_set_devices(m, NULL, 0), 0);
	assert_int_equal(imds()->triggers, 2);
	fffa_meta_addresses_changed(m);
	assert_int_equal(imds()->triggers, 3);
	assert_int_equal(fffa_meta_set_devices(m, devices, FFFA_META_DEVICES_MAX + 1), -E2BIG);
}

static const char *interface_of(uint32_t ifindex)
{
	struct fffa_record r = {.key = {.ifindex = ifindex}};

	fffa_meta_apply(meta_fixture.meta, &r);
	return r.ident->interface_id;
}

static void one_interface_id_for_one_device(void **state)
{
	char key[] = "interface_id", value[] = "eni-fixed";
	struct fffa_pair pair = {key, value};

	(void)state;
	meta_fixture.conf.fixed = (struct fffa_pairs){&pair, 1};
	meta_fixture_open();
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, &devices[1], 1), 0);
	assert_string_equal(interface_of(3), "eni-fixed");
	assert_int_equal(strlen(fake_loop.log), 0);
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, devices, 2), 0);
	assert_string_equal(interface_of(3), "eni-fixed"); /* the one that had it keeps it */
	assert_string_equal(interface_of(2), "");
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, devices, 2), 0);
	assert_int_equal(fake_loop_logged("E metadata.static.interface_id names one interface, but "
					  "2 are captured on"),
			 1);
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, NULL, 0), 0);
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, devices, 1), 0);
	assert_string_equal(interface_of(2), "eni-fixed"); /* the other one has gone */
}

static void an_identity_lives_until_the_loop_has_turned(void **state)
{
	const struct fffa_ident_host *before;

	(void)state;
	meta_fixture_open();
	assert_non_null(meta_fixture.prepare);
	before = fffa_meta_host(meta_fixture.meta);
	meta_fixture_learn(imds(), &answer);
	meta_fixture.on_prepare(meta_fixture.prepare); /* of the turn that is under way */
	assert_non_null(meta_fixture.prepare);
	assert_string_equal(before->instance_id, "");
	meta_fixture_learn(imds(), &answer); /* counting begins anew */
	meta_fixture.on_prepare(meta_fixture.prepare);
	assert_non_null(meta_fixture.prepare);
	assert_string_equal(before->instance_id, "");
	meta_fixture.on_prepare(meta_fixture.prepare);
	assert_null(meta_fixture.prepare);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, meta_fixture_setup, meta_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(every_source_is_asked),
		T(no_source_is_asked),
		T(sources_that_cannot_be_started),
		T(it_has_settled_when_every_source_has),
		T(a_wait_ends_in_time_or_with_the_reader),
		T(an_answer_and_its_age),
		T(failures_before_and_after_an_answer),
		T(the_hop_limit_is_named_once),
		T(errors_of_all_sources),
		T(what_a_record_gets),
		T(a_change_of_the_hosts_name),
		T(what_the_machine_says),
		T(devices_that_make_it_ask),
		T(one_interface_id_for_one_device),
		T(an_identity_lives_until_the_loop_has_turned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
