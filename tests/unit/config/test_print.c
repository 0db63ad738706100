/* SPDX-License-Identifier: MIT */
/* The effective configuration and the commented default file, and that both are read back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/print/print.h"
#include "config/rows.h"
#include "fixture.h"
#include "tests/stubs/cmocka_all.h"

static char *print(const struct fffa_config *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(fffa_print_config(c, fake_schema, f), 0);
	fclose(f);
	return text;
}

static char *print_defaults(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(fffa_print_defaults(fake_schema, f), 0);
	fclose(f);
	return text;
}

static const char full[] =
	"capture:\n"
	"  interfaces: [eth0, \"ens*\", \"on\"]\n"
	"  exclude: []\n"
	"  hook: xdp\n"
	"  direction: ingress\n"
	"  decapsulate: [vxlan]\n"
	"  geneve_ports: []\n"
	"  vxlan_ports: [1, 65535]\n"
	"  tunnel_view: inner\n"
	"  max_flows: 4096\n"
	"  ring_size: 64KiB\n"
	"  drain_interval: 1500ms\n"
	"  sample: 1\n"
	"  parity_filter: false\n"
	"  filter: \"port 80\"\n"
	"flows:\n"
	"  idle_timeout: 2m\n"
	"  active_timeout: 60s\n"
	"  max_flows: 1048576\n"
	"  nodata: true\n"
	"metadata:\n"
	"  imds:\n"
	"    enabled: \"off\"\n"
	"    endpoint: \"http://[::1]:80\"\n"
	"    refresh: 5m\n"
	"    timeout: 1s\n"
	"  instance_tags: []\n"
	"  ecs: auto\n"
	"  ip_ranges: \"\"\n"
	"  networks: \"\"\n"
	"  host_name: \"\"\n"
	"  interfaces: {eth0.7: {interface_id: eni-1, addresses: [\"10.0.0.5\", \"fd00::5\"]}, "
	"\"*\": {account_id: \"123456789012\", vpc_cidrs: []}}\n"
	"  static: {account_id: \"123456789012\", region: us-east-1}\n"
	"spool_dir: /var/lib/fffa/spool\n"
	"shutdown_timeout: 0s\n"
	"status:\n"
	"  listen: \"unix:/run/fffa status\"\n"
	"log:\n"
	"  level: warn\n"
	"  format: json\n"
	"  core_dumps: \"off\"\n"
	"user: \"\"\n"
	"seccomp: \"on\"\n"
	"sinks:\n"
	"  - name: a\n"
	"    type: demo\n"
	"    format: vpc\n"
	"    fields: \"${version} ${srcaddr}\"\n"
	"    envelope: firehose\n"
	"    filter: udp\n"
	"    header: false\n"
	"    batch:\n"
	"      records: 1000\n"
	"      bytes: 1MiB\n"
	"      age: 1s\n"
	"    queue:\n"
	"      memory: 4GiB\n"
	"      spool: 0\n"
	"      when_full: drop_newest\n"
	"    retry:\n"
	"      min: 500ms\n"
	"      max: 30s\n"
	"      give_up: 30h\n"
	"    flag: true\n"
	"    count: -3\n"
	"    wait: 90s\n"
	"    room: 1536\n"
	"    url: \"a b\\n\\t\\\"\\\\\\x01\\x85\\u2028\\ufeff\xc3\xa9\xf0\x9f\x90\x8d $${A} "
	"$$${A}\"\n"
	"    tls:\n"
	"      mode: \"on\"\n"
	"      password: \"***\"\n"
	"    hosts: [\"b:9092\", \"$${x}\", \"-\", \"null\", \"1\"]\n"
	"    ports: [1, 2]\n"
	"    properties: {a.b: \"\", \"${k}\": \"$${v}\", sasl.password: \"***\"}\n"
	"    patience: never\n"
	"  - name: b\n"
	"    type: file\n"
	"    format: json\n"
	"    fields: \"$${x} y\"\n"
	"    envelope: none\n"
	"    filter: \"\"\n"
	"    header: true\n"
	"    batch:\n"
	"      records: 7\n"
	"      bytes: 4097\n"
	"      age: 10ms\n"
	"    queue:\n"
	"      memory: 32MiB\n"
	"      spool: 0\n"
	"      when_full: drop_newest\n"
	"    retry:\n"
	"      min: 500ms\n"
	"      max: 30s\n"
	"      give_up: never\n"
	"    path: /var/log/x.log\n";

/* The text above is what the printer writes, so reading and printing it again gives the same bytes.
 */
/* The text with the secret that is printed as ***, which cannot be read back; the caller frees. */
static char *unmask(const char *masked)
{
	char *text = strdup(masked), *at;

	assert_non_null(text);
	while ((at = strstr(text, "***")))
		memcpy(at, "abc", 3);
	return text;
}

/* Loads it with its secrets filled in. */
static void load_full(struct fffa_config *c)
{
	char *text = unmask(full);

	load_ok(text, c);
	free(text);
}

static void test_masks_are_refused(void **state)
{
	(void)state;
	expect_problems(
		"sinks: [{name: x, type: demo, tls: {password: '***'}, properties: {a: '***'}}]\n",
		"f:1: sinks[0].tls.password: is ***, which fffa config prints instead of a "
		"secret; allowed: the secret, ${NAME} from the environment, or a file\n"
		"f:1: sinks[0].properties.a: is ***, which fffa config prints instead of a "
		"secret; allowed: the secret, ${NAME} from the environment, or a file\n");
}

static void test_round_trip(void **state)
{
	struct fffa_config c;
	char *text;

	(void)state;
	load_full(&c);
	text = print(&c);
	assert_string_equal(text, full);
	free(text);
	fffa_config_free(&c);
}

static void test_values_survive(void **state)
{
	struct fffa_config c;
	const struct fake_demo *d;

	(void)state;
	load_full(&c);
	d = c.sinks[0].own;
	assert_string_equal(d->url, "a b\n\t\"\\\x01\xc2\x85\xe2\x80\xa8\xef\xbb\xbf"
				    "\xc3\xa9\xf0\x9f\x90\x8d ${A} $${A}");
	assert_string_equal(d->hosts.v[1], "${x}");
	assert_int_equal(d->mode, 2);
	assert_string_equal(d->properties.v[1].key, "${k}");
	assert_string_equal(d->properties.v[1].value, "${v}");
	assert_string_equal(c.sinks[0].common.fields, "${version} ${srcaddr}");
	assert_string_equal(c.sinks[1].common.fields, "${x} y");
	assert_int_equal(c.sinks[0].common.retry_give_up_ns, INT64_C(30) * 3600 * 1000000000);
	fffa_config_free(&c);
}

/* A secret is never printed, wherever it came from. */
static void test_secrets(void **state)
{
	static const char *const texts[] = {
		"{password: hush}",
		"{password_file: /secret}",
	};
	char text[512], *shown;
	struct fffa_config c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(
			text, sizeof(text),
			"sinks:\n- name: x\n  type: demo\n  tls: %s\n  properties: {SASL.Password: "
			"hush, Authorization: hush, x-api-key: hush, user: me}\n",
			texts[i]);
		load_ok(text, &c);
		shown = print(&c);
		assert_null(strstr(shown, "hush"));
		assert_non_null(strstr(shown, "      password: \"***\"\n"));
		assert_non_null(strstr(shown, "{SASL.Password: \"***\", Authorization: \"***\", "
					      "x-api-key: \"***\", user: me}"));
		free(shown);
		fffa_config_free(&c);
	}
	load_ok("sinks:\n- name: x\n  type: demo\n  url: \"http://h/x?token=hush\"\n"
		"  properties: {sasl.password_file: /secret}\n",
		&c);
	shown = print(&c);
	assert_null(strstr(shown, "hush"));
	assert_non_null(strstr(shown, "url: \"http://h/x?***\"\n"));
	assert_non_null(strstr(shown, "properties: {sasl.password: \"***\"}"));
	free(shown);
	fffa_config_free(&c);
	/* A wrong secret is not shown either. */
	expect_problems("sinks:\n- name: x\n  type: demo\n  tls: {password: [hush]}\n",
			"f:4: sinks[0].tls.password: is a list; allowed: text\n");
}

static void test_print_failure(void **state)
{
	FILE *full_disk = fopen("/dev/full", "w");
	struct fffa_config c;

	(void)state;
	assert_non_null(full_disk);
	load_ok("", &c);
	assert_int_equal(fffa_print_config(&c, fake_schema, full_disk), -EIO);
	assert_int_equal(fffa_print_defaults(fake_schema, full_disk), -EIO);
	fclose(full_disk);
	full_disk = fopen("/dev/full", "w");
	assert_non_null(full_disk);
	(void)setvbuf(full_disk, NULL, _IONBF, 0); /* each write fails, the flush does not */
	assert_int_equal(fffa_print_config(&c, fake_schema, full_disk), -EIO);
	fclose(full_disk);
	fffa_config_free(&c);
}

/* The default file means the same as no file. */
static void test_defaults_load(void **state)
{
	struct fffa_config from_file, from_nothing;
	char *text = print_defaults(), *a, *b;

	(void)state;
	load_ok(text, &from_file);
	load_ok("", &from_nothing);
	a = print(&from_file);
	b = print(&from_nothing);
	assert_string_equal(a, b);
	free(a);
	free(b);
	free(text);
	fffa_config_free(&from_file);
	fffa_config_free(&from_nothing);
}

/*
 * Each row is in the file with its help. The last component of its key begins a line, commented out
 * or not.
 */
static void expect_rows(const char *text, const struct fffa_option *opts)
{
	for (; opts->key; opts++) {
		const char *name =
			strrchr(opts->key, '.') ? strrchr(opts->key, '.') + 1 : opts->key;
		const char *help = strstr(text, opts->help), *line;
		char key[80];

		print_message("%s\n", opts->key);
		assert_non_null(help);
		snprintf(key, sizeof(key), " %s:", name);
		if (!strcmp(opts->key, name))
			snprintf(key, sizeof(key), "%s:", name);
		line = strstr(help, key);
		assert_non_null(line);
		/* Between help and key are at most the line of the range and one for KEY_file. */
		assert_true(line - help < 400);
	}
}

static void test_defaults_hold_every_key(void **state)
{
	char *text = print_defaults();
	size_t i;

	(void)state;
	expect_rows(text, fffa_config_rows);
	expect_rows(text, fffa_sink_common_rows);
	for (i = 0; fake_schema[i].name; i++)
		expect_rows(text, fake_schema[i].opts);
	assert_non_null(strstr(text, "  # 1024 to 16777216; default 131072; a change needs a "
				     "restart\n  max_flows: 131072\n"));
	assert_non_null(strstr(text, "  # true or false; default false\n"
				     "  parity_filter: false\n"));
	assert_non_null(strstr(text, "\n      # never or 1s to 720h (units ms, s, m, h); default "
				     "never\n      give_up: never\n"));
	assert_non_null(strstr(text,
			       "#      # password_file instead: the path of a file that holds "
			       "it\n#      # password:\n"));
	free(text);
}

/* Without the first # of each line, the examples are sinks. */
static void test_defaults_examples(void **state)
{
	char *text = print_defaults(), *p = strstr(text, "#  - name: demo\n"), *to;
	struct fffa_config c;
	const struct fake_demo *d;

	(void)state;
	assert_non_null(p);
	for (to = p; *p; p++) {
		if (*p == '#' && p[-1] == '\n')
			continue;
		*to++ = *p;
	}
	*to = '\0';
	load_ok(text, &c);
	assert_int_equal(c.sink_count, 2);
	assert_string_equal(c.sinks[1].common.type, "demo");
	d = c.sinks[1].own;
	assert_int_equal(d->wait_ns, INT64_C(90000000000));
	assert_int_equal(d->ports.n, 2);
	fffa_config_free(&c);
	free(text);
}

static void test_no_file_type(void **state)
{
	static const struct fffa_sink_schema none[] = {{.name = NULL}};
	struct problems p = {"", 0};
	struct fffa_config c;

	(void)state;
	assert_int_equal(fffa_config_load(NULL, none, &c, problems_add, &p), -EINVAL);
	assert_string_equal(p.text,
			    "built-in sink:2: sinks[0].type: \"file\" is unknown; allowed: \n");
	assert_int_equal(fffa_print_defaults(none, stdout), -EINVAL);
}

/* A sink type with wrong rows is reported at once, with its name. */
static void test_wrong_default(void **state)
{
	static const struct fffa_option rows[] = {
		FFFA_OPT_INT("count", struct fake_demo, count, "11", 1, 10, 0, "A number."),
		FFFA_OPT_END,
	};
	static const struct fffa_sink_schema schema[] = {
		{.name = "demo", .conf_size = sizeof(struct fake_demo), .opts = rows},
		{.name = NULL},
	};
	static const char text[] = "sinks: [{name: x, type: demo}]\n";
	struct problems p = {"", 0};
	struct fffa_config c;

	(void)state;
	assert_int_equal(fffa_config_load_in(&fake_environment, "f", text, strlen(text), schema, &c,
					     problems_add, &p),
			 -EINVAL);
	assert_string_equal(p.text,
			    "built-in default: count: 11 is out of range; allowed: 1 to 10\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks_are_refused),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_values_survive),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_print_failure),
		cmocka_unit_test(test_defaults_load),
		cmocka_unit_test(test_defaults_hold_every_key),
		cmocka_unit_test(test_defaults_examples),
		cmocka_unit_test(test_no_file_type),
		cmocka_unit_test(test_wrong_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
