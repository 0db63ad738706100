// SPDX-License-Identifier: MIT
/* A round over a table of answers: the order of the questions, and where the answers go. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/imds/imds_round.h"
#include "tests/unit/enrich/addr.h"

#define META "/latest/meta-data/"
#define MAC1 META "network/interfaces/macs/02:00:00:00:00:01/"
#define MAC2 META "network/interfaces/macs/0a:ff:00:00:00:02/"

struct answer {
	const char *path, *body;
};

struct asked {
	char paths[128][FFFA_IMDS_PATH_BYTES];
	size_t n;
	uint32_t rejected;
};

static const char *body_of(const struct answer *a, const char *path)
{
	for (; a->path; a++) {
		if (strcmp(a->path, path) == 0)
			return a->body;
	}
	return NULL;
}

/* Asks every question once; one without an answer gets a 404. */
static void run_round(struct fffa_imds_round *r, const struct answer *answers, struct asked *asked)
{
	memset(asked, 0, sizeof(*asked));
	for (fffa_imds_round_begin(r); !fffa_imds_round_over(r); fffa_imds_round_next(r)) {
		char *path = asked->paths[asked->n++];
		const char *body;

		assert_true(asked->n < 128);
		assert_int_equal(fffa_imds_round_path(r, path), 0);
		body = body_of(answers, path);
		if (body)
			assert_int_equal(
				fffa_imds_round_take(r, body, strlen(body), &asked->rejected), 0);
	}
}

static const struct answer full[] = {
	{"/latest/dynamic/instance-identity/document",
	 "{\"accountId\":\"123456789012\",\"instanceId\":\"i-1\",\"region\":\"us-east-1\"}"},
	{META "placement/availability-zone", "us-east-1a"},
	{META "placement/availability-zone-id", "use1-az4"},
	{META "placement/region", "us-east-1"},
	{META "outpost-arn", "arn:aws:outposts:us-east-1:123456789012:outpost/op-0ab"},
	{META "tags/instance/", "Name\nteam\nother"},
	{META "tags/instance/Name", "web-1"},
	{META "tags/instance/team", "a b"},
	{META "network/interfaces/macs/", "02:00:00:00:00:01/\n0a:ff:00:00:00:02/\n"},
	{MAC1 "interface-id", "eni-1"},
	{MAC1 "subnet-id", "subnet-1"},
	{MAC1 "vpc-id", "vpc-1"},
	{MAC1 "owner-id", "123456789012"},
	{MAC1 "local-ipv4s", "10.0.1.10\n10.0.1.11"},
	{MAC1 "ipv6s", "2001:db8::10\n2001:db8::11\n2001:db8::12"},
	{MAC1 "vpc-ipv4-cidr-blocks", "10.0.0.0/16\n10.7.0.0/20"},
	{MAC1 "vpc-ipv6-cidr-blocks", "2001:db8::/56"},
	{MAC1 "subnet-ipv4-cidr-block", "10.0.1.0/24"},
	{MAC1 "subnet-ipv6-cidr-blocks", "2001:db8::/64"},
	{MAC1 "ipv4-prefix", "10.0.1.128/28"},
	{MAC1 "ipv6-prefix", "2001:db8:0:0:1::/80"},
	{MAC2 "interface-id", "eni-2"},
	{NULL, NULL},
};

static void check_list(const struct fffa_imds_list *l, size_t n, const char *last)
{
	struct fffa_cidr want;

	assert_int_equal(l->n, n);
	if (!n)
		return;
	assert_int_equal(fffa_cidr_parse(last, &want, NULL), 0);
	assert_memory_equal(&l->v[n - 1], &want, sizeof(want));
}

static void every_answer_has_its_place(void **state)
{
	struct fffa_imds_data *d = calloc(1, sizeof(*d));
	struct fffa_imds_round r = {.tag_keys = {"Name", "team"}, .data = d};
	const struct fffa_imds_iface *i;
	struct asked asked;

	(void)state;
	assert_non_null(d);
	run_round(&r, full, &asked);
	assert_int_equal(asked.n, 9 + 2 * 12);
	assert_int_equal(asked.rejected, 0);
	for (size_t k = 0; k < 21; k++) /* in the order of the table */
		assert_string_equal(asked.paths[k], full[k].path);
	assert_string_equal(d->host.account_id, "123456789012");
	assert_string_equal(d->host.az, "us-east-1a");
	assert_string_equal(d->host.az_id, "use1-az4");
	assert_string_equal(d->host.outpost_id, "op-0ab");
	assert_string_equal(d->host.instance_tags.v[0], "web%2D1");
	assert_string_equal(d->host.instance_tags.v[1], "a%20b");
	assert_int_equal(d->n, 2);
	i = &d->ifaces[0];
	assert_string_equal(i->interface_id, "eni-1");
	assert_string_equal(i->subnet_id, "subnet-1");
	assert_string_equal(i->vpc_id, "vpc-1");
	assert_string_equal(i->owner_id, "123456789012");
	check_list(&i->ipv4s, 2, "10.0.1.11");
	check_list(&i->ipv6s, 3, "2001:db8::12");
	check_list(&i->vpc_ipv4, 2, "10.7.0.0/20");
	check_list(&i->vpc_ipv6, 1, "2001:db8::/56");
	check_list(&i->subnet_ipv4, 1, "10.0.1.0/24");
	check_list(&i->subnet_ipv6, 1, "2001:db8::/64");
	check_list(&i->ipv4_prefixes, 1, "10.0.1.128/28");
	check_list(&i->ipv6_prefixes, 1, "2001:db8:0:0:1::/80");
	assert_string_equal(d->ifaces[1].interface_id, "eni-2");
	check_list(&d->ifaces[1].ipv4s, 0, "");
	/* A round leaves nothing in the next one. */
	run_round(&r, &full[22], &asked);
	assert_string_equal(d->host.account_id, "");
	assert_string_equal(d->host.outpost_id, "");
	assert_string_equal(d->host.instance_tags.v[0], "");
	assert_int_equal(d->n, 0);
	free(d);
}

static void was_asked(const struct asked *a, const char *path, bool want)
{
	bool found = false;

	for (size_t i = 0; i < a->n; i++)
		found |= strcmp(a->paths[i], path) == 0;
	if (found != want)
		fail_msg("%s was %sasked for", path, found ? "" : "not ");
}

static void tags_are_asked_only_when_wanted_and_there(void **state)
{
	static const struct answer without[] = {{META "tags/instance/", "other\nteam2\n"},
						{NULL, NULL}};
	struct fffa_imds_data *d = calloc(1, sizeof(*d));
	struct fffa_imds_round r = {.data = d};
	struct asked asked;

	(void)state;
	assert_non_null(d);
	run_round(&r, full, &asked);
	was_asked(&asked, META "tags/instance/", false);
	r.tag_keys[1] = "team";
	run_round(&r, full, &asked);
	was_asked(&asked, META "tags/instance/team", true);
	was_asked(&asked, META "tags/instance/Name", false);
	assert_string_equal(d->host.instance_tags.v[0], "");
	assert_string_equal(d->host.instance_tags.v[1], "a%20b");
	/* Tags are not allowed (404), and the key is not among them. */
	run_round(&r, &full[22], &asked);
	was_asked(&asked, META "tags/instance/", true);
	was_asked(&asked, META "tags/instance/team", false);
	run_round(&r, without, &asked);
	was_asked(&asked, META "tags/instance/team", false);
	assert_string_equal(d->host.instance_tags.v[1], "");
	free(d);
}

static void a_question_without_answer_is_asked_again(void **state)
{
	struct fffa_imds_data *d = calloc(1, sizeof(*d));
	struct fffa_imds_round r = {.data = d};
	char path[FFFA_IMDS_PATH_BYTES];
	uint32_t rejected = 0;

	(void)state;
	assert_non_null(d);
	fffa_imds_round_begin(&r);
	assert_int_equal(fffa_imds_round_take(&r, "<html>", 6, &rejected), -EINVAL);
	assert_int_equal(fffa_imds_round_path(&r, path), 0);
	assert_string_equal(path, full[0].path);
	/* A value that is refused is absent, and the round goes on. */
	fffa_imds_round_next(&r);
	assert_int_equal(fffa_imds_round_take(&r, "a b", 3, &rejected), 0);
	assert_int_equal(rejected, 1);
	assert_string_equal(d->host.az, "");
	free(d);
}

static void longest_key(void **state)
{
	struct fffa_imds_data *d = calloc(1, sizeof(*d));
	char key[129], listing[129];
	struct answer answers[] = {{META "tags/instance/", listing}, {NULL, NULL}};
	struct fffa_imds_round r = {.tag_keys = {key}, .data = d};
	struct asked asked;

	(void)state;
	assert_non_null(d);
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	memcpy(listing, key, sizeof(key));
	run_round(&r, answers, &asked);
	assert_int_equal(strlen(asked.paths[6]), strlen(META "tags/instance/") + 128);
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_has_its_place),
		cmocka_unit_test(tags_are_asked_only_when_wanted_and_there),
		cmocka_unit_test(a_question_without_answer_is_asked_again),
		cmocka_unit_test(longest_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
