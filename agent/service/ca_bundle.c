// SPDX-License-Identifier: MIT
#include "agent/service/ca_bundle.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const places[] = {
	"/etc/ssl/certs/ca-certificates.crt",		     /* Debian, Ubuntu, Arch, Gentoo */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL, Fedora, Amazon Linux */
	"/etc/pki/tls/certs/ca-bundle.crt",		     /* the same, older */
	"/etc/ssl/ca-bundle.pem",			     /* SUSE */
	"/var/lib/ca-certificates/ca-bundle.pem",	     /* the same */
	"/etc/pki/tls/cacert.pem",
	"/etc/ssl/cert.pem", /* Alpine */
};

int fffa_ca_bundle_find(const char *root, char *path, size_t cap)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, cap, "%s%s", root, places[i]);

		if (n < 0 || (size_t)n >= cap)
			return -ENAMETOOLONG;
		if (access(path, R_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

void fffa_ca_bundle_use(void)
{
	char path[PATH_MAX];

	if (getenv("SSL_CERT_FILE") || getenv("SSL_CERT_DIR") ||
	    fffa_ca_bundle_find("", path, sizeof(path)))
		return;
	(void)setenv("SSL_CERT_FILE", path, 0); /* without memory, TLS fails and says why */
}
