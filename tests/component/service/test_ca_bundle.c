// SPDX-License-Identifier: MIT
/* The CA certificates of each distribution are found. */
#include "agent/service/ca_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

static void make_file(const char *root, const char *path)
{
	char all[PATH_MAX];
	int fd;

	(void)snprintf(all, sizeof(all), "%s%s", root, path);
	for (char *at = strchr(all + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		(void)mkdir(all, 0755);
		*at = '/';
	}
	fd = open(all, O_CREAT | O_WRONLY, 0644);
	assert_true(fd >= 0);
	(void)close(fd);
}

static void test_each_distribution(void **state)
{
	static const char *const places[] = {
		/* The later one of two that are there does not count. */
		"/etc/ssl/cert.pem",
		"/etc/pki/tls/cacert.pem",
		"/var/lib/ca-certificates/ca-bundle.pem",
		"/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/certs/ca-certificates.crt",
	};
	char root[] = "/tmp/fffa-ca-XXXXXX", path[PATH_MAX], small[8];
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(fffa_ca_bundle_find(root, path, sizeof(path)), -ENOENT);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		make_file(root, places[i]);
		assert_int_equal(fffa_ca_bundle_find(root, path, sizeof(path)), 0);
		assert_string_equal(path + strlen(root), places[i]);
	}
	len = strlen(path);
	assert_int_equal(fffa_ca_bundle_find(root, small, sizeof(small)), -ENAMETOOLONG);
	assert_int_equal(fffa_ca_bundle_find(root, path, len), -ENAMETOOLONG);
	assert_int_equal(fffa_ca_bundle_find(root, path, len + 1), 0);
	files_remove(root);
}

/* Those of this host, if it has any, for the TLS library. */
static void test_they_are_used(void **state)
{
	char path[PATH_MAX];

	(void)state;
	(void)unsetenv("SSL_CERT_DIR");
	(void)unsetenv("SSL_CERT_FILE");
	fffa_ca_bundle_use();
	if (fffa_ca_bundle_find("", path, sizeof(path)))
		assert_null(getenv("SSL_CERT_FILE"));
	else
		assert_string_equal(getenv("SSL_CERT_FILE"), path);
}

static void test_the_environment_wins(void **state)
{
	(void)state;
	assert_int_equal(setenv("SSL_CERT_DIR", "/nonexistent", 1), 0);
	(void)unsetenv("SSL_CERT_FILE");
	fffa_ca_bundle_use();
	assert_null(getenv("SSL_CERT_FILE"));
	assert_int_equal(setenv("SSL_CERT_FILE", "/mine", 1), 0);
	fffa_ca_bundle_use();
	assert_string_equal(getenv("SSL_CERT_FILE"), "/mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_distribution),
		cmocka_unit_test(test_they_are_used),
		cmocka_unit_test(test_the_environment_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
