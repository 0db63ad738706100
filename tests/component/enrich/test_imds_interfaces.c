// SPDX-License-Identifier: MIT
/* Several interfaces, tags, an outpost; what triggers a round, and what the reader reports. */
#include "tests/stubs/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/enrich/imds/imds_data.h"
#include "agent/enrich/meta_internal.h"
#include "tests/component/enrich/metadata_fixture.h"

#define ROUND_MS 30

static bool has_documents(struct metadata_fixture *r, uint64_t n)
{
	return imds_child_count(&r->mock, "GET", "/document") >= n;
}

/* Waits until two rounds that began from here on are over. */
static void await_rounds(struct metadata_fixture *r)
{
	metadata_fixture_await(r, has_documents,
			       imds_child_count(&r->mock, "GET", "/document") + 3);
}

static void check_list(const struct fffa_imds_list *l, const char *const *want)
{
	size_t n = 0;

	for (; want[n]; n++) {
		struct fffa_cidr c;

		assert_int_equal(fffa_cidr_parse(want[n], &c, NULL), 0);
		assert_true(n < l->n);
		assert_memory_equal(&l->v[n], &c, sizeof(c));
	}
	assert_int_equal(l->n, n);
}

#define LIST(l, ...) check_list(&(l), (const char *const[]){__VA_ARGS__, NULL})

static void every_interface_with_all_its_addresses(void **state)
{
	struct metadata_fixture *r = *state;
	const struct fffa_imds_iface *i;

	imds_child_faults(
		&r->mock,
		"{\"instance\":{\"macs\":[\"02:00:00:00:00:01\",\"02:00:00:00:00:02\","
		"\"02:00:00:00:00:03\"],\"interfaces\":{\"02:00:00:00:00:03\":{"
		"\"vpc-id\":\"vpc-other\",\"vpc-ipv4-cidr-blocks\":\"172.31.0.0/16\","
		"\"subnet-ipv4-cidr-block\":\"172.31.16.0/20\",\"local-ipv4s\":\"172.31.16.5\","
		"\"ipv6s\":null,\"ipv4-prefix\":null,\"ipv6-prefix\":null,"
		"\"vpc-ipv6-cidr-blocks\":null,\"subnet-ipv6-cidr-blocks\":null}}}}");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_false(metadata_fixture_has_failures(r, 1));
	i = fffa_meta_iface(r->meta, 0);
	LIST(i->ipv4s, "10.0.1.10", "10.0.1.11");
	LIST(i->ipv6s, "2001:db8:0:1::a", "2001:db8:0:1::10a");
	LIST(i->ipv4_prefixes, "10.0.1.128/28");
	LIST(i->ipv6_prefixes, "2001:db8:0:1:1::/80");
	LIST(i->subnet_ipv4, "10.0.1.0/24");
	LIST(i->subnet_ipv6, "2001:db8:0:1::/64");
	LIST(i->vpc_ipv4, "10.0.0.0/16", "10.7.0.0/20");
	LIST(i->vpc_ipv6, "2001:db8::/56");
	i = fffa_meta_iface(r->meta, 2);
	assert_string_equal(i->vpc_id, "vpc-other");
	LIST(i->ipv4s, "172.31.16.5");
	LIST(i->vpc_ipv4, "172.31.0.0/16");
	assert_int_equal(i->ipv6s.n, 0);
	assert_int_equal(i->ipv4_prefixes.n, 0);
	assert_null(fffa_meta_iface(r->meta, 3));
}

static int path_to(struct metadata_fixture *r, const char *dst)
{
	struct fffa_record rec = {.key = {.ifindex = 2, .view = FFFA_VIEW_EGRESS}};

	assert_int_equal(inet_pton(AF_INET6, dst, rec.key.dst), 1);
	fffa_meta_apply(r->meta, &rec);
	return rec.traffic_path;
}

static void records_get_what_follows_from_it(void **state)
{
	struct metadata_fixture *r = *state;
	const uint8_t(*resolvers)[16];
	uint8_t want[16];
	size_t n;

	metadata_fixture_open(r);
	(void)fffa_meta_resolvers(r->meta, &n);
	assert_int_equal(n, 0);
	assert_int_equal(path_to(r, "::ffff:10.0.200.1"), 0);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_true(metadata_fixture_ident(r, 2)->has_primary_ipv4);
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.1.10", want), 1);
	assert_memory_equal(metadata_fixture_ident(r, 2)->primary_ipv4, want, 16);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:0:1::a", want), 1);
	assert_memory_equal(metadata_fixture_ident(r, 2)->primary_ipv6, want, 16);
	assert_int_equal(path_to(r, "::ffff:10.0.200.1"), 1);
	assert_int_equal(path_to(r, "::ffff:10.0.0.2"), 0);
	assert_int_equal(path_to(r, "::ffff:8.8.8.8"), 0);
	resolvers = fffa_meta_resolvers(r->meta, &n);
	assert_int_equal(n, 3); /* two prefixes of the VPC, and the subnet's router */
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.2", want), 1);
	assert_memory_equal(resolvers[0], want, 16);
}

/* A secondary address goes and a prefix of the VPC comes: the next refresh shows both. */
static void lists_follow(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.refresh_ns = ROUND_MS * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	imds_child_faults(&r->mock, "{\"instance\":{\"interfaces\":{\"02:00:00:00:00:01\":{"
				    "\"local-ipv4s\":\"10.0.1.10\",\"ipv6s\":null,"
				    "\"vpc-ipv4-cidr-blocks\":\"10.0.0.0/16\\n10.9.0.0/16\"}}}}");
	await_rounds(r);
	LIST(fffa_meta_iface(r->meta, 0)->ipv4s, "10.0.1.10");
	assert_int_equal(fffa_meta_iface(r->meta, 0)->ipv6s.n, 0);
	assert_false(metadata_fixture_ident(r, 2)->has_primary_ipv6);
	LIST(fffa_meta_iface(r->meta, 0)->vpc_ipv4, "10.0.0.0/16", "10.9.0.0/16");
	/* An answer that cannot be read removes nothing. */
	imds_child_faults(&r->mock, "{\"faults\":[{\"kind\":\"garbage\",\"path\":\"/latest/"
				    "meta-data/network/interfaces/macs/02:00:00:00:00:01/local-"
				    "ipv4s\"}]}");
	await_rounds(r);
	LIST(fffa_meta_iface(r->meta, 0)->ipv4s, "10.0.1.10");
	assert_true(metadata_fixture_error(r, "bad_value") > 0);
}

static void want_tags(struct metadata_fixture *r)
{
	static char *keys[] = {"Name", "team"};

	r->conf.instance_tags = (struct fffa_strings){.v = keys, .n = 2};
	r->conf.imds.refresh_ns = ROUND_MS * (int64_t)FFFA_NS_PER_MS;
}

static void check_tags(struct metadata_fixture *r, const char *first, const char *second)
{
	assert_string_equal(fffa_meta_host(r->meta)->instance_tags.v[0], first);
	assert_string_equal(fffa_meta_host(r->meta)->instance_tags.v[1], second);
}

static void tags_come_change_and_go(void **state)
{
	struct metadata_fixture *r = *state;

	want_tags(r);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	check_tags(r, "", "");
	assert_int_equal(imds_child_count(&r->mock, "GET", "/tags/instance/"), 1);
	assert_int_equal(imds_child_count(&r->mock, "GET", "/tags/instance/Name"), 0);
	await_rounds(r);
	/* Absence is no failure, and counts until the next refresh. */
	assert_false(metadata_fixture_has_failures(r, 1));
	assert_uint_in_range(imds_child_count(&r->mock, "GET", "/tags/instance/"),
			     imds_child_count(&r->mock, "GET", "/document") - 1,
			     imds_child_count(&r->mock, "GET", "/document"));
	imds_child_faults(&r->mock, "{\"instance\":{\"tags\":{\"Name\":\"web-1 / \\u00e9\","
				    "\"other\":\"x\",\"team\":\"a:b\"}}}");
	await_rounds(r);
	check_tags(r, "web%2D1%20%2F%20%C3%A9", "a%3Ab");
	imds_child_faults(&r->mock, "{\"instance\":{\"tags\":{\"team\":\"new\"}}}");
	await_rounds(r);
	check_tags(r, "", "new");
	imds_child_faults(&r->mock, "{}");
	await_rounds(r);
	check_tags(r, "", "");
	assert_false(metadata_fixture_has_failures(r, 1));
}

static void tags_of_no_use(void **state)
{
	struct metadata_fixture *r = *state;
	char text[2048], dashes[257];

	want_tags(r);
	memset(dashes, '-', sizeof(dashes) - 1);
	dashes[sizeof(dashes) - 1] = '\0';
	(void)snprintf(text, sizeof(text),
		       "{\"instance\":{\"tags\":{\"Name\":\"%s\",\"team\":\"x\"}},\"faults\":["
		       "{\"kind\":\"garbage\",\"path\":\"/latest/meta-data/tags/instance/team\"}]}",
		       dashes);
	imds_child_faults(&r->mock, text);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	check_tags(r, "", "");
	assert_int_equal(metadata_fixture_error(r, "bad_value"), 2);
}

static void sublocations(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.refresh_ns = ROUND_MS * (int64_t)FFFA_NS_PER_MS;
	imds_child_faults(&r->mock,
			  "{\"instance\":{\"outpost_arn\":"
			  "\"arn:aws:outposts:us-east-1:123456789012:outpost/op-0a1b\"}}");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_string_equal(fffa_meta_host(r->meta)->sublocation_type, "outpost");
	assert_string_equal(fffa_meta_host(r->meta)->sublocation_id, "op-0a1b");
	assert_string_equal(fffa_meta_host(r->meta)->az_id, "");
	metadata_fixture_close(r);
	imds_child_faults(&r->mock, "{\"instance\":{\"az\":\"us-east-1-bos-1a\","
				    "\"az_id\":\"use1-bos1-az1\"}}");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_string_equal(fffa_meta_host(r->meta)->sublocation_type, "localzone");
	assert_string_equal(fffa_meta_host(r->meta)->sublocation_id, "use1-bos1-az1");
	assert_string_equal(fffa_meta_host(r->meta)->az_id, "");
	assert_string_equal(fffa_meta_host(r->meta)->az, "us-east-1-bos-1a");
}

static void an_address_change_asks_again(void **state)
{
	struct metadata_fixture *r = *state;

	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	for (int i = 0; i < 50; i++)
		fffa_meta_addresses_changed(r->meta);
	metadata_fixture_await(r, has_documents, 2);
	metadata_fixture_run_ms(r, 200);
	assert_int_equal(imds_child_count(&r->mock, "GET", "/document"), 2);
}

/* The first round is under way, with seconds to go until the faults of the mock change. */
static void open_in_a_round(struct metadata_fixture *r)
{
	imds_child_faults(&r->mock, "[{\"kind\":\"slow\",\"ms\":200,\"method\":\"GET\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_requests, 3);
	assert_false(metadata_fixture_is_learned(r, 0));
}

/* A round under way may have asked already, so another one follows a change. */
static void an_address_change_during_a_round(void **state)
{
	struct metadata_fixture *r = *state;

	open_in_a_round(r);
	fffa_meta_addresses_changed(r->meta);
	fffa_meta_addresses_changed(r->meta);
	imds_child_faults(&r->mock, "[]");
	metadata_fixture_await(r, has_documents, 2);
	metadata_fixture_run_ms(r, 200);
	assert_int_equal(imds_child_count(&r->mock, "GET", "/document"), 2);
}

/* The device comes during the first round, which may have asked for the list already. */
static void a_device_during_the_first_round(void **state)
{
	static const struct fffa_device fresh = {
		.ifindex = 5, .name = "eth2", .mac = {2, 0, 0, 0, 0, 9}};
	struct metadata_fixture *r = *state;

	open_in_a_round(r);
	assert_int_equal(fffa_meta_set_devices(r->meta, &fresh, 1), 0);
	imds_child_faults(&r->mock, "[]");
	metadata_fixture_await(r, has_documents, 2);
}

static void an_address_change_is_nothing_when_off(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.enabled = FFFA_SW_OFF;
	metadata_fixture_open(r);
	fffa_meta_addresses_changed(r->meta);
	metadata_fixture_run_ms(r, 60);
	assert_int_equal(imds_child_count(&r->mock, NULL, NULL), 0);
}

static bool is_failing(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return strcmp(fffa_meta_state(r->meta), "failing") == 0;
}

static bool is_known(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return strcmp(fffa_meta_state(r->meta), "known") == 0;
}

static void what_it_tells_of_itself(void **state)
{
	struct metadata_fixture *r = *state;
	uint64_t age_ns;

	r->conf.imds.refresh_ns = ROUND_MS * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_open(r);
	assert_string_equal(fffa_meta_state(r->meta), "asking");
	assert_string_equal(fffa_meta_endpoint(r->meta), r->endpoint);
	assert_string_equal(fffa_meta_last_error(r->meta), "");
	assert_true(fffa_meta_age_ns(r->meta) == UINT64_MAX);
	metadata_fixture_await(r, is_known, 0);
	assert_true(fffa_meta_age_ns(r->meta) < 10 * FFFA_NS_PER_S);
	assert_string_equal(fffa_meta_ident(r->meta, 0)->ifname, "eth0");
	assert_string_equal(fffa_meta_ident(r->meta, 1)->ifname, "eth1");
	assert_null(fffa_meta_ident(r->meta, 2));
	imds_child_faults(&r->mock, "[{\"kind\":\"status\",\"status\":503}]");
	metadata_fixture_await(r, is_failing, 0);
	assert_string_equal(fffa_meta_last_error(r->meta), "server");
	/* The age counts from the last whole round, and what was learned stays. */
	age_ns = fffa_meta_age_ns(r->meta);
	metadata_fixture_run_ms(r, 20);
	assert_true(fffa_meta_age_ns(r->meta) >= age_ns + 20 * FFFA_NS_PER_MS);
	metadata_fixture_assert_all_known(r);
	imds_child_faults(&r->mock, "[]");
	metadata_fixture_await(r, is_known, 0);
	assert_string_equal(fffa_meta_last_error(r->meta), "");
	assert_true(metadata_fixture_error(r, "server") >= 3);
}

static void what_it_tells_when_off(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.enabled = FFFA_SW_OFF;
	metadata_fixture_open(r);
	assert_string_equal(fffa_meta_state(r->meta), "off");
	assert_string_equal(fffa_meta_endpoint(r->meta), "");
	assert_string_equal(fffa_meta_last_error(r->meta), "");
	assert_int_equal(metadata_fixture_error(r, "timeout"), 0);
}

static void check_refused(struct metadata_fixture *r, const char *faults, const char *reason,
			  size_t requests)
{
	imds_child_faults(&r->mock, faults);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_run_ms(r, 200);
	assert_int_equal(metadata_fixture_error(r, reason), 1);
	assert_int_equal(imds_child_count(&r->mock, NULL, NULL), requests);
}

static void behind_a_forwarding_proxy(void **state)
{
	check_refused(*state, "[{\"kind\":\"forwarded\",\"method\":\"PUT\"}]", "forbidden", 1);
}

static void a_ttl_that_is_refused(void **state)
{
	struct metadata_fixture *r = *state;

	r->tuning.timing.token_ttl_s = 0; /* 400: missing or invalid */
	check_refused(r, "[]", "unexpected_status", 1);
}

static void a_redirect_of_a_question(void **state)
{
	check_refused(
		*state,
		"[{\"kind\":\"redirect\",\"to\":\"/latest/meta-data/mac\",\"method\":\"GET\"}]",
		"unexpected_status", 2);
}

static void one_connection_for_all(void **state)
{
	struct metadata_fixture *r = *state;
	json_int_t peer = 0;
	json_t *all, *e;
	size_t i;

	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	all = imds_child_log(&r->mock);
	json_array_foreach (all, i, e) {
		json_int_t now = json_integer_value(json_object_get(e, "peer"));

		assert_true(now && (!peer || now == peer));
		peer = now;
	}
	assert_int_equal(i, 1 + METADATA_GETS);
	json_decref(all);
}

static void timeout_of_the_environment(void **state)
{
	struct metadata_fixture *r = *state;
	struct fffa_err err = {""};

	assert_int_equal(setenv("AWS_METADATA_SERVICE_TIMEOUT", "0.1", 1), 0);
	r->conf.imds.timeout_ns = 1 * (int64_t)FFFA_NS_PER_S; /* the default */
	imds_child_faults(&r->mock, "[{\"kind\":\"hang\"}]");
	metadata_fixture_open(r);
	assert_int_equal(r->meta->timeout_ns, 100 * FFFA_NS_PER_MS);
	metadata_fixture_await(r, metadata_fixture_has_failures, 3);
	assert_true(metadata_fixture_error(r, "timeout") >= 3);
	metadata_fixture_close(r);
	assert_int_equal(setenv("AWS_METADATA_SERVICE_TIMEOUT", "soon", 1), 0);
	assert_int_equal(fffa_meta_open_tuned(&r->loop, &r->conf, &r->tuning, &r->meta, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "AWS_METADATA_SERVICE_TIMEOUT"));
	assert_null(r->meta);
	assert_int_equal(unsetenv("AWS_METADATA_SERVICE_TIMEOUT"), 0);
}

static void put_file(const struct metadata_fixture *r, const char *path, const char *text)
{
	char full[200];
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s%s", r->root, path);
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void each_dir(const struct metadata_fixture *r, bool make)
{
	static const char *const dirs[] = {"/sys", "/sys/class", "/sys/class/dmi",
					   "/sys/class/dmi/id"};
	char full[200];

	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(full, sizeof(full), "%s%s", r->root, dirs[make ? i : 3 - i]);
		assert_int_equal(make ? mkdir(full, 0755) : rmdir(full), 0);
	}
}

/* On EC2 the log names the command once, with the instance's id; later only the failure. */
static void hop_limit_on_ec2(void **state)
{
	struct metadata_fixture *r = *state;
	char path[200];

	each_dir(r, true);
	put_file(r, "/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
	put_file(r, "/sys/class/dmi/id/board_asset_tag", "i-0123456789abcdef0\n");
	metadata_fixture_capture_log(r);
	r->conf.imds.timeout_ns = 500 * (int64_t)FFFA_NS_PER_MS; /* the mock answers in time, too */
	r->conf.imds.refresh_ns = ROUND_MS * (int64_t)FFFA_NS_PER_MS;
	r->tuning.timing.token_ttl_s = 1;
	/* Another failure first does not suppress the hint. */
	imds_child_faults(&r->mock, "[{\"kind\":\"status\",\"status\":503,\"count\":1},"
				    "{\"kind\":\"hang\",\"method\":\"PUT\"}]");
	metadata_fixture_open(r);
	(void)snprintf(path, sizeof(path), "%s/sys/class/dmi/id/sys_vendor", r->root);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/sys/class/dmi/id/board_asset_tag", r->root);
	assert_int_equal(unlink(path), 0);
	each_dir(r, false);
	metadata_fixture_await(r, metadata_fixture_has_failures, 4);
	imds_child_faults(&r->mock, "[]");
	metadata_fixture_await(r, is_known, 0);
	imds_child_faults(&r->mock, "[{\"kind\":\"hang\",\"method\":\"PUT\"}]");
	metadata_fixture_await(r, is_failing, 0); /* the token's end, and three silent requests */
	assert_int_equal(metadata_fixture_logged(
				 r, "`aws ec2 modify-instance-metadata-options --instance-id "
				    "i-0123456789abcdef0 --http-put-response-hop-limit 2 "
				    "--http-endpoint enabled`"),
			 1);
	assert_int_equal(metadata_fixture_logged(r, "reason=timeout (token request)"), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, metadata_fixture_setup, metadata_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(every_interface_with_all_its_addresses),
		T(records_get_what_follows_from_it),
		T(lists_follow),
		T(tags_come_change_and_go),
		T(tags_of_no_use),
		T(sublocations),
		T(an_address_change_asks_again),
		T(an_address_change_during_a_round),
		T(a_device_during_the_first_round),
		T(an_address_change_is_nothing_when_off),
		T(what_it_tells_of_itself),
		T(what_it_tells_when_off),
		T(behind_a_forwarding_proxy),
		T(a_ttl_that_is_refused),
		T(a_redirect_of_a_question),
		T(one_connection_for_all),
		T(timeout_of_the_environment),
		T(hop_limit_on_ec2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
