// SPDX-License-Identifier: MIT
/* The certificate files are read again when they change, and what was read stays in use else. */
#include "sinks/http/tls_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

struct place {
	char dir[64], ca[96], cert[96], key[96];
	struct fffa_sink_http_conf conf;
	struct fffa_http_tls_look look;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/fffa-tls.XXXXXX");
	*state = p;
	if (!mkdtemp(p->dir))
		return -1;
	(void)snprintf(p->ca, sizeof(p->ca), "%s/ca", p->dir);
	(void)snprintf(p->cert, sizeof(p->cert), "%s/cert", p->dir);
	(void)snprintf(p->key, sizeof(p->key), "%s/key", p->dir);
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	(void)remove(p->ca);
	(void)remove(p->cert);
	(void)remove(p->key);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

/* A file of another name takes its place, as those who renew certificates do. */
static void put(const char *path, const char *text)
{
	char next[128];
	FILE *f;

	(void)snprintf(next, sizeof(next), "%s.new", path);
	f = fopen(next, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(next, path), 0);
}

static struct fffa_http_tls_set *look(struct place *p, int expected)
{
	struct fffa_http_tls_set *s = (void *)p;

	assert_int_equal(fffa_http__tls_files_look(&p->look, &p->conf, "sink.t", &s), expected);
	return s;
}

static void assert_file(const struct fffa_http_tls_set *s, int which, const char *text)
{
	assert_non_null(s);
	assert_int_equal(s->v[which].len, strlen(text));
	assert_memory_equal(s->v[which].data, text, strlen(text));
	assert_int_equal(s->v[which].flags, CURL_BLOB_COPY);
}

static void read_once_until_one_changes(void **state)
{
	struct place *p = *state;
	struct fffa_http_tls_set *s;

	p->conf.tls.ca_file = p->ca;
	p->conf.tls.cert_file = p->cert;
	p->conf.tls.key_file = p->key;
	assert_true(fffa_http__tls_files_any(&p->conf));
	put(p->ca, "authority");
	put(p->cert, "certificate");
	put(p->key, "secret");
	s = look(p, 0);
	assert_file(s, FFFA_TLS_CA, "authority");
	assert_file(s, FFFA_TLS_CERT, "certificate");
	assert_file(s, FFFA_TLS_KEY, "secret");
	fffa_http__tls_files_free(s);
	assert_null(look(p, 0));
	put(p->key, "Secret"); /* of the same length */
	s = look(p, 0);
	assert_file(s, FFFA_TLS_CA, "authority");
	assert_file(s, FFFA_TLS_KEY, "Secret");
	fffa_http__tls_files_free(s);
	assert_null(look(p, 0));
}

static void the_key_may_be_in_the_certificate(void **state)
{
	struct place *p = *state;
	struct fffa_http_tls_set *s;

	p->conf.tls.cert_file = p->cert;
	put(p->cert, "both");
	s = look(p, 0);
	assert_null(s->v[FFFA_TLS_CA].data);
	assert_file(s, FFFA_TLS_CERT, "both");
	assert_file(s, FFFA_TLS_KEY, "both");
	fffa_http__tls_files_free(s);
}

static void what_was_read_stays_in_use(void **state)
{
	struct place *p = *state;
	struct fffa_http_tls_set *s;

	p->conf.tls.ca_file = p->ca;
	assert_null(look(p, -ENOENT)); /* nothing was read yet */
	put(p->ca, "first");
	s = look(p, 0);
	assert_file(s, FFFA_TLS_CA, "first");
	fffa_http__tls_files_free(s);
	assert_int_equal(remove(p->ca), 0);
	assert_null(look(p, 0));
	put(p->ca, "second");
	s = look(p, 0);
	assert_file(s, FFFA_TLS_CA, "second");
	fffa_http__tls_files_free(s);
}

/* The system's bundle is read as a file of our own is, but it need not be there. */
static void the_bundle_of_the_system(void **state)
{
	struct place *p = *state;
	struct fffa_http_tls_set *s;

	p->look.bundle = p->ca;
	p->conf.tls.cert_file = p->cert;
	put(p->cert, "certificate");
	s = look(p, 0);
	assert_null(s->v[FFFA_TLS_CA].data);
	assert_file(s, FFFA_TLS_CERT, "certificate");
	fffa_http__tls_files_free(s);
	put(p->ca, "bundle");
	s = look(p, 0);
	assert_file(s, FFFA_TLS_CA, "bundle");
	fffa_http__tls_files_free(s);
	assert_null(look(p, 0));
	put(p->ca, "renewed");
	s = look(p, 0);
	assert_file(s, FFFA_TLS_CA, "renewed");
	fffa_http__tls_files_free(s);
	assert_int_equal(remove(p->ca), 0);
	put(p->cert, "other");
	assert_null(look(p, 0)); /* what was read stays in use */
	p->conf.tls.ca_file = p->key;
	put(p->key, "own");
	s = look(p, 0);
	assert_file(s, FFFA_TLS_CA, "own");
	fffa_http__tls_files_free(s);
}

static void who_needs_the_bundle(void **state)
{
	struct fffa_sink_http_conf c = {.url = (char[]){"HTTPS://host/"}, .tls.verify = true};
	const char *bundle = fffa_http__tls_files_bundle(&c);

	(void)state;
	if (!bundle) { /* this libcurl has none */
		skip();
		return;
	}
	assert_string_equal(bundle, curl_version_info(CURLVERSION_NOW)->cainfo);
	c.tls.verify = false;
	assert_null(fffa_http__tls_files_bundle(&c));
	c.tls.verify = true;
	c.url = (char[]){"http://https:/"};
	assert_null(fffa_http__tls_files_bundle(&c));
	c.url = (char[]){"https://host/"};
	c.tls.ca_file = (char[]){"/own"};
	assert_null(fffa_http__tls_files_bundle(&c));
	c.tls.ca_file = (char[]){""};
	assert_ptr_equal(fffa_http__tls_files_bundle(&c), bundle);
}

/* A libcurl without a bundle, as in a program that is linked as a whole, looks where OpenSSL does. */
static void the_place_of_the_bundle(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", "/its/bundle", 1), 0);
	assert_string_equal(fffa_http__tls_files_place("/built/in"), "/built/in");
	assert_string_equal(fffa_http__tls_files_place(NULL), "/its/bundle");
	assert_int_equal(setenv("SSL_CERT_DIR", "/its/folder", 1), 0); /* holds others, too */
	assert_null(fffa_http__tls_files_place(NULL));
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	assert_null(fffa_http__tls_files_place(NULL));
}

static void no_files(void **state)
{
	struct place *p = *state;

	assert_false(fffa_http__tls_files_any(&p->conf));
	p->conf.tls.ca_file = (char[]){""};
	assert_false(fffa_http__tls_files_any(&p->conf));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(read_once_until_one_changes),
		T(the_key_may_be_in_the_certificate),
		T(what_was_read_stays_in_use),
		T(the_bundle_of_the_system),
		T(who_needs_the_bundle),
		T(the_place_of_the_bundle),
		T(no_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
