// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/imds/imds_endpoint.h"
#include "agent/enrich/imds/imds_policy.h"

static void test_judge(void **state)
{
	static const struct {
		CURLcode result;
		long status;
		enum fffa_imds_verdict get, put;
		enum fffa_imds_error error;
	} rows[] = {
		{CURLE_OK, 200, FFFA_IV_USE, FFFA_IV_USE, FFFA_IE_NONE},
		{CURLE_OK, 401, FFFA_IV_NEW_TOKEN, FFFA_IV_REFUSED, FFFA_IE_UNAUTHORIZED},
		{CURLE_OK, 403, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_FORBIDDEN},
		{CURLE_OK, 429, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_THROTTLED},
		{CURLE_OK, 500, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_SERVER},
		{CURLE_OK, 503, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_SERVER},
		{CURLE_OK, 599, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_SERVER},
		{CURLE_OK, 600, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OK, 499, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OK, 301, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OK, 302, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OK, 400, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OK, 405, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OK, 204, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OK, 0, FFFA_IV_REFUSED, FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED},
		{CURLE_OPERATION_TIMEDOUT, 0, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_TIMEOUT},
		{CURLE_OPERATION_TIMEDOUT, 200, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_TIMEOUT},
		{CURLE_COULDNT_CONNECT, 0, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_CONNECT},
		{CURLE_COULDNT_RESOLVE_HOST, 0, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_CONNECT},
		{CURLE_INTERFACE_FAILED, 0, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_CONNECT},
		{CURLE_PARTIAL_FILE, 200, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_TRANSFER},
		{CURLE_GOT_NOTHING, 0, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_TRANSFER},
		{CURLE_FILESIZE_EXCEEDED, 200, FFFA_IV_RETRY, FFFA_IV_RETRY, FFFA_IE_TOO_BIG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_imds_judgement get =
			fffa_imds_judge(rows[i].result, rows[i].status, false);
		struct fffa_imds_judgement put =
			fffa_imds_judge(rows[i].result, rows[i].status, true);

		assert_int_equal(get.verdict, rows[i].get);
		assert_int_equal(put.verdict, rows[i].put);
		assert_int_equal(get.error, rows[i].error);
		assert_int_equal(put.error, rows[i].error);
	}
	/* A value may be absent, but a service without tokens is not IMDSv2. */
	assert_int_equal(fffa_imds_judge(CURLE_OK, 404, false).verdict, FFFA_IV_ABSENT);
	assert_int_equal(fffa_imds_judge(CURLE_OK, 404, false).error, FFFA_IE_NONE);
	assert_int_equal(fffa_imds_judge(CURLE_OK, 404, true).verdict, FFFA_IV_REFUSED);
	assert_int_equal(fffa_imds_judge(CURLE_OK, 404, true).error, FFFA_IE_UNEXPECTED);
}

static void test_error_names(void **state)
{
	static const char *const names[FFFA_IE_MAX] = {
		"none",	     "timeout",	  "connect", "transfer",	  "unauthorized",
		"forbidden", "throttled", "server",  "unexpected_status", "too_big",
		"bad_body",  "bad_value"};

	(void)state;
	/* As the label reason of fffa_metadata_errors_total, which people's queries hold. */
	for (int i = 0; i < FFFA_IE_MAX; i++) {
		assert_string_equal(fffa_imds_error_name((enum fffa_imds_error)i), names[i]);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(fffa_imds_error_name((enum fffa_imds_error)i),
						fffa_imds_error_name((enum fffa_imds_error)k));
	}
}

static void test_default_timing(void **state)
{
	const struct fffa_imds_timing *t = &fffa_imds_timing_default;

	(void)state;
	assert_int_equal(t->token_ttl_s, 21600);
	assert_int_equal(t->backoff_min_ns, UINT64_C(1000000000));
	assert_int_equal(t->backoff_max_ns, UINT64_C(60000000000));
	assert_int_equal(t->refused_ns, UINT64_C(300000000000));
	assert_int_equal(t->min_interval_ns, UINT64_C(10000000000));
}

static void test_wanted(void **state)
{
	static const struct {
		enum fffa_switch enabled;
		struct fffa_imds_env env;
		bool is_ec2, want;
	} rows[] = {
		{FFFA_SW_AUTO, {NULL, NULL, NULL}, false, false},
		{FFFA_SW_AUTO, {NULL, NULL, NULL}, true, true},
		{FFFA_SW_AUTO, {NULL, "http://[::1]:1", NULL}, false, true},
		{FFFA_SW_AUTO, {NULL, "", NULL}, false, false},
		{FFFA_SW_AUTO, {NULL, NULL, "IPv6"}, false, false},
		{FFFA_SW_ON, {NULL, NULL, NULL}, false, true},
		{FFFA_SW_OFF, {NULL, "http://[::1]:1", NULL}, true, false},
		{FFFA_SW_ON, {"true", NULL, NULL}, true, false},
		{FFFA_SW_ON, {"TRUE", NULL, NULL}, true, false},
		{FFFA_SW_AUTO, {"True", "http://[::1]:1", NULL}, true, false},
		{FFFA_SW_ON, {"false", NULL, NULL}, false, true},
		{FFFA_SW_ON, {"1", NULL, NULL}, false, true},
		{FFFA_SW_ON, {"", NULL, NULL}, false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (fffa_imds_wanted(rows[i].enabled, &rows[i].env, rows[i].is_ec2) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void test_endpoint(void **state)
{
#define V4 "http://169.254.169.254"
#define V6 "http://[fd00:ec2::254]"
	static const struct {
		const char *conf;
		struct fffa_imds_env env;
		const char *want; /* NULL: -EINVAL */
	} rows[] = {
		{NULL, {NULL, NULL, NULL}, V4},
		{"", {NULL, NULL, NULL}, V4},
		{V4, {NULL, NULL, NULL}, V4},
		{V4, {NULL, "http://[::1]:1338/", NULL}, "http://[::1]:1338"},
		{V4, {NULL, "http://127.0.0.1:1338/base//", NULL}, "http://127.0.0.1:1338/base"},
		{"http://127.0.0.1:9", {NULL, "http://[::1]:1338", "IPv6"}, "http://127.0.0.1:9"},
		{V4, {NULL, "http://[::1]:1338", "IPv6"}, "http://[::1]:1338"},
		{V4, {NULL, "", "IPv6"}, V6},
		{V4, {NULL, NULL, "IPv6"}, V6},
		{V4, {NULL, NULL, "ipv6"}, V6},
		{V4, {NULL, NULL, "IPv4"}, V4},
		{V4, {NULL, NULL, ""}, V4},
		{V4, {NULL, NULL, "IPv5"}, NULL},
		{"https://127.0.0.1", {NULL, NULL, NULL}, NULL},
		{"ftp://127.0.0.1", {NULL, NULL, NULL}, NULL},
		{"file:///etc/passwd", {NULL, NULL, NULL}, NULL},
		{"127.0.0.1", {NULL, NULL, NULL}, NULL},
		{"http://", {NULL, NULL, NULL}, NULL},
		{"http://user@127.0.0.1", {NULL, NULL, NULL}, NULL},
		{"http://user:word@127.0.0.1", {NULL, NULL, NULL}, NULL},
		{"http://127.0.0.1/?a=b", {NULL, NULL, NULL}, NULL},
		{"http://127.0.0.1/#a", {NULL, NULL, NULL}, NULL},
		{"http://127.0.0.1:99999", {NULL, NULL, NULL}, NULL},
		{"http://127.0.0.1\r\nX: y", {NULL, NULL, NULL}, NULL},
		{V4, {NULL, "nonsense://", NULL}, NULL},
		/* Whatever their bytes are. */
		{"http://%01@127.0.0.1", {NULL, NULL, NULL}, NULL},
		{"http://:%01@127.0.0.1", {NULL, NULL, NULL}, NULL},
		{"http://127.0.0.1/?%01", {NULL, NULL, NULL}, NULL},
		{"http://127.0.0.1/#%01", {NULL, NULL, NULL}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got[FFFA_IMDS_ENDPOINT_MAX_BYTES];
		struct fffa_err err = {""};
		int rc = fffa_imds_endpoint_choose(rows[i].conf, &rows[i].env, got, &err);

		if (rc != (rows[i].want ? 0 : -EINVAL))
			fail_msg("row %zu: %d %s", i, rc, err.text);
		if (rows[i].want)
			assert_string_equal(got, rows[i].want);
		else
			assert_true(strlen(err.text) > 20);
	}
}

static void test_endpoint_length(void **state)
{
	char conf[FFFA_IMDS_ENDPOINT_MAX_BYTES + 1], got[FFFA_IMDS_ENDPOINT_MAX_BYTES];
	struct fffa_imds_env env = {NULL, NULL, NULL};
	struct fffa_err err;

	(void)state;
	memset(conf, 'a', sizeof(conf) - 1);
	memcpy(conf, "http://h/", 9);
	conf[sizeof(conf) - 1] = '\0';
	assert_int_equal(fffa_imds_endpoint_choose(conf, &env, got, &err), -EINVAL);
	assert_string_equal(err.text, "metadata.imds.endpoint: longer than 255 bytes");
	conf[sizeof(conf) - 2] = '\0';
	assert_int_equal(fffa_imds_endpoint_choose(conf, &env, got, &err), 0);
	assert_string_equal(got, conf);
}

static void test_error_does_not_repeat_the_url(void **state)
{
	char got[FFFA_IMDS_ENDPOINT_MAX_BYTES];
	struct fffa_imds_env env = {NULL, "http://me:hush@127.0.0.1", NULL};
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_imds_endpoint_choose(NULL, &env, got, &err), -EINVAL);
	assert_non_null(strstr(err.text, "AWS_EC2_METADATA_SERVICE_ENDPOINT"));
	assert_null(strstr(err.text, "hush"));
}

static void test_variables_of_the_process(void **state)
{
	struct fffa_imds_env env;

	(void)state;
	assert_int_equal(unsetenv("AWS_EC2_METADATA_DISABLED"), 0);
	assert_int_equal(unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), 0);
	assert_int_equal(unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), 0);
	env = fffa_imds_env_read();
	assert_null(env.disabled);
	assert_null(env.endpoint);
	assert_null(env.mode);
	assert_int_equal(setenv("AWS_EC2_METADATA_DISABLED", "a", 1), 0);
	assert_int_equal(setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "b", 1), 0);
	assert_int_equal(setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "c", 1), 0);
	env = fffa_imds_env_read();
	assert_string_equal(env.disabled, "a");
	assert_string_equal(env.endpoint, "b");
	assert_string_equal(env.mode, "c");
}

static void test_timeout(void **state)
{
#define S INT64_C(1000000000)
	static const struct {
		int64_t conf_ns;
		const char *variable;
		int64_t want_ns; /* 0: -EINVAL */
	} rows[] = {
		{S, NULL, S},	     {S, "", S},
		{S, "5", 5 * S},     {S, "0.5", S / 2},
		{S, "0.1", S / 10},  {S, "60", 60 * S},
		{2 * S, "5", 2 * S}, {2 * S, "x", 2 * S}, /* the configuration wins */
		{S, "0", 0},	     {S, "0.09", 0},
		{S, "60.1", 0},	     {S, "-1", 0},
		{S, "+1", 0},	     {S, "1s", 0},
		{S, "1e1", 0},	     {S, "0x1", 0},
		{S, "inf", 0},	     {S, "nan", 0},
		{S, " 1", 0},	     {S, ".", 0},
		{S, "1.1.1", 0},     {S, "999999999999", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_err err = {""};
		uint64_t got = 0;
		int rc = fffa_imds_timeout_choose(rows[i].conf_ns, rows[i].variable, &got, &err);

		if (rc != (rows[i].want_ns ? 0 : -EINVAL))
			fail_msg("row %zu: %d", i, rc);
		if (rc)
			assert_non_null(strstr(err.text, "AWS_METADATA_SERVICE_TIMEOUT"));
		else
			assert_int_equal(got, rows[i].want_ns);
	}
	assert_int_equal(FFFA_IMDS_TIMEOUT_DEFAULT_NS, S);
#undef S
}

/* What is chosen of the configuration and the variables together. */
static void test_settings(void **state)
{
	char url[] = "http://127.0.0.1:81/", got[FFFA_IMDS_ENDPOINT_MAX_BYTES];
	struct fffa_metadata_conf conf = {.imds = {.enabled = FFFA_SW_AUTO,
						   .endpoint = url,
						   .timeout_ns = FFFA_IMDS_TIMEOUT_DEFAULT_NS}};
	uint64_t timeout_ns = 7;
	struct fffa_err err;

	(void)state;
	assert_int_equal(unsetenv("AWS_EC2_METADATA_DISABLED"), 0);
	assert_int_equal(unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), 0);
	assert_int_equal(unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), 0);
	assert_int_equal(setenv("AWS_METADATA_SERVICE_TIMEOUT", "x", 1), 0); /* nobody reads it */
	strcpy(got, "before");
	assert_int_equal(fffa_imds_settings_choose(&conf, false, got, &timeout_ns, &err), 0);
	assert_string_equal(got, "");
	assert_int_equal(timeout_ns, 7);
	assert_int_equal(setenv("AWS_METADATA_SERVICE_TIMEOUT", "2", 1), 0);
	assert_int_equal(fffa_imds_settings_choose(&conf, true, got, &timeout_ns, &err), 0);
	assert_string_equal(got, "http://127.0.0.1:81");
	assert_int_equal(timeout_ns, UINT64_C(2000000000));
	assert_int_equal(setenv("AWS_METADATA_SERVICE_TIMEOUT", "x", 1), 0);
	assert_int_equal(fffa_imds_settings_choose(&conf, true, got, &timeout_ns, &err), -EINVAL);
	assert_non_null(strstr(err.text, "AWS_METADATA_SERVICE_TIMEOUT"));
	memcpy(url, "http://[::", sizeof("http://[::"));
	assert_int_equal(fffa_imds_settings_choose(&conf, true, got, &timeout_ns, &err), -EINVAL);
	assert_non_null(strstr(err.text, "metadata.imds.endpoint"));
	assert_int_equal(fffa_imds_settings_choose(&conf, false, got, &timeout_ns, &err), -EINVAL);
	conf.imds.enabled = FFFA_SW_OFF;
	assert_int_equal(fffa_imds_settings_choose(&conf, true, got, &timeout_ns, &err), -EINVAL);
	conf.imds.endpoint = NULL;
	assert_int_equal(fffa_imds_settings_choose(&conf, true, got, &timeout_ns, &err), 0);
	assert_string_equal(got, "");
	assert_int_equal(unsetenv("AWS_METADATA_SERVICE_TIMEOUT"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_error_names),
		cmocka_unit_test(test_default_timing),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_endpoint_length),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_variables_of_the_process),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_error_does_not_repeat_the_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
