// SPDX-License-Identifier: MIT
/* What the files of names add to a record, and what is said of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/enrich/networks/networks.h"
#include "agent/enrich/networks/networks_kind.h"
#include "agent/enrich/networks/networks_parse.h"
#include "agent/enrich/services/ip_ranges.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/unit/enrich/addr.h"
#include "tests/unit/enrich/fake_loop.h"

/* In the place of the watched file: what was made of it. */
static const void *made;

const void *__wrap_fffa_watched_file_made(const struct fffa_watched_file *w);

const void *__wrap_fffa_watched_file_made(const struct fffa_watched_file *w)
{
	assert_ptr_equal(w, &made);
	return made;
}

static void use(const struct fffa_watched_kind *kind, const char *text)
{
	struct fffa_err err = {""};
	void *out = NULL;

	if (kind->parse(text, strlen(text), &out, &err) != 0)
		fail_msg("%s", err.text);
	made = out;
}

static void drop(const struct fffa_watched_kind *kind)
{
	kind->destroy((void *)made);
	made = NULL;
}

static const char networks[] = "10.1.0.0/16,a,,vpc-1,subnet-a,,local\n"
			       "10.2.0.0/16,b,123456789012345,vpc-2,subnet-b,,local\n"
			       "10.3.0.0/16,c,,,subnet-c,,local\n"
			       "10.4.0.0/16,d,,vpc-1,,,peering\n"
			       "10.5.0.0/16,e,,,,,nat\n"
			       "10.6.0.0/16,f,,vpc-1\n"
			       "2001:db8::/32,g,,,,,tgw\n";

static struct fffa_record record_of(const struct fffa_ident *ident, uint8_t view, const char *src,
				    const char *dst)
{
	struct fffa_record r = {.key = {.view = view}, .ident = ident, .traffic_path = 99};

	addr_of(src, r.key.src);
	addr_of(dst, r.key.dst);
	fffa_networks_apply((void *)&made, &r);
	return r;
}

struct way {
	const char *vpc; /* of the interface */
	bool egress;
	const char *src, *dst;
	int path; /* 99: it stays as it was */
	const char *next_hop, *type;
};

static void check_way(const struct way *w)
{
	struct fffa_ident ident = {.ifindex = 2};
	struct fffa_record r;

	(void)snprintf(ident.vpc_id, sizeof(ident.vpc_id), "%s", w->vpc);
	r = record_of(&ident, w->egress ? FFFA_VIEW_EGRESS : 0, w->src, w->dst);
	if (r.traffic_path != w->path ||
	    strcmp(r.next_hop ? r.next_hop->name : "", w->next_hop) != 0 ||
	    strcmp(r.next_hop_type ? r.next_hop_type : "", w->type) != 0)
		fail_msg("%s to %s in \"%s\": %d %s %s", w->src, w->dst, w->vpc, r.traffic_path,
			 r.next_hop ? r.next_hop->name : "-",
			 r.next_hop_type ? r.next_hop_type : "-");
}

static void the_way_to_a_network(void **state)
{
	static const struct way ways[] = {
		{"vpc-1", true, "10.9.0.1", "10.1.0.1", 1, "a", ""},
		{"vpc-1", true, "10.9.0.1", "10.2.0.1", 99, "", ""}, /* local to another VPC */
		{"vpc-2", true, "10.9.0.1", "10.2.0.1", 1, "b", ""},
		{"vpc-1", true, "10.9.0.1", "10.3.0.1", 1, "c", ""}, /* its VPC is not known */
		{"", true, "10.9.0.1", "10.2.0.1", 1, "b", ""},	     /* nor is the interface's */
		{"", true, "10.1.0.1", "10.2.0.1", 99, "", ""},	     /* but the source's */
		{"", true, "10.3.0.1", "10.2.0.1", 1, "b", ""},
		{"", true, "10.6.0.1", "10.1.0.1", 1, "a", ""},
		{"vpc-2", true, "10.1.0.1", "10.2.0.1", 1, "b", ""}, /* the interface's counts */
		{"vpc-2", true, "10.9.0.1", "10.4.0.1", 4, "", ""},  /* what is not local */
		{"vpc-1", true, "10.9.0.1", "10.5.0.1", 1, "", "nat_gateway"},
		{"vpc-1", true, "10.9.0.1", "10.6.0.1", 99, "", ""}, /* of no kind */
		{"vpc-1", true, "10.9.0.1", "10.9.0.2", 99, "", ""}, /* unknown */
		{"vpc-1", true, "2001:db9::1", "2001:db8::1", 1, "", "transit_gateway"},
		/* On the way in the other end is the source, and the path is not known. */
		{"vpc-1", false, "10.1.0.1", "10.9.0.1", 99, "a", ""},
		{"vpc-1", false, "10.2.0.1", "10.9.0.1", 99, "", ""},
		{"", false, "10.2.0.1", "10.1.0.1", 99, "", ""},
		{"vpc-1", false, "10.5.0.1", "10.9.0.1", 99, "", "nat_gateway"},
		{"vpc-1", false, "10.9.0.1", "10.5.0.1", 99, "", ""},
	};

	(void)state;
	use(&fffa_networks_file_kind, networks);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_way(&ways[i]);
	drop(&fffa_networks_file_kind);
}

static void the_networks_of_a_record(void **state)
{
	static const struct fffa_tunnel tunnel;
	static const struct fffa_ident ident;
	struct fffa_record r = {.key = {.view = FFFA_VIEW_EGRESS}, .ident = &ident};

	(void)state;
	fffa_networks_apply((void *)&made, &r); /* nothing was read yet */
	assert_null(r.src_network);
	assert_null(r.dst_network);
	use(&fffa_networks_file_kind, networks);
	r = record_of(&ident, FFFA_VIEW_EGRESS, "10.1.0.1", "10.6.0.1");
	assert_string_equal(r.src_network->name, "a");
	assert_string_equal(r.dst_network->name, "f");
	r = record_of(&ident, FFFA_VIEW_EGRESS, "10.9.0.1", "10.9.0.1");
	assert_null(r.src_network);
	assert_null(r.dst_network);
	/* Inside a tunnel the addresses have networks, but no way. */
	addr_of("10.5.0.1", r.key.dst);
	r.tunnel = &tunnel;
	fffa_networks_apply((void *)&made, &r);
	assert_string_equal(r.dst_network->name, "e");
	assert_int_equal(r.traffic_path, 99);
	assert_null(r.next_hop_type);
	drop(&fffa_networks_file_kind);
}

static void the_kinds_of_networks(void **state)
{
	static const struct {
		const char *word;
		int path; /* 0: there is no such kind */
		bool local;
		const char *type;
	} rows[] = {
		{"local", 1, true, NULL},
		{"nat", 1, false, "nat_gateway"},
		{"tgw", 1, false, "transit_gateway"},
		{"endpoint", 1, false, "vpc_endpoint"},
		{"nlb", 1, false, "network_load_balancer"},
		{"igw", 8, false, NULL},
		{"vgw", 3, false, NULL},
		{"peering", 4, false, NULL},
		{"inter_region_peering", 5, false, NULL},
		{"local_gateway", 6, false, NULL},
		{"lgw", 6, false, NULL},
		{"gateway_endpoint", 7, false, NULL},
		{"1", 1, false, NULL},
		{"2", 2, false, NULL},
		{"8", 8, false, NULL},
		{"0", 0, false, NULL},
		{"9", 0, false, NULL},
		{"12", 0, false, NULL},
		{"", 0, false, NULL},
		{"Local", 0, false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_network n = {.name = ""};

		if (fffa_networks_kind_set(rows[i].word, &n) != (rows[i].path != 0))
			fail_msg("\"%s\"", rows[i].word);
		assert_int_equal(n.traffic_path, rows[i].path);
		assert_int_equal(n.local, rows[i].local);
		if (rows[i].type)
			assert_string_equal(n.next_hop_type, rows[i].type);
		else
			assert_null(n.next_hop_type);
	}
}

static void the_services_of_a_record(void **state)
{
	static const char text[] = "{\"prefixes\":[{\"ip_prefix\":\"52.0.0.0/8\",\"service\":"
				   "\"S3\"},{\"ip_prefix\":\"x\"}],\"createDate\":\"2026-11-20\"}";
	struct fffa_record r = {.src_service = NULL};

	(void)state;
	fake_loop_reset();
	addr_of("52.0.0.1", r.key.src);
	addr_of("53.0.0.1", r.key.dst);
	fffa_ip_ranges_apply((void *)&made, &r); /* nothing was read yet */
	assert_null(r.src_service);
	use(&fffa_ip_ranges_kind, text);
	fffa_ip_ranges_apply((void *)&made, &r);
	assert_string_equal(r.src_service, "S3");
	assert_null(r.dst_service);
	addr_of("52.255.255.255", r.key.dst);
	fffa_ip_ranges_apply((void *)&made, &r);
	assert_string_equal(r.dst_service, "S3");
	fffa_ip_ranges_kind.log_use(made, "/etc/ranges");
	assert_int_equal(fake_loop_logged("I read the AWS services of addresses: prefixes=1 "
					  "created=2026-11-20 path=/etc/ranges"),
			 1);
	assert_int_equal(fake_loop_logged("W metadata.ip_ranges: /etc/ranges: ignored entries "
					  "that are no prefixes: count=1"),
			 1);
	drop(&fffa_ip_ranges_kind);
	use(&fffa_ip_ranges_kind, "{\"prefixes\":[{\"ip_prefix\":\"52.0.0.0/8\",\"service\":\"S3\"}"
				  "],\"createDate\":\"a b\"}");
	fake_loop_reset();
	fffa_ip_ranges_kind.log_use(made, "/etc/ranges");
	assert_int_equal(fake_loop_logged("prefixes=1 created= path"), 1);
	assert_int_equal(fake_loop_logged("W "), 0);
	drop(&fffa_ip_ranges_kind);
	fffa_ip_ranges_kind.destroy(NULL);
	use(&fffa_networks_file_kind, networks);
	fffa_networks_file_kind.log_use(made, "/etc/networks");
	assert_int_equal(fake_loop_logged("I read the names of networks: networks=7 "
					  "path=/etc/networks"),
			 1);
	drop(&fffa_networks_file_kind);
	fffa_networks_file_kind.destroy(NULL);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void what_a_check_finds(void **state)
{
	struct fffa_ip_ranges_facts facts = {.prefixes = 77};
	struct fffa_err err = {""};
	char path[64];
	size_t n = 77;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/fffa-names-%d", (int)getpid());
	assert_int_equal(fffa_networks_check(path, &n, &err), -ENOENT);
	assert_int_equal(n, 0);
	assert_int_equal(fffa_ip_ranges_check(path, &facts, &err), -ENOENT);
	assert_int_equal(facts.prefixes, 77);
	write_text(path, networks);
	assert_int_equal(fffa_networks_check(path, &n, &err), 0);
	assert_int_equal(n, 7);
	assert_int_equal(fffa_ip_ranges_check(path, &facts, &err), -EINVAL);
	write_text(path, "{\"prefixes\":[{\"ip_prefix\":\"52.0.0.0/8\",\"service\":\"S3\"},{}]}");
	assert_int_equal(fffa_ip_ranges_check(path, &facts, &err), 0);
	assert_int_equal(facts.prefixes, 1);
	assert_int_equal(facts.rejected, 1);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_way_to_a_network),	 cmocka_unit_test(the_networks_of_a_record),
		cmocka_unit_test(the_kinds_of_networks), cmocka_unit_test(the_services_of_a_record),
		cmocka_unit_test(what_a_check_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
